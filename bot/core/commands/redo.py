"""`/retry` and `/undo`: answer the last question anew, or take it back."""

from __future__ import annotations

from bot.core.answer.answer import answer_again
from bot.core.answer.exchange import Exchange, last_exchange
from bot.core.commands.table import Command
from bot.core.i18n import N_
from bot.core.memory.titles import clean
from bot.core.stores import Outcome
from bot.core.turn import TurnContext
from bot.core.types import IncomingMessage


async def retry(ctx: TurnContext, message: IncomingMessage, argument: str) -> Outcome:
    """Answer the last question once more; the new answer replaces the old one."""
    exchange = await _last(ctx)
    if exchange is None:
        await ctx.say(ctx.texts.gettext("There is no question yet that I could answer again."))
        return Outcome()
    return await answer_again(ctx, message, exchange)


async def undo(ctx: TurnContext, message: IncomingMessage, argument: str) -> Outcome:
    """Take the last question and its answer out of what the model sees."""
    _ = ctx.texts.gettext
    exchange = await _last(ctx)
    if exchange is None:
        await ctx.say(_("There is nothing to take back in this conversation."))
        return Outcome()
    asked = exchange.question.message
    if ctx.group and not ctx.admin and asked.sender_id not in ("", ctx.sender.id):
        text = _("The last question is from {name}: only they can take it back.")
        await ctx.say(text.format(name=asked.sender_name or "–"))
        return Outcome()
    text = _("↩️ Taken back, with its answer; I know nothing of it any more:\n\n> {question}")
    await ctx.say(text.format(question=clean(asked.text) or "–"))
    return Outcome(hidden=exchange.ids)


async def _last(ctx: TurnContext) -> Exchange | None:
    return await last_exchange(ctx.services.stores.conversations, ctx.chat)


RETRY = Command(
    name="retry",
    summary=N_("Answer my last question again"),
    run=retry,
    aliases=("regenerate", "again"),
    details=N_("The new answer takes the place of the old one. Choose another /model before it."),
    examples=("/retry",),
)
UNDO = Command(
    name="undo",
    summary=N_("Take back my last question and its answer"),
    run=undo,
    details=N_(
        "The messages stay in the chat, but the model no longer sees them. Again, and the "
        "question before goes too."
    ),
    examples=("/undo",),
)

COMMANDS = (RETRY, UNDO)
