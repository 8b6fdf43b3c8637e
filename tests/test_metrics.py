"""What an operator's Prometheus reads from a real bot."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from bot.sandbox.openai import ScriptedApi
from bot.sandbox.slack.server import SlackSandbox
from bot.sandbox.telegram.telegram import Telegram
from tests.environment import free_port, in_slack
from tests.patience import until
from tests.processes import Launcher
from tests.running import started


async def page_at(port: int, path: str = "/metrics") -> tuple[int, str]:
    """The status and the page."""
    async with (
        ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as answer,
    ):
        return answer.status, await answer.text()


def read(page: str) -> dict[str, float]:
    """The figures by name and labels, as Prometheus itself understands the page."""
    return {
        f"{sample.name}{''.join(f' {value}' for value in sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


async def test_an_operator_sees_how_the_bot_is_doing(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    port = free_port()
    settings = {
        "BOT_WEB__PORT": str(port),
        "BOT_WEB__METRICS": "true",
        "BOT_API__MODELS": '{"gpt-4o-mini": {"input_price": 1.0, "output_price": 2.0}}',
    }
    chat = telegram.person(id=987654321012, name="Ann").private()
    async with started(launcher, telegram, api, tmp_path, env=settings):
        chat.send("a secret question")
        await chat.wait_for(lambda s: s.answers and s.answers[-1].buttons)
        chat.send("another one")  # what comes before it in the chat is written down by then
        await chat.wait_for(lambda s: "You said: another one" in s.text)
        status, page = await page_at(port)
        figures = read(page)
        assert status == 200
        assert figures["chinwag_connected telegram"] == 1
        assert figures["chinwag_people"] == 1
        assert figures["chinwag_requests_total chat gpt-4o-mini"] >= 1
        assert figures["chinwag_completion_tokens_total chat gpt-4o-mini"] > 0
        assert 0 < figures["chinwag_cost_usd_total chat gpt-4o-mini"] < 0.01
        assert figures["chinwag_answer_seconds 0.95"] > 0
        assert figures["chinwag_api_resting 127.0.0.1"] == 0
        assert figures["chinwag_log_events_total turn done info"] >= 1
        assert figures["chinwag_database_bytes"] > 100_000
        assert figures["chinwag_database_free_bytes"] >= 0
        assert "chinwag_purged_timestamp_seconds" not in figures  # not yet
        assert figures["process_resident_memory_bytes"] > 10_000_000
        for secret in ("secret question", telegram.token, "sk-sandbox", "Ann", "987654321012"):
            assert secret not in page
        with closing(sqlite3.connect(tmp_path / "chinwag.db")) as database:
            database.execute("DROP TABLE usage_totals")
        assert (await page_at(port))[0] == 503
        assert (await page_at(port, "/readyz"))[0] == 200


async def test_a_new_connection_to_slack_is_no_new_figure(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    settings = {"BOT_WEB__PORT": str(free_port()), "BOT_WEB__METRICS": "true"}
    async with (
        SlackSandbox() as slack,
        started(launcher, telegram, api, tmp_path, env=settings | in_slack(slack)),
    ):
        await slack.wait_for(lambda: bool(slack.sockets.connected))
        await until(lambda: "slack.sdk" in (tmp_path / "log").read_text())
        _, page = await page_at(int(settings["BOT_WEB__PORT"]))
    assert read(page)["chinwag_log_events_total bot.platforms.slack.sdk info"] >= 1
    assert "session" not in page


async def test_nobody_reads_them_where_they_are_not_wanted(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    port = free_port()
    telegram.local = True
    settings = {
        "BOT_WEB__PORT": str(port),
        "BOT_TELEGRAM__MODE": "webhook",
        "BOT_TELEGRAM__WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram",
    }
    async with started(launcher, telegram, api, tmp_path, env=settings):
        assert (await page_at(port))[0] == 404
