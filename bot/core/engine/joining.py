"""Turns that join another one, and are answered and ended with it: an album, or short messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.core.engine import albums, together
from bot.core.engine.albums import Albums
from bot.core.engine.waiting import WaitingRoom
from bot.core.ports import Clock
from bot.core.queue import Turn, TurnQueue, album_of
from bot.core.types import Event, IncomingMessage, Line, MessageRef


class Joining:
    """Finds messages that are answered as one: when they come in, and when the first is begun."""

    def __init__(self, turns: TurnQueue, room: WaitingRoom, clock: Clock) -> None:
        self._turns = turns
        self._room = room
        self._albums = Albums(clock)

    async def with_its_album(self, event: Event) -> Event:
        """The event; addressed to the bot if its album is, of which only the caption says so."""
        album, chat = album_of(event), event.chat
        if not isinstance(event, IncomingMessage) or event.addressed or not album:
            return event
        is_ours = self._albums.knows(chat, album) or await self._turns.awaits_album(chat, album)
        return replace(event, addressed=True) if is_ours else event

    def note(self, event: Event) -> bool:
        """An event was taken in; False for the further messages of an album."""
        album = album_of(event)
        return not (album and self._albums.note(event.chat, album))

    def decline(self, event: Event) -> None:
        """An event is one too many, and with it the rest of its album."""
        if album := album_of(event):
            self._albums.decline(event.chat, album)

    def is_declined(self, event: Event) -> bool:
        """Whether the album of an event has begun with a message that was one too many."""
        album = album_of(event)
        return bool(album) and self._albums.is_declined(event.chat, album)

    async def join(
        self,
        turn: Turn,
        lead: IncomingMessage,
        joined: list[int],
        shown: list[MessageRef],
        *,
        words: bool,
    ) -> Turn:
        """Let the turns of its album join a turn, or short `words` in a row; returns it with these.

        The ids of those that joined are added to `joined`, and the messages that said that they
        wait to `shown`: they are written over, or deleted at the end of the answer.
        """
        row: Sequence[Turn] = ()
        if lead.album:
            await self._albums.wait_until_whole(turn.chat, lead.album)
            row = albums.members(lead, await self._turns.following(turn.id))
        elif words and turn.followed:
            following = await self._turns.following(turn.id)
            row = together.followers(lead, following, anew=bool(turn.partial))
        if not row:
            return turn
        for other in row:
            line = await self._room.begun(turn.chat, other.id)
            shown[:] = dict.fromkeys((*shown, *other.shown, *([line] if line else [])))
        joined += await self._turns.join(turn.id, [other.id for other in row], shown)
        row = [other for other in row if other.id in joined]  # some may just have been deleted
        return replace(turn, event=as_one(lead, row)) if row else turn


def as_one(lead: IncomingMessage, others: Sequence[Turn]) -> IncomingMessage:
    """One message with the words and files of all, in order.

    The answer replies to the first message of an album, and to the last of messages in a row.
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
