"""A command as data: what it is called, what it does, and what is said about it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from gettext import NullTranslations
from typing import TypeAlias

from bot.core.i18n import N_
from bot.core.queue import Outcome
from bot.core.turn import TurnContext
from bot.core.types import ButtonPress, CommandInfo, IncomingMessage

TALK = N_("Conversation")
STYLE = N_("Model and style")
MEDIA = N_("Pictures, voice and files")
ABOUT = N_("Help and your data")
ADMIN = N_("For admins")

FAMILIES = (TALK, STYLE, MEDIA, ABOUT, ADMIN)
"""The headings under which `/help` lists the commands, in their order."""

RunCommand: TypeAlias = Callable[[TurnContext, IncomingMessage, str], Awaitable[Outcome | None]]
"""Carries out a command. Given the message, and what stands behind the command's name.

Most leave nothing to be kept, and return None.
"""

RunButton: TypeAlias = Callable[[TurnContext, ButtonPress, str], Awaitable[Outcome | None]]
"""Carries out what a button stands for, given the press and its argument; returns the same."""


class Queueing(Enum):
    """Whether the press of a button waits for the answer being written, and counts each time."""

    URGENT = "urgent"  # is worked on at once, beside the answer
    ASKS_ONCE = "asks once"  # asks the model anew: waits, and counts once
    WAITS_ONCE = "waits once"  # waits without asking the model, and counts once
    ASKS_EVERY_TIME = "asks every time"  # waits, and counts as often as it comes


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """What a button does, by `run`.

    A `panel` edits its own message to show what was chosen: presses of it run one after the other.
    A platform takes one answer to a press (`Platform.notice`). It is empty, and given before `run`,
    unless the handler `answers_press` itself.
    """

    run: RunButton
    queueing: Queueing = Queueing.URGENT
    panel: bool = False
    answers_press: bool = False


COMMAND = re.compile(
    r"[/／](?P<name>[A-Za-z][A-Za-z0-9_]{0,31})"
    r"(?:\s+(?P<argument>.*)|(?=[^\x00-\x7f])[：，、。！？]*(?P<run_on>.*))?",
    re.DOTALL,
)
"""A command's name is at most 32 letters, digits and underscores (Bot API, `BotCommand`).

Chinese keyboards may write a wide slash, and Chinese has no spaces: `／image一只猫`.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(CommandInfo):
    """A command: what is said about it, and what carries it out.

    `urgent` ones do not wait for the answer that is being written.
    """

    run: RunCommand
    urgent: bool = False
    family: str = TALK


class CommandTable:
    """All commands, found by name or alias."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self.commands: Sequence[Command] = tuple(commands)
        self._by_name = {
            name: command for command in self.commands for name in (command.name, *command.aliases)
        }

    def find(self, name: str) -> Command | None:
        """The command of this name, in any case."""
        return self._by_name.get(name.lower())

    def nearest(self, name: str, *, admin: bool = False) -> str | None:
        """The name that was probably meant, of what the person may use."""
        names = [each for each, command in self._by_name.items() if admin or not command.admin]
        return nearest(names, name)


def nearest(names: Iterable[str], name: str) -> str | None:
    """The one of these names that looks most like `name`, if any does."""
    found = difflib.get_close_matches(name.lower(), list(names), n=1, cutoff=0.5)
    return found[0] if found else None


def did_you_mean(texts: NullTranslations, names: Iterable[str], name: str) -> str:
    """A question with the name that was probably meant; empty when none looks like it."""
    near = nearest(names, name)
    return texts.gettext("Did you mean “{near}”?").format(near=near) if near else ""


def parse(text: str) -> tuple[str, str] | None:
    """Name and argument of a command; None for any other text, `/etc/hosts` for one."""
    match = COMMAND.fullmatch(text.strip())
    if match is None:
        return None
    return match["name"], (match["argument"] or match["run_on"] or "").strip()


def runs_on(text: str) -> bool:
    """Whether other words follow a name without a space: `/etc目录` may be no command at all."""
    match = COMMAND.fullmatch(text.strip())
    return match is not None and match["run_on"] is not None
