"""Telegram. Importing this costs nothing: python-telegram-bot is loaded by `connect`.

An update comes in through `polling` or `webhook` to `updates`, and is read by `inbound`. An answer
goes out through `draft`, or a whole reply, to `posting`, which draws it (`markdown`) and puts it
into `messages` and `uploads`. Both call Telegram through `calls`, when `pace` and its `budgets`
allow, by `methods`, over the HTTP of `request`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.core.phrases import Phrase
from bot.core.ports import Clock, Web
from bot.core.types import Finding
from bot.core.unused import leave_out
from bot.errors import ConfigError
from bot.platforms.settings import revealed
from bot.platforms.telegram.settings import TelegramSettings

if TYPE_CHECKING:
    from bot.platforms.telegram.adapter import TelegramPlatform
    from bot.platforms.telegram.webhook import Webhook

__all__ = ["TelegramSettings", "check", "connect"]


def connect(
    settings: TelegramSettings, *, clock: Clock, web: Web | None = None
) -> TelegramPlatform:
    """Make the platform; no I/O. Raises `ConfigError` when something is missing.

    `web` is where Telegram posts updates, in the mode `webhook`.
    """
    leave_out("telegram.request._httpxrequest")  # an HTTP client, 1.3 MB; `request` is ours
    from bot.platforms.telegram.adapter import TelegramPlatform

    token = revealed(settings.token)
    if not token:
        raise ConfigError(Phrase("telegram.token is not set: get one from @BotFather"))
    return TelegramPlatform(
        token,
        base_url=settings.base_url,
        clock=clock,
        messages_per_second=settings.messages_per_second,
        webhook=_webhook(settings, token, web) if settings.mode == "webhook" else None,
    )


def _webhook(settings: TelegramSettings, token: str, web: Web | None) -> Webhook:
    from bot.platforms.telegram.webhook import PATH, Webhook

    if not settings.webhook_url:
        missing = Phrase(
            "telegram.webhook_url is not set: the address, https://…, under which Telegram reaches "
            "{path} of the bot's web server; or set telegram.mode to “polling”",
            path=PATH,
        )
        raise ConfigError(missing)
    if web is None:
        raise ConfigError(Phrase("telegram.mode: there is no web server here; use “polling”"))
    return Webhook(web, settings.webhook_url, token)


async def check(settings: TelegramSettings) -> Sequence[Finding]:
    """Look whether the bot could run, and say what to do if not. Raises nothing."""
    from bot.platforms.telegram.checks import examine

    return await examine(settings)
