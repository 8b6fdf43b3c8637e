"""What the adapter needs of a screen: a terminal where somebody sits, or two pipes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from bot.core.types import CommandInfo, MessageId


class Interrupted(Exception):
    """Ctrl-C was pressed: stop what is being written."""


class Screen(Protocol):
    """Reads what a person types, and shows messages that grow until they are settled."""

    @property
    def failure(self) -> str:
        """Why the question could not be answered, where nobody can ask again; else empty."""

    @property
    def patient(self) -> bool:
        """Whether each input waits until the one before it is answered."""

    def attended(self) -> AbstractContextManager[None]:
        """Greet, and hold the screen while somebody may type."""

    async def read(self) -> str | None:
        """The next input, several lines as one; None when there is no more.

        Raises `Interrupted`.
        """

    async def show(self, message: MessageId, text: str) -> None:
        """Show a message that is still being written.

        `text` is all of it so far: Markdown without half-written markers.
        """

    async def settle(self, message: MessageId, text: str, *, failed: bool = False) -> None:
        """Show a message as it stays. Called again when it was edited."""

    async def offer(self, labels: Sequence[str]) -> None:
        """Show the buttons of the message above; the first is number 1."""

    async def saved(self, file: Path, mime: str) -> None:
        """Tell where a file of the message above was saved, and show it where that is possible."""

    async def complain(self, text: str) -> None:
        """Say what is wrong with an input."""

    def working(self) -> AbstractContextManager[None]:
        """Show that somebody is at work while the block runs."""

    def suggest(self, commands: Sequence[CommandInfo]) -> None:
        """Complete these commands while a person types."""
