"""The button under an answer that was given up: the turn waits once more, as if it were new."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from bot.core.commands.table import Handler
from bot.core.menu import Item, make_buttons
from bot.core.turn import TurnContext
from bot.core.types import ButtonPress, ButtonRow
from bot.errors import StoreError

log = logging.getLogger(__name__)

REVIVE = "turn.revive"


async def offer_revival(ctx: TurnContext) -> Sequence[ButtonRow]:
    """The button for the turn of the context; none where it cannot be shown or written down."""
    button = Item(ctx.texts.gettext("🔁 Retry"), REVIVE, str(ctx.turn.id))
    try:
        return await make_buttons(ctx, [[button]], everybody=True)
    except StoreError as error:
        log.warning("no button", extra={**ctx.log, "error": repr(error)})
        return ()


async def revive(ctx: TurnContext, press: ButtonPress, argument: str) -> None:
    """Let a turn that was given up wait again; its answer takes the place of the button."""
    waits = await ctx.services.stores.turns.revive(int(argument))
    text = "" if waits else ctx.texts.gettext("This is being answered already.")
    await ctx.platform.notice(press, text)


ACTIONS: Mapping[str, Handler] = {REVIVE: Handler(run=revive, answers_press=True)}
