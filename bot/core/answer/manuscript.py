"""The text and the pictures of an answer while the model writes it."""

from __future__ import annotations

from bot.core.answer.seam import seam
from bot.core.chat import ImageDelta
from bot.core.delivery.delivery import Delivery
from bot.core.types import OutgoingFile


class Manuscript:
    """Collects an answer as it comes, and writes it to the `delivery`.

    * `heading` stands above the text in the chat, without being part of the answer.
    * `base` is the earlier answer that this one continues.
    * `torn` is what an attempt before has written: of an earlier process, or of a stream that broke
      off. It is shown until the new text differs from it, and is kept if it stays the longer one.
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
        """Whether anything to see has come in this attempt."""
        return bool(self.text.strip() or self.files)

    @property
    def is_torn(self) -> bool:
        """Whether an attempt before has written something."""
        return bool(self._torn or self._torn_files)

    def show_torn(self) -> None:
        """Show what the attempt before has written."""
        self._delivery.write(self._torn)

    def show_beginning(self) -> None:
        """Show the heading and the base, unless something torn is shown."""
        if not self._torn:
            self._delivery.write(self.heading + self.base)

    def begin(self, text: str, *, after: str = "") -> None:
        """Show the first words, `after` what stands already; they replace what is torn."""
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
        """The model is asked once more: what has come so far is torn."""
        self._torn = max(self._torn, self._delivery.text, key=len)
        self._torn_files = self.files or self._torn_files
        self.text, self.files = "", []

    def keep_torn(self) -> bool:
        """Take what is torn for the answer where it is longer; True if its text is."""
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
