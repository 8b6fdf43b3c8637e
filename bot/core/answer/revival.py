"""The button under what was given up before it was known what was asked: try the turn once more."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bot.core.menu import Item, make_buttons
from bot.core.turn import TurnContext
from bot.core.types import ButtonRow
from bot.errors import (
    FileTooLarge,
    MediaError,
    MediaErrorKind,
    ModelError,
    ModelErrorKind,
    StoreError,
)

log = logging.getLogger(__name__)

REVIVE = "turn.revive"

_HOPELESS = frozenset(
    {
        ModelErrorKind.BAD_REQUEST,
        ModelErrorKind.CONTEXT_TOO_LONG,
        ModelErrorKind.REFUSED,
        ModelErrorKind.UNSUPPORTED,
        ModelErrorKind.NOT_ALLOWED,
    }
)
"""After these a recording would be refused again."""


def passing(error: ModelError | MediaError | FileTooLarge) -> str:
    """The kind of a failure after which the same files may be read; empty for any other."""
    match error:
        case ModelError(kind=kind) if kind not in _HOPELESS:
            return kind.value
        case MediaError(kind=MediaErrorKind.NOT_FETCHED as kind):
            return kind.value
    return ""


async def offer_revival(ctx: TurnContext) -> Sequence[ButtonRow]:
    """The button for the turn of the context; none where it cannot be shown or written down."""
    button = Item(ctx.texts.gettext("🔁 Retry"), REVIVE, str(ctx.turn.id))
    try:
        return await make_buttons(ctx, [[button]], everybody=True)
    except StoreError as error:
        log.warning("no button", extra={**ctx.log, "error": repr(error)})
        return ()
