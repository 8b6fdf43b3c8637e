"""What a chat of Slack can do: native streams and tasks in them, unless Slack has refused some."""

from __future__ import annotations

import logging
from dataclasses import replace

from bot.core.capabilities import Capabilities, Streaming
from bot.core.lru import LruCache
from bot.core.types import ChatRef
from bot.platforms.slack.errors import Refused
from bot.platforms.slack.files import MAX_FILE_IN
from bot.platforms.slack.ids import parse_chat
from bot.platforms.slack.posting import MAX_FILE_OUT
from bot.platforms.slack.render import MAX_TEXT, STREAM_TEXT, measure, measure_stream

log = logging.getLogger(__name__)

STREAMED = Capabilities(
    streaming=Streaming.NATIVE,
    max_text=STREAM_TEXT,
    update_interval=0.75,  # 80 of the 100 `chat.appendStream` a minute, in one busy chat
    measure=measure_stream,
    around="…",
    max_buttons=100,
    max_file_in=MAX_FILE_IN,
    max_file_out=MAX_FILE_OUT,
    feedback=True,
    folds=True,
    stop_button=True,
    status=True,
    command_mark="!",
)
STREAMED_WITHOUT_TASKS = replace(STREAMED, status=False)
EDITED = replace(
    STREAMED,
    streaming=Streaming.EDIT,
    max_text=MAX_TEXT,
    update_interval=1.5,  # 40 of the 50 `chat.update` a minute, in one busy chat
    measure=measure,
    stop_button=False,
    status=False,
)
NO_STREAMS = frozenset({"unknown_method", "missing_scope", "not_allowed_token_type"})
"""Refusals of a stream that hold for the whole workspace; others hold for the chat."""
NO_THREAD = "invalid_thread_ts"
"""What is said of a thread whose first message was deleted, which is nothing about its chat."""
CHATS = 10_000


class ChatCapabilities:
    """The capabilities of each chat, as far as Slack has not refused a stream or a task there."""

    def __init__(self) -> None:
        self._has_streams = True
        self._left: LruCache[ChatRef, Capabilities] = LruCache(
            CHATS
        )  # to chats where it refused some

    def of(self, chat: ChatRef) -> Capabilities:
        """How the next answer is written: streams are only in threads and direct messages."""
        place = parse_chat(chat)
        if not self._has_streams or not (place.direct or place.thread):
            return EDITED
        return self._left.get(chat) or STREAMED

    def stream_refused(self, chat: ChatRef, refusal: Refused) -> None:
        """Try no more streams: in this chat, or anywhere."""
        log.warning("stream refused", extra={"chat": chat.id, "code": refusal.code})
        if refusal.code in NO_STREAMS:
            self._has_streams = False
        elif refusal.code != NO_THREAD:
            self._left.put(chat, EDITED)

    def tasks_refused(self, chat: ChatRef, refusal: Refused) -> None:
        """Show no more tasks in the streams of this chat."""
        log.warning("tasks refused", extra={"chat": chat.id, "code": refusal.code})
        if refusal.code != NO_THREAD and self.of(chat) is STREAMED:
            self._left.put(chat, STREAMED_WITHOUT_TASKS)
