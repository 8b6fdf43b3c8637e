"""Telegram. Importing this costs nothing: python-telegram-bot is loaded by `connect`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.core.ports import Clock
from bot.core.types import Finding
from bot.errors import ConfigError
from bot.platforms.telegram.settings import TelegramSettings

if TYPE_CHECKING:
    from bot.platforms.telegram.adapter import TelegramPlatform

__all__ = ["TelegramSettings", "check", "connect"]


def connect(settings: TelegramSettings, *, clock: Clock) -> TelegramPlatform:
    """Make the platform; no I/O. Raises `ConfigError` when there is no token."""
    from bot.platforms.telegram.adapter import TelegramPlatform

    if settings.token is None or not settings.token.get_secret_value().strip():
        raise ConfigError("telegram.token is not set: get one from @BotFather")
    return TelegramPlatform(
        settings.token.get_secret_value().strip(),
        base_url=settings.base_url,
        clock=clock,
        messages_per_second=settings.messages_per_second,
    )


async def check(settings: TelegramSettings) -> Sequence[Finding]:
    """Look whether the bot could run, and say what to do if not. Raises nothing."""
    from bot.platforms.telegram.checks import examine

    return await examine(settings)
