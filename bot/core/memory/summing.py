"""Summaries of what no longer fits a model's window, made beside the conversation.

When what was said since the last summary fills most of the window, a cheap model sums up its older
part. The messages stay; only the model that answers sees the summary in their place.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from bot.core.archive import Summary
from bot.core.chat import ImagePart, KeptMessage, Role
from bot.core.manner import manner
from bot.core.memory.context import PAGE, load_kept, spoken, tokens_of
from bot.core.memory.titles import ask_cheaply
from bot.core.memory.window import budget_of, window_size
from bot.core.queue import Turn
from bot.core.services import Services
from bot.core.stores import History
from bot.errors import ModelError

log = logging.getLogger(__name__)

FULL = 0.7
"""Share of the window at which a summary is made: early, so that nothing is left out first."""
LEFT = 0.35
"""Share that is left unsummed, word for word."""
LENGTH = 800
"""Tokens of a summary at most."""
INSTRUCTION = (
    "Sum up the conversation for the model that goes on with it. Keep names, numbers, decisions, "
    "wishes, open questions and who said what; leave out greetings and detours. Carry on what an "
    "earlier summary says. At most 300 words, in the language of the conversation, without any "
    "heading or comment."
)


async def sum_up(services: Services, turn: Turn, conversation: int) -> None:
    """Sum up the older part of a conversation if it fills the window. Raises `StoreError`."""
    if not services.defaults.summary_model:
        return
    stores = services.stores
    settings = await stores.settings.load(turn.chat)
    size = await window_size(services, manner(settings, services.defaults).model)
    room = budget_of(size)
    if await stores.summaries.size(conversation) <= room * FULL:
        return  # no more tokens than characters
    latest = await stores.summaries.latest(conversation)
    newest = await stores.conversations.page(conversation, limit=PAGE)
    history = History(conversation=conversation, newest=newest)
    after = latest.through if latest else None
    kept = await load_kept(stores.conversations, history, budget=8 * size, after=after)
    costs = await asyncio.to_thread(_costs, services, kept)
    if sum(costs) <= room * FULL:
        return
    own_room = budget_of(await window_size(services, services.defaults.summary_model)) - LENGTH
    older = oldest(kept, costs, leave=int(room * LEFT), room=own_room // 2)
    if not older:
        return
    before = f"Earlier summary: {latest.text}\n\n" if latest else ""
    told = before + "\n\n".join(_told(each, 3 * own_room) for each in older)
    try:
        text, usage = await ask_cheaply(services, INSTRUCTION, told, max_tokens=LENGTH)
    except ModelError as error:
        log.info("no summary", extra={"conversation": conversation, "kind": error.kind.value})
        return
    if text.strip():
        summary = Summary(text=text.strip(), through=older[-1].id)
        asker = turn.event.sender.id
        await stores.summaries.keep(conversation, summary, asker=asker, usage=usage)
        log.info("summed up", extra={"conversation": conversation, "messages": len(older)})


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


def _costs(services: Services, kept: Sequence[KeptMessage]) -> list[int]:
    return [tokens_of(spoken(each.message, group=False), services.count_tokens) for each in kept]


def _told(kept: KeptMessage, longest: int) -> str:
    said = kept.message
    who = said.sender_name or said.role.value
    pictures = " [picture]" * sum(isinstance(part, ImagePart) for part in said.parts)
    return f"{who}: {said.text[:longest]}{pictures}"
