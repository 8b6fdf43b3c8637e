"""Summaries of what no longer fits a model's window, made beside the conversation.

When what was said since the last summary fills most of the window, a cheap model sums up its older
part. The messages stay; only the model that answers sees the summary in their place.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from bot.core.calibration import Ruler
from bot.core.chat import KeptMessage, Role
from bot.core.manner import manner
from bot.core.memory import shortening
from bot.core.memory.cheap_model import ask_cheap_model
from bot.core.memory.history import PAGE, chat_message, load_kept
from bot.core.memory.shortening import without_pictures
from bot.core.memory.window import window_of
from bot.core.models import UsageEntry
from bot.core.punctuation import paragraphs
from bot.core.queue import Turn
from bot.core.services import Services
from bot.core.settings import ChatSettings
from bot.core.stores import History
from bot.core.summaries import Summary
from bot.errors import ModelError

log = logging.getLogger(__name__)

FULL = 0.7
"""Share of the window at which a summary is made: early, so that nothing is left out first."""
LEFT = 0.35
"""Share that is left unsummed, word for word."""
LENGTH = 800
"""Tokens of a summary at most."""
ASKINGS = 3
"""So often the cheap model is asked at most: it may take less than is believed."""
PARTS = 8
"""Summaries that are made after one turn at most."""
INSTRUCTION = (
    "Sum up the conversation for the model that goes on with it. Keep names, numbers, decisions, "
    "wishes, open questions and who said what; leave out greetings and detours. Carry on what an "
    "earlier summary says. At most 300 words, in the language of the conversation, without any "
    "heading or comment."
)


async def sum_up(services: Services, turn: Turn, conversation: int) -> None:
    """Sum up the older part of a conversation if it fills the window. Raises `StoreError`.

    Of what was said to a model with a larger window, the cheap one may take a part at a time.
    """
    if not services.defaults.summary_model:
        return
    for _ in range(PARTS):
        if not await _sum_up_part(services, turn, conversation):
            return


async def _sum_up_part(services: Services, turn: Turn, conversation: int) -> bool:
    """Whether there was a part to sum up, and that worked."""
    stores = services.stores
    chosen = manner(turn.settings or ChatSettings(), services.defaults)
    window = await window_of(services, chosen.model, answer=chosen.sampling.max_tokens)
    full = window.budget * FULL
    if await stores.summaries.size(conversation) * window.ruler.calibration.steepest <= full:
        return False
    latest = await stores.summaries.latest(conversation)
    newest = await stores.conversations.page(conversation, limit=PAGE)
    history = History(conversation=conversation, newest=newest)
    after = latest.through if latest else None
    own = await window_of(services, services.defaults.summary_model, answer=LENGTH)
    budget = max(8 * window.seen, 4 * own.budget)  # what another model answered may be long
    kept = await load_kept(stores.conversations, history, budget=budget, after=after)
    costs = await asyncio.to_thread(_costs, window.ruler, kept)
    if sum(costs) <= full:
        return False
    try:
        summary, older, usage = await _sum_up(
            services, latest, kept, costs, leave=int(window.budget * LEFT)
        )
    except ModelError as error:
        log.info("no summary", extra={"conversation": conversation, "kind": error.kind.value})
        return False
    if summary is None:
        return False
    asker = turn.event.sender.id
    await stores.summaries.keep(
        conversation, summary, of=older, after=latest, asker=asker, usage=usage
    )
    extra = {"conversation": conversation, "through": summary.through}
    log.info("summed up" if summary.text else "no words in a summary", extra=extra)
    return bool(summary.text)


async def _sum_up(
    services: Services,
    latest: Summary | None,
    kept: Sequence[KeptMessage],
    costs: Sequence[int],
    *,
    leave: int,
) -> tuple[Summary | None, Sequence[KeptMessage], tuple[UsageEntry, ...]]:
    """A summary of the oldest messages, and these; fewer where the cheap model finds them too long.

    Raises `ModelError`.
    """
    refused: ModelError | None = None
    for _ in range(ASKINGS):
        own = await window_of(services, services.defaults.summary_model, answer=LENGTH)
        older = oldest(kept, costs, leave=leave, room=own.budget // 2)
        told = _told(latest, older, room=own.budget, ruler=own.ruler)
        if not told:
            break
        try:
            text, usage = await ask_cheap_model(services, INSTRUCTION, told, max_tokens=LENGTH)
        except ModelError as error:
            if not error.is_too_long:
                raise
            refused = error
            continue
        return Summary(text=text.strip(), through=older[-1].id), older, usage
    if refused is not None:
        raise refused
    return None, (), ()


def oldest(
    kept: Sequence[KeptMessage], costs: Sequence[int], *, leave: int, room: int
) -> Sequence[KeptMessage]:
    """The oldest messages, as whole exchanges, without the newest `leave` tokens.

    They take at most `room` tokens, except for an exchange that does so alone.
    """
    begins = [at for at, each in enumerate(kept) if each.message.role is Role.USER]
    end = 0
    for at in begins[1:]:  # the exchange before it is whole
        fits = sum(costs[:at]) <= room or end == 0
        if sum(costs[at:]) < leave or not fits:
            break
        end = at
    return kept[:end]


def _costs(ruler: Ruler, kept: Sequence[KeptMessage]) -> list[int]:
    return [ruler.of(chat_message(each.message, group=False)) for each in kept]


def _told(latest: Summary | None, older: Sequence[KeptMessage], *, room: int, ruler: Ruler) -> str:
    """What the cheap model is told, in about `room` tokens; empty when there is no room."""
    before = f"Earlier summary: {latest.text}" if latest else ""
    room -= ruler.words(INSTRUCTION) + ruler.words(before)
    said = [without_pictures(chat_message(each.message, group=False)) for each in older]
    names = (each.message.sender_name or each.message.role.value for each in older)
    lines = zip(names, shortening.exchange(said, room=room, ruler=ruler), strict=False)
    told = [f"{name}: {each.text}" for name, each in lines]
    return paragraphs(before, *told) if told else ""
