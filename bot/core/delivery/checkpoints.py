"""Checkpoints of an answer: its text so far and the messages it stands in, saved for a restart.

And whether the answer may go on at all: another process may be writing it by now.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from bot.core.ports import Clock
from bot.core.types import ChatRef, MessageRef
from bot.errors import StoreError

log = logging.getLogger(__name__)

SaveCheckpoint: TypeAlias = Callable[[str, Sequence[MessageRef]], Awaitable[None]]
"""Saves the text so far and the messages it stands in. Raises `StoreError` and `TurnLost`."""

EVERY = 3.0
"""Seconds between two checkpoints of an answer that is being written in the same messages."""
LOOK_AGAIN = 1.0
"""Seconds until it is looked again whether a turn is ours that may be another's."""

Sure: TypeAlias = Callable[[], bool]
"""Whether it is certain that no other process can have taken the turn over."""


class Checkpoints:
    """Saves a checkpoint of new messages at once, of new text every few seconds."""

    def __init__(
        self, save: SaveCheckpoint | None, sure: Sure, chat: ChatRef, clock: Clock
    ) -> None:
        self._save_checkpoint = save
        self.sure = sure
        self._chat = chat
        self._clock = clock
        # What was saved last. An earlier attempt's messages do not count: a line about waiting may
        # stand there that only we know of.
        self._refs: Sequence[MessageRef] = ()
        self._text = ""
        self._at = clock.monotonic()

    def reset(self) -> None:
        """Let the next `save` be made at once, whatever was saved before."""
        self._refs, self._text, self._at = (), "", float("-inf")

    async def save(self, text: str, refs: Sequence[MessageRef], *, vanishes: bool) -> None:
        """Save a checkpoint if it is new and due. Raises `TurnLost`.

        A text without a message is saved only where it `vanishes` when its chat is left alone.
        """
        is_due = refs != self._refs or not self._text or self._age() >= EVERY
        stands = refs or (text and vanishes)
        if stands and is_due and (refs, text) != (self._refs, self._text):
            await self._save(text, refs)

    async def confirm(self, text: str, refs: Sequence[MessageRef]) -> bool:
        """Whether a call may be made to the chat now; saves a checkpoint first if one is due.

        The bot may have been suspended, or without its database, and another process have written
        the whole answer meanwhile: where that is possible, not even one call may be made. Raises
        `TurnLost`.
        """
        is_new = (refs, text) != (self._refs, self._text)
        if refs and self._age() >= EVERY and (is_new or not self.sure()):
            await self._save(text, refs)
        return self.sure()

    def _age(self) -> float:
        return self._clock.monotonic() - self._at

    async def _save(self, text: str, refs: Sequence[MessageRef]) -> None:
        if self._save_checkpoint is None:
            return
        began = self._clock.monotonic()
        try:
            await self._save_checkpoint(text, refs)
        except StoreError as error:
            log.warning("checkpoint failed", extra={"chat": self._chat.id, "error": repr(error)})
        else:
            self._refs, self._text = refs, text
        self._at = began
