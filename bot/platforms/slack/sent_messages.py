"""The messages of the bot: which are known, and whether one stands whose post got no answer.

Slack has no key by which a post could be repeated safely, so the channel is looked at instead: a
message of ours that nobody here knows of, after the question, with the same first letters. Only
letters are compared, since Slack rewrites emoji, links and markup; a stream that only says what
goes on has none. A slash command has no ts: then it must be after the newest post in the channel
that this process knows of, and where it knows of none, nothing is found. What is said twice is
better than what is not said.
"""

from __future__ import annotations

import html
import logging
import re

from bot.core.lru import LruCache
from bot.core.types import ChatRef, MessageRef
from bot.errors import PlatformError
from bot.platforms.slack.calls import Calls, Json
from bot.platforms.slack.ids import parse_chat, ts_of

log = logging.getLogger(__name__)

SETTLING = 1.0
"""Seconds until a call that Slack is still carrying out can be seen."""
NEWEST = 15
"""Messages looked at; some apps are given no more (docs.slack.dev, "Rate limits")."""
LETTERS = 40
KNOWN = 10_000
_EMOJI = re.compile(r":[a-z0-9_+'-]+:|.\ufe0f")
"""Emoji that hold letters: `:white_check_mark:` as Slack writes ✅, and the 1 of 1️⃣."""
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)|<[a-z]+:[^|<>]*\|([^<>]*)>")
"""A link with a label in Markdown, and as Slack tells it."""


class SentMessages:
    """Knows the messages whose ts Slack has told, and finds those whose ts it has not."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._known: LruCache[str, bool] = LruCache(KNOWN)
        self._newest: LruCache[str, str] = LruCache(KNOWN)  # of those that are known, by channel
        self._posted: LruCache[ChatRef, MessageRef] = LruCache(KNOWN)

    def know(self, ref: MessageRef) -> None:
        """Slack has told the ts of a message of the bot."""
        channel, ts = parse_chat(ref.chat).channel, ts_of(ref)
        self._known.put(ts, True)
        self._newest.put(channel, max(ts, self._newest.get(channel) or ""))
        self._posted.put(ref.chat, ref)

    def newest(self, chat: ChatRef) -> MessageRef | None:
        """The newest message of the bot in a chat, but for those that Slack made of files."""
        return self._posted.get(chat)

    async def find(self, channel: str, thread: str, answering: MessageRef | None, text: str) -> str:
        """The ts of a message whose post got no answer; empty when there is none.

        `answering` is the message it answers; without, or without a text, nothing is found.
        """
        wanted = _letters(text)
        if answering is None or not wanted:
            return ""
        for message in await self._unknown(channel, thread, answering):
            if _letters_of(message).startswith(wanted):
                return _found(message)
        return ""

    async def find_wordless(
        self, channel: str, thread: str, answering: MessageRef, bot: str
    ) -> str:
        """The ts of a stream of the `bot` whose start got no answer, without words as yet."""
        for message in await self._unknown(channel, thread, answering):
            if message.get("user") == bot and not message.get("files") and not _letters_of(message):
                return _found(message)
        return ""

    async def _unknown(self, channel: str, thread: str, answering: MessageRef) -> list[Json]:
        """What bots have written after the question and nobody here knows of."""
        after = ts_of(answering) or self._newest.get(channel)
        if not after:
            return []
        await self._calls.clock.sleep(SETTLING)
        try:
            messages = await messages_after(self._calls, channel, thread, after, NEWEST)
        except PlatformError as error:
            log.info("lost message not looked for", extra={"error": repr(error)})
            return []
        return [
            message
            for message in messages
            if "bot_id" in message
            and not self._known.get(str(message["ts"]))
            and str(message["ts"]) > after
        ]


async def messages_after(
    calls: Calls, channel: str, thread: str, oldest: str, limit: int
) -> list[Json]:
    """The messages of a thread since a ts or, without a thread, those beside the threads.

    Of a thread the first message is always among them. Raises `PlatformError` and its kinds.
    """
    method = "conversations.replies" if thread else "conversations.history"
    args = {"channel": channel, "ts": thread or None, "oldest": oldest, "limit": str(limit)}
    answer = await calls.call(method, args)
    return list(answer.get("messages", []))


def _found(message: Json) -> str:
    ts = str(message["ts"])
    log.info("lost message found", extra={"ts": ts})
    return ts


def _letters_of(message: Json) -> str:
    return _letters(html.unescape(str(message.get("text", ""))))


def _letters(text: str) -> str:
    """The first letters and digits of a text, without its emoji and the addresses of its links."""
    words = _EMOJI.sub("", _LINK.sub(lambda found: found[1] or found[2] or "", text))
    return "".join(letter for letter in words if letter.isalnum())[:LETTERS].lower()
