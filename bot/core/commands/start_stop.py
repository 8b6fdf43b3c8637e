"""`/start` and `/stop`: greet, and stop the answer that is being written."""

from __future__ import annotations

from bot.core.commands.table import ABOUT, Command
from bot.core.i18n import N_
from bot.core.turn import TurnContext
from bot.core.types import IncomingMessage


async def start(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
    """Greet."""
    _ = ctx.texts.gettext
    hello = _(
        "Hello {name}! Write me anything and I answer. Send a picture and ask about it, or a "
        "voice message. /model chooses the model, /image draws, /new starts afresh; /help shows "
        "the rest."
    )
    await ctx.say(hello.format(name=message.sender.name or _("there")))


async def stop(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
    """Stop the answer that is being written; it says so itself.

    A message that waited before it was changed into this has all answers before it.
    """
    if not (ctx.turn.urgent and await ctx.stop_chat(ctx.chat)):
        await ctx.say(ctx.texts.gettext("Nothing is being written right now."))


START = Command(name="start", family=ABOUT, summary=N_("What I can do"), run=start, urgent=True)
STOP = Command(
    name="stop",
    summary=N_("Stop the answer being written"),
    run=stop,
    aliases=("cancel",),
    urgent=True,
)
