"""Whether people liked an answer: two thumbs under it, where the platform has them.

A thumb's value names the turn and the model that the answer came of; made and parsed side by side.
It needs no secret: anybody in the chat may say what they think, and the last word of each counts.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

from bot.core.stores import Rating
from bot.core.turn import TurnContext
from bot.core.types import ButtonPress, Feedback

log = logging.getLogger(__name__)

_VALUE = re.compile(r"rate:([+-]):([0-9]{1,18}):(.*)", re.DOTALL)
"""People may send what no button holds: the number is one that a database holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumb:
    """One of the two, and what it is about."""

    good: bool
    turn_id: int
    model: str


def ask_opinion(turn_id: int, model: str) -> Feedback:
    """The thumbs under the answer of a turn."""
    return Feedback(good=f"rate:+:{turn_id}:{model}", bad=f"rate:-:{turn_id}:{model}")


def read(value: str) -> Thumb | None:
    """What a button's value says; None when it is no thumb's."""
    found = _VALUE.fullmatch(value)
    if found is None:
        return None
    return Thumb(good=found[1] == "+", turn_id=int(found[2]), model=found[3])


async def rate(ctx: TurnContext, press: ButtonPress, thumb: Thumb) -> None:
    """Keep what somebody thinks of an answer, and thank them. Raises `StoreError`."""
    rating = Rating(
        chat=ctx.chat,
        user=press.sender.id,
        turn_id=thumb.turn_id,
        model=thumb.model,
        good=thumb.good,
    )
    await ctx.services.stores.ratings.rate(rating)
    log.info("rated", extra={**ctx.log, "rated_turn": thumb.turn_id, "good": thumb.good})
    _ = ctx.texts.gettext
    thanks = _("Thank you!") if thumb.good else _("Thank you for telling me. I have noted it.")
    await ctx.platform.notice(press, thanks)
