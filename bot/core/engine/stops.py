"""What is being written in each chat, and may be stopped."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from bot.core.stopper import Stopper
from bot.core.types import ChatRef


class Stops:
    """Knows how to stop the turn of each chat; `names` are those that a chat has or had."""

    def __init__(self, names: Callable[[ChatRef], Iterable[ChatRef]]) -> None:
        self._names = names
        self._stoppers: dict[ChatRef, tuple[int, Stopper]] = {}

    def put(self, chat: ChatRef, turn_id: int, stopper: Stopper) -> None:
        """A turn begins that this one stops."""
        self._stoppers[chat] = (turn_id, stopper)

    def drop(self, chat: ChatRef, turn_id: int) -> None:
        """There is nothing to stop any more of a turn."""
        if chat in self._stoppers and self._stoppers[chat][0] == turn_id:
            del self._stoppers[chat]

    def stop(self, chat: ChatRef, turn_ids: Collection[int] = ()) -> bool:
        """Stop what is written in a chat, if turns are named one of these; False: there is none."""
        found = [self._stoppers[name] for name in self._names(chat) if name in self._stoppers]
        named = [stopper for turn_id, stopper in found if not turn_ids or turn_id in turn_ids]
        writing = [stopper for stopper in named if not stopper.stopped]
        for stopper in writing:
            stopper.stop()
        return bool(writing)
