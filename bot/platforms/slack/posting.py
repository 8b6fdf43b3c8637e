"""Posting, changing and streaming messages: what the adapter and the drafts share."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from bot.core.types import ChatRef, IncomingMessage, MessageRef, OutgoingFile, Reply
from bot.errors import ChatGone, FilesForbidden, FileTooLarge, MessageGone, PlatformError
from bot.platforms.slack.budgets import Urgency
from bot.platforms.slack.calls import Calls, Json
from bot.platforms.slack.errors import Refused, StillStreaming, StreamClosed
from bot.platforms.slack.ids import make_message, parse_chat, thread_of, ts_of
from bot.platforms.slack.lost import Lost
from bot.platforms.slack.outside import Outside
from bot.platforms.slack.render import content, plain_content, richly
from bot.platforms.slack.status import Status, Thread
from bot.platforms.slack.tasks import Task

log = logging.getLogger(__name__)

LEAVING = 1.0
"""Seconds that Slack is given to stop streams when the bot leaves."""
MAX_FILE_OUT = 1_000_000_000
"""Bytes (slack.com/help, "Add files to Slack": 1 GB)."""
TOO_LONG = frozenset({"msg_blocks_too_long", "msg_too_long"})
BAD_BLOCKS = TOO_LONG | {"invalid_blocks", "invalid_blocks_format"}
MISMATCH = "block_mismatch"
NO_FILES = frozenset({"file_uploads_disabled", "missing_scope", "not_allowed_token_type"})
"""Refusals of an upload that hold for the whole workspace; others hold for the chat or the file."""
ENDED = (ChatGone, MessageGone, StreamClosed)
"""What is raised where there is no stream to be stopped any more."""
QUIET = {"unfurl_links": False, "unfurl_media": False}
"""No previews: a link that a model was talked into writing would be fetched unseen. A stream cannot
be told so (github.com/slackapi/node-slack-sdk/pull/2389), nor an edit."""


class Posting:
    """Messages of the bot. Every method raises `PlatformError` and its kinds.

    `posted` hears of each; `team_of` knows the workspaces of people from others, `bot` who the bot
    is.
    """

    def __init__(
        self,
        calls: Calls,
        status: Status,
        outside: Outside,
        posted: Callable[[MessageRef], None],
        team_of: Callable[[str], str],
        bot: Callable[[], str],
    ) -> None:
        self._calls = calls
        self._status = status
        self._outside = outside
        self._posted = posted
        self._team_of = team_of
        self._bot = bot
        self._lost = Lost(calls)
        self.takes_files = True
        self._draws_feedback = self._draws_thoughts = True
        self._open: dict[MessageRef, None] = {}  # streams that have not been stopped, oldest first

    async def post(
        self, chat: ChatRef, thread: str, reply: Reply, urgency: Urgency = Urgency.FINAL
    ) -> MessageRef:
        """Post a message, without its files; a file without words goes under its name."""
        place, answering = parse_chat(chat), reply.answering
        if not reply.text.strip() and not reply.buttons and reply.files:
            reply = Reply(text=", ".join(f"`{file.name}`" for file in reply.files))
        where = {"channel": place.channel, "thread_ts": thread or None}
        try:
            answer = await self._put(chat, "chat.postMessage", where | QUIET, reply, urgency)
        except ChatGone as gone:
            self._outside.refused(answering, gone)
            raise
        return self._stands(chat, thread, str(answer["ts"]))

    async def find(
        self, chat: ChatRef, thread: str, answering: MessageRef | None, text: str
    ) -> MessageRef | None:
        """The message that `post` or `start_stream` made although its outcome is unknown.

        It has words, and begins like the text; how much of it stands there is not certain.
        """
        ts = await self._lost.find(parse_chat(chat).channel, thread, answering, text)
        return self._stands(chat, thread, ts) if ts else None

    def _stands(self, chat: ChatRef, thread: str, ts: str) -> MessageRef:
        channel = parse_chat(chat).channel
        self._lost.know(channel, ts)
        self._status.posted(Thread(channel, thread))
        ref = make_message(chat, ts, thread)
        self._posted(ref)
        return ref

    async def update(self, ref: MessageRef, reply: Reply, urgency: Urgency = Urgency.FINAL) -> None:
        """Replace text and buttons of a message; one that is still streaming is stopped first."""
        where = {"channel": parse_chat(ref.chat).channel, "ts": ts_of(ref)}
        with self._ending(ref):
            try:
                await self._put(ref.chat, "chat.update", where, reply, urgency)
            except StillStreaming:
                await self.stop_stream(ref, "", [], urgency)
                await self._put(ref.chat, "chat.update", where, reply, urgency)
        self._status.posted(Thread(where["channel"], thread_of(ref)))

    async def _put(
        self, chat: ChatRef, method: str, where: Json, reply: Reply, urgency: Urgency
    ) -> Json:
        """Post or change a message; what Slack does not draw is given to it more plainly.

        What it finds too long is no sign that it does not draw such a thing.
        """
        asked, codes = self.drawable(reply), set[str]()
        for form in _forms(asked):
            try:
                answer = await self._give(chat, method, where, content(form), urgency)
            except Refused as refusal:
                if refusal.code == MISMATCH:
                    break
                if refusal.code not in BAD_BLOCKS:
                    raise
                log.warning("blocks refused", extra={"method": method, "code": refusal.code})
                codes.add(refusal.code)
            else:
                if codes.isdisjoint(TOO_LONG):
                    self._draws_feedback &= form.feedback == asked.feedback
                    self._draws_thoughts &= form.thoughts == asked.thoughts
                return answer
        plain = replace(asked, feedback=None, thoughts=None)
        return await self._call(chat, method, where | plain_content(plain), urgency)

    async def _give(
        self, chat: ChatRef, method: str, where: Json, body: Json, urgency: Urgency
    ) -> Json:
        try:
            return await self._call(chat, method, where | body, urgency)
        except Refused as refusal:
            if refusal.code != MISMATCH:
                raise
        return await self._call(chat, method, where | richly(body), urgency)

    async def _call(self, chat: ChatRef, method: str, args: Json, urgency: Urgency) -> Json:
        channel = parse_chat(chat).channel
        return await self._calls.call(method, args, channel=channel, urgency=urgency, chat=chat.id)

    def drawable(self, reply: Reply) -> Reply:
        """The reply without what this workspace does not draw."""
        return replace(
            reply,
            feedback=reply.feedback if self._draws_feedback else None,
            thoughts=reply.thoughts if self._draws_thoughts else None,
        )

    async def delete(self, ref: MessageRef) -> None:
        """Remove a message; one that is gone already is success."""
        args = {"channel": parse_chat(ref.chat).channel, "ts": ts_of(ref)}
        try:
            with self._ending(ref):
                try:
                    await self._call(ref.chat, "chat.delete", args, Urgency.FINAL)
                except StillStreaming:
                    await self.stop_stream(ref, "", [])
                    await self._call(ref.chat, "chat.delete", args, Urgency.FINAL)
        except MessageGone:
            log.debug("message gone already", extra={"chat": ref.chat.id})

    async def upload(self, chat: ChatRef, thread: str, files: Sequence[OutgoingFile]) -> None:
        """Post files, as one message of their own. Raises `FileRefused` when they never will be.

        After that the workspace may take no files at all (`takes_files`). A chat that is gone for
        files may be there for words: the app may write in channels that it is not in.
        """
        self.check(files)
        channel = parse_chat(chat).channel
        uploads: list[dict[str, Any]] = [
            {"filename": file.name, "title": file.name, "content": file.content} for file in files
        ]
        try:
            await self._calls.paced(
                "files.completeUploadExternal",
                lambda: self._calls.client.files_upload_v2(
                    channel=self._calls.channel(channel),
                    thread_ts=thread or None,
                    file_uploads=uploads,
                ),
                channel=channel,
                chat=chat.id,
            )
        except (Refused, ChatGone) as refusal:
            log.warning("files refused", extra={"chat": chat.id, "error": repr(refusal)})
            self.takes_files &= not (isinstance(refusal, Refused) and refusal.code in NO_FILES)
            raise FilesForbidden(str(refusal)) from refusal

    def check(self, files: Sequence[OutgoingFile]) -> None:
        """Raise `FileRefused` for files of which it is known that Slack does not take them."""
        if files and not self.takes_files:
            raise FilesForbidden("no files in this workspace")
        if any(len(file.content) > MAX_FILE_OUT for file in files):
            raise FileTooLarge(MAX_FILE_OUT)

    # ------------------------------------------------------------ streams

    async def start_stream(
        self, answering: IncomingMessage, thread: str, text: str, tasks: Sequence[Task] = ()
    ) -> MessageRef:
        """Begin a stream with its first words or tasks, for who asked."""
        chat = answering.ref.chat
        place = parse_chat(chat)
        args = {
            "channel": place.channel,
            "thread_ts": thread,
            **_piece(text, tasks),
            "recipient_team_id": self._team_of(answering.sender.id) or place.team,
            "recipient_user_id": answering.sender.id,
        }
        answer = await self._call(chat, "chat.startStream", args, Urgency.PREVIEW)
        return self._streams(chat, thread, str(answer["ts"]))

    async def find_stream(self, answering: IncomingMessage, thread: str) -> MessageRef | None:
        """The stream that `start_stream` began with tasks alone although its outcome is unknown."""
        asked = answering.ref
        channel = parse_chat(asked.chat).channel
        ts = await self._lost.find_wordless(channel, thread, asked, self._bot())
        return self._streams(asked.chat, thread, ts) if ts else None

    def _streams(self, chat: ChatRef, thread: str, ts: str) -> MessageRef:
        channel = parse_chat(chat).channel
        self._lost.know(channel, ts)
        self._status.streaming(Thread(channel, thread))
        ref = make_message(chat, ts, thread)
        self._open[ref] = None
        self._posted(ref)
        return ref

    async def append(
        self, ref: MessageRef, text: str, urgency: Urgency, tasks: Sequence[Task] = ()
    ) -> None:
        """Add words to a stream. Raises `StreamClosed` when it has ended."""
        channel = parse_chat(ref.chat).channel
        args = {"channel": channel, "ts": ts_of(ref), **_piece(text, tasks)}
        try:
            await self._call(ref.chat, "chat.appendStream", args, urgency)
        except ENDED:
            self._open.pop(ref, None)
            raise

    async def stop_stream(
        self,
        ref: MessageRef,
        text: str,
        blocks: list[Json],
        urgency: Urgency = Urgency.FINAL,
        tasks: Sequence[Task] = (),
    ) -> None:
        """End a stream, with its last words and what stands under them."""
        args = {
            "channel": parse_chat(ref.chat).channel,
            "ts": ts_of(ref),
            **_piece(text, tasks),
            "blocks": blocks or None,
        }
        with self._ending(ref):
            await self._call(ref.chat, "chat.stopStream", args, urgency)

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
            await self.stop_stream(ref, "", [])
        except PlatformError as error:
            log.info("stream not stopped", extra={"chat": ref.chat.id, "error": repr(error)})

    def now(self) -> float:
        """The time by which the pace goes, in seconds."""
        return self._calls.clock.monotonic()

    def seconds_until(self, method: str, chat: ChatRef, urgency: Urgency) -> float:
        """How long such a call would wait for its turn."""
        return self._calls.pace.wait(method, parse_chat(chat).channel, urgency, chat.id)

    def promise_edit(self, answer: object) -> None:
        """Keep an edit for the end of an answer. Raises `NotYourTurn` when there is none left."""
        self._calls.pace.promise("chat.update", answer)

    def redeem_edit(self, answer: object) -> None:
        """The edit has been made, or is not needed."""
        self._calls.pace.redeem("chat.update", answer)

    def release_session(self, ref: MessageRef) -> None:
        """Say that the bot is done in the thread, where the end of a stream has not said it.

        Slack leaves that to the app when a stream died or the person pressed Stop
        (docs.slack.dev, "agent_session_stopped").
        """
        self._status.release(Thread(parse_chat(ref.chat).channel, thread_of(ref)))


def _forms(reply: Reply) -> Sequence[Reply]:
    """The reply, and the same without what Slack may not draw, the fullest first."""
    forms = [
        reply,
        replace(reply, thoughts=None),
        replace(reply, feedback=None),
        replace(reply, thoughts=None, feedback=None),
    ]
    return [form for at, form in enumerate(forms) if form not in forms[:at]]


def _piece(text: str, tasks: Sequence[Task]) -> Json:
    """What a stream is given: chunks only, since one that has begun with plain text takes none."""
    words = [{"type": "markdown_text", "text": text}] if text else []
    return {"chunks": [*(task.chunk for task in tasks), *words] or None}
