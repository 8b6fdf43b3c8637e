"""The configuration: every table and key, from one TOML file and the environment on top.

The names are a contract with operators: keys may be added, none renamed. A table of a room stands
in that room's `settings.py`; the tables of the whole process stand here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from bot.api.settings import ApiSettings
from bot.config_reading import read_settings
from bot.core.access import Access
from bot.core.defaults import Persona
from bot.core.limits.budget import Quotas
from bot.core.limits.quota import NAMES, Limits
from bot.core.phrases import Phrase
from bot.errors import ConfigError
from bot.platforms.slack import ids as slack_ids
from bot.platforms.slack.settings import SlackSettings
from bot.platforms.telegram import ids as telegram_ids
from bot.platforms.telegram.settings import TelegramSettings
from bot.store.settings import StorageSettings
from bot.web.settings import WebSettings

CONFIG_FILE = Path("chinwag.toml")
_FORMS: Mapping[str, Callable[[str], bool]] = {
    "telegram": telegram_ids.is_id,
    "slack": slack_ids.has_form,
    "console": bool,
}
"""Who may stand in a list of the table `access`: the form of an id, by platform."""

GUIDE = Phrase("""\
Nothing to start yet: no chat platform is configured. Set, in the environment or in chinwag.toml,

  for the answers     BOT_API__KEY            the key of your OpenAI-compatible API
                      BOT_API__MODEL          a model it offers
  for Telegram        BOT_TELEGRAM__TOKEN     from @BotFather
  for Slack           BOT_SLACK__BOT_TOKEN    xoxb-…, `bot manifest` prints the app to create
                      BOT_SLACK__APP_TOKEN    xapp-…
  who may speak       BOT_ACCESS__ADMINS      '["telegram:1001"]'; the bot tells strangers their id

`bot check` then says what works. config.example.toml lists every key.
To try the bot right now, without any account: `bot chat`.""")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AccessSettings(_Table):
    """Who may speak to the bot. Entries are `platform:id`; empty lists let nobody in."""

    open: bool = False
    admins: frozenset[str] = Field(default=frozenset(), examples=[["telegram:1001"]])
    users: frozenset[str] = Field(default=frozenset(), examples=[["slack:U0123"]])
    chats: frozenset[str] = Field(default=frozenset(), examples=[["telegram:-1001"]])
    models: dict[str, frozenset[str]] = Field(
        default={}, examples=[{"gpt-5*": ["telegram:1001", "slack:C0123"]}]
    )

    @field_validator("admins", "users", "chats")
    @classmethod
    def _are_ids(cls, entries: frozenset[str]) -> frozenset[str]:
        for entry in sorted(entries):
            platform, _, id = entry.partition(":")
            if platform not in _FORMS or not _FORMS[platform](id):
                wrong = Phrase(
                    "“{entry}” is no id; write telegram:1001 or slack:U0123, "
                    "the bot tells strangers theirs",
                    entry=entry,
                )
                raise ValueError(wrong)
        return entries

    @field_validator("models")
    @classmethod
    def _are_for_ids(cls, models: dict[str, frozenset[str]]) -> dict[str, frozenset[str]]:
        for who in models.values():
            cls._are_ids(who)
        return models

    def access(self) -> Access:
        """The same, as the core knows it."""
        return Access(**dict(self))


class QuotaSettings(_Table):
    """How much may be used, by each person and by all together; without a value, no limit.

    `timezone` says when a day begins, and how times are told.
    """

    timezone: str = "UTC"
    admins_exempt: bool = True
    user_daily_tokens: int | None = Field(default=None, ge=0)
    user_daily_cost: Decimal | None = Field(default=None, ge=0)
    user_daily_images: int | None = Field(default=None, ge=0)
    user_daily_audio_minutes: Decimal | None = Field(default=None, ge=0)
    user_monthly_tokens: int | None = Field(default=None, ge=0)
    user_monthly_cost: Decimal | None = Field(default=None, ge=0)
    user_monthly_images: int | None = Field(default=None, ge=0)
    user_monthly_audio_minutes: Decimal | None = Field(default=None, ge=0)
    total_daily_tokens: int | None = Field(default=None, ge=0)
    total_daily_cost: Decimal | None = Field(default=None, ge=0)
    total_daily_images: int | None = Field(default=None, ge=0)
    total_daily_audio_minutes: Decimal | None = Field(default=None, ge=0)
    total_monthly_tokens: int | None = Field(default=None, ge=0)
    total_monthly_cost: Decimal | None = Field(default=None, ge=0)
    total_monthly_images: int | None = Field(default=None, ge=0)
    total_monthly_audio_minutes: Decimal | None = Field(default=None, ge=0)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            if name != "UTC":
                ZoneInfo(name)
        except (ValueError, OSError, KeyError) as error:
            wrong = Phrase("“{name}” is no time zone; write one like Europe/Berlin", name=name)
            raise ValueError(wrong) from error
        return name

    @property
    def zone(self) -> tzinfo:
        """The time zone itself; UTC also where the system has no list of zones."""
        return UTC if self.timezone == "UTC" else ZoneInfo(self.timezone)

    def quotas(self) -> Quotas:
        """The same, as the core knows it."""
        return Quotas(
            own=self._limits("user"),
            everybody=self._limits("total"),
            admins_exempt=self.admins_exempt,
        )

    def _limits(self, whose: str) -> Limits:
        values = {limit: getattr(self, f"{whose}_{name}") for name, limit in NAMES.items()}
        return {limit: Decimal(value) for limit, value in values.items() if value is not None}


class PersonaSettings(_Table):
    """A way to answer that people can pick with /persona."""

    name: str = Field(min_length=1, max_length=40)
    prompt: str = Field(min_length=1)
    model: str = ""
    temperature: float | None = Field(default=None, ge=0, le=2)


class ChatDefaults(_Table):
    """What holds for a chat that has not chosen otherwise: fields of the core's `Defaults`."""

    system_prompt: str = ""
    context_window: int = Field(default=32_000, ge=512)
    reasoning: Literal["collapsed", "hidden"] = "collapsed"
    summary_model: str = ""
    patience: float = Field(default=600.0, ge=0)
    together: bool = True
    personas: tuple[PersonaSettings, ...] = Field(
        default=(), examples=[[{"name": "Tutor", "prompt": "Ask before you explain."}]]
    )

    def values(self) -> dict[str, Any]:
        """The same, as the core knows them."""
        return {**dict(self), "personas": tuple(Persona(**dict(each)) for each in self.personas)}


class LogSettings(_Table):
    """`auto` is readable text on a terminal, JSON elsewhere."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"


class Config(BaseModel):
    """Everything an operator can set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api: ApiSettings = ApiSettings()
    telegram: TelegramSettings = TelegramSettings()
    slack: SlackSettings = SlackSettings()
    web: WebSettings = WebSettings()
    storage: StorageSettings = StorageSettings()
    access: AccessSettings = AccessSettings()
    quota: QuotaSettings = QuotaSettings()
    chat: ChatDefaults = ChatDefaults()
    log: LogSettings = LogSettings()

    @property
    def has_platform(self) -> bool:
        """Whether there is a token of any chat platform."""
        return bool(self.telegram.token or self.slack.bot_token)

    def secrets(self) -> Iterator[str]:
        """Every text that must not be logged."""
        for name in type(self).model_fields:
            table: object = getattr(self, name)
            if isinstance(table, BaseModel):
                for _, value in table:
                    if isinstance(value, SecretStr) and value.get_secret_value():
                        yield value.get_secret_value()
        password = urlsplit(self.storage.url).password
        if password:
            yield from {password, unquote(password)}


def load_config(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Read the configuration; without a path, `chinwag.toml` in the working directory if any.

    Raises `ConfigError`.
    """
    if path is None and CONFIG_FILE.is_file():
        path = CONFIG_FILE
    return read_settings(Config, path, environ)


def require_platform(config: Config) -> None:
    """Raise `ConfigError` with a guide when nothing is configured that could be started."""
    if not config.has_platform:
        raise ConfigError(GUIDE)
