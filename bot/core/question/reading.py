"""Reads the documents that people send, and cuts them to the tokens that a model has for them."""

from __future__ import annotations

from pathlib import Path

from bot.core.calibration import Ruler
from bot.core.chat import Part, TextPart
from bot.core.documents import Document, tell
from bot.core.memory.history import PICTURES
from bot.core.memory.window import window_of
from bot.core.turn import TurnContext
from bot.core.types import Attachment
from bot.errors import MediaError, MediaErrorKind

WINDOW_SHARE = 2
"""One part in so many of the window is left for the documents of a message."""
MOST_TOKENS = 24_000
"""What documents may take at most: they stay in the conversation, and every answer pays for it."""
LETTERS = 6
"""Characters per token that no language goes beyond on average."""
NOTHING = (0, 0)
"""What a person has typed of a document."""
SMALLEST = 500
"""Tokens of room below which reading is not worth it."""


class BudgetedReader:
    """Reads the documents of one message, which share a budget of tokens and of scanned pages."""

    def __init__(self, ctx: TurnContext) -> None:
        self._ctx = ctx
        self._model = ctx.manner.model
        self._room: int | None = None
        self._scans = PICTURES

    @property
    def _ruler(self) -> Ruler:
        services = self._ctx.services
        return Ruler(services.count_tokens, services.calibrations.of(self._model))

    async def read(self, path: Path, attachment: Attachment) -> list[Part]:
        """What the document says, and pictures of its scanned pages. Raises `MediaError`."""
        services = self._ctx.services
        room = await self._left()
        document = await services.documents.read(
            path,
            name=attachment.name,
            mime=attachment.mime,
            characters=room * LETTERS,
            scans=self._scans,
        )
        if not document.sections and not document.pictures:
            raise MediaError(MediaErrorKind.WORDLESS, document.left_out)
        text = await self.cut(attachment.name or "document", document)
        self._scans -= len(document.pictures)
        return [TextPart(text, typed=NOTHING), *document.pictures]

    async def cut(self, name: str, document: Document) -> str:
        """As much of a document as there is room for, in one text."""
        room, count = await self._left(), self._ruler.words
        told = tell(name, document, room=room, count=count)
        self._room = room - min(room, count(told))
        return told

    async def _left(self) -> int:
        """Tokens that there are for what comes next."""
        if self._room is None:
            services = self._ctx.services
            window = await window_of(services, self._model)
            self._room = min(MOST_TOKENS, window.seen // WINDOW_SHARE)
            ruler = window.ruler
            most = PICTURES if ruler.pictures is None else ruler.pictures
            self._scans = min(PICTURES, most, max(1, self._room // ruler.calibration.picture))
        return max(SMALLEST, self._room)
