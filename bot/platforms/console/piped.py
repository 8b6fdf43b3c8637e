"""The screen where nobody sits: one question on standard input, the answer on standard output."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from bot.core.types import CommandInfo, MessageId


class PipedScreen:
    """Plain Markdown, no colours; whole lines are printed while they are written.

    The line being written is held back, since it may still be taken away again (a status).
    """

    patient = True

    def __init__(
        self, source: BinaryIO, target: TextIO, *, translate: Callable[[str], str] = str
    ) -> None:
        self._source = source
        self._target = target
        self._translate = translate
        self._read = False
        self._printed: dict[MessageId, str] = {}
        self._settled: dict[MessageId, str] = {}
        self.failure = ""

    @contextmanager
    def attended(self) -> Iterator[None]:
        """Nothing is to be held."""
        yield

    async def read(self) -> str | None:
        """All of the input as one message; None the second time."""
        _ = self._translate
        if self._read:
            if not (self._settled or self.failure):
                self.failure = _("No answer came; the log says why.")
            return None
        self._read = True
        data = await asyncio.to_thread(self._source.read)
        text = data.decode("utf-8", errors="replace").strip()
        if not text:
            self.failure = _("Nothing to answer: the input is empty.")
            return None
        return text

    async def show(self, message: MessageId, text: str) -> None:
        """Print the lines that are complete."""
        whole = text[: text.rfind("\n") + 1]
        printed = self._printed.get(message, "")
        if whole.startswith(printed):
            self._write(whole[len(printed) :])
            self._printed[message] = whole

    async def settle(self, message: MessageId, text: str, *, failed: bool = False) -> None:
        """Print what is missing; what went wrong is kept for standard error."""
        if self._settled.get(message) == text:
            return
        self._settled[message] = text
        printed = self._printed.get(message, "")
        rest = text[len(printed) :] if text.startswith(printed) else text
        if failed:  # the last paragraph says why
            rest, _, self.failure = rest.rpartition("\n\n")
        if rest or not failed:
            self._write(rest + "\n")
            self._printed[message] = text

    async def offer(self, labels: Sequence[str]) -> None:
        """Print the choices; here nobody can press one."""
        self._write("\n" + "".join(f"- {label}\n" for label in labels))

    async def saved(self, file: Path, mime: str) -> None:
        """Print the file's path."""
        self._write(f"{file}\n")

    async def complain(self, text: str) -> None:
        """Keep the sentence for standard error."""
        self.failure = text

    @contextmanager
    def working(self) -> Iterator[None]:
        """Show nothing: it would stand in the answer."""
        yield

    def suggest(self, commands: Sequence[CommandInfo]) -> None:
        """Nobody types here."""

    def _write(self, text: str) -> None:
        try:
            self._target.write(text)
            self._target.flush()
        except BrokenPipeError:
            # The reader has what it wants (`bot chat | head`). Python would complain again when
            # it flushes at exit: https://docs.python.org/3/library/signal.html#note-on-sigpipe
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._target.fileno())
            os.close(nowhere)
