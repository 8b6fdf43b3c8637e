"""What a process of the bot inherits from the tests."""

from __future__ import annotations

import os
import socket
from pathlib import Path

ROOT = Path(__file__).parent.parent


def inherited() -> dict[str, str]:
    """The environment without settings of the bot, and with the bot of this checkout.

    Processes may keep what they compile, whatever the tests may: without it each start takes
    seconds.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BOT_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept | {"PYTHONPATH": str(ROOT)}


def free_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
