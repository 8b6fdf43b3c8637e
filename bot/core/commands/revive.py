"""The button under an answer that was given up: the turn waits once more, as if it were new."""

from __future__ import annotations

import logging

from bot.core.commands.table import ActionHandler
from bot.core.i18n import N_
from bot.core.stores import Action
from bot.core.turn import TurnContext
from bot.core.types import Button, ButtonPress, ButtonRow
from bot.errors import StoreError

log = logging.getLogger(__name__)

REVIVE = "turn.revive"
LABEL = N_("🔁 Retry")


async def offer_revival(ctx: TurnContext) -> tuple[ButtonRow, ...]:
    """The button for the turn of the context; none where it cannot be shown or written down."""
    if not ctx.platform.capabilities(ctx.chat).max_buttons:
        return ()
    action = Action(name=REVIVE, argument=str(ctx.turn.id))
    try:
        [value] = await ctx.services.stores.actions.offer(ctx.chat, [action])
    except StoreError as error:
        log.warning("no button", extra={**ctx.log, "error": repr(error)})
        return ()
    return ((Button(ctx.texts.gettext(LABEL), value),),)


async def revive(ctx: TurnContext, press: ButtonPress, action: Action) -> None:
    """Let a turn that was given up wait again; its answer takes the place of the button."""
    waits = await ctx.services.stores.turns.revive(int(action.argument))
    text = "" if waits else ctx.texts.gettext("This is being answered already.")
    await ctx.platform.notice(press, text)


ACTIONS: dict[str, ActionHandler] = {REVIVE: revive}
