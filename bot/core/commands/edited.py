"""Somebody changed a message that was answered already: the bot offers to answer it anew."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from bot.core.answer.answer import answer
from bot.core.answer.buttons import named_exchange
from bot.core.answer.exchange import Repeat, last_exchange
from bot.core.chat import KeptMessage
from bot.core.commands.redo import too_late
from bot.core.commands.table import Handler, Queueing
from bot.core.commands.transcribe import is_transcript
from bot.core.memory.drawings import drawn_order
from bot.core.menu import Item, make_buttons
from bot.core.question.question import reworded
from bot.core.queue import Outcome
from bot.core.turn import TurnContext
from bot.core.types import ButtonPress, IncomingMessage, MessageId, MessageRef

log = logging.getLogger(__name__)

ANSWER_EDITED = "answer.changed"


async def offer(ctx: TurnContext, message: IncomingMessage) -> bool:
    """Offer to answer a changed message anew; False when no answer to it is the last one."""
    exchange = await last_exchange(ctx.services.stores.conversations, ctx.chat)
    if exchange is None or message.ref not in exchange.question.message.shown:
        return False
    if exchange.answer is not None and not _is_answered(exchange.question, exchange.answer):
        return False
    _ = ctx.texts.gettext
    argument = f"{exchange.turn_id}\n{message.ref.id}\n{message.text}"
    buttons = await make_buttons(ctx, [[Item(_("🔁 Answer it anew"), ANSWER_EDITED, argument)]])
    text = _("✏️ You changed your message.")
    if not buttons:
        text = _("✏️ You changed your message. Send it once more for a new answer.")
    if not ctx.shown:  # one offer is enough, and it is the newest
        ctx.shown[:] = await ctx.services.stores.turns.offered(ctx.turn.id)
    await ctx.say(text, buttons=buttons)
    return True


def _is_answered(question: KeptMessage, answer: KeptMessage) -> bool:
    """Whether a model answered in words; a picture and a transcript stay as they are."""
    is_drawn = drawn_order(question.message, answer.message) is not None
    return not is_drawn and not is_transcript(answer.message)


async def answer_edited(ctx: TurnContext, press: ButtonPress, argument: str) -> Outcome | None:
    """Answer the message as it is now; the new answer takes the place of the old one."""
    exchange = await named_exchange(ctx.services.stores, ctx.chat, argument)
    # A button of an earlier version may name no message.
    _, changed, words = (*argument.split("\n", 2), "", "")[:3]
    ref = MessageRef(ctx.chat, MessageId(changed))
    if exchange is None or ref not in exchange.question.message.shown or ctx.turn.urgent:
        await too_late(ctx, press)
        return None
    log.info("answering a changed message", extra=ctx.log)
    if not ctx.turn.shown:  # the offer goes with what the new answer does not need
        ctx.shown[:] = [*exchange.refs, press.ref]
    asked = reworded(exchange.question.message, ref, words)
    message = press.as_message(asked.text, ref=asked.shown[-1])
    return await answer(ctx, message, Repeat(exchange=exchange, instead=asked))


ACTIONS: Mapping[str, Handler] = {
    ANSWER_EDITED: Handler(run=answer_edited, queueing=Queueing.ASKS_ONCE, answers_press=True)
}
