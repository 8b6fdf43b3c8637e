"""`/retry`, `/undo` and the buttons under an answer: answer anew, go on, or take it back."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from bot.core.answer.answer import answer
from bot.core.answer.buttons import CONTINUE, REGENERATE, named_exchange
from bot.core.answer.exchange import Exchange, Repeat, last_exchange
from bot.core.chat import NewMessage
from bot.core.commands.image import image_again
from bot.core.commands.table import Command, Handler, Queueing
from bot.core.commands.transcribe import WORDLESS, is_transcript
from bot.core.i18n import N_
from bot.core.memory.drawings import drawn_order, is_redrawn
from bot.core.memory.titles import gist
from bot.core.queue import Outcome
from bot.core.turn import TurnContext
from bot.core.types import ButtonPress, IncomingMessage

log = logging.getLogger(__name__)


async def retry(ctx: TurnContext, message: IncomingMessage, argument: str) -> Outcome | None:
    """Answer the last question once more; the new answer replaces the old one.

    What was drawn is drawn once more, beside the first. A recording after it that could not be
    heard is the last question: its answer takes the place of the line that said so.
    """
    if (unheard := await ctx.services.stores.turns.failed(ctx.chat)) is not None:
        await ctx.take_away()  # the line that said that the command waits
        return Outcome(revived=unheard)
    exchange = await _last(ctx)
    if exchange is None:
        await ctx.say(ctx.texts.gettext("There is no question yet that I could answer again."))
        return None
    if exchange.answer is not None:
        asked, made = exchange.question.message, exchange.answer.message
        if (order := drawn_order(asked, made)) is not None:
            return await _draw_again(ctx, message, order, made)
        if is_transcript(made):
            await ctx.say(
                ctx.texts.gettext(
                    "That was a recording. Reply to it with `/transcribe`, and I listen once more."
                )
            )
            return None
    return await answer(ctx, message, Repeat(exchange=exchange))


async def _draw_again(
    ctx: TurnContext, message: IncomingMessage, order: str, made: NewMessage
) -> Outcome | None:
    if is_redrawn(made):
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
    words = _("a recording") if asked.text == WORDLESS else gist(asked)
    await ctx.say(text.format(question=words or "–"))
    return Outcome(hidden=exchange.ids)


async def ask_again(
    ctx: TurnContext, press: ButtonPress, argument: str, *, further: bool = False
) -> Outcome | None:
    """Regenerate: ask the question again; the new answer takes the place of the old one.

    Continue, `further`: let the model go on where its length limit ended the answer.
    """
    exchange = await named_exchange(ctx.services.stores, ctx.chat, argument)
    if exchange is None or ctx.turn.urgent:
        await too_late(ctx, press)
        return None
    action = CONTINUE if further else REGENERATE
    log.info("answering again", extra={**ctx.log, "action": action})
    if exchange.refs and not ctx.turn.shown:  # an earlier attempt knows better where it stands
        ctx.shown[:] = exchange.refs
    asked = exchange.question.message
    message = press.as_message(asked.text, ref=asked.shown[-1] if asked.shown else None)
    return await answer(ctx, message, Repeat(exchange=exchange, further=further))


async def too_late(ctx: TurnContext, press: ButtonPress) -> None:
    """The answer stays as it is: the conversation has gone on."""
    text = ctx.texts.gettext(
        "The conversation has gone on since, so that answer stays. Please ask once more."
    )
    if ctx.turn.urgent:
        await ctx.platform.notice(press, text)
    else:  # in the meantime the press can be answered no more, and its message is the answer's
        await ctx.tell(text)


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

_ASKING = Handler(run=ask_again, queueing=Queueing.ASKS_ONCE, answers_press=True)
ACTIONS: Mapping[str, Handler] = {
    REGENERATE: _ASKING,
    CONTINUE: replace(_ASKING, run=partial(ask_again, further=True)),
}
