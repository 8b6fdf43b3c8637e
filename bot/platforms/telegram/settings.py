"""The operator's settings for Telegram: the table `telegram` of the configuration."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from bot.core.phrases import Phrase
from bot.platforms.settings import http_url

TELEGRAM = "https://api.telegram.org"
HTTPS = 443
PORTS = (HTTPS, 80, 88, 8443)
"""Where it posts updates to: https://core.telegram.org/bots/api#setwebhook"""


class TelegramSettings(BaseModel):
    """The table `telegram`. The platform is on when `token` is set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: SecretStr | None = None
    """What @BotFather gave: `123456:ABC…`."""
    base_url: str = TELEGRAM
    """`/bot<token>/METHOD` and `/file/bot<token>/PATH` are appended."""
    mode: Literal["polling", "webhook"] = "polling"
    """How events arrive: the bot asks for them, or Telegram posts them to `webhook_url`."""
    webhook_url: str = ""
    """Under what address Telegram reaches `/telegram` of the bot's web server. It must be HTTPS, on
    port 443, 80, 88 or 8443, but for a Bot API server of one's own."""
    streaming: Literal["edit", "draft"] = "edit"
    """How an answer is shown while it is written; drafts only in private chats."""
    rich: bool = False
    """Whether answers are rich messages: with tables, formulas and headings."""

    messages_per_second: int = Field(default=30, ge=1, le=1000)
    """Messages and edits in all chats together; Telegram takes more from bots that pay for it."""

    @field_validator("base_url")
    @classmethod
    def _http(cls, value: str) -> str:
        return http_url(value)

    @field_validator("webhook_url")
    @classmethod
    def _an_address(cls, value: str, info: ValidationInfo) -> str:
        value = value.strip()
        if value and not value.startswith(("http://", "https://")):
            wrong = Phrase("must be the address that Telegram posts to, https://…")
            raise ValueError(wrong)
        if value and info.data.get("base_url") == TELEGRAM and not _is_posted_to(value):
            wrong = Phrase(
                "Telegram posts to https:// alone, on port 443, 80, 88 or 8443; let a reverse "
                "proxy listen there and lead to web.port"
            )
            raise ValueError(wrong)
        return value


def _is_posted_to(url: str) -> bool:
    """Whether Telegram's own servers post to such an address."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and (parts.port or HTTPS) in PORTS
    except ValueError:  # its port is no number
        return False
