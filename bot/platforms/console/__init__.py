"""The terminal as a chat platform: `bot chat`, and `echo question | bot chat`.

There is one chat, `local`, and one person, who is always let in.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bot.core.types import ChatRef

if TYPE_CHECKING:
    from bot.platforms.console.adapter import ConsolePlatform


def connect(*, wait_until_answered: Callable[[ChatRef], Awaitable[None]]) -> ConsolePlatform:
    """A platform on this process's terminal or, where there is none, on its standard streams.

    `wait_until_answered` returns when every message of the chat has been dealt with.
    """
    from bot.core.i18n import language_of, texts
    from bot.platforms.console.adapter import ConsolePlatform
    from bot.platforms.console.screen import Screen

    language = language_of(os.environ, sys.stdout.encoding)
    translate = texts(language).gettext
    screen: Screen
    if sys.stdin.isatty() and sys.stdout.isatty():
        from bot.platforms.console.terminal import TerminalScreen

        screen = TerminalScreen(translate=translate)
    else:
        from bot.platforms.console.piped import PipedScreen

        screen = PipedScreen(sys.stdin.buffer, sys.stdout, translate=translate)
    return ConsolePlatform(
        screen,
        wait_until_answered=wait_until_answered,
        language=language,
        files=Path("chinwag-images"),
        person=os.environ.get("USER", ""),
    )
