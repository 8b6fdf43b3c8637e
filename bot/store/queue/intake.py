"""What becomes of events that are taken in: begun at once, made to wait, refused, or known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.queue import ALBUM, Accepted, album_of
from bot.core.types import ChatRef, IncomingMessage
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
        album = album_of(event)
        is_begun = album and await lanes.awaits_album(connection, event.chat, album)
        room = rules.per_chat + (ALBUM if is_begun else 0)
        if not urgent and situation.waiting_in_chat >= room:
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
