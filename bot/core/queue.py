"""The inbox, which is the queue: turns, and the port that keeps them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.core.chat import NewMessage
from bot.core.models import UsageEntry
from bot.core.settings import ChatSettings
from bot.core.types import (
    ChatRef,
    Event,
    IncomingMessage,
    MessageRef,
    OutgoingFile,
    Unreadable,
    Withdrawal,
)

ALBUM = 10
"""Messages in an album at most (Bot API, `sendMediaGroup`)."""


def album_of(event: Event) -> str:
    """The album that an event is part of; empty for none."""
    return event.album if isinstance(event, IncomingMessage) else ""


class TurnState(StrEnum):
    """Where a turn stands. A turn is one event that asks for work."""

    WAITING = "waiting"
    RUNNING = "running"
    JOINED = "joined"  # answered together with an earlier one, and ends with it
    DONE = "done"
    DEAD = "dead"  # failed too often, or unreadable; kept for the operator


OPEN = (TurnState.WAITING.value, TurnState.RUNNING.value, TurnState.JOINED.value)
"""Those of a turn that is not over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What became of an event that was committed."""

    turn_id: int
    fresh: bool
    """There is new work. Not when the event was known already, when it edited a message that still
    waits, or when it edited one that is too old to be answered anew."""
    ahead: int
    """How many turns of the chat stand before it."""
    turn: Turn | None = None
    """The turn itself, when nothing stood before it: claimed in the same commit, to be begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One event being worked on."""

    id: int
    chat: ChatRef
    event: Event
    urgent: bool = False
    """It does not wait for its lane: it runs beside the answer being written (Stop, buttons)."""
    followed: bool = True
    """Others may wait behind it; False when there surely were none as it was claimed."""
    settings: ChatSettings | None = None
    """The chat's, as they were when it was claimed; None: it has chosen nothing."""
    attempt: int = 1
    partial: str = ""
    """How far an earlier attempt came with the text."""
    shown: tuple[MessageRef, ...] = ()
    """The messages that stand in the chat for it: of an earlier attempt, or the line that said that
    it waits."""
    progress: str = ""
    """A note that an earlier attempt left for this one (`TurnQueue.note`)."""
    stopped: bool = False
    """Somebody stopped it after its last attempt (`TurnQueue.stop_elsewhere`)."""
    stood: MessageRef | None = None
    """The bot's newest message in the chat before the first attempt, if known: what an attempt may
    have posted and not written down is looked for behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a finished turn leaves behind, written in one transaction with its end."""

    conversation: int | None = None
    """Where the messages belong; None: into the chat's current conversation, begun if need be."""
    messages: tuple[NewMessage, ...] = ()
    question: int | None = None
    """The id of the message that was answered anew: if it is gone by now, none are kept."""
    hidden: tuple[int, ...] = ()
    """Ids of messages that are taken out of the conversation: an answer that was replaced, an
    exchange that was taken back. They stay in the database."""
    usage: tuple[UsageEntry, ...] = ()
    overheard: int | None = None
    """The id of the last remark of the group (`Remark`) that is now among the messages."""
    scrub: bool = False
    """Nothing of the turn itself may be left: it was about forgetting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """What became of all that there was about a message which was deleted.

    `ended` are the turns that are over now without an answer, and `shown` what stands for them.
    """

    ended: tuple[int, ...] = ()
    shown: tuple[MessageRef, ...] = ()
    interrupted: tuple[int, ...] = ()
    """The turns that are answering it: they are to stop."""
    erased: bool = False
    """It was in the history, or among the remarks of a group."""


class TurnQueue(Protocol):
    """The inbox, which is the queue: a turn in the table is the truth, a wake-up only a hint.

    At most one turn per chat is running that is not urgent; turns of a chat run in the order in
    which they were accepted. Every method raises `StoreError`.
    """

    async def accept(self, event: Event, *, urgent: bool, begin: bool = False) -> Accepted:
        """Commit an event as a turn; one whose key is known already changes nothing.

        The turn waits; where it may `begin` and nothing stands before it, it runs at once. `urgent`
        turns (Stop, buttons) do not wait for their lane. Of edited messages, one that still waits
        is replaced in its place, one that says the same or is older than what was answered last is
        let be, and one that was never taken in is taken in as new. Raises `QueueFull`.
        """

    async def decline(self, message: IncomingMessage) -> Accepted:
        """Commit that a message is one too many in its chat, without what it says.

        It is `fresh`, and an urgent turn, if its sender is still to be told. One line is enough for
        all that somebody writes before the chat has room again.
        """

    async def knows(self, platform: str, key: str) -> bool:
        """Whether an event with this key has been taken in, be it withdrawn since."""

    async def bury(self, event: Unreadable) -> None:
        """Keep an event that nobody can read as a dead turn."""

    async def announce(self, turn_id: int, ref: MessageRef) -> bool:
        """A message stands in the chat for a turn that waits; its answer takes that place.

        False when it does not wait any more.
        """

    async def awaits_album(self, chat: ChatRef, album: str) -> bool:
        """Whether a message of this album waits or runs."""

    async def claim(self) -> Turn | None:
        """Take the oldest turn that may run: urgent, or of a chat where nothing runs."""

    async def following(self, turn_id: int) -> Sequence[Turn]:
        """The messages that wait behind a running turn, in order.

        Up to the first event that is no message, or that cannot be read.
        """

    async def join(
        self, turn_id: int, others: Sequence[int], shown: Sequence[MessageRef]
    ) -> Collection[int]:
        """Let a running turn answer these, too: they end with it, and wait again if it does not.

        `shown` is what stands in the chat for all of them; it belongs to the running turn now.
        Returns those that did still wait.
        """

    async def withdraw(self, gone: Withdrawal) -> Withdrawn:
        """A message was deleted: nothing of what it said stays, and it is not answered any more.

        What waits is over at once. A turn that answers it is stopped, wherever it runs: it then has
        `is_withdrawn` and is to `dissolve`. What was answered is erased with its answer; where a
        message was one of several, its part. If it comes only now, it will not be taken in.
        """

    async def is_withdrawn(self, turn_id: int) -> bool:
        """Whether what a running turn answers was deleted, or a part of it.

        The line for messages that were declined is about all of them, and goes with the last.
        """

    async def dissolve(self, turn_id: int, *, usage: Sequence[UsageEntry] = ()) -> bool:
        """End a turn that `is_withdrawn`, or let it wait again as if nothing had been written.

        The latter if there is a part of it left; those that joined it wait by themselves. True when
        it is over.
        """

    async def known_messages(self, turn_id: int) -> Sequence[MessageRef]:
        """The newest messages that are known to stand in the chat of a turn, whoever wrote them."""

    async def checkpoint(self, turn_id: int, *, partial: str, shown: Sequence[MessageRef]) -> None:
        """Remember how far the answer is and which messages it stands in. Raises `TurnLost`."""

    async def note(self, turn_id: int, progress: str, made: Sequence[OutgoingFile] = ()) -> None:
        """Leave a note for a later attempt, and files that must not be made twice.

        Raises `TurnLost`: then what the note announces must not be done.
        """

    def sure(self, turn_id: int) -> bool:
        """Whether nobody else can have taken over a turn that runs here.

        Else nothing may be shown of it now: the database has not been reached for too long. It may
        become sure again; when somebody has taken it, `listen`'s `lost` is called.
        """

    async def made(self, turn_id: int) -> Sequence[OutgoingFile]:
        """The files that were left with the note, in order."""

    async def finish(
        self, turn_id: int, outcome: Outcome, *, stood: MessageRef | None = None
    ) -> None:
        """Done, or stopped by the person: keep messages and usage, in the same transaction.

        `stood` is the newest message that the bot has in the chat by now.
        """

    async def release(self, turn_id: int, *, usage: Sequence[UsageEntry] = ()) -> None:
        """Give the turn back, as if its attempt had not been (shutdown), but for what it used."""

    async def fail(
        self,
        turn_id: int,
        reason: str,
        *,
        dead: bool,
        stood: MessageRef | None = None,
        usage: Sequence[UsageEntry] = (),
    ) -> None:
        """The attempt failed: the turn waits again, or is dead. `stood` as in `finish`."""

    async def revive(self, turn_id: int) -> bool:
        """Let a dead turn wait again, as if it were new; False when it is not dead (any more)."""

    async def recover(self) -> int:
        """At start: turns that ran when the process died wait again, their attempt counted."""

    def listen(
        self,
        wake: Callable[[], None],
        lost: Callable[[int], None],
        stop: Callable[[ChatRef, Collection[int]], object],
    ) -> None:
        """Call `wake` whenever another process may have left work; a hint, like any wake-up.

        `lost` is called when another process has taken over a turn that is worked on here, and
        `stop` when it was asked to stop what is written in a chat; if turns are named, only these.
        """

    async def stop_elsewhere(self, chat: ChatRef) -> bool:
        """Stop what is answered in a chat, but not here; False when nothing is.

        Another process that writes is told. What was interrupted, and waits to be gone on with,
        is `stopped` when it is claimed.
        """

    async def active(self, turn_ids: Sequence[int]) -> Collection[int]:
        """Which of these turns are not over."""

    async def ahead(self, turn_id: int) -> int:
        """How many turns of the same chat stand before this one; 0 when it waits no more."""
