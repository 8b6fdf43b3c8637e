"""Posting and changing messages: what the adapter and the drafts share."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from bot.core.errands import insist
from bot.core.types import ChatRef, MessageRef, OutgoingFile, Reply
from bot.errors import (
    ChatGone,
    FilesForbidden,
    FileTooLarge,
    MessageGone,
)
from bot.platforms.slack.blocks import content, plain_content, richly
from bot.platforms.slack.budgets import Urgency
from bot.platforms.slack.calls import Calls, Json
from bot.platforms.slack.errors import Refused
from bot.platforms.slack.ids import make_message, parse_chat, ts_of
from bot.platforms.slack.response_urls import ResponseUrls
from bot.platforms.slack.sent_messages import SentMessages
from bot.platforms.slack.status import Status, Thread
from bot.platforms.slack.streams import Streams

log = logging.getLogger(__name__)

MAX_FILE_OUT = 1_000_000_000
"""Bytes (slack.com/help, "Add files to Slack": 1 GB)."""
TOO_LONG = frozenset({"msg_blocks_too_long", "msg_too_long"})
BAD_BLOCKS = TOO_LONG | {"invalid_blocks", "invalid_blocks_format"}
MISMATCH = "block_mismatch"
NO_FILES = frozenset({"file_uploads_disabled", "missing_scope", "not_allowed_token_type"})
"""Refusals of an upload that hold for the whole workspace; others hold for the chat or the file."""
QUIET = {"unfurl_links": False, "unfurl_media": False}
"""No previews: a link that a model was talked into writing would be fetched unseen. A stream cannot
be told so (github.com/slackapi/node-slack-sdk/pull/2389), nor an edit."""


class Poster:
    """Messages of the bot. Every method raises `PlatformError` and its kinds."""

    def __init__(
        self,
        calls: Calls,
        status: Status,
        response_urls: ResponseUrls,
        sent: SentMessages,
        streams: Streams,
    ) -> None:
        self._calls = calls
        self._status = status
        self._response_urls = response_urls
        self._sent = sent
        self._streams = streams
        self.takes_files = True
        self._draws_feedback = self._draws_thoughts = True

    async def post(
        self, chat: ChatRef, thread: str, reply: Reply, urgency: Urgency = Urgency.FINAL
    ) -> MessageRef:
        """Post a message, without its files; a file without words goes under its name.

        Raises `ChatGone` where the thread is gone, as its first message was deleted.
        """
        answering = reply.answering
        if not reply.text.strip() and not reply.buttons and reply.files:
            reply = Reply(text=", ".join(f"`{file.name}`" for file in reply.files))
        where = {"thread_ts": thread or None, **QUIET}
        try:
            answer = await self._put(chat, "chat.postMessage", where, reply, urgency)
        except ChatGone as gone:
            self._response_urls.refused(answering, gone)
            raise
        told = answer.get("message")
        if thread and told and "thread_ts" not in told:
            # It stands in the channel itself, where all would see it, as an answer to nothing
            # (github.com/slack-go/slack/issues/1571).
            remove = partial(self.delete, make_message(chat, str(answer["ts"]), thread))
            await insist(remove, chat, self._calls.clock, failed="not taken back")
            raise ChatGone("the thread is gone")
        return self._stands(chat, thread, str(answer["ts"]))

    async def find(
        self, chat: ChatRef, thread: str, answering: MessageRef | None, text: str
    ) -> MessageRef | None:
        """The message that `post`, or the start of a stream, made although its outcome is unknown.

        It has words, and begins like the text; how much of it stands there is not certain.
        """
        ts = await self._sent.find(parse_chat(chat).channel, thread, answering, text)
        return self._stands(chat, thread, ts) if ts else None

    def _stands(self, chat: ChatRef, thread: str, ts: str) -> MessageRef:
        self._status.posted(Thread(parse_chat(chat).channel, thread))
        ref = make_message(chat, ts, thread)
        self._sent.know(ref)
        return ref

    async def update(self, ref: MessageRef, reply: Reply, urgency: Urgency = Urgency.FINAL) -> None:
        """Replace text and buttons of a message; one that is still streaming is stopped first."""
        where = {"ts": ts_of(ref)}
        update = partial(self._put, ref.chat, "chat.update", where, reply, urgency)
        await self._streams.change(ref, update, urgency)
        self._status.posted(Thread.of(ref))

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
        return await self._calls.in_chat(chat, method, where | plain_content(plain), urgency)

    async def _give(
        self, chat: ChatRef, method: str, where: Json, body: Json, urgency: Urgency
    ) -> Json:
        try:
            return await self._calls.in_chat(chat, method, where | body, urgency)
        except Refused as refusal:
            if refusal.code != MISMATCH:
                raise
        return await self._calls.in_chat(chat, method, where | richly(body), urgency)

    def drawable(self, reply: Reply) -> Reply:
        """The reply without what this workspace does not draw."""
        return replace(
            reply,
            feedback=reply.feedback if self._draws_feedback else None,
            thoughts=reply.thoughts if self._draws_thoughts else None,
        )

    async def delete(self, ref: MessageRef) -> None:
        """Remove a message; one that is gone already is success."""
        args, urgency = {"ts": ts_of(ref)}, Urgency.FINAL
        delete = partial(self._calls.in_chat, ref.chat, "chat.delete", args, urgency)
        try:
            await self._streams.change(ref, delete, urgency)
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

    def promise_edit(self, answer: object) -> None:
        """Keep an edit for the end of an answer. Raises `NotYourTurn` when there is none left."""
        self._calls.pacer.promise("chat.update", answer)

    def redeem_edit(self, answer: object) -> None:
        """The edit has been made, or is not needed."""
        self._calls.pacer.redeem("chat.update", answer)


def _forms(reply: Reply) -> Sequence[Reply]:
    """The reply, and the same without what Slack may not draw, the fullest first."""
    forms = [
        reply,
        replace(reply, thoughts=None),
        replace(reply, feedback=None),
        replace(reply, thoughts=None, feedback=None),
    ]
    return [form for at, form in enumerate(forms) if form not in forms[:at]]
