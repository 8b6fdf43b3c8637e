"""The button under an answer that was given up: the turn waits once more, as if it were new."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.answer.revival import REVIVE
from bot.core.commands.table import Handler
from bot.core.turn import TurnContext
from bot.core.types import ButtonPress


async def revive(ctx: TurnContext, press: ButtonPress, argument: str) -> None:
    """Let a turn that was given up wait again; its answer takes the place of the button."""
    waits = await ctx.services.stores.turns.revive(int(argument))
    text = "" if waits else ctx.texts.gettext("This is being answered already.")
    await ctx.platform.notice(press, text)


ACTIONS: Mapping[str, Handler] = {REVIVE: Handler(run=revive, answers_press=True)}
