"""The buttons under an answer: ask again, go on. Both are turns of the lane, like a message."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from bot.core.answer.again import CONTINUE, REGENERATE, named_exchange
from bot.core.answer.answer import answer_again
from bot.core.commands.table import Deed, Press
from bot.core.queue import Outcome
from bot.core.stores import Action
from bot.core.turn import TurnContext
from bot.core.types import ButtonPress

log = logging.getLogger(__name__)


async def ask_again(ctx: TurnContext, press: ButtonPress, action: Action) -> Outcome | None:
    """Regenerate: ask the question again; the new answer takes the place of the old one.

    Continue: let the model go on where its length limit ended the answer.
    """
    exchange = await named_exchange(ctx.services.stores, ctx.chat, action)
    if exchange is None or ctx.turn.urgent:
        await too_late(ctx, press)
        return None
    log.info("answering again", extra={**ctx.log, "action": action.name})
    if exchange.refs and not ctx.turn.shown:  # an earlier attempt knows better where it stands
        ctx.shown[:] = exchange.refs
    asked = exchange.question.message
    message = press.as_message(asked.text, ref=asked.shown[-1] if asked.shown else None)
    return await answer_again(ctx, message, exchange, further=action.name == CONTINUE)


async def too_late(ctx: TurnContext, press: ButtonPress) -> None:
    """The answer stays as it is: the conversation has gone on."""
    text = ctx.texts.gettext(
        "The conversation has gone on since, so that answer stays. Please ask once more."
    )
    if ctx.turn.urgent:
        await ctx.platform.notice(press, text)
    else:  # in the meantime the press can be answered no more, and its message is the answer's
        await ctx.tell(text)


_ASKING = Deed(run=ask_again, press=Press.QUEUED, outspoken=True)
ACTIONS: Mapping[str, Deed] = {REGENERATE: _ASKING, CONTINUE: _ASKING}
