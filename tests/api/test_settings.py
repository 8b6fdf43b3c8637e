"""What is said about wrong settings before the first request."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import SecretStr, ValidationError

from bot.api.settings import ApiSettings, ModelSettings


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://api.example/v1", "https://api.example/v1"),
        (" https://api.example/v1// ", "https://api.example/v1"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("http://192.168.1.5/v1", "http://192.168.1.5/v1"),
        ("http://ollama:11434/v1", "http://ollama:11434/v1"),
        ("http://gpu.local/v1", "http://gpu.local/v1"),
    ],
)
def test_a_good_base_url_is_taken(given: str, used: str) -> None:
    assert ApiSettings(base_urls=(given,)).base_urls == (used,)


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("", "write https://HOST/v1"),
        ("api.example/v1", "write https://HOST/v1"),
        ("htps://api.example/v1", "write https://HOST/v1"),
        ("https://", "write https://HOST/v1"),
        ("https://api.example:port/v1", "not a URL"),
        ("http://api.example/v1", "unencrypted"),
        ("http://8.8.8.8/v1", "unencrypted"),
        ("https://user:pass@api.example/v1", "api.key"),
        ("https://api.example/v1?x=1", "ends in its path"),
        ("https://api.example/v1/chat/completions", "write its base, https://api.example/v1"),
        ("https://api.example/v1/models/", "write its base, https://api.example/v1"),
    ],
)
def test_a_bad_base_url_is_refused_with_advice(url: str, advice: str) -> None:
    with pytest.raises(ValidationError, match=advice):
        ApiSettings(base_urls=(url,))


def test_the_key_loses_what_copying_added() -> None:
    key = ApiSettings(key=SecretStr(" Bearer sk-1 \n")).key
    assert key is not None
    assert key.get_secret_value() == "sk-1"
    assert ApiSettings(key=SecretStr(" ")).key is None


@pytest.mark.parametrize("key", ["sk 1", "sk-é", "sk-\x001"])
def test_a_key_that_cannot_be_one_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match="copy it once more"):
        ApiSettings(key=SecretStr(key))


def test_a_model_name_with_spaces_is_refused() -> None:
    with pytest.raises(ValidationError, match="no spaces"):
        ApiSettings(model="gpt 5")


def test_a_proxy_of_another_kind_is_refused_without_its_password() -> None:
    with pytest.raises(ValidationError, match="http://HOST:PORT") as caught:
        ApiSettings(proxy=SecretStr("socks5://me:hush@proxy:1080"))
    assert "hush" not in str(caught.value)


def test_the_first_pattern_that_gives_a_value_wins() -> None:
    settings = ApiSettings.model_validate(
        {
            "models": {
                "chat-mini": {"context_window": 8_000},
                "chat-*": {"context_window": 128_000, "input_price": "2.5"},
                "*": {"output_price": "9"},
            }
        }
    )
    assert settings.known("chat-mini") == ModelSettings(
        context_window=8_000, input_price=Decimal("2.5"), output_price=Decimal(9)
    )
    assert settings.known("other") == ModelSettings(output_price=Decimal(9))
