"""The operator's settings for the API: the table `api` of the configuration.

A wrong URL is the most common mistake and the most confusing one (a page for people where JSON is
expected), so URLs are looked at here, before the first request.
"""

from __future__ import annotations

import ipaddress
import re
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from bot.core.phrases import Phrase

Protocol = Literal["chat", "completions", "responses"]
"""The wire protocols in which a model may be spoken to."""


class ModelSettings(BaseModel):
    """What the operator knows about the models that match a pattern.

    Prices are in USD: per million tokens, per picture, per minute of audio. `sizes`, `qualities`
    and `styles` are the words that an image model takes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    protocol: Protocol | None = None
    context_window: int | None = Field(default=None, gt=0)
    vision: bool | None = None
    input_price: Decimal | None = Field(default=None, ge=0)
    cached_price: Decimal | None = Field(default=None, ge=0)
    output_price: Decimal | None = Field(default=None, ge=0)
    image_price: Decimal | None = Field(default=None, ge=0)
    minute_price: Decimal | None = Field(default=None, ge=0)
    sizes: tuple[str, ...] = ()
    qualities: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()


_NO_URL = Phrase(
    "this is not a URL: check its host and port; "
    "in a password write / as %2F, ? as %3F, # as %23, [ as %5B, ] as %5D"
)

NOTHING = ModelSettings()
"""What the configuration says about most models."""


class ApiSettings(BaseModel):
    """The table `api`. Times are in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_urls: tuple[str, ...] = ("https://api.apiyi.com/v1", "https://vip.apiyi.com/v1")
    """Tried in order; usually ending in `/v1`."""
    key: SecretStr | None = None
    model: str = ""
    image_model: str = ""
    transcription_model: str = ""
    embedding_model: str = ""
    max_in_flight: int = Field(default=100, ge=1, le=10_000)
    requests_per_minute: int = Field(default=3_000, ge=1)
    tokens_per_minute: int = Field(default=1_000_000, ge=1)
    max_waiting: int = Field(default=1_000, ge=0)
    """Requests that may wait for their turn; past it people are told that the bot is busy."""
    proxy: SecretStr | None = None
    """`http://[USER:PASSWORD@]HOST:PORT`; proxies of the environment are not used."""
    connect_timeout: float = Field(default=10.0, gt=0)
    first_event_timeout: float = Field(default=300.0, gt=0)
    """How long a model may think before it says anything, and its server gives no sign of life.

    With signs of life it may think as long as a picture is waited for, where that is longer. A
    server that does not give one even when it is asked is left sooner (`bot.api.silence`). What
    is given up is paid all the same, so apiyi.com asks for 300 seconds at least where models think,
    and for 90 to 120 between two words (https://docs.apiyi.com/en/faq/timeout-configuration).
    """
    idle_timeout: float = Field(default=120.0, gt=0)
    """How long a stream may be silent between two events."""
    total_timeout: float = Field(default=900.0, gt=0)
    """The longest that one answer may take."""
    image_timeout: float = Field(default=360.0, gt=0)
    retries: int = Field(default=3, ge=0, le=9)
    retry_seconds: float = Field(default=120.0, ge=0)
    """How long a call may wait between its tries, in all; a longer wait is not begun."""
    remember_answers: float = Field(default=0.0, ge=0)
    """How long an answer at temperature 0 is given again to the same request; 0: never."""
    models: dict[str, ModelSettings] = Field(
        default={}, examples=[{"gpt-*": {"context_window": 128000, "input_price": "2.50"}}]
    )
    """By name or glob pattern; for each value the first pattern that gives it wins."""
    hidden_models: tuple[str, ...] = Field(default=(), examples=[["*-preview", "tts-*"]])
    """Names or glob patterns of models that are not offered in chats."""
    list_prices: bool = True
    """Where neither `models` nor the API tells a price, take the vendor's list price."""

    @field_validator("base_urls")
    @classmethod
    def _usable(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        if not urls:
            raise ValueError(Phrase("at least one base URL is needed"))
        return tuple(dict.fromkeys(normal_base_url(url) for url in urls))

    @field_validator("key")
    @classmethod
    def _one_word(cls, key: SecretStr | None) -> SecretStr | None:
        text = key.get_secret_value().strip().removeprefix("Bearer ") if key else ""
        if not text:
            return None
        if not text.isascii() or not text.isprintable() or " " in text:
            wrong = Phrase("a key has no spaces and only ASCII characters; copy it once more")
            raise ValueError(wrong)
        return SecretStr(text)

    @field_validator("proxy")
    @classmethod
    def _http_proxy(cls, proxy: SecretStr | None) -> SecretStr | None:
        if proxy is None or not proxy.get_secret_value():
            return None
        parts = _split(proxy.get_secret_value())
        if "@" in parts.path + parts.query + parts.fragment:
            raise ValueError(_NO_URL)
        if parts.scheme not in ("http", "https"):
            wrong = Phrase("only http:// and https:// proxies work; write http://HOST:PORT")
            raise ValueError(wrong)
        return proxy

    @field_validator("model", "image_model", "transcription_model", "embedding_model")
    @classmethod
    def _a_name(cls, name: str) -> str:
        if any(character.isspace() for character in name.strip()):
            wrong = Phrase("a model's name has no spaces; `bot check` lists the nearest names")
            raise ValueError(wrong)
        return name.strip()

    def known(self, model: str) -> ModelSettings:
        """What the configuration says about a model, from every pattern that matches it."""
        found: dict[str, object] = {}
        for pattern, settings in self.models.items():
            if fnmatchcase(model, pattern):
                for name in settings.model_fields_set:
                    found.setdefault(name, getattr(settings, name))
        return ModelSettings.model_validate(found) if found else NOTHING


def normal_base_url(url: str) -> str:
    """The URL without its trailing slash. Raises `ValueError` where it cannot be an API's."""
    url = url.strip()
    parts = _split(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        wrong = Phrase("“{url}” is not a URL; write https://HOST/v1", url=_shown(url))
        raise ValueError(wrong)
    if "@" in url:
        wrong = Phrase("a base URL holds no user or password; the key goes into api.key")
        raise ValueError(wrong)
    if parts.query or parts.fragment:
        wrong = Phrase(
            "“{url}” has something after ? or #; a base URL ends in its path", url=_shown(url)
        )
        raise ValueError(wrong)
    if parts.scheme == "http" and not is_private(parts.hostname):
        host = parts.hostname
        wrong = Phrase("the key would travel unencrypted to {host}; write https://", host=host)
        raise ValueError(wrong)
    path = parts.path.rstrip("/")
    for endpoint in ("/chat/completions", "/completions", "/responses", "/models"):
        if path.endswith(endpoint):
            base = f"{parts.scheme}://{parts.netloc}{path.removesuffix(endpoint)}"
            wrong = Phrase("“{url}” is an endpoint; write its base, {base}", url=url, base=base)
            raise ValueError(wrong)
    return f"{parts.scheme}://{parts.netloc}{path}"


def _shown(url: str) -> str:
    """As much of a wrong URL as cannot be a user, a password or a key."""
    if "@" in url:
        scheme, separator, _ = url.partition("://")
        return f"{scheme}://…" if separator and "@" not in scheme else "…"
    plain = re.split("[?#]", url, maxsplit=1)[0]
    return url if plain == url else f"{plain}…"


def is_private(host: str) -> bool:
    """Whether a host is this machine or in a private network, judged by its name alone.

    A name without a dot is one of a local network, such as a container's.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localhost", ".lan"))
    return not address.is_global


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # its text may show a part of a password
        raise ValueError(_NO_URL) from None
    return parts
