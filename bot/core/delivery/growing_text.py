"""What has been written of an answer, and how much of it is shown.

Apart from the painter, since it knows nothing of chats, of calls and of their pace.
"""

from __future__ import annotations

from bot.core.capabilities import Capabilities
from bot.core.delivery import long_code
from bot.core.delivery.inner_fences import with_inner_fences
from bot.core.delivery.long_code import Note, Shortened


class GrowingText:
    """The text of one answer, which grows.

    `code_note`: what it says about long code that became a file; without one none does.
    """

    def __init__(self, code_note: Note | None = None) -> None:
        self._pieces: list[str] = []
        self._code_note = code_note

    @property
    def text(self) -> str:
        """Everything written."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def write(self, delta: str) -> None:
        """Add to it."""
        self._pieces.append(delta)

    def rewrite(self, text: str) -> None:
        """Begin anew with `text`."""
        self._pieces = [text]

    def shown(self, capabilities: Capabilities) -> str:
        """What is shown while it is being written: of long code only the beginning."""
        text = with_inner_fences(self.text, is_whole=False)
        if self._code_note is None or not capabilities.max_file_out:
            return text
        return long_code.shorten(text, capabilities.max_text, self._code_note).text

    def shortened(self, capabilities: Capabilities) -> Shortened:
        """What is shown at the end: long code is a file, where files can be sent."""
        text = self.unshortened
        if self._code_note is None or not capabilities.max_file_out:
            return Shortened(text)
        return long_code.finish(text, capabilities.max_text, self._code_note)

    @property
    def unshortened(self) -> str:
        """What is shown at the end where no file can be sent after all."""
        return with_inner_fences(self.text, is_whole=True)
