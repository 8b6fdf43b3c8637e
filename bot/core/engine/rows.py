"""Turns that end with another one: an album, or short messages in a row, answered as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.core.engine import albums, together
from bot.core.engine.albums import Albums, album_of
from bot.core.engine.waiting import WaitingRoom
from bot.core.ports import Clock
from bot.core.queue import Turn, TurnQueue
from bot.core.types import Event, IncomingMessage, MessageRef


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
            others.append(other.id)
            line = await self._room.leave(turn.chat, other.id)
            # Each message once: what the answer does not need of them is deleted at its end.
            shown[:] = dict.fromkeys((*shown, *other.shown, *([line] if line else [])))
        await self._turns.join(turn.id, others, shown)
        as_one = albums.as_one if lead.album else together.as_one
        return replace(turn, event=as_one(lead, row))
