"""What the settings of several platforms need."""

from __future__ import annotations

from pydantic import SecretStr

from bot.core.phrases import Phrase


def revealed(secret: SecretStr | None) -> str:
    """A secret without the white space that was copied with it; empty when it is not set."""
    return secret.get_secret_value().strip() if secret else ""


def http_url(value: str) -> str:
    """The address of a server without a slash at its end. Raises `ValueError` when it is none."""
    if not value.startswith(("http://", "https://")):
        raise ValueError(Phrase("must begin with https:// or http://"))
    return value.rstrip("/")
