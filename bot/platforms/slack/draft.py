"""An answer while it is being written: streamed by Slack where it can, else posted and edited.

A stream takes only what is new, so the draft remembers what Slack has. When a stream has ended, is
nearly full, or may or may not have taken something, the draft goes on by editing its message: that
takes the whole text, so nothing can be lost or doubled.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from enum import Enum, auto

from bot.core.capabilities import Streaming
from bot.core.types import Button, ButtonRow, IncomingMessage, MessageRef, Reply
from bot.errors import OutcomeUnknown
from bot.platforms.slack.blocks import blocks_under
from bot.platforms.slack.budgets import Urgency
from bot.platforms.slack.capabilities import ChatCapabilities
from bot.platforms.slack.errors import Refused, StreamClosed
from bot.platforms.slack.ids import answer_thread, thread_of
from bot.platforms.slack.posting import Poster
from bot.platforms.slack.render import settled, written
from bot.platforms.slack.streams import Streams
from bot.platforms.slack.tasks import Tasks

log = logging.getLogger(__name__)

STREAM_BYTES = 10_000
"""UTF-8 bytes that one stream is given, titles of tasks among them. Slack's cap is undocumented; it
has been measured between 10.6 and 11.3 kB."""
SOON = 3.0
"""Seconds that a first text waits for Slack to take another stream; then it is posted."""
TICK = 3.0
"""Seconds between two updates of one step of the work; Slack draws a spinner beside it anyway."""


class Mode(Enum):
    """How the answer stands in the chat."""

    NOWHERE = auto()
    STREAM = auto()
    MESSAGE = auto()


class SlackDraft:
    """One message of an answer.

    With `ref` it goes on with a message that stands in the chat. The `capabilities` of its chat say
    whether to try a stream, and tasks in it, and are told when Slack refuses one. `stop` is shown
    where Slack does not show a Stop of its own.
    """

    def __init__(
        self,
        poster: Poster,
        streams: Streams,
        capabilities: ChatCapabilities,
        answering: IncomingMessage,
        *,
        stop: Button | None,
        ref: MessageRef | None = None,
    ) -> None:
        self._poster = poster
        self._streams = streams
        self._answering = answering
        self._chat = answering.ref.chat
        self._thread = answer_thread(answering.ref)
        self._capabilities = capabilities
        able = capabilities.of(self._chat)
        self._takes_streams = able.streaming is Streaming.NATIVE and bool(self._thread)
        self._takes_tasks = able.status
        self._stop: tuple[ButtonRow, ...] = ((stop,),) if stop else ()
        self._ref = ref
        self._mode = Mode.NOWHERE if ref is None else Mode.MESSAGE
        self._sent = ""  # what the stream has
        self._tasks = Tasks()
        self._told_at = float("-inf")
        self._holds_session = ref is not None and self._takes_streams  # perhaps, before a restart
        """Whether the session has to be released at the end: its stream may not do it."""
        self._standing: Reply | None = None  # what its message says; None when that is not known

    @property
    def ref(self) -> MessageRef | None:
        """The message in the chat; None before there is something in it."""
        return self._ref

    async def status(self, text: str) -> None:
        """Say what goes on, as a task in the stream. Where it is not its turn, it says nothing.

        Beside the threads, where Slack itself shows nothing, it stands where the text will.
        """
        if not self._thread:
            await self.show(text)
            return
        if not (self._takes_streams and self._takes_tasks) or self._mode is Mode.MESSAGE:
            return
        is_new = self._tasks.go_on(text)
        if not is_new and self._streams.now() - self._told_at < TICK:
            return
        if self._tasks.size > STREAM_BYTES // 10:  # the words need the room
            return
        try:
            await self._tell_tasks()
        except StreamClosed:
            self._mode = Mode.MESSAGE
        except Refused as refusal:
            self._capabilities.tasks_refused(self._chat, refusal)
            self._takes_tasks, self._tasks = False, Tasks()

    async def show(self, text: str) -> None:
        """Show the text so far. Raises `NotYourTurn` at once when it is not its turn."""
        if self._mode is Mode.NOWHERE:
            await self._begin(text)
        elif self._mode is Mode.STREAM:
            await self._stream_on(written(settled(text)))
        if self._mode is Mode.MESSAGE and (preview := settled(text)):
            await self._edit(Reply(text=preview, buttons=self._stop), Urgency.PREVIEW)

    async def finish(self, reply: Reply) -> MessageRef:
        """Make the reply the message. May be called again after a failure."""
        if self._mode is Mode.STREAM:
            await self._end_stream(reply)
        if self._ref is None:
            await self._post(reply, Urgency.FINAL)
        await self._edit(reply, Urgency.FINAL)
        assert self._ref is not None  # posted, or found
        self._poster.redeem_edit(self)
        if reply.files:
            await self._poster.upload(self._chat, thread_of(self._ref), reply.files)
        return self._ref

    # ------------------------------------------------------------ before the first text

    async def _tell_tasks(self) -> None:
        """Give the stream the tasks that are news; begin it where there is none."""
        news = self._tasks.news
        if self._ref is None:
            if not self._may_stream(0.0):
                return
            try:
                self._ref = await self._streams.start(self._answering, self._thread, "", news)
            except OutcomeUnknown:
                self._ref = await self._streams.find(self._answering, self._thread)
                if self._ref is None:
                    # a second stream would be one too many
                    self._takes_tasks, self._tasks = False, Tasks()
                    raise
            self._mode, self._holds_session = Mode.STREAM, True
        elif self._seconds_until("chat.appendStream", Urgency.PREVIEW) > 0:
            return
        else:
            await self._streams.append(self._ref, "", Urgency.PREVIEW, news)
        self._tasks.told(news)
        self._told_at = self._streams.now()

    async def _begin(self, text: str) -> None:
        first = written(settled(text))
        if not first.strip():
            return
        if self._takes_streams and self._fits(first) and self._may_stream(SOON):
            try:
                self._ref = await self._streams.start(self._answering, self._thread, first)
            except OutcomeUnknown:
                if not await self._find(first):
                    raise
                self._holds_session = True
                return
            except Refused as refusal:
                self._capabilities.stream_refused(self._chat, refusal)
                self._takes_streams = False
            else:
                self._mode, self._sent, self._holds_session = Mode.STREAM, first, True
                self._tasks = Tasks()  # what could not be told in time is over
                return
        # What is posted early needs an edit at its end: where none is left, it is posted whole.
        self._poster.promise_edit(self)
        await self._post(Reply(text=settled(text), buttons=self._stop), Urgency.PREVIEW)

    async def _post(self, reply: Reply, urgency: Urgency) -> None:
        answer = replace(reply, answering=self._answering.ref)
        try:
            self._ref = await self._poster.post(self._chat, self._thread, answer, urgency)
        except OutcomeUnknown:
            if not await self._find(reply.text):
                raise
        else:
            self._mode, self._standing = Mode.MESSAGE, _bare(reply)

    async def _find(self, text: str) -> bool:
        """Go on in the message that stands there all the same, if there is one.

        It may be of an earlier try, with less text: it is to be written over.
        """
        asked = self._answering.ref
        self._ref = await self._poster.find(self._chat, self._thread, asked, text)
        if self._ref is not None:
            self._mode, self._standing = Mode.MESSAGE, None
        return self._ref is not None

    def _may_stream(self, patience: float) -> bool:
        """Whether a stream would start soon; Slack takes only 20 a minute in a workspace."""
        return self._seconds_until("chat.startStream", Urgency.PREVIEW) <= patience

    def _seconds_until(self, method: str, urgency: Urgency) -> float:
        return self._streams.seconds_until(method, self._chat, urgency)

    # ------------------------------------------------------------ a stream

    async def _stream_on(self, text: str) -> None:
        if self._sent.startswith(text):
            return
        if not self._fits(text):
            await self._leave_stream(Urgency.PREVIEW)
            return
        self._tasks.end()
        try:
            await self._append(text, Urgency.PREVIEW)
        except (StreamClosed, Refused):
            self._mode = Mode.MESSAGE

    async def _end_stream(self, reply: Reply) -> None:
        assert self._ref is not None  # a stream has its message
        text = written(reply.text)
        if not self._fits(text):
            await self._leave_stream(Urgency.FINAL)
            return
        self._tasks.end(failed=reply.failed)
        try:
            if self._seconds_until("chat.stopStream", Urgency.FINAL) > 0:
                await self._append(text, Urgency.FINAL)  # the end must wait, its words need not
            rest = text[len(self._sent) :]
            blocks = blocks_under(self._poster.drawable(reply))
            await self._streams.stop(self._ref, rest, blocks=blocks, tasks=self._tasks.news)
        except (StreamClosed, Refused):
            self._mode = Mode.MESSAGE
        else:
            self._mode, self._standing, self._holds_session = Mode.MESSAGE, _bare(reply), False

    async def _append(self, text: str, urgency: Urgency) -> None:
        """Give the stream what it does not have of the text."""
        assert self._ref is not None  # a stream has its message
        if text == self._sent:
            return
        news = self._tasks.news
        try:
            await self._streams.append(self._ref, text[len(self._sent) :], urgency, news)
        except OutcomeUnknown:
            self._mode = Mode.MESSAGE  # it may have the words: only an edit is safe now
            raise
        self._sent = text
        self._tasks.told(news)

    async def _leave_stream(self, urgency: Urgency) -> None:
        """End the stream before it is full, and go on by editing its message."""
        assert self._ref is not None  # a stream has its message
        self._tasks.end()
        try:
            await self._streams.stop(self._ref, tasks=self._tasks.news, urgency=urgency)
        except (StreamClosed, Refused):
            log.debug("stream ended already", extra={"chat": self._chat.id})
        else:
            self._holds_session = False
        self._mode = Mode.MESSAGE

    def _fits(self, text: str) -> bool:
        size = len(text.encode()) + self._tasks.size
        return text.startswith(self._sent) and size <= STREAM_BYTES

    # ------------------------------------------------------------ a message

    async def _edit(self, reply: Reply, urgency: Urgency) -> None:
        assert self._ref is not None  # a message that stands
        if _bare(reply) == self._standing:  # no call without a visible change
            return
        await self._poster.update(self._ref, reply, urgency)
        self._standing = _bare(reply)
        if self._holds_session and urgency is Urgency.FINAL:
            self._holds_session = False
            self._streams.release_session(self._ref)


def _bare(reply: Reply) -> Reply:
    """What of a reply stands in its message: neither files nor what it answers."""
    return replace(reply, files=(), answering=None, failed=False)
