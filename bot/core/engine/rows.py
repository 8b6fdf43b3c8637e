"""Turns that end with another one: an album, or short messages in a row, answered as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.core.engine import albums, together
from bot.core.engine.albums import Albums
from bot.core.engine.waiting import WaitingRoom
from bot.core.ports import Clock
from bot.core.queue import Turn, TurnQueue, album_of
from bot.core.types import Event, IncomingMessage, Line, MessageRef


class Rows:
    """Finds what belongs together, when it comes in and when its first message is answered."""

    def __init__(self, turns: TurnQueue, room: WaitingRoom, clock: Clock) -> None:
        self._turns = turns
        self._room = room
        self._albums = Albums(clock)

    async def with_its_album(self, event: Event) -> Event:
        """Of an album sent to the bot only the caption says so: the rest is for it as well."""
        album, chat = album_of(event), event.chat
        if not isinstance(event, IncomingMessage) or event.addressed or not album:
            return event
        is_ours = self._albums.knows(chat, album) or await self._turns.awaits_album(chat, album)
        return replace(event, addressed=True) if is_ours else event

    def hear(self, event: Event) -> bool:
        """An event was taken in; False for the further messages of an album."""
        album = album_of(event)
        return not (album and self._albums.hear(event.chat, album))

    async def gather(
        self,
        turn: Turn,
        lead: IncomingMessage,
        others: list[int],
        shown: list[MessageRef],
        *,
        words: bool,
    ) -> Turn:
        """Take in what is answered with this message: its album, or short `words` in a row.

        The lines that said that they wait are written over or deleted with the rest.
        """
        row: Sequence[Turn] = ()
        if lead.album:
            await self._albums.whole(turn.chat, lead.album)
            row = albums.row(lead, await self._turns.following(turn.id))
        elif words and turn.followed:
            following = await self._turns.following(turn.id)
            row = together.row(lead, following, anew=bool(turn.partial))
        if not row:
            return turn
        for other in row:
            line = await self._room.leave(turn.chat, other.id)
            # Each message once: what the answer does not need of them is deleted at its end.
            shown[:] = dict.fromkeys((*shown, *other.shown, *([line] if line else [])))
        joined = await self._turns.join(turn.id, [other.id for other in row], shown)
        others.extend(joined)
        row = [other for other in row if other.id in joined]  # some may just have been deleted
        return replace(turn, event=as_one(lead, row)) if row else turn


def as_one(lead: IncomingMessage, others: Sequence[Turn]) -> IncomingMessage:
    """The messages as if they had been sent as one, with all files and all words in order.

    An album is answered at its first message, what was written in a row at its last.
    """
    messages = [lead, *(turn.event for turn in others if isinstance(turn.event, IncomingMessage))]
    quotes = (message.reply_to for message in messages if message.reply_to is not None)
    return replace(
        lead,
        ref=lead.ref if lead.album else messages[-1].ref,
        text="\n".join(message.text for message in messages if message.text.strip()),
        attachments=tuple(file for message in messages for file in message.attachments),
        reply_to=next(quotes, None),
        forwards=tuple(each for message in messages for each in message.forwards),
        lines=tuple(Line(message.ref, message.text) for message in messages),
    )
