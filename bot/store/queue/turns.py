"""The inbox, which is the queue: the port `TurnQueue` over the table `turns`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TypeVar

import sqlalchemy as sa

from bot.core.limits.calendar import UTC_CALENDAR, Calendar
from bot.core.models import UsageEntry
from bot.core.ports import Clock
from bot.core.queue import Accepted, Outcome, Search, Turn, TurnQueue, TurnState, Withdrawn
from bot.core.types import (
    ChatRef,
    Event,
    IncomingMessage,
    MessageRef,
    OutgoingFile,
    Person,
    Unreadable,
    Withdrawal,
)
from bot.errors import StoreError, TurnLost
from bot.store import codec, ledger
from bot.store.database import Database
from bot.store.drivers.batches import Batches
from bot.store.drivers.connection import Connection
from bot.store.privacy import SCRUBBED, end_forgotten
from bot.store.queue import (
    arrivals,
    claims,
    declines,
    edits,
    endings,
    holds,
    joining,
    lanes,
    news,
    outcomes,
    products,
    searches,
    withdrawals,
)
from bot.store.queue.arrivals import Offer
from bot.store.queue.holds import GIVEN_BACK, Checkpoint
from bot.store.queue.intake import Rules, take_in
from bot.store.queue.leases import Leases
from bot.store.queue.outcomes import End
from bot.store.schema import turns

log = logging.getLogger(__name__)

T = TypeVar("T")


class Turns(TurnQueue):
    """The turns that wait, as many as the `rules` allow, and those that run here (`leases`)."""

    def __init__(
        self, database: Database, rules: Rules, *, clock: Clock, calendar: Calendar = UTC_CALENDAR
    ) -> None:
        self._database = database
        self._intake = Batches(database.submit_write, partial(take_in, rules=rules))
        self._checkpoints = Batches(
            database.submit_write, partial(holds.checkpoint, lease=rules.lease)
        )
        self.leases = Leases(database, owner=rules.owner, seconds=rules.lease, clock=clock)
        self._calendar = calendar
        self._wake: Callable[[], None] = lambda: None

    async def accept(
        self, event: Event, *, urgent: bool, begin: bool = False, lobby: ChatRef | None = None
    ) -> Accepted:
        taking = self._intake.add(Offer(event, urgent, begin, lobby))
        return await self._taking(taking, lambda accepted: accepted.turn)

    async def decline(self, message: IncomingMessage) -> Accepted:
        return await self._database.write(declines.decline, message, self.leases.owner)

    async def knows(self, platform: str, key: str) -> bool:
        return await self._database.read(arrivals.knows, platform, key)

    async def bury(self, event: Unreadable) -> None:
        await self._database.write(arrivals.bury, event)

    async def announce(self, turn_id: int, ref: MessageRef) -> bool:
        is_unbegun = turns.c.state == TurnState.WAITING.value
        is_ours = sa.and_(
            turns.c.state == TurnState.RUNNING.value, turns.c.owner == self.leases.owner
        )
        nothing = codec.SHOWN.dump(())
        statement = (
            sa.update(turns)
            .where(turns.c.id == turn_id, sa.or_(is_unbegun, is_ours), turns.c.shown == nothing)
            .values(shown=codec.SHOWN.dump((ref,)))
        )
        return await self._database.change(statement) > 0

    async def claim(self) -> Turn | None:
        while (row := await self._claim_row()) is not None:
            try:
                return claims.turn_of(row)
            except codec.UndecodableError as error:
                log.error("stored event unreadable", extra={"turn": row.id, "reason": str(error)})
                await self.fail(row.id, str(error), dead=True)
        return None

    async def _claim_row(self) -> claims.ClaimedRow | None:
        claiming = self._database.write(claims.claim, self.leases.owner, self.leases.seconds)
        return await self._taking(claiming, lambda row: row)

    async def _taking(
        self, writing: asyncio.Future[T], taken: Callable[[T], Turn | claims.ClaimedRow | None]
    ) -> T:
        """Wait for what may have taken a turn; it is given back when its caller is cancelled."""
        asked = self.leases.clock.monotonic()
        try:
            result = await asyncio.shield(writing)
        except asyncio.CancelledError:
            with suppress(StoreError):  # else its caller would not hear that it was cancelled
                if (turn := taken(await writing)) is not None:  # nobody is left to work on it
                    self.leases.take(turn.id, turn.attempt, asked)
                    await self.release(turn.id)
            raise
        if (turn := taken(result)) is not None:
            self.leases.take(turn.id, turn.attempt, asked, noted=bool(turn.progress))
        return result

    async def awaits_album(self, chat: ChatRef, album: str) -> bool:
        return await self._database.read(lanes.awaits_album, chat, album)

    async def following(self, turn_id: int) -> Sequence[Turn]:
        return await self._database.read(joining.following, turn_id)

    async def join(
        self, turn_id: int, others: Sequence[int], shown: Sequence[MessageRef]
    ) -> Collection[int]:
        held = self.leases.of(turn_id)
        held.leads = True
        return await self._database.write(joining.join, turn_id, held.hold.owner, others, shown)

    async def withdraw(self, gone: Withdrawal) -> Withdrawn:
        withdrawn = await self._database.write(withdrawals.withdraw, gone)
        self._database.empty_log_soon()
        return withdrawn

    async def is_withdrawn(self, turn_id: int) -> bool:
        return await self._database.read(withdrawals.is_withdrawn, turn_id)

    async def dissolve(self, turn_id: int, *, usage: Sequence[UsageEntry] = ()) -> bool:
        again = GIVEN_BACK | {"partial": "", "shown": codec.SHOWN.dump(()), "stopped": False}
        used = Outcome(usage=tuple(usage))
        end = await self._let_go(turn_id, TurnState.WAITING, again, used, dissolves=True)
        return end is None or end.over

    async def known_messages(self, turn_id: int) -> Sequence[MessageRef]:
        return await self._database.read(lanes.known_messages, turn_id)

    async def put_off(self, turn_id: int, search: Search) -> None:
        await self._database.change(searches.change(turn_id, search))

    async def searches(self) -> Sequence[tuple[int, Search]]:
        return await self._database.read(searches.put_off)

    async def searched(self, turn_id: int) -> None:
        await self._database.change(searches.change(turn_id, None))

    async def offered(self, turn_id: int) -> Sequence[MessageRef]:
        return await self._database.read(edits.offered, turn_id)

    async def checkpoint(self, turn_id: int, *, partial: str, shown: Sequence[MessageRef]) -> None:
        hold, now = self.leases.of(turn_id).hold, self.leases.clock.monotonic()
        kept = await self._checkpoints.add(Checkpoint(turn_id, hold, partial, tuple(shown)))
        if not self.leases.heard(turn_id, hold, now, kept):
            raise TurnLost(f"turn {turn_id}")

    async def note(self, turn_id: int, progress: str, made: Sequence[OutgoingFile] = ()) -> None:
        held = self.leases.of(turn_id)

        async def job(connection: Connection) -> bool:
            new, clocks = {"progress": progress}, {"lease_until": self.leases.seconds}
            if await holds.change(connection, turn_id, held.hold, new, clocks) is None:
                return False
            await products.keep(connection, turn_id, made)
            return True

        held.noted = True
        if not await self._database.write(job):
            self.leases.lose(turn_id, held.hold)
            raise TurnLost(f"turn {turn_id}")

    def sure(self, turn_id: int) -> bool:
        return self.leases.sure(turn_id)

    async def made(self, turn_id: int) -> Sequence[OutgoingFile]:
        return await self._database.read(products.made, turn_id)

    async def finish(
        self, turn_id: int, outcome: Outcome, *, stood: MessageRef | None = None
    ) -> None:
        done = {**_stood(stood), "error": outcome.passing or None, "partial": "", "progress": ""}
        if outcome.scrub:
            done |= SCRUBBED
        await self._let_go(turn_id, TurnState.DONE, done, outcome)

    async def release(self, turn_id: int, *, usage: Sequence[UsageEntry] = ()) -> None:
        used = Outcome(usage=tuple(usage))
        await self._let_go(turn_id, TurnState.WAITING, GIVEN_BACK, used)

    async def fail(
        self,
        turn_id: int,
        reason: str,
        *,
        dead: bool,
        stood: MessageRef | None = None,
        usage: Sequence[UsageEntry] = (),
    ) -> None:
        used = Outcome(usage=tuple(usage))
        if dead:
            values = {**_stood(stood), "error": reason}
            await self._let_go(turn_id, TurnState.DEAD, values, used)
        else:
            attempt = self.leases.of(turn_id).hold.attempt + 1
            again = GIVEN_BACK | {"attempt": attempt}
            await self._let_go(turn_id, TurnState.WAITING, again, used)

    async def revive(self, turn_id: int) -> bool:
        return await self._database.write(lanes.revive, turn_id)

    async def failed(self, chat: ChatRef) -> int | None:
        return await self._database.scalar(lanes.failed(chat))

    async def ended_last(self, platform: str) -> Sequence[MessageRef]:
        return await self._database.read(endings.last, platform)

    async def recover(self) -> int:
        return await self.leases.recover()

    def listen(
        self,
        wake: Callable[[], None],
        lost: Callable[[int], None],
        stop: Callable[[ChatRef, Collection[int]], object],
    ) -> None:
        self._wake, self.leases.lost, self.leases.stopped = wake, lost, stop

    def hear(self) -> None:
        """Another process has taken something in."""
        self._wake()

    def hear_stop(self, chat: ChatRef, turn_ids: Collection[int]) -> None:
        """Another process was asked to stop what is written in a chat, or these turns of it."""
        self.leases.stopped(chat, turn_ids)

    async def stop_elsewhere(self, chat: ChatRef) -> bool:
        held = self.leases.all()

        async def job(connection: Connection) -> bool:
            is_answered = await lanes.stop(connection, chat, held)
            if is_answered:
                await news.tell_to_stop(connection, chat)
            return is_answered

        return await self._database.write(job)

    async def active(self, turn_ids: Sequence[int]) -> Collection[int]:
        return await self._database.read(lanes.active, turn_ids)

    async def ahead(self, turn_id: int) -> int:
        return await self._database.read(lanes.ahead, turn_id)

    async def _let_go(
        self,
        turn_id: int,
        state: TurnState,
        values: Mapping[str, object],
        outcome: Outcome,
        *,
        dissolves: bool = False,
    ) -> End | None:
        """Let go of a turn that we run, and keep what came of it; nothing at all if it is not ours.

        It is not when the change was made already (the answer of a commit got lost), or when its
        lease ran out and another process has taken it over. The turn is in the `state` from then
        on, with these `values`; one that `dissolves` is over if it is withdrawn.
        """
        held = self.leases.of(turn_id)
        over = {} if state is TurnState.WAITING else {"lease_until": None}
        clocks = {} if state is TurnState.WAITING else {"finished_at": 0.0}
        new = {**over, **values, "state": state.value}

        async def job(connection: Connection) -> End | None:
            row = await holds.change(connection, turn_id, held.hold, new, clocks)
            if row is None:
                return None
            end = outcomes.end(turn_id, row, state, erased=dissolves)
            if dissolves and await withdrawals.dissolve(connection, turn_id, end.chat):
                end = outcomes.end(turn_id, row, TurnState.DONE, erased=True)
            if held.leads:  # of what a lost process leaves each waits by itself
                await joining.end(connection, turn_id, state, forgotten=end.forgotten)
            if held.noted and state is TurnState.DONE:
                await products.drop(connection, turn_id)
            await outcomes.keep(connection, end, outcome, self._calendar)
            if end.over and (row.withdrawn or held.leads):
                is_erased = await withdrawals.settle(connection, turn_id, end.chat)
                end = replace(end, erased=is_erased)
            if end.forgotten:
                person = Person(end.chat.platform, end.user)
                await end_forgotten(connection, turn_id, end.chat, person)
            await ledger.release_turn(connection, turn_id)  # it, or this attempt of it, is over
            return end

        end = await self._database.write(job, patient=True)
        self.leases.let_go(turn_id)
        if end is None:
            log.warning("turn not ours any more", extra={"turn": turn_id})
        elif end.forgotten:
            await self._database.empty_log()
        elif end.erased:
            self._database.empty_log_soon()
        return end


def _stood(stood: MessageRef | None) -> dict[str, object]:
    """The columns for the newest message that the bot has in the chat."""
    return {} if stood is None else {"stood": codec.SHOWN.dump((stood,))}
