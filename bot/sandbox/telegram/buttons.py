"""The answer to a pressed button."""

from __future__ import annotations

from bot.sandbox.telegram.errors import BadRequest
from bot.sandbox.telegram.params import Params
from bot.sandbox.telegram.world import World

_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"

MAX_TOAST = 200
"""Characters. https://core.telegram.org/bots/api#answercallbackquery."""

ANSWER_SECONDS = 15.0
"""How long the client shows that it waits; the real time is undocumented."""


def answer_callback_query(world: World, params: Params) -> bool:
    """https://core.telegram.org/bots/api#answercallbackquery; once, and soon."""
    press = world.presses.get(params.text("callback_query_id"))
    if press is None or press.answered or press.until < world.clock.monotonic():
        raise BadRequest(_TOO_OLD)
    if len(params.text("text")) > MAX_TOAST:
        raise BadRequest("MESSAGE_TOO_LONG")
    press.answered = True
    press.toast = params.text("text")
    world.changes.tell(0, "answered")
    return True
