"""Writing down where an answer stands and how far it is, so that a restart can go on with it.

And whether it may go on at all: another process may be writing it by now.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from bot.core.ports import Clock
from bot.core.types import ChatRef, MessageRef
from bot.errors import StoreError

log = logging.getLogger(__name__)

Journal: TypeAlias = Callable[[str, Sequence[MessageRef]], Awaitable[None]]
"""Told the text so far and the messages it stands in. May raise `StoreError`."""

EVERY = 3.0
"""Seconds between two entries about an answer that is being written in the same messages."""
LOOK_AGAIN = 1.0
"""Seconds until it is looked again whether a turn is ours that may be another's."""

Sure: TypeAlias = Callable[[], bool]
"""Whether it is certain that no other process can have taken the turn over."""


class Entries:
    """What the journal is told: of new messages at once, of new text every few seconds."""

    def __init__(self, journal: Journal | None, sure: Sure, chat: ChatRef, clock: Clock) -> None:
        self._journal = journal
        self.sure = sure
        self._chat = chat
        self._clock = clock
        # What it was told last. An earlier attempt's messages do not count: a line about waiting
        # may stand there that only we know of.
        self._refs: Sequence[MessageRef] = ()
        self._text = ""
        self._at = clock.monotonic()

    def forget(self) -> None:
        """Whatever it was told: the next entry is written at once."""
        self._refs, self._text, self._at = (), "", float("-inf")

    async def write(self, text: str, refs: Sequence[MessageRef], *, vanishes: bool) -> None:
        """Tell it how far the answer is, if that is news. Raises `TurnLost`.

        What `vanishes` when its chat is left alone is news without a message, too.
        """
        is_first = bool(text) and not self._text
        is_due = refs != self._refs or is_first or self._silent() >= EVERY
        stands = refs or (text and vanishes)
        if stands and is_due and (refs, text) != (self._refs, self._text):
            await self._tell(text, refs)

    async def confirm(self, text: str, refs: Sequence[MessageRef]) -> bool:
        """Before a call to the chat: make the entry that is due now, and not after it.

        The bot may have been suspended, or without its database, and another process have written
        the whole answer meanwhile: where that is possible, not even one call may be made, and it is
        False. Raises `TurnLost`.
        """
        is_news = (refs, text) != (self._refs, self._text)
        if refs and self._silent() >= EVERY and (is_news or not self.sure()):
            await self._tell(text, refs)
        return self.sure()

    def _silent(self) -> float:
        return self._clock.monotonic() - self._at

    async def _tell(self, text: str, refs: Sequence[MessageRef]) -> None:
        if self._journal is None:
            return
        began = self._clock.monotonic()
        try:
            await self._journal(text, refs)
        except StoreError as error:
            log.warning("checkpoint failed", extra={"chat": self._chat.id, "error": repr(error)})
        else:
            self._refs, self._text = refs, text
        self._at = began
