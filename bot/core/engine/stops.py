"""What is being written in each chat, and may be stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bot.core.stopper import Stopper
from bot.core.types import ChatRef


class Stops:
    """Knows how to stop the turn of each chat; `names` are those that a chat has or had."""

    def __init__(self, names: Callable[[ChatRef], Iterable[ChatRef]]) -> None:
        self._names = names
        self._stoppers: dict[ChatRef, Stopper] = {}

    def put(self, chat: ChatRef, stopper: Stopper) -> None:
        """A turn begins that this one stops."""
        self._stoppers[chat] = stopper

    def drop(self, chat: ChatRef, stopper: Stopper) -> None:
        """There is nothing to stop any more of the turn that this one stops."""
        if self._stoppers.get(chat) is stopper:
            del self._stoppers[chat]

    def stop(self, chat: ChatRef) -> bool:
        """Stop what is written in a chat; False when nothing is."""
        found = [self._stoppers.get(name) for name in self._names(chat)]
        writing = [stopper for stopper in found if stopper is not None and not stopper.stopped]
        for stopper in writing:
            stopper.stop()
        return bool(writing)
