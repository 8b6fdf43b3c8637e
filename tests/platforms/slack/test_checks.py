"""`bot check` for Slack, and the manifest it refers to."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Sequence

import pytest
from pydantic import SecretStr

from bot.core.types import CommandInfo, Finding
from bot.platforms import slack
from bot.platforms.slack.manifest import manifest
from bot.sandbox.slack.server import SlackSandbox


def settings(sandbox: SlackSandbox, *, bot: str = "", app: str = "") -> slack.SlackSettings:
    return slack.SlackSettings(
        bot_token=SecretStr(bot or sandbox.bot_token),
        app_token=SecretStr(app or sandbox.app_token),
        base_url=sandbox.base_url,
    )


def wrong(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if not finding.ok]


async def test_all_is_well(sandbox: SlackSandbox) -> None:
    findings = await slack.check(settings(sandbox))
    assert [finding.ok for finding in findings] == [True, True, True]
    assert "@chinwag" in findings[0].text


async def test_a_wrong_bot_token_says_where_to_find_the_right_one(sandbox: SlackSandbox) -> None:
    (finding,) = wrong(await slack.check(settings(sandbox, bot="xoxb-wrong")))
    assert "invalid_auth" in finding.text
    assert "OAuth & Permissions" in finding.fix
    assert "xoxb-wrong" not in finding.text + finding.fix


async def test_a_bot_token_that_is_not_set_says_where_to_find_it(sandbox: SlackSandbox) -> None:
    without = settings(sandbox).model_copy(update={"bot_token": None})
    bot, app = await slack.check(without)
    assert (bot.ok, bot.text, app.ok) == (False, "slack.bot_token is not set", True)
    assert "OAuth & Permissions" in bot.fix


async def test_a_wrong_app_token_says_how_to_make_one(sandbox: SlackSandbox) -> None:
    (finding,) = wrong(await slack.check(settings(sandbox, app="xapp-wrong")))
    assert "connections:write" in finding.fix


async def test_missing_scopes_are_named_with_what_they_are_for(sandbox: SlackSandbox) -> None:
    sandbox.workspace.scopes -= {"files:read", "users:read"}
    (finding,) = wrong(await slack.check(settings(sandbox)))
    assert "files:read (to fetch pictures and voice clips)" in finding.text
    assert "users:read" in finding.text
    assert "bot manifest" in finding.fix


async def test_a_wrong_address_is_a_line_and_no_traceback() -> None:
    nowhere = slack.SlackSettings(
        bot_token=SecretStr("xoxb-1"), app_token=SecretStr("xapp-1"), base_url="http://127.0.0.1:9"
    )
    findings = wrong(await slack.check(nowhere))
    assert findings
    assert {str(finding.text) for finding in findings} == {"no connection to http://127.0.0.1:9/"}
    assert all("slack.base_url" in finding.fix for finding in findings)


async def test_a_proxy_that_refuses_is_told_of_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 407 Who are you?\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        monkeypatch.setenv("HTTPS_PROXY", f"http://joe:hush@127.0.0.1:{port}")
        behind = slack.SlackSettings(
            bot_token=SecretStr("xoxb-1"), app_token=SecretStr("xapp-1"), base_url="https://x.test"
        )
        findings = wrong(await slack.check(behind))
    told = " ".join(str(finding.text) for finding in findings)
    assert "HTTP 407" in told
    assert "hush" not in told and b64encode(b"joe:hush").decode() not in told


def test_the_manifest_has_the_commands_and_every_scope_the_sandbox_asks_for() -> None:
    commands = [CommandInfo(name="model", summary="Switch the model", usage="[NAME]")]
    app = manifest(commands)
    own, *others = app["features"]["slash_commands"]
    assert own["command"] == "/chinwag"
    assert others == [
        {
            "command": "/model",
            "description": "Switch the model",
            "should_escape": True,
            "usage_hint": "[NAME]",
        }
    ]
    assert app["settings"]["socket_mode_enabled"] is True
    assert "message.im" in app["settings"]["event_subscriptions"]["bot_events"]


def test_the_manifest_leaves_slacks_own_commands_alone() -> None:
    names = ("search", "rename", "model")
    app = manifest([CommandInfo(name=name, summary="x") for name in names])
    commands = [command["command"] for command in app["features"]["slash_commands"]]
    assert commands == ["/chinwag", "/model"]


def test_a_manifest_with_an_address_has_events_posted_there() -> None:
    url = "https://bot.example/slack"
    app = manifest([CommandInfo(name="model", summary="x")], url=url)
    assert app["settings"]["socket_mode_enabled"] is False
    assert app["settings"]["event_subscriptions"]["request_url"] == url
    assert app["settings"]["interactivity"]["request_url"] == url
    assert {command["url"] for command in app["features"]["slash_commands"]} == {url}


def test_the_manifest_offers_something_to_say() -> None:
    view = manifest([])["features"]["agent_view"]
    assert 1 <= len(view["suggested_prompts"]) <= 4
    assert view["suggested_prompts"][0] == {"title": "What can you do?", "message": "!help"}
