"""Whole replies: a message, and its files after it. Trying again doubles neither."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from bot.core.lru import LruCache
from bot.core.types import ChatRef, MessageRef, Reply
from bot.errors import ChatGone, FileRefused, OutcomeUnknown
from bot.platforms.slack.budgets import Urgency
from bot.platforms.slack.ids import answer_thread, parse_chat, thread_of
from bot.platforms.slack.posting import Poster

CHATS = 10_000
FILELESS = 10
"""Messages of one chat whose files failed; of more, the oldest is not gone on with."""


class Replies:
    """Posts them. Raises like `Platform.send`; `newest` is what was said last in each chat."""

    def __init__(self, poster: Poster, newest: LruCache[ChatRef, MessageRef]) -> None:
        self._poster = poster
        self._newest = newest
        # The messages of each chat whose files are still to come, by what they say.
        self._fileless: LruCache[ChatRef, dict[Reply, MessageRef]] = LruCache(CHATS)

    async def send(self, chat: ChatRef, reply: Reply) -> MessageRef:
        """Post a message, and its files after it.

        When only its files fail, the same reply is gone on with the next time; when they are
        refused, nothing is left of it. In a direct message, it goes beside the message it answers
        (else the newest): if that stands in a thread, into the thread.
        """
        words, fileless = replace(reply, files=()), self._fileless.get_or(chat, dict)
        if words not in fileless:
            self._poster.check(reply.files)
        ref = fileless.pop(words, None) or await self._post(chat, reply)
        if reply.files:
            fileless[words] = ref
            if len(fileless) > FILELESS:
                del fileless[next(iter(fileless))]
            try:
                await self._poster.upload(chat, thread_of(ref), reply.files)
            except FileRefused:
                await self._poster.delete(ref)  # it is told anew why there are none
                del fileless[words]
                raise
            del fileless[words]
        return ref

    def unfinished(self, chat: ChatRef) -> Collection[MessageRef]:
        """The messages of a chat whose files are still to come."""
        return self._fileless.get_or(chat, dict).values()

    async def _post(self, chat: ChatRef, reply: Reply) -> MessageRef:
        about = reply.answering or self._newest.get(chat)
        thread = thread_of(about) if about is not None else parse_chat(chat).thread
        if reply.bulk:
            thread = parse_chat(chat).thread
        if (reply.placeholder or reply.pointing) and reply.answering is not None:
            thread = answer_thread(reply.answering)
        urgency = Urgency.PREVIEW if reply.bulk or reply.spare else Urgency.FINAL
        try:
            return await self._poster.post(chat, thread, reply, urgency)
        except ChatGone:
            beside = parse_chat(chat).thread
            if not reply.pointing or thread == beside:
                raise
            # The message that it points at was deleted: it has to be read all the same.
            return await self._poster.post(chat, beside, reply, urgency)
        except OutcomeUnknown:
            found = await self._poster.find(chat, thread, reply.answering, reply.text)
            if found is None:
                raise
            return found
