"""The streams of the bot: begun, fed, stopped, and found again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

from bot.core.types import ChatRef, IncomingMessage, MessageRef
from bot.errors import ChatGone, MessageGone, PlatformError
from bot.platforms.slack.budgets import Urgency
from bot.platforms.slack.calls import Calls, Json
from bot.platforms.slack.directory import Directory
from bot.platforms.slack.errors import StillStreaming, StreamClosed
from bot.platforms.slack.ids import make_message, parse_chat, ts_of
from bot.platforms.slack.sent_messages import SentMessages
from bot.platforms.slack.status import Status, Thread
from bot.platforms.slack.tasks import Task

log = logging.getLogger(__name__)

LEAVING = 0.8
"""Seconds that Slack is given to stop streams when the bot leaves."""
ENDED = (ChatGone, MessageGone, StreamClosed)
"""What is raised where there is no stream to be stopped any more."""


class Streams:
    """Messages that Slack shows while they grow. Every method raises `PlatformError` and its kinds.

    The `directory` knows the workspaces of people from others, and who the bot is.
    """

    def __init__(
        self, calls: Calls, status: Status, sent: SentMessages, directory: Directory
    ) -> None:
        self._calls = calls
        self._status = status
        self._sent = sent
        self._directory = directory
        self._open: dict[MessageRef, None] = {}  # that have not been stopped, oldest first

    async def start(
        self, answering: IncomingMessage, thread: str, text: str, tasks: Sequence[Task] = ()
    ) -> MessageRef:
        """Begin a stream with its first words or tasks, for who asked."""
        chat = answering.ref.chat
        user = answering.sender.id
        args = {
            "thread_ts": thread,
            **_piece(text, tasks),
            "recipient_team_id": self._directory.team_of(user) or parse_chat(chat).team,
            "recipient_user_id": user,
        }
        answer = await self._calls.in_chat(chat, "chat.startStream", args, Urgency.PREVIEW)
        return self._begun(chat, thread, str(answer["ts"]))

    async def find(self, answering: IncomingMessage, thread: str) -> MessageRef | None:
        """The stream that `start` began with tasks alone although its outcome is unknown."""
        asked = answering.ref
        channel = parse_chat(asked.chat).channel
        ts = await self._sent.find_wordless(channel, thread, asked, self._directory.bot)
        return self._begun(asked.chat, thread, ts) if ts else None

    def runs_in(self, thread: Thread) -> bool:
        """Whether a stream goes on in a thread: its end will say that the bot is done."""
        return any(Thread.of(ref) == thread for ref in self._open)

    def _begun(self, chat: ChatRef, thread: str, ts: str) -> MessageRef:
        self._status.streaming(Thread(parse_chat(chat).channel, thread))
        ref = make_message(chat, ts, thread)
        self._sent.know(ref)
        self._open[ref] = None
        return ref

    async def append(
        self, ref: MessageRef, text: str, urgency: Urgency, tasks: Sequence[Task] = ()
    ) -> None:
        """Add words to a stream. Raises `StreamClosed` when it has ended."""
        args = {"ts": ts_of(ref), **_piece(text, tasks)}
        try:
            await self._calls.in_chat(ref.chat, "chat.appendStream", args, urgency)
        except ENDED:
            self._open.pop(ref, None)
            raise

    async def stop(
        self,
        ref: MessageRef,
        text: str = "",
        *,
        blocks: Sequence[Json] = (),
        tasks: Sequence[Task] = (),
        urgency: Urgency = Urgency.FINAL,
    ) -> None:
        """End a stream, with its last words and what stands under them."""
        args = {"ts": ts_of(ref), **_piece(text, tasks), "blocks": list(blocks) or None}
        with self._ending(ref):
            await self._calls.in_chat(ref.chat, "chat.stopStream", args, urgency)

    async def change(
        self, ref: MessageRef, call: Callable[[], Awaitable[object]], urgency: Urgency
    ) -> None:
        """Make a call that edits or deletes a message; a stream of it is stopped if need be."""
        with self._ending(ref):
            try:
                await call()
            except StillStreaming:
                await self.stop(ref, urgency=urgency)
                await call()

    @contextmanager
    def _ending(self, ref: MessageRef) -> Iterator[None]:
        """A call after which a message is no stream any more, also if it has been none before."""
        try:
            yield
        except ENDED:
            self._open.pop(ref, None)
            raise
        self._open.pop(ref, None)

    async def close(self) -> None:
        """Stop the streams of answers that are interrupted: nobody writes on them now.

        The next process goes on in their messages. Never raises; what Slack does not take in time
        is left, and Slack ends it after five minutes.
        """
        stops = [asyncio.create_task(self._stop_quietly(ref)) for ref in self._open]
        if stops:
            _, late = await asyncio.wait(stops, timeout=LEAVING)
            for stop in late:
                stop.cancel()
            await asyncio.gather(*stops, return_exceptions=True)

    async def _stop_quietly(self, ref: MessageRef) -> None:
        try:
            await self.stop(ref)
        except PlatformError as error:
            log.info("stream not stopped", extra={"chat": ref.chat.id, "error": repr(error)})

    def now(self) -> float:
        """The time by which the pace goes, in seconds."""
        return self._calls.clock.monotonic()

    def seconds_until(self, method: str, chat: ChatRef, urgency: Urgency) -> float:
        """How long such a call would wait for its turn."""
        return self._calls.pacer.wait(method, parse_chat(chat).channel, urgency, chat.id)

    def release_session(self, ref: MessageRef) -> None:
        """Say that the bot is done in the thread, where the end of a stream has not said it.

        Slack leaves that to the app when a stream died or the person pressed Stop
        (docs.slack.dev, "agent_session_stopped").
        """
        self._status.release(Thread.of(ref))


def _piece(text: str, tasks: Sequence[Task]) -> Json:
    """What a stream is given: chunks only, since one that has begun with plain text takes none."""
    words = [{"type": "markdown_text", "text": text}] if text else []
    return {"chunks": [*(task.chunk for task in tasks), *words] or None}
