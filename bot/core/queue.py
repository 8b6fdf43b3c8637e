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
    """A new turn waits or runs. False when the event was known already, and when it edited a
    message that still waits, or one that is too old to be answered anew."""
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
    """Whether other turns may wait behind it; False when there were none as it was claimed."""
    settings: ChatSettings | None = None
    """The settings of the chat when it was claimed; None: it has chosen nothing, and those of its
    lobby were not asked for."""
    attempt: int = 1
    partial: str = ""
    """The text that an earlier attempt has written (`TurnQueue.checkpoint`)."""
    shown: tuple[MessageRef, ...] = ()
    """The bot's messages in the chat that belong to it: the answer of an earlier attempt, or the
    line that said that it waits."""
    progress: str = ""
    """A note that an earlier attempt has left for this one (`TurnQueue.note`)."""
    stopped: bool = False
    """A person stopped it between two attempts (`TurnQueue.stop_elsewhere`)."""
    stood: MessageRef | None = None
    """The bot's newest message in the chat before the first attempt, if known. Messages that an
    attempt posted, but did not write down, are newer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a finished turn leaves behind, written in one transaction with its end."""

    conversation: int | None = None
    """The conversation to which the messages are added; None for the chat's current one, which is
    begun if there is none."""
    messages: tuple[NewMessage, ...] = ()
    question: int | None = None
    """The id of the kept message that was answered anew. If it was deleted meanwhile, no messages
    are kept."""
    hidden: tuple[int, ...] = ()
    """Ids of kept messages that no model is told from now on: an answer that was replaced, an
    exchange that was taken back. They stay in the database."""
    usage: tuple[UsageEntry, ...] = ()
    overheard: int | None = None
    """The id of the last `Remark` that is among the messages: those up to it are dropped."""
    scrub: bool = False
    """Whether the row of the turn is emptied, too: it was a `/forget`."""
    passing: str = ""
    """Why nothing came of it, where that may pass: then it can be tried again (`revive`)."""
    revived: int | None = None
    """A turn that waits again (as by `revive`) from the end of this one on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Where a chat may hold messages of the bot that nobody knows of (`Platform.sweep`)."""

    chat: ChatRef
    after: tuple[MessageRef, ...]
    keep: tuple[MessageRef, ...]
    before: tuple[MessageRef, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """What became of the turns and kept words of a message that was deleted."""

    ended: tuple[int, ...] = ()
    """The turns that waited and are over now, without an answer."""
    shown: tuple[MessageRef, ...] = ()
    """The bot's messages that belong to them: to be deleted."""
    interrupted: tuple[int, ...] = ()
    """The turns that are answering it: to be stopped."""
    erased: bool = False
    """Whether it was in the history, or among the remarks of a group."""


class TurnQueue(Protocol):
    """The inbox, which is the queue: a turn in the table is the truth, a wake-up only a hint.

    At most one turn per chat is running that is not urgent; turns of a chat run in the order in
    which they were accepted. Every method raises `StoreError`.
    """

    async def accept(
        self, event: Event, *, urgent: bool, begin: bool = False, lobby: ChatRef | None = None
    ) -> Accepted:
        """Commit an event as a turn; one whose key is known already changes nothing.

        With `begin`, a turn that need not wait is claimed in the same commit (`Accepted.turn`); its
        settings are those `handed_down` from the `lobby` where its chat has chosen nothing.
        `urgent` turns (Stop, buttons) do not wait for their lane. Raises `QueueFull`.

        The edit of a message that still waits replaces it in its place. The edit of one that was
        never taken in is taken in as new. Nothing is done about an edit that says the same, or
        whose message is older than the last question of the chat.
        """

    async def decline(self, message: IncomingMessage) -> Accepted:
        """Commit that a message is one too many in its chat, without what it says.

        It is `fresh`, and an urgent turn, if its sender is still to be told. One line is enough for
        all that somebody writes before something of theirs is taken in again.
        """

    async def knows(self, platform: str, key: str) -> bool:
        """Whether an event with this key was taken in, also if its message was deleted since."""

    async def bury(self, event: Unreadable) -> None:
        """Keep an event that nobody can read as a dead turn."""

    async def announce(self, turn_id: int, ref: MessageRef) -> bool:
        """Note that a message in the chat says that a turn waits; the answer is written over it.

        Also when the turn was claimed here meanwhile. False when something is shown for it already,
        such as what another process says, when it is over, or runs in another process.
        """

    async def awaits_album(self, chat: ChatRef, album: str) -> bool:
        """Whether a message of this album waits or runs."""

    async def claim(self) -> Turn | None:
        """Take the oldest turn that may run: urgent, or of a chat where nothing runs."""

    async def following(self, turn_id: int) -> Sequence[Turn]:
        """The messages that wait behind a running turn, in order, up to the first other event."""

    async def join(
        self, turn_id: int, others: Sequence[int], shown: Sequence[MessageRef]
    ) -> Collection[int]:
        """Let others join a running turn: they end with it, or wait again if it is not answered.

        `shown` are the messages of all of them in the chat; they belong to the running turn now.
        Returns those that still waited, and so have joined.
        """

    async def withdraw(self, gone: Withdrawal) -> Withdrawn:
        """A message was deleted: it is not answered any more, and nothing that it said is kept.

        * If its turn waits, that is over at once.
        * If a turn answers it, that is stopped in whichever process it runs; there `is_withdrawn`
          is true then, and `dissolve` ends it.
        * If it was answered, question and answer are erased; of messages answered as one, its part.
        * If it comes only now, it will not be taken in.
        """

    async def is_withdrawn(self, turn_id: int) -> bool:
        """Whether a message was deleted that a running turn answers, by itself or with others.

        The line for messages that were declined is about all of them, and goes with the last.
        """

    async def dissolve(self, turn_id: int, *, usage: Sequence[UsageEntry] = ()) -> bool:
        """End a turn that `is_withdrawn`; True when it is over.

        If only a message that has joined it was deleted, it waits again instead, as if nothing had
        been written. Those that joined it wait again by themselves in any case.
        """

    async def known_messages(self, turn_id: int) -> Sequence[MessageRef]:
        """The newest messages that are known to stand in the chat of a turn, whoever wrote them."""

    async def put_off(self, turn_id: int, search: Search) -> None:
        """Keep that a chat is still to be looked through for what a turn may have posted."""

    async def searches(self) -> Sequence[tuple[int, Search]]:
        """What was put off, with its turns; not what is two days old, when nothing is deleted."""

    async def searched(self, turn_id: int) -> None:
        """What was put off for a turn is done."""

    async def offered(self, turn_id: int) -> Sequence[MessageRef]:
        """What stands in the chat for earlier changes of the message that a turn is about.

        Not what answers it.
        """

    async def checkpoint(self, turn_id: int, *, partial: str, shown: Sequence[MessageRef]) -> None:
        """Keep the text so far and the messages in which it stands. Raises `TurnLost`."""

    async def note(self, turn_id: int, progress: str, made: Sequence[OutgoingFile] = ()) -> None:
        """Leave a note for a later attempt, and files that must not be made twice.

        To be called before what the note is about is done; not at all if it raises `TurnLost`.
        """

    def sure(self, turn_id: int) -> bool:
        """Whether no other process can have taken over a turn that runs here.

        While it is false, the database was not reached for too long, and nothing may be shown of
        the turn. It may become true again. Once another process has the turn, `lost` is called (see
        `listen`).
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
        """Let a turn wait again that was not worked on to its end; the attempt does not count."""

    async def fail(
        self,
        turn_id: int,
        reason: str,
        *,
        dead: bool,
        stood: MessageRef | None = None,
        usage: Sequence[UsageEntry] = (),
    ) -> None:
        """The attempt failed: the turn waits again, or is dead for that `reason`.

        `stood` as in `finish`.
        """

    async def revive(self, turn_id: int) -> bool:
        """Let a turn wait again, as if it were new, that is dead or failed for what may pass.

        With it wait those that had joined it. False when it is neither (any more).
        """

    async def failed(self, chat: ChatRef) -> int | None:
        """The newest turn of a chat that failed for what may pass, if nothing was answered since.

        What was taken back, or said in another conversation, was answered.
        """

    async def ended_last(self, platform: str) -> Sequence[MessageRef]:
        """The newest message of the bot in each chat where turns ended last, within seconds.

        Not where one runs by now.
        """

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
        """Stop the answer that another process writes in a chat; False when there is none.

        An answer that was interrupted, and waits for its next attempt, counts: it is `stopped` when
        it is claimed.
        """

    async def active(self, turn_ids: Sequence[int]) -> Collection[int]:
        """Which of these turns are not over."""

    async def ahead(self, turn_id: int) -> int:
        """How many turns of the same chat stand before this one.

        0 when it waits no more, or something stands in the chat for it.
        """
