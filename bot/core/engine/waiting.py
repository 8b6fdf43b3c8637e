"""What people are told about messages that wait.

The line “2 messages before yours” becomes the answer to the message later. It is posted below the
answer that is being written, so not before that one has a message in the chat.

In a group one line is enough for somebody: that of the first message they wait for. It is posted
only where the platform has calls to spare, which the answers need more; else it is tried again
while the next ones are written.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter

from bot.core.commands.table import parse
from bot.core.engine.notices import CLOSING, waits
from bot.core.engine.together import ROW, may_join
from bot.core.errands import Errands, cancel, insist
from bot.core.ports import Clock, Platform
from bot.core.queue import TurnQueue
from bot.core.types import (
    ButtonPress,
    ChatRef,
    IncomingMessage,
    MessageRef,
    Reply,
    UserId,
)
from bot.errors import OutcomeUnknown, PlatformError, RateLimited, StoreError

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Chat:
    """Who waits in one chat."""

    without_line: dict[int, IncomingMessage | None] = field(default_factory=dict)
    """Messages that wait and have no line yet, by their turns; None is a press between them."""
    lines: dict[int, asyncio.Task[MessageRef | None]] = field(default_factory=dict)
    """The lines that are posted, or being posted, by the turns that wait."""
    order: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Keeps the lines in the order of the turns."""
    speakers: dict[UserId, int] = field(default_factory=dict)
    """The newest turn of each person that got a line; while it stands, that may be for others."""
    length: int = 0
    """How many messages the newest line is for."""
    spoken_for: dict[int, tuple[int, IncomingMessage]] = field(default_factory=dict)
    """Messages that have no line of their own, by their turns, each with the turn that has it."""
    newest_begun: int = 0
    """The newest turn that was begun: neither it nor an older one waits any more."""
    standing: bool = False
    """Whether the answer being written has a message in the chat."""
    in_doubt: MessageRef | None = None
    """A message behind which a line may stand that nobody knows of."""
    gaps: list[tuple[MessageRef, MessageRef]] = field(default_factory=list)
    """The same: such messages, each with the next line."""

    def begun(self, turn_id: int) -> None:
        """The turn was begun: it needs no line any more."""
        self.newest_begun = max(self.newest_begun, turn_id)
        self.without_line.pop(turn_id, None)
        self.spoken_for.pop(turn_id, None)

    def put_off(self, turn_id: int, message: IncomingMessage) -> None:
        """The line of a turn cannot be posted now; it is still missing if the turn waits."""
        if self.lines.pop(turn_id, None) and turn_id > self.newest_begun:
            self.without_line[turn_id] = message


class WaitingRoom:
    """Knows who waits in which chat, and whether they have been told."""

    def __init__(
        self, platforms: Mapping[str, Platform], turns: TurnQueue, clock: Clock, *, together: bool
    ) -> None:
        self._platforms = platforms
        self._turns = turns
        self._clock = clock
        self._together = together
        self._chats: defaultdict[ChatRef, _Chat] = defaultdict(_Chat)
        self._errands = Errands()
        self._is_closing = False

    def add(self, turn_id: int, message: IncomingMessage) -> None:
        """A message waits, unless its turn was begun meanwhile."""
        chat = self._chats[message.ref.chat]
        is_known = turn_id in chat.lines or turn_id in chat.spoken_for
        if turn_id > chat.newest_begun and not is_known:
            chat.without_line[turn_id] = message
            self._post_missing_lines(chat)

    def add_press(self, turn_id: int, press: ButtonPress) -> None:
        """A press waits: messages before and after it are not answered together."""
        chat = self._chats[press.chat]
        if turn_id > chat.newest_begun and not press.group:
            chat.without_line[turn_id] = None
            self._post_missing_lines(chat)

    def answer_shown(self, ref: ChatRef) -> None:
        """The answer being written has a message in the chat: lines may be posted below it."""
        chat = self._chats[ref]
        chat.standing = True
        self._post_missing_lines(chat)

    def answer_ended(self, ref: ChatRef) -> None:
        """The answer that was being written has ended."""
        self._chats[ref].standing = False

    async def begun(self, ref: ChatRef, turn_id: int) -> MessageRef | None:
        """The turn is begun; returns the line that said that it waits."""
        chat = self._chats[ref]
        chat.begun(turn_id)
        line = chat.lines.pop(turn_id, None)
        return None if line is None else await line

    def gaps(self, ref: ChatRef) -> Sequence[tuple[MessageRef, MessageRef] | None]:
        """Between which messages lines may stand that nobody knows of; who asks looks for them.

        None: after all that is known.
        """
        chat = self._chats[ref]
        gaps = [*chat.gaps, *([None] if chat.in_doubt else [])]
        chat.gaps, chat.in_doubt = [], None
        return gaps

    def take_back(self, line: MessageRef) -> None:
        """Delete a line: its turn was begun, and another process has told of it as well."""
        self._errands.send(self._delete_lines(line.chat, (), (line,)))

    def begun_elsewhere(self, ref: ChatRef, turn_id: int) -> None:
        """The turn was begun in another process, which knows its line."""
        chat = self._chats[ref]
        chat.begun(turn_id)
        if (line := chat.lines.get(turn_id)) is not None:  # it may still be on its way
            line.add_done_callback(lambda _: chat.lines.pop(turn_id, None))

    def withdraw(self, ref: ChatRef, turn_ids: Sequence[int], shown: Sequence[MessageRef]) -> None:
        """Somebody deleted messages that wait: delete their lines, and what is `shown` for them.

        Messages for which such a line stood as well get their own.
        """
        chat = self._chats[ref]
        lines = [chat.lines.pop(turn_id) for turn_id in turn_ids if turn_id in chat.lines]
        for turn_id in turn_ids:
            chat.without_line.pop(turn_id, None)
            chat.spoken_for.pop(turn_id, None)
        orphans = {turn: m for turn, (by, m) in chat.spoken_for.items() if by in turn_ids}
        for turn_id in orphans:
            del chat.spoken_for[turn_id]
        chat.without_line |= orphans
        self._post_missing_lines(chat)
        if lines or shown:
            self._errands.send(self._delete_lines(ref, lines, shown))

    def forget(self, ref: ChatRef) -> None:
        """Nothing of the chat waits any more."""
        self._chats.pop(ref, None)

    def _post_missing_lines(self, chat: _Chat) -> None:
        """Post the lines that are missing, if they can be posted below the answer already.

        In a group somebody has one for all they wait for; elsewhere short messages in a row, which
        are answered together, have one.
        """
        if self._is_closing or not chat.standing:
            return
        waiting, chat.without_line = chat.without_line, {}
        for turn_id, message in sorted(waiting.items(), key=itemgetter(0)):
            if message is None:
                chat.speakers.clear()
                continue
            person = message.sender.id
            speaker = chat.speakers.get(person, 0)
            if not message.group and not (self._together and may_join(message)):
                chat.speakers.clear()
            elif speaker in chat.lines and (message.group or chat.length < ROW):
                chat.spoken_for[turn_id] = (speaker, message)
                chat.length += 1
                continue
            else:
                chat.speakers[person], chat.length = turn_id, 1
            chat.lines[turn_id] = asyncio.create_task(self._post_line(turn_id, message, chat))

    async def _post_line(
        self, turn_id: int, message: IncomingMessage, chat: _Chat
    ) -> MessageRef | None:
        ref = message.ref.chat
        platform = self._platforms[ref.platform]
        async with chat.order:
            try:
                ahead = await self._turns.ahead(turn_id)
                if not ahead:
                    return None  # its turn was begun meanwhile
                if not chat.standing:  # the next answer is to stand above it
                    chat.put_off(turn_id, message)
                    return None
                text = waits(ahead, message.sender)
                is_question = not message.edited and parse(message.text) is None
                reply = Reply(
                    text=text,
                    answering=message.ref,
                    placeholder=is_question,
                    spare=message.group,
                )
                line = await platform.send(ref, reply)
            except RateLimited:
                chat.put_off(turn_id, message)
                return None
            except (PlatformError, StoreError) as error:
                if isinstance(error, OutcomeUnknown):
                    chat.in_doubt = chat.in_doubt or message.ref
                log.info("waiting not shown", extra={"chat": ref.id, "error": repr(error)})
                return None
            if chat.in_doubt:
                chat.gaps.append((chat.in_doubt, line))
                chat.in_doubt = None
            return line if await self._is_ours(turn_id, line, chat) else None

    async def _is_ours(self, turn_id: int, line: MessageRef, chat: _Chat) -> bool:
        """Write a line down; what is one too many with another process is deleted."""
        try:
            if await self._turns.announce(turn_id, line) or turn_id not in chat.lines:
                return True
        except StoreError as error:
            log.warning("line not written down", extra={"turn": turn_id, "error": repr(error)})
            return True
        del chat.lines[turn_id]
        self.take_back(line)
        return False

    async def _delete_lines(
        self,
        chat: ChatRef,
        lines: Sequence[asyncio.Task[MessageRef | None]],
        shown: Sequence[MessageRef],
    ) -> None:
        """Delete lines, once they are posted, and other messages."""
        told = [await line for line in lines]
        delete = self._platforms[chat.platform].delete
        for ref in dict.fromkeys((*shown, *filter(None, told))):
            await insist(partial(delete, [ref]), chat, self._clock, failed="line not deleted")

    async def close(self) -> None:
        """Tell nobody anything any more.

        A line that is being posted has time to be written down, or else taken back; so has one that
        is being deleted, of which nobody else knows.
        """
        self._is_closing, loop = True, asyncio.get_running_loop()
        end = loop.time() + CLOSING
        lines = [line for chat in self._chats.values() for line in chat.lines.values()]
        if lines:
            await asyncio.wait(lines, timeout=CLOSING)
            await cancel(*lines)
        await self._errands.close(patience=max(0.0, end - loop.time()))
