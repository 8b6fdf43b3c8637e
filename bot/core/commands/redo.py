"""`/retry` and `/undo`: answer the last question anew, or take it back."""

from __future__ import annotations

from bot.core.answer.answer import answer_again
from bot.core.answer.exchange import Exchange, last_exchange
from bot.core.chat import NewMessage
from bot.core.commands.image import image_again
from bot.core.commands.table import Command
from bot.core.commands.transcribe import is_transcript
from bot.core.i18n import N_
from bot.core.memory.drawings import is_anew, ordered
from bot.core.memory.titles import clean
from bot.core.queue import Outcome
from bot.core.turn import TurnContext
from bot.core.types import IncomingMessage


async def retry(ctx: TurnContext, message: IncomingMessage, argument: str) -> Outcome | None:
    """Answer the last question once more; the new answer replaces the old one.

    What was drawn is drawn once more, beside the first.
    """
    exchange = await _last(ctx)
    if exchange is None:
        await ctx.say(ctx.texts.gettext("There is no question yet that I could answer again."))
        return None
    if exchange.answer is not None:
        asked, made = exchange.question.message, exchange.answer.message
        if (order := ordered(asked, made)) is not None:
            return await _draw_again(ctx, message, order, made)
        if is_transcript(made):
            await ctx.say(
                ctx.texts.gettext(
                    "That was a recording. Reply to it with `/transcribe`, and I listen once more."
                )
            )
            return None
    return await answer_again(ctx, message, exchange)


async def _draw_again(
    ctx: TurnContext, message: IncomingMessage, order: str, made: NewMessage
) -> Outcome | None:
    if is_anew(made):
        await ctx.say(
            ctx.texts.gettext(
                "That picture was made of another one. Reply to the other one with `/image`, and I "
                "draw it once more."
            )
        )
        return None
    return await image_again(ctx, message, order, made.model)


async def undo(ctx: TurnContext, message: IncomingMessage, argument: str) -> Outcome | None:
    """Take the last question and its answer out of what the model sees."""
    _ = ctx.texts.gettext
    exchange = await _last(ctx)
    if exchange is None:
        await ctx.say(_("There is nothing to take back in this conversation."))
        return None
    asked = exchange.question.message
    if ctx.group and not ctx.admin and asked.sender_id not in ("", ctx.sender.id):
        text = _("The last question is from {name}: only they can take it back.")
        await ctx.say(text.format(name=asked.sender_name or "–"))
        return None
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
