"""Documents on their way to a model: read, and cut to the room that its window has for them."""

from __future__ import annotations

from pathlib import Path

from bot.core.chat import ModelInfo, Part, TextPart
from bot.core.context import PICTURES
from bot.core.documents import tell
from bot.core.turn import TurnContext
from bot.core.types import Attachment
from bot.errors import MediaError, MediaErrorKind, ModelError

WINDOW_SHARE = 2
"""One part in so many of the window is left for the documents of a message."""
MOST_TOKENS = 24_000
"""What documents may take at most: they stay in the conversation, and every answer pays for it."""
LETTERS = 6
"""Characters per token that no language goes beyond on average."""
SMALLEST = 500
"""Tokens of room below which reading is not worth it."""


class Desk:
    """Reads the documents of one message; they share the room."""

    def __init__(self, ctx: TurnContext) -> None:
        self._ctx = ctx
        self._room: int | None = None
        self._scans = PICTURES

    async def read(self, path: Path, attachment: Attachment) -> list[Part]:
        """What the document says, and pictures of its scanned pages. Raises `MediaError`."""
        services = self._ctx.services
        info = await known_model(self._ctx)
        if self._room is None:
            window = info.context_window or services.defaults.context_window
            self._room = min(MOST_TOKENS, window // WINDOW_SHARE)
        if info.vision is False:
            self._scans = 0
        room = max(SMALLEST, self._room)
        document = await services.documents.read(
            path,
            name=attachment.name,
            mime=attachment.mime,
            characters=room * LETTERS,
            scans=self._scans,
        )
        if not document.sections and not document.pictures:
            raise MediaError(MediaErrorKind.WORDLESS, document.left_out)
        name = attachment.name or "document"
        told = tell(name, document, room=room, count=services.count_tokens)
        self._room -= min(room, services.count_tokens(told.text))
        self._scans -= len(document.pictures)
        return [TextPart(told.text), *document.pictures]


async def known_model(ctx: TurnContext) -> ModelInfo:
    """What is known about the model of this chat; the list is asked from memory or not at all."""
    model = ctx.manner.model
    try:
        known = await ctx.services.api.models()
    except ModelError:
        known = ()
    return next((info for info in known if info.id == model), ModelInfo(id=model))
