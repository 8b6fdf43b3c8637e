"""Updates that Telegram posts: only Telegram's, none lost, and the same as polled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession

from bot.core.clock import SystemClock
from bot.core.fakes.clock import ManualClock
from bot.core.ports import Clock
from bot.core.types import (
    Button,
    ButtonPress,
    Finding,
    Happening,
    IncomingMessage,
    Reply,
    Unreadable,
)
from bot.errors import ConfigError
from bot.platforms.telegram import TelegramSettings, check, connect
from bot.platforms.telegram.adapter import TelegramPlatform
from bot.platforms.telegram.ids import make_chat
from bot.platforms.telegram.webhook import HEADER, PATH, WATCH_SECONDS, secret_for
from bot.sandbox.telegram import serve
from bot.sandbox.telegram.telegram import Telegram
from bot.web.server import WebServer
from bot.web.settings import WebSettings
from tests.environment import free_port
from tests.intake import Inbox, listening
from tests.platform_contract import HastyClock
from tests.platforms.telegram.stage import settings_for


class Hooked:
    """A Telegram that posts to a bot's web server; the bot takes it in while it listens."""

    def __init__(self, telegram: Telegram, platform: TelegramPlatform, url: str) -> None:
        self.telegram = telegram
        self.platform = platform
        self.url = url
        self.ann = telegram.person().private()

    async def delivered(self) -> None:
        """Telegram has nothing left to post."""
        await self.telegram.changes.until(lambda: not self.telegram.updates.pending)

    async def post(self, body: bytes, secret: str) -> int:
        """Pose as Telegram; returns the status of the answer."""
        async with (
            ClientSession() as session,
            session.post(self.url, data=body, headers={HEADER: secret}) as answer,
        ):
            return answer.status


def webhook_settings(telegram: Telegram, url: str) -> TelegramSettings:
    """What an operator would write."""
    return settings_for(telegram).model_copy(update={"mode": "webhook", "webhook_url": url})


@asynccontextmanager
async def hooked(clock: Clock | None = None) -> AsyncIterator[Hooked]:
    """`clock` is the bot's; on Telegram's, no pause takes long."""
    port = free_port()
    url = f"http://127.0.0.1:{port}{PATH}"
    async with serve(judge=False, clock=HastyClock()) as telegram:
        telegram.local = True
        server = WebServer(WebSettings(port=port))
        settings = webhook_settings(telegram, url)
        platform = connect(settings, clock=clock or SystemClock(), web=server)
        try:
            async with server.running(lambda: True):
                yield Hooked(telegram, platform, url)
        finally:
            await platform.close()


async def test_messages_edits_and_presses_arrive() -> None:
    inbox = Inbox()
    async with hooked() as bot, listening(bot.platform, inbox):
        first = bot.ann.send("hello & <world>")
        await inbox.holds()
        bot.ann.edit(first, "hello again")
        await inbox.holds(2)
        reply = Reply(text="pick", buttons=((Button("Again", "again"),),))
        await bot.platform.send(make_chat(bot.ann.id), reply)
        bot.ann.press("Again")
        await inbox.holds(3)
        assert inbox.texts == ["hello & <world>", "hello again"]
        assert isinstance(inbox.events[-1], ButtonPress)
        await bot.delivered()


async def test_the_messages_of_a_chat_keep_their_order_and_parts_of_a_text_belong_together() -> (
    None
):
    inbox, parts = Inbox(), ["first " * 600, "second " * 500, "and the end"]
    async with hooked() as bot, listening(bot.platform, inbox):
        for part in parts:
            bot.ann.send(part)
        await inbox.holds(3)
        messages = [event for event in inbox.events if isinstance(event, IncomingMessage)]
        assert [message.text.split()[0] for message in messages] == ["first", "second", "and"]
        assert len({message.album for message in messages}) == 1


async def test_the_end_of_a_long_text_belongs_to_it_though_the_database_refused_it_once() -> None:
    inbox = Inbox()
    async with hooked() as bot, listening(bot.platform, inbox):
        bot.ann.send("first " * 600)
        await inbox.holds()
        inbox.refusals = 1
        bot.ann.send("and the end")
        await inbox.holds(2)
        first, last = (event for event in inbox.events if isinstance(event, IncomingMessage))
        assert first.album and last.album == first.album


async def test_what_is_not_stored_is_not_acknowledged_and_comes_again() -> None:
    inbox = Inbox(refusals=3)
    async with hooked() as bot, listening(bot.platform, inbox):
        bot.ann.send("first")
        bot.ann.send("second")
        await inbox.holds(2)
        await bot.delivered()
        assert inbox.texts == ["first", "second"]
        assert "503" in bot.telegram.webhook.last_error


async def test_telegram_comes_less_often_the_longer_nothing_can_be_stored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    inbox = Inbox(refusals=100)
    async with hooked() as bot, listening(bot.platform, inbox):
        bot.ann.send("hello")
        await inbox.holds()
        await bot.delivered()
        # 40 pauses of one second, 40 of two, and 20 of three
        assert bot.telegram.clock.monotonic() == 40 + 80 + 60
    said = [record.message for record in caplog.records]
    assert said.count("update not stored, comes again") == 1


async def test_what_is_written_while_the_bot_is_away_waits_for_it() -> None:
    before, after = Inbox(), Inbox()
    async with hooked() as bot:
        async with listening(bot.platform, before):
            bot.ann.send("first")
            await before.holds()
        bot.ann.send("second")
        await bot.telegram.changes.until(lambda: "503" in bot.telegram.webhook.last_error)
        async with listening(bot.platform, after):
            await after.holds()
            await bot.delivered()
        assert (before.texts, after.texts) == (["first"], ["second"])


async def test_what_is_being_stored_when_the_bot_stops_is_stored_and_does_not_come_again() -> None:
    inbox, begun, freed = Inbox(), asyncio.Event(), asyncio.Event()

    async def slow(event: Happening) -> None:
        begun.set()
        await freed.wait()
        await inbox(event)

    async with hooked() as bot:
        async with listening(bot.platform, slow):
            bot.ann.send("hello")
            await begun.wait()
        freed.set()
        await bot.delivered()
        assert inbox.texts == ["hello"]
        assert bot.telegram.webhook.last_error == ""


async def test_what_cannot_be_read_is_kept_and_passed_over() -> None:
    inbox = Inbox()
    async with hooked() as bot, listening(bot.platform, inbox):
        bot.telegram.updates.add_raw({"message": {"broken": True}})
        bot.ann.send("whole")
        await inbox.holds(2)
        await bot.delivered()
        assert [event.raw for event in inbox.events if isinstance(event, Unreadable)]
        assert inbox.texts == ["whole"]


@pytest.mark.parametrize("secret", ["", "another", "é"])
async def test_who_does_not_know_the_secret_is_sent_away(
    secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = Inbox()
    async with hooked() as bot, listening(bot.platform, inbox):
        assert await bot.post(b'{"update_id": 1, "message": {}}', secret) == 401
        bot.ann.send("from Telegram")
        await inbox.holds()
        assert inbox.texts == ["from Telegram"]
    assert bot.telegram.token not in caplog.text
    assert secret_for(bot.telegram.token) not in caplog.text


@pytest.mark.parametrize("body", [b"", b"[1]", b"\xff", b'"text"'])
async def test_what_is_no_update_is_refused(body: bytes) -> None:
    inbox = Inbox()
    async with hooked() as bot, listening(bot.platform, inbox):
        assert await bot.post(body, secret_for(bot.telegram.token)) == 400
        assert inbox.events == []


async def test_a_webhook_that_somebody_took_away_is_set_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    inbox, clock = Inbox(), ManualClock()
    async with hooked(clock) as bot, listening(bot.platform, inbox):
        bot.telegram.updates.webhook_url = ""
        bot.ann.send("meanwhile")
        await clock.advance(WATCH_SECONDS)
        await inbox.holds()
        assert inbox.texts == ["meanwhile"]
    assert [r.message for r in caplog.records].count("the webhook was taken away, set again") == 1


@pytest.mark.parametrize(("waits", "told"), [(True, ["Connection timed out"]), (False, [])])
async def test_what_telegram_cannot_deliver_is_said_once(
    waits: bool, told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    inbox, clock = Inbox(), ManualClock()
    async with hooked(clock) as bot, listening(bot.platform, inbox):
        if waits:
            bot.telegram.updates.pending.append({"update_id": 1})  # on its way for ever
        bot.telegram.webhook.last_error = "Connection timed out"
        bot.telegram.webhook.last_error_date = bot.telegram.now()
        with bot.telegram.changes.watch() as looks:
            for _ in range(3):
                await clock.advance(WATCH_SECONDS)
                await looks.get()
    said = [r for r in caplog.records if r.message == "telegram could not deliver updates"]
    assert [vars(record)["reason"] for record in said] == told


async def test_an_address_that_telegram_refuses_is_said_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = ManualClock()
    async with hooked(clock) as bot:
        bot.telegram.faults.fail_next(
            400, "bad webhook: Failed to resolve host", method="setWebhook", times=12
        )
        await clock.drive(listened(bot))
    refused = [r for r in caplog.records if r.message == "webhook refused by telegram"]
    assert ["resolve host" in vars(record)["reason"] for record in refused] == [True] * 12
    assert "telegram.webhook_url" in vars(refused[0])["fix"]
    # answers go through the same connections
    assert not any("connecting anew" in record.message for record in caplog.records)


async def listened(bot: Hooked) -> None:
    async with listening(bot.platform, Inbox()):
        pass


async def test_what_is_missing_is_said_at_the_start() -> None:
    async with serve(judge=False) as telegram:
        server = WebServer(WebSettings(port=0))
        with pytest.raises(ConfigError, match=r"telegram\.webhook_url is not set"):
            connect(webhook_settings(telegram, ""), clock=SystemClock(), web=server)
        with pytest.raises(ConfigError, match="no web server"):
            connect(webhook_settings(telegram, "https://bot.example"), clock=SystemClock())
    with pytest.raises(ValueError, match="https://"):
        TelegramSettings(webhook_url="bot.example/telegram")
    pasted = TelegramSettings(webhook_url=" https://bot.example/telegram\n")
    assert pasted.webhook_url == "https://bot.example/telegram"


async def test_the_check_says_whether_telegram_reaches_the_bot() -> None:
    async with serve(judge=False) as telegram:
        settings = webhook_settings(telegram, "https://bot.example/telegram")
        assert all(finding.ok for finding in await check(settings))
        (missing,) = wrong(await check(webhook_settings(telegram, "")))
        assert "webhook_url" in missing.text
        telegram.updates.webhook_url = "https://other.example/"
        (other,) = wrong(await check(settings))
        assert "stop that service" in other.fix
        telegram.updates.webhook_url = settings.webhook_url
        assert all(finding.ok for finding in await check(settings))
        telegram.person().private().send("hello?")
        telegram.webhook.last_error = "Connection refused"
        telegram.webhook.last_error_date = telegram.now()
        (unreached,) = wrong(await check(settings))
        assert unreached.text == "cannot deliver updates (1 waiting): Connection refused"
        assert "web.port" in unreached.fix


def wrong(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if not finding.ok]
