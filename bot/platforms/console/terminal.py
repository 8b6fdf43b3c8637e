"""The screen of somebody who sits at a terminal.

The line being typed stays at the bottom, also while an answer is written above it: what is
finished of the answer is printed once and scrolls away, the rest is redrawn in place.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.utils import get_cwidth

from bot.core.delivery.emphasis import undecided
from bot.core.lru import LruCache
from bot.core.punctuation import narrow
from bot.core.types import CommandInfo, MessageId
from bot.platforms.console.blocks import split_finished
from bot.platforms.console.render import ColorSystem, Renderer
from bot.platforms.console.screen import Interrupted
from bot.platforms.console.typed import FILE_COMMANDS
from bot.platforms.markdown.formulas import begun

PROMPT = "› "
ROWS_BELOW = 4
"""Rows kept free below the tail of an answer, for the line being typed."""
FRAME = 0.1
"""Seconds between the frames of the sign that somebody is at work."""
REMEMBERED = 100
"""How many messages may still be edited."""


class TerminalScreen:
    """A terminal. `translate` turns the few English words it says into the person's language."""

    failure = ""
    patient = False

    def __init__(
        self,
        *,
        translate: Callable[[str], str] = str,
        source: Input | None = None,
        target: Output | None = None,
    ) -> None:
        self._translate = translate
        self._completer = CommandCompleter()
        self._session: PromptSession[str] = PromptSession(
            PROMPT,
            history=InMemoryHistory(),
            completer=self._completer,
            complete_while_typing=Condition(self._types_command),
            key_bindings=_bindings(),
            erase_when_done=True,
            input=source,
            output=target,
        )
        self._tail = ""
        self._sign = ""
        above = Window(FormattedTextControl(self._above), dont_extend_height=True)
        below = self._session.layout.container
        self._session.app.layout = Layout(
            HSplit([above, below]), focused_element=self._session.default_buffer
        )
        self._output = self._session.app.output
        self._renderer = Renderer(_colors(self._output))
        self._printed: LruCache[MessageId, str] = LruCache(REMEMBERED)

    # ------------------------------------------------------------ input

    @contextmanager
    def attended(self) -> Iterator[None]:
        """Take every key as it is typed, also between two lines; log lines go above the prompt.

        Otherwise the terminal itself would act on Ctrl-C and Ctrl-D when no line is being read.
        """
        _ = self._translate
        with self._session.app.input.raw_mode(), patch_stdout(raw=True):
            self._print(
                self._line(
                    _(
                        "Write a message. /help lists commands, Ctrl-C stops an answer, "
                        "Ctrl-D leaves."
                    ),
                    "dim",
                )
            )
            yield

    async def read(self) -> str | None:
        """What is typed until Enter; None at Ctrl-D. Raises `Interrupted`."""
        while True:
            try:
                line = (await self._session.prompt_async()).strip()
            except EOFError:
                return None
            except KeyboardInterrupt:
                raise Interrupted from None
            if line:
                self._print("\n" + self._line(PROMPT + line, "bold"))
                return line

    def suggest(self, commands: Sequence[CommandInfo]) -> None:
        """Complete these commands after a slash."""
        self._completer.commands = tuple(commands)

    def _types_command(self) -> bool:
        return self._session.default_buffer.text.startswith(("/", "／"))

    # ------------------------------------------------------------ output

    async def show(self, message: MessageId, text: str) -> None:
        """Print what is finished of the text, and draw the rest above the prompt."""
        printed = self._standing(message, text)
        finished, tail = split_finished(text[len(printed) :])
        drawn = self._markdown(tail[: min(begun(tail), undecided(tail))], partial=True)
        if finished:
            self._tail = ""
            self._print(self._markdown(finished))
            self._printed.put(message, printed + finished)
        self._tail = drawn
        self._session.app.invalidate()

    async def settle(self, message: MessageId, text: str, *, failed: bool = False) -> None:
        """Print what of the text is not printed yet; all of it when it was written anew."""
        printed = self._standing(message, text)
        self._tail = ""
        self._print(self._markdown(text[len(printed) :]))
        self._printed.put(message, text)

    async def offer(self, labels: Sequence[str]) -> None:
        """Print the numbered buttons, as many in a row as fit."""
        width = min(self._width, 100)
        rows, row = [], ""
        for number, label in enumerate(labels, start=1):
            button = f"[{number}] {label}   "
            if row and get_cwidth(row + button) > width:
                rows.append(row)
                row = ""
            row += button
        rows.append(row)
        self._print("\n" + "".join(self._line(row.rstrip(), "cyan") for row in rows))

    async def saved(self, file: Path, mime: str) -> None:
        """Print the file's path, and a picture small."""
        preview = ""
        if mime.startswith("image/"):
            data = await asyncio.to_thread(file.read_bytes)
            preview = await asyncio.to_thread(self._renderer.preview, data, self._width)
        self._print("\n" + preview + self._line(f"→ {file}", "cyan"))

    async def complain(self, text: str) -> None:
        """Print a sentence about what was typed."""
        self._print(self._line(text, "yellow"))

    @contextmanager
    def working(self) -> Iterator[None]:
        """Draw a moving sign above the prompt."""

        async def move() -> None:
            for self._sign in cycle("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"):
                self._session.app.invalidate()
                await asyncio.sleep(FRAME)

        moving = asyncio.create_task(move())
        try:
            yield
        finally:
            moving.cancel()
            self._sign = ""
            self._session.app.invalidate()

    # ------------------------------------------------------------ drawing

    def _above(self) -> ANSI:
        """What stands between the printed text and the prompt: as much as there is room for."""
        rows = max(3, self._output.get_size().rows - ROWS_BELOW)
        lines = self._tail.splitlines()[-rows:]
        if self._sign:
            lines.append(self._sign)
        return ANSI("\n".join(["", *lines, ""]) if lines else "")

    def _markdown(self, text: str, *, partial: bool = False) -> str:
        drawn = self._renderer.markdown(text, self._width, partial=partial)
        return "\n" + drawn if drawn else ""

    def _line(self, text: str, style: str) -> str:
        return self._renderer.line(text, style, self._width)

    def _print(self, drawn: str) -> None:
        """Print for good, above the prompt if there is one.

        Not `run_in_terminal`: it hands the keys typed meanwhile to the terminal.
        """
        app = self._session.app
        if app.is_running:
            app.renderer.erase()
        self._output.write_raw(drawn.replace("\n", "\r\n"))
        self._output.flush()
        if app.is_running:
            app.renderer.request_absolute_cursor_position()
            app.invalidate()

    def _standing(self, message: MessageId, text: str) -> str:
        """What of the text is printed already; nothing when it was written anew."""
        printed = self._printed.get(message) or ""
        return printed if text.startswith(printed) else ""

    @property
    def _width(self) -> int:
        return max(20, self._output.get_size().columns)


class CommandCompleter(Completer):
    """Completes `/command`, and the path of a file to send."""

    def __init__(self) -> None:
        self.commands: Sequence[CommandInfo] = ()
        self._paths = PathCompleter(expanduser=True)

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """What may stand at the cursor."""
        before = document.text_before_cursor
        command, space, rest = before.partition(" ")
        if space:
            if command in FILE_COMMANDS:
                yield from self._paths.get_completions(Document(rest), complete_event)
            return
        for info in self.commands:
            if before and f"/{info.name}".startswith(narrow(before)):
                yield Completion(
                    f"/{info.name}", start_position=-len(before), display_meta=info.summary
                )


def _bindings() -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("escape", "enter")
    def new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @bindings.add("c-c")
    @bindings.add("<sigint>")
    def interrupt(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt())

    return bindings


def _colors(output: Output) -> ColorSystem | None:
    """How many colours the terminal shows; none when the person asked for none."""
    if os.environ.get("NO_COLOR"):
        return None
    if os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return "truecolor"
    depth = output.get_default_color_depth()
    systems: dict[ColorDepth, ColorSystem | None] = {
        ColorDepth.DEPTH_1_BIT: None,
        ColorDepth.DEPTH_4_BIT: "standard",
        ColorDepth.DEPTH_8_BIT: "256",
        ColorDepth.DEPTH_24_BIT: "truecolor",
    }
    return systems[depth]
