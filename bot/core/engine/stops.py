"""The stoppers of the turns that are being worked on, by chat."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from bot.core.stopper import Stopper
from bot.core.types import ChatRef


class Stops:
    """Stops the turn of a chat. `names` gives the ids that a chat has or had (`MovedChats`)."""

    def __init__(self, names: Callable[[ChatRef], Iterable[ChatRef]]) -> None:
        self._names = names
        self._stoppers: dict[ChatRef, tuple[int, Stopper]] = {}

    def put(self, chat: ChatRef, turn_id: int, stopper: Stopper) -> None:
        """A turn begins; this is its stopper."""
        self._stoppers[chat] = (turn_id, stopper)

    def drop(self, chat: ChatRef, turn_id: int) -> None:
        """A turn cannot be stopped any more."""
        if chat in self._stoppers and self._stoppers[chat][0] == turn_id:
            del self._stoppers[chat]

    def stop(self, chat: ChatRef, turn_ids: Collection[int] = ()) -> bool:
        """Stop the turn of a chat, if ids are given only one of these; False when there is none."""
        found = [self._stoppers[name] for name in self._names(chat) if name in self._stoppers]
        named = [stopper for turn_id, stopper in found if not turn_ids or turn_id in turn_ids]
        writing = [stopper for stopper in named if not stopper.stopped]
        for stopper in writing:
            stopper.stop()
        return bool(writing)
