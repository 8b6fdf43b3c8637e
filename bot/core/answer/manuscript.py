"""What has come of an answer so far, and what stands in the chat before it and until it comes."""

from __future__ import annotations

from bot.core.answer.seam import seam
from bot.core.chat import ImageDelta
from bot.core.delivery.delivery import Delivery
from bot.core.types import OutgoingFile


class Manuscript:
    """The text and the pictures of one answer, on their way to the chat.

    The text comes after a `heading` and after the `base` that it goes on with. What is `torn` has
    come before: it stands until what comes now differs from it, and again if that gets no longer.
    """

    def __init__(self, delivery: Delivery, *, torn: str, heading: str, base: str) -> None:
        self.text = ""
        self.files: list[OutgoingFile] = []
        self.heading = heading
        self.base = base
        self._delivery = delivery
        self._torn = torn
        self._torn_files: list[OutgoingFile] = []

    @property
    def has_content(self) -> bool:
        """Whether there is anything to see of what came now."""
        return bool(self.text.strip() or self.files)

    @property
    def is_torn(self) -> bool:
        """Whether something came before."""
        return bool(self._torn or self._torn_files)

    def show_torn(self) -> None:
        """Show what an earlier attempt wrote."""
        self._delivery.write(self._torn)

    def show_beginning(self) -> None:
        """Show what the answer comes after."""
        if not self._torn:
            self._delivery.write(self.heading + self.base)

    def begin(self, text: str, *, after: str = "") -> None:
        """Show the first words, `after` those that stand already; what is torn makes way."""
        if self._torn:
            self._delivery.rewrite(after + text)
        else:
            self._delivery.write(text)

    def write(self, text: str) -> None:
        """More of the text has come."""
        if self.text:
            self._delivery.write(text)
            self.text += text
        else:
            self.text = seam(self.base, text) + text
            self.begin(self.text, after=self.heading + self.base)

    def draw(self, picture: ImageDelta) -> None:
        """A picture has come."""
        name = f"picture-{len(self.files) + 1}.{picture.mime.split('/')[-1]}"
        self.files.append(OutgoingFile(name=name, mime=picture.mime, content=picture.data))

    def tear(self) -> None:
        """The model is asked once more; what has come stands until the new answer differs."""
        self._torn = max(self._torn, self._delivery.text, key=len)
        self._torn_files = self.files or self._torn_files
        self.text, self.files = "", []

    def keep_torn(self) -> bool:
        """Go back to what came before where it is longer; whether its text is."""
        self.files = self.files or self._torn_files
        torn = self._torn.removeprefix(self.heading + self.base)
        if len(torn) <= len(self.text):
            return False
        self.text = torn
        self._delivery.rewrite(self._torn)
        return True

    def give_way(self, old: str) -> None:
        """The answer from before stays instead; empty when it stands elsewhere."""
        self.text, self.files = "", []
        self._delivery.rewrite(self.heading + old if old else "")
