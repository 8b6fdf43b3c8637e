from __future__ import annotations

import pytest

from bot.platforms.telegram import TelegramSettings, check
from bot.sandbox.telegram import serve
from tests.platforms.telegram.stage import settings_for


async def test_a_bot_that_works_is_named() -> None:
    async with serve() as telegram:
        findings = await check(settings_for(telegram))
    assert all(finding.ok for finding in findings)
    assert "@sandbox_bot" in findings[0].text


async def test_a_webhook_of_another_service_is_spoken_of() -> None:
    async with serve() as telegram:
        telegram.updates.webhook_url = "https://example.com/hook"
        findings = await check(settings_for(telegram))
    assert [finding.ok for finding in findings].count(False) == 1
    assert "webhook" in findings[-1].text


async def test_an_address_to_post_to_that_is_not_used_is_spoken_of() -> None:
    async with serve() as telegram:
        settings = TelegramSettings.model_validate(
            {
                "token": telegram.token,
                "base_url": telegram.base_url,
                "webhook_url": "https://bot.example/telegram",
            }
        )
        wrong = [finding for finding in await check(settings) if not finding.ok]
    assert ["telegram.mode is “polling”" in finding.text for finding in wrong] == [True]
    assert "set telegram.mode to “webhook”" in wrong[0].fix


async def test_a_refused_token_says_whom_to_ask() -> None:
    async with serve() as telegram:
        settings = TelegramSettings.model_validate(
            {"token": "1000:wrong", "base_url": telegram.base_url}
        )
        (finding,) = await check(settings)
    assert not finding.ok
    assert "@BotFather" in finding.fix
    assert "1000:wrong" not in f"{finding}"


@pytest.mark.parametrize(
    ("settings", "fix"),
    [
        ({}, "set telegram.token"),
        ({"token": "1:x", "base_url": "http://127.0.0.1:9/"}, "check the network"),
    ],
)
async def test_what_is_missing_is_said(settings: dict[str, str], fix: str) -> None:
    (finding,) = await check(TelegramSettings.model_validate(settings))
    assert not finding.ok
    assert fix in finding.fix


def test_a_base_url_without_a_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="https://"):
        TelegramSettings.model_validate({"base_url": "api.telegram.org"})
