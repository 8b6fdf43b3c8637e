"""A text too long for one message, which Telegram's apps cut into several: one question again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from telegramify_markdown.entity import utf16_len

from bot.core.commands.table import parse
from bot.core.lru import LruCache
from bot.core.types import ChatRef, IncomingMessage, MessageRef, UserId
from bot.platforms.telegram.ids import parse_message
from bot.platforms.telegram.markdown.render import MAX_TEXT

SHORTEST = MAX_TEXT // 2
"""UTF-16 code units of a part that another may follow: apps cut at the end of a paragraph, a
sentence or a word in the second half of what a message may hold."""
NEXT = 2
"""Seconds from one part to the next, by Telegram's clock, which tells no fractions."""
REMEMBERED = 1_000
"""People whose newest long text is remembered."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What `newest` is a part of; the next message is one, too, if it comes until then."""

    album: str
    newest: MessageRef
    until: int


class Pastes:
    """Gives the parts of one text the same `album`, by which the core knows what was sent as one.

    Not known over a restart, nor where Telegram posts to several bots behind one address: then the
    parts are answered one after the other.
    """

    def __init__(self) -> None:
        self._newest: LruCache[tuple[ChatRef, UserId], _Part] = LruCache(REMEMBERED)

    def join(self, message: IncomingMessage, date: int) -> IncomingMessage:
        """The message, marked if it may be a part; `date` is when it was written (Unix time).

        One that comes again is marked as it was before.
        """
        if message.attachments or message.edited or message.forwards:
            return message
        writer = (message.ref.chat, message.sender.id)
        before = self._newest.get(writer)
        if before is not None and before.newest == message.ref:
            return replace(message, album=before.album)
        goes_on = before is not None and date <= before.until and parse(message.text) is None
        may_go_on = utf16_len(message.text) > SHORTEST
        if not goes_on and not may_go_on:
            return message
        album = before.album if before and goes_on else f"text {parse_message(message.ref)}"
        until = date + NEXT if may_go_on else 0
        self._newest.put(writer, _Part(album, message.ref, until))
        return replace(message, album=album)
