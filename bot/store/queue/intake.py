"""What becomes of events that are taken in: begun at once, made to wait, refused, or known.

In a group somebody may have as many turns waiting as there are places left. So one person takes at
most half of the places, a second one half of the rest, and there is always one for somebody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.queue import ALBUM, Accepted, album_of
from bot.core.types import ChatRef, Event, IncomingMessage, StopPressed
from bot.errors import QueueFull, StoreError
from bot.store.drivers.connection import Connection
from bot.store.queue import arrivals, edits, lanes, news
from bot.store.queue.arrivals import Offer, Situation


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """At most `per_chat` and `in_all` turns wait. A turn is `owner`'s for `lease` seconds."""

    per_chat: int
    in_all: int
    owner: str
    lease: float


async def take_in(
    connection: Connection, offers: Sequence[Offer], *, rules: Rules
) -> Sequence[Accepted | StoreError]:
    """Make turns of events, in order; one whose key is known changes nothing.

    What is refused comes back as `QueueFull`.
    """
    begun = await _begin_the_first(connection, offers, rules)
    return [
        done if done is not None else await _take_in(connection, offer, rules)
        for offer, done in zip(offers, begun, strict=True)
    ]


async def _begin_the_first(
    connection: Connection, offers: Sequence[Offer], rules: Rules
) -> list[Accepted | None]:
    """Begin what nothing stands before, neither in the queue nor among the events themselves."""
    begun: list[Accepted | None] = [None] * len(offers)
    first: dict[ChatRef, int] = {}
    for number, offer in enumerate(offers):
        first.setdefault(offer.event.chat, number)
    numbers = [number for number in first.values() if _may_begin(offers[number])]
    if not numbers:
        return begun
    situations = await arrivals.situations(connection, [offers[number] for number in numbers])
    met = {
        number: (offers[number], situation)
        for number, situation in zip(numbers, situations, strict=True)
        if _is_free(situation, rules, urgent=offers[number].urgent)
    }
    if met:
        turns = await arrivals.begin(connection, list(met.values()), rules.owner, rules.lease)
        for number, turn in zip(met, turns, strict=True):
            if turn is not None:
                begun[number] = Accepted(turn_id=turn.id, fresh=True, ahead=0, turn=turn)
    return begun


def _may_begin(offer: Offer) -> bool:
    is_edit = isinstance(offer.event, IncomingMessage) and offer.event.edited
    return offer.begin and not is_edit


def _is_free(situation: Situation, rules: Rules, *, urgent: bool) -> bool:
    has_room = not situation.active_in_chat and situation.waiting_in_all < rules.in_all
    return situation.known is None and (urgent or has_room)


async def _take_in(connection: Connection, offer: Offer, rules: Rules) -> Accepted | QueueFull:
    event, urgent = offer.event, offer.urgent
    [situation] = await arrivals.situations(connection, [offer])
    if situation.known is None:
        if isinstance(event, IncomingMessage) and event.edited:
            settled = await edits.settle(connection, event)
            if isinstance(settled, Accepted):
                return settled
            event = settled
        if not urgent and await _is_full(connection, event, situation.waiting_in_chat, rules):
            return QueueFull(in_chat=True)
        if not urgent and situation.waiting_in_all >= rules.in_all:
            return QueueFull(in_chat=False)
        new = await arrivals.add(connection, event, urgent=urgent)
        if new is not None:
            await news.tell(connection, rules.owner)
            ahead = 0 if urgent else situation.active_in_chat
            return Accepted(turn_id=new, fresh=True, ahead=ahead)
        # Another process was quicker.
        [situation] = await arrivals.situations(connection, [Offer(event, urgent)])
    assert situation.known is not None  # a key that cannot be added is there
    ahead = await lanes.ahead(connection, situation.known)
    return Accepted(turn_id=situation.known, fresh=False, ahead=ahead)


async def _is_full(connection: Connection, event: Event, waiting: int, rules: Rules) -> bool:
    """Whether no more of this sender may wait in a chat; an album that was begun goes on."""
    album = album_of(event)
    if album and await lanes.awaits_album(connection, event.chat, album):
        return waiting >= rules.per_chat + ALBUM
    is_shared = not isinstance(event, StopPressed) and event.group
    if is_shared and 2 * waiting >= rules.per_chat:
        waiting += await lanes.waiting_of(connection, event.chat, event.sender.id)
    return waiting >= rules.per_chat
