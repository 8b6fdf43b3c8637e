"""What is said when a turn fails for good, and why it failed."""

from __future__ import annotations

import logging
import traceback
from pathlib import PurePath

from bot.core.answer.revival import offer_revival
from bot.core.turn import TurnContext
from bot.core.types import ButtonPress, IncomingMessage
from bot.errors import BotError

log = logging.getLogger(__name__)


def reason_of(error: Exception) -> str:
    """Why a turn failed, as the operator is told; what people wrote may stand in other errors."""
    if isinstance(error, BotError):
        return repr(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


async def give_up(ctx: TurnContext, *, interrupted: bool) -> None:
    """Say that it did not work, and offer to try again; what was written stays if it can be drawn.

    Raises `PlatformError`, `StoreError` and `TurnLost`.
    """
    event, _ = ctx.turn.event, ctx.texts.gettext
    text = _("⚠️ Something went wrong here, and I have noted it. Please ask again.")
    if interrupted:
        text = _("⏸ This answer was interrupted, three times over.")
    if isinstance(event, ButtonPress) and ctx.turn.partial:  # it asked for an answer
        event = event.as_message("")
    if not isinstance(event, IncomingMessage):
        await ctx.tell(text)  # a press is answered once, and was when it was taken in
        return
    buttons = await offer_revival(ctx)
    try:
        async with ctx.delivery(event) as delivery:
            delivery.rewrite(ctx.written or ctx.turn.partial)
            await delivery.finish(mark=text, buttons=buttons, failed=True)
    except BotError:
        raise
    except Exception:  # a bug: perhaps that for which the turn has failed
        log.exception("written text left out", extra=ctx.log)
        await ctx.take_away()
        await ctx.say(text, buttons=buttons)
