"""The environment of a process of the bot: what it inherits, and whom it speaks to."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.sandbox.slack.server import SlackSandbox
from bot.sandbox.telegram.telegram import Telegram

ROOT = Path(__file__).parent.parent
LANGUAGE = ("LANGUAGE", "LC_ALL", "LC_MESSAGES")
"""What says, before `LANG`, in which language a process speaks."""


def inherited() -> dict[str, str]:
    """The environment without settings of the bot, in English, and with the bot of this checkout.

    Processes may keep what they compile, whatever the tests may: without it each start takes
    seconds.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BOT_")}
    for name in ("PYTHONDONTWRITEBYTECODE", *LANGUAGE):
        kept.pop(name, None)
    return kept | {"PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}


def in_telegram(telegram: Telegram) -> dict[str, str]:
    """The settings of a bot that is in this Telegram."""
    return {
        "BOT_TELEGRAM__TOKEN": telegram.token,
        "BOT_TELEGRAM__BASE_URL": telegram.base_url,
    }


def in_slack(slack: SlackSandbox) -> dict[str, str]:
    """The settings of a bot that is in this Slack."""
    return {
        "BOT_SLACK__BOT_TOKEN": slack.bot_token,
        "BOT_SLACK__APP_TOKEN": slack.app_token,
        "BOT_SLACK__BASE_URL": slack.base_url,
    }


def with_api(url: str, *, model: str = "gpt-4o-mini") -> dict[str, str]:
    """The settings of a bot for everybody, which asks a model at this address."""
    return {
        "BOT_API__BASE_URLS": json.dumps([url]),
        "BOT_API__KEY": "sk-sandbox",
        "BOT_API__MODEL": model,
        "BOT_API__MAX_IN_FLIGHT": "1000",
        "BOT_ACCESS__OPEN": "true",
        "BOT_LOG__FORMAT": "json",
    }


def free_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def listening() -> Iterator[int]:
    """A port of this machine that is taken while the block runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]
