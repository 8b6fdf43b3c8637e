"""What stands under a thread while the bot is at work, and Slack's own Stop beside it.

For an agent a thread is a session: set to `processing`, Slack draws that it works, and a Stop. A
stream sets it to `processing` when it starts and to `active` when it stops; before the first text,
and where a stream does not stop by itself, that is our part, else it stays so for an hour
(docs.slack.dev, "Agent sessions"). Where the app is no agent there is an older line of text, which
expires after two minutes (docs.slack.dev, "assistant.threads.setStatus").

All of it is set and taken back beside the work, which never waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from bot.core.clock import within
from bot.core.errands import Errands
from bot.core.ports import Clock
from bot.core.punctuation import shortened
from bot.core.types import MessageRef
from bot.errors import OutcomeUnknown, PlatformDown, PlatformError, RateLimited
from bot.platforms.slack.budgets import Urgency
from bot.platforms.slack.calls import Calls, Json
from bot.platforms.slack.errors import Refused
from bot.platforms.slack.ids import answer_thread, parse_chat, thread_of

log = logging.getLogger(__name__)

AT_WORK = "✍️…"
"""Slack puts the app's name before it; no words, so it needs no translation."""
REFRESH = 100.0
TAKE_OVER = 2.0
"""Seconds that a stream has to begin after the block in which the work is shown; then the session
is released."""
LEAVING = 0.8
RELEASES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds after each try to say that the bot is done, where Slack does not answer it."""
TITLE = 80
LINE = "assistant.threads.setStatus"
SESSION = "agents.sessions.setStatus"
NOT_HERE = frozenset(
    {
        "feature_disabled",
        "feature_not_enabled",
        "method_deprecated",
        "missing_scope",
        "not_allowed_token_type",
        "unknown_method",
    }
)
"""Refusals that hold for the whole workspace; others are about one thread."""
NO_AGENT = "not_authorized"
"""What is said to an app that is no agent; also where the bot is not in the channel."""
NO_STOP = "missing_agent_session_stopped_event_subscription"


class Way(Enum):
    """How it can be shown here."""

    SESSION = auto()
    LINE = auto()
    NONE = auto()


class Thread(NamedTuple):
    """A thread by its channel and the ts of its root."""

    channel: str
    root: str

    @classmethod
    def of(cls, ref: MessageRef) -> Thread:
        """That in which a message stands."""
        return cls(parse_chat(ref.chat).channel, thread_of(ref))

    @classmethod
    def answering(cls, ref: MessageRef) -> Thread:
        """That into which the answer to a message goes."""
        return cls(parse_chat(ref.chat).channel, answer_thread(ref))


@dataclass(slots=True, eq=False, weakref_slot=True)  # the pace keeps a call for it, and it weakly
class Work:
    """Work in a thread that is shown there.

    `over`: the block in which it is shown has ended. `streamed`: a stream has begun, whose end will
    end the session. `settled`: it is known whether one will.
    """

    over: asyncio.Event = field(default_factory=asyncio.Event)
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    streamed: bool = False


class Status:
    """Shows that the bot is at work, where it can be shown."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock
        self._way = Way.SESSION
        self._works: dict[Thread, Work] = {}
        self._releasing: set[Thread] = set()  # that are done, which Slack does not know yet
        self._errands = Errands()
        self._has_warned = False

    @asynccontextmanager
    async def shown(self, thread: Thread, title: str = "") -> AsyncIterator[None]:
        """Show it while the block runs; `title` names a session that is new. Never raises."""
        if not thread.root or self._way is Way.NONE:
            yield
            return
        work = Work()
        self._works[thread] = work
        self._errands.send(self._show(thread, title, work))
        try:
            yield
        except BaseException:
            work.settled.set()  # stopped, or failed: no stream is to come
            raise
        else:
            if not work.streamed:
                work.settled.clear()  # what was posted inside the block was not the answer
        finally:
            work.over.set()

    def streaming(self, thread: Thread) -> None:
        """A stream has begun in a thread: it will say by itself when it ends."""
        self._releasing.discard(thread)
        if work := self._works.get(thread):
            work.streamed = True
            work.settled.set()
            self._calls.pacer.redeem(SESSION, work)

    def posted(self, thread: Thread) -> None:
        """A message stands in a thread: no stream is to come.

        In a direct message it may also stand beside the question instead of under it.
        """
        beside = not thread.root and thread.channel.startswith("D")
        for at, work in self._works.items():
            if at == thread or (beside and at.channel == thread.channel):
                work.settled.set()

    def release(self, thread: Thread) -> None:
        """Say that the bot is done, where the end of a stream has not said it."""
        if thread.root and self._way is Way.SESSION:
            self._errands.send(self._release(thread))

    async def close(self) -> None:
        """Let the last ones be taken back."""
        for work in self._works.values():
            work.over.set()
            work.settled.set()
        await self._errands.close(patience=LEAVING)

    # ------------------------------------------------------------ one thread

    async def _show(self, thread: Thread, title: str, work: Work) -> None:
        """Show it until the work is over, then take it back: one call after the other."""
        try:
            if self._way is Way.SESSION and await self._process(thread, title, work):
                await work.over.wait()
                await within(self._clock, TAKE_OVER, work.settled.wait())
                if not work.streamed:
                    await self._release(thread)
            elif self._way is Way.LINE:
                await self._show_line(thread, work)
        finally:
            self._calls.pacer.redeem(SESSION, work)
            if self._works.get(thread) is work:
                del self._works[thread]

    async def _process(self, thread: Thread, title: str, work: Work) -> bool:
        """Begin to work in a session; True when it is to be released again.

        It is not begun when there is no call left to release it in time.
        """
        args = {"status": "processing", "title": title or None}
        try:
            self._calls.pacer.promise(SESSION, work)
            answer = await self._call(SESSION, thread, args)
        except Refused as refusal:
            log.info("session not begun", extra={"code": refusal.code})
            direct = thread.channel.startswith("D")
            if refusal.code in NOT_HERE or (direct and refusal.code == NO_AGENT):
                self._way = Way.LINE
        except OutcomeUnknown:
            return True  # perhaps it is
        except PlatformError as error:
            log.info("session not begun", extra={"error": repr(error)})
        else:
            self._warn(answer)
            return True
        return False

    async def _release(self, thread: Thread) -> None:
        self._releasing.add(thread)
        try:
            await self._insist(thread)
        finally:
            self._releasing.discard(thread)

    async def _insist(self, thread: Thread) -> None:
        """Say that the bot is done in a thread, until that is known, or not true any more."""
        args = {"status": "active"}
        for pause in RELEASES:
            is_new = (work := self._works.get(thread)) and not work.over.is_set()
            if is_new or thread not in self._releasing:
                return  # the next piece of work has begun in this thread, or its stream
            try:
                await self._call(SESSION, thread, args, Urgency.FINAL)
            except RateLimited:
                continue  # the pace knows how long to wait
            except (OutcomeUnknown, PlatformDown):
                await self._clock.sleep(pause)
                continue
            except PlatformError as error:
                log.info("session not released", extra={"error": repr(error)})
            return
        log.warning("session not released", extra={"tries": len(RELEASES)})

    async def _show_line(self, thread: Thread, work: Work) -> None:
        while not work.over.is_set() and await self._set_line(thread, AT_WORK):
            await within(self._clock, REFRESH, work.over.wait())
            if work.over.is_set():
                await self._set_line(thread, "")

    async def _set_line(self, thread: Thread, status: str) -> bool:
        try:
            await self._call(LINE, thread, {"status": status})
        except Refused as refusal:
            if refusal.code in NOT_HERE:
                self._way = Way.NONE
            log.info("status not shown", extra={"code": refusal.code})
        except PlatformError as error:
            log.info("status not shown", extra={"error": repr(error)})
        else:
            return True
        return False

    async def _call(
        self, method: str, thread: Thread, args: Json, urgency: Urgency = Urgency.TYPING
    ) -> Json:
        where = {"channel_id": thread.channel, "thread_ts": thread.root}
        return await self._calls.call(method, where | args, channel=thread.channel, urgency=urgency)

    def _warn(self, answer: Json) -> None:
        """Tell the operator once when Slack draws no Stop."""
        told = answer.get("response_metadata", {}).get("warnings", [])
        if NO_STOP in {answer.get("warning"), *told} and not self._has_warned:
            self._has_warned = True
            log.warning(
                "slack shows no Stop: the app does not hear agent_session_stopped; put the text of "
                "`bot manifest` into the app's page “App Manifest”"
            )


def session_title(text: str) -> str:
    """A title for a session, from the first words said in it."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return shortened(line, TITLE)
