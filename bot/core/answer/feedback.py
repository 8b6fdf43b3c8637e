"""Whether people liked an answer: two thumbs under it, where the platform has them.

A thumb's value names the turn and the model that the answer came of; made and parsed side by side.
It needs no secret: anybody in the chat may say what they think, and the last word of each counts.
"""

from __future__ import annotations

import logging
import re

from bot.core.stores import Rating
from bot.core.turn import TurnContext
from bot.core.types import ButtonPress, ChatRef, Feedback, UserId

log = logging.getLogger(__name__)

_VALUE = re.compile(r"rate:([+-]):([0-9]{1,18}):(.*)", re.DOTALL)
"""People may send what no button holds: the number is one that a database holds."""


def ask_opinion(turn_id: int, model: str) -> Feedback:
    """The thumbs under the answer of a turn."""
    return Feedback(good=f"rate:+:{turn_id}:{model}", bad=f"rate:-:{turn_id}:{model}")


def read(chat: ChatRef, user: UserId, value: str) -> Rating | None:
    """What somebody says by pressing a button with this value; None when it is no thumb's."""
    found = _VALUE.fullmatch(value)
    if found is None:
        return None
    good = found[1] == "+"
    return Rating(chat=chat, user=user, turn_id=int(found[2]), model=found[3], good=good)


async def rate(ctx: TurnContext, press: ButtonPress, rating: Rating) -> None:
    """Keep what somebody thinks of an answer, and thank them. Raises `StoreError`."""
    await ctx.services.stores.ratings.rate(rating)
    log.info("rated", extra={**ctx.log, "rated_turn": rating.turn_id, "good": rating.good})
    _ = ctx.texts.gettext
    thanks = _("Thank you!") if rating.good else _("Thank you for telling me. I have noted it.")
    await ctx.platform.notice(press, thanks)
