"""A small terminal: takes what a program writes and tells what a person sees."""

from __future__ import annotations

import io
import re

_SEQUENCE = re.compile(
    r"\x1b\[(?P<arguments>[?\d;]*)[ ]?(?P<letter>[A-Za-z])"
    r"|\x1b\][^\x07]*\x07"
    r"|(?P<control>[\r\n\x08\x07])"
    r"|(?P<text>[^\x1b\r\n\x08\x07]+)"
)


class Emulator(io.StringIO):
    """An 80-column terminal that remembers every line that scrolled away.

    It knows the control sequences that prompt_toolkit and rich write; another one is an error, so
    that nothing a terminal would show goes unnoticed.
    """

    def __init__(self, *, rows: int = 24, columns: int = 80) -> None:
        super().__init__()
        self.rows, self.columns = rows, columns
        self.written = ""
        self._lines: list[list[str]] = [[]]
        self._row = self._column = 0

    def write(self, text: str) -> int:
        """Take in what the program writes."""
        self.written += text
        at = 0
        while at < len(text):
            found = _SEQUENCE.match(text, at)
            assert found, f"unknown sequence {text[at : at + 12]!r}"
            at = found.end()
            if found["letter"]:
                self._control(found["letter"], found["arguments"])
            elif found["control"]:
                self._move(found["control"])
            elif found["text"]:
                for character in found["text"]:
                    self._put(character)
        return len(text)

    def isatty(self) -> bool:
        """It is a terminal."""
        return True

    def seen(self) -> str:
        """All lines, those scrolled away included, without empty ones at the end."""
        return "\n".join("".join(line).rstrip() for line in self._lines).rstrip()

    def screen(self) -> list[str]:
        """The lines of the window."""
        top = max(0, len(self._lines) - self.rows)
        return ["".join(line).rstrip() for line in self._lines[top:]]

    def _put(self, character: str) -> None:
        if self._column >= self.columns:
            self._column = 0
            self._move("\n")
        line = self._lines[self._row]
        line.extend(" " * (self._column + 1 - len(line)))
        line[self._column] = character
        self._column += 1

    def _move(self, control: str) -> None:
        if control == "\r":
            self._column = 0
        elif control == "\b":
            self._column -= 1
        elif control == "\n":
            self._row += 1
            if self._row == len(self._lines):
                self._lines.append([])

    def _control(self, letter: str, arguments: str) -> None:
        amount = int(arguments) if arguments.isdecimal() else 1
        match letter:
            case "A":  # up; what has scrolled away is out of reach
                self._row = max(self._row - amount, len(self._lines) - self.rows, 0)
            case "B":
                self._row = min(self._row + amount, len(self._lines) - 1)
            case "C":
                self._column += amount
            case "D":
                self._column = max(0, self._column - amount)
            case "J":
                del self._lines[self._row][self._column :]
                del self._lines[self._row + 1 :]
            case "K":
                del self._lines[self._row][self._column :]
            case "m" | "h" | "l" | "q":
                pass  # colours, modes and the cursor's shape
            case _:
                raise AssertionError(f"unknown sequence {arguments}{letter}")
