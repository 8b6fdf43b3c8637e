"""Slack. Importing this costs nothing: slack-sdk and slack-bolt are loaded by `connect`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import SecretStr

from bot.core.ports import Clock
from bot.core.types import Finding
from bot.errors import ConfigError
from bot.platforms.slack.settings import SlackSettings

if TYPE_CHECKING:
    from bot.platforms.slack.adapter import SlackPlatform

__all__ = ["SlackSettings", "check", "connect"]


def connect(settings: SlackSettings, *, clock: Clock) -> SlackPlatform:
    """Make the platform; no I/O. Raises `ConfigError` when a token is missing."""
    from bot.platforms.slack.adapter import SlackPlatform

    if settings.mode != "socket":
        raise ConfigError('slack.mode = "http" is not there yet: set it to "socket"')
    bot_token, app_token = _word(settings.bot_token), _word(settings.app_token)
    if not bot_token:
        raise ConfigError("slack.bot_token is not set: it begins with xoxb-")
    if not app_token:
        raise ConfigError(
            "slack.app_token is not set: make one with the scope connections:write on the app's "
            "page “Basic Information”; it begins with xapp-"
        )
    return SlackPlatform(bot_token, app_token, base_url=settings.base_url, clock=clock)


async def check(settings: SlackSettings) -> Sequence[Finding]:
    """Look whether the bot could run, and say what to do if not. Raises nothing."""
    from bot.platforms.slack.checks import examine

    return await examine(
        _word(settings.bot_token), _word(settings.app_token), settings.base_url, settings.mode
    )


def _word(secret: SecretStr | None) -> str:
    return secret.get_secret_value().strip() if secret else ""
