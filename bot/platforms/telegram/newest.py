"""The newest message of the bot in each chat."""

from __future__ import annotations

from bot.core.bounded import Memory
from bot.platforms.telegram.methods import ids_in


class Newest:
    """Remembers the newest message that the bot has posted in each chat, of `size` chats."""

    def __init__(self, size: int = 10_000) -> None:
        self._ids: Memory[int, int] = Memory(size)

    def note(self, chat: int, answer: object) -> None:
        """Look at what Telegram has answered to a call in a chat: a message, several, or else."""
        if ids := ids_in(answer):
            self._ids.put(chat, max(*ids, self._ids.get(chat) or 0))

    def get(self, chat: int) -> int | None:
        """The id of the newest one; None when nothing is remembered."""
        return self._ids.get(chat)
