from __future__ import annotations

import asyncio
import logging

import pytest
from pydantic import SecretStr

from bot.core.clock import SystemClock
from bot.core.fakes.clock import ManualClock
from bot.core.types import (
    Happening,
    IncomingMessage,
    Unreadable,
)
from bot.errors import ConfigError
from bot.platforms.telegram import TelegramSettings, connect
from bot.sandbox.telegram import serve
from tests.intake import Inbox, listening
from tests.platform_contract import HastyClock
from tests.platforms.telegram.stage import private, settings_for, staged


async def test_an_update_is_confirmed_only_when_it_is_stored() -> None:
    inbox = Inbox(refusals=2)
    async with staged(clock=HastyClock()) as stage, listening(stage.platform, inbox):
        stage.view.send("second")
        await inbox.holds(2)
        assert inbox.texts == ["hi", "second"]
        assert inbox.refused == 2


async def test_a_chat_whose_update_is_refused_waits_alone_and_keeps_its_order() -> None:
    inbox = Inbox(refusals=1)
    async with staged(clock=HastyClock()) as stage:
        stage.view.send("second")
        stage.telegram.person(id=1002, name="Bob").private().send("from Bob")
        async with listening(stage.platform, inbox):
            await inbox.holds(3)
        assert inbox.texts == ["from Bob", "hi", "second"]


async def test_what_was_not_stored_when_the_bot_stopped_comes_again() -> None:
    stuck, inbox = Inbox(refusals=1000), Inbox()
    async with staged(clock=ManualClock()) as stage:
        async with listening(stage.platform, stuck):
            await stuck.has_refused()
        assert stuck.refused == 1  # it waits between two offers
        async with listening(stage.platform, inbox):
            await inbox.holds()
        assert inbox.texts == ["hi"]


async def test_polling_survives_a_server_that_fails_and_hangs_up() -> None:
    inbox = Inbox()
    async with staged(clock=HastyClock()) as stage, listening(stage.platform, inbox):
        await inbox.holds()
        for order in range(3):
            stage.telegram.faults.fail_next(502, method="getUpdates")
            stage.telegram.faults.drop_next(method="getUpdates")
            stage.view.send(f"message {order}")
            await inbox.holds(order + 2)
        assert inbox.texts[1:] == ["message 0", "message 1", "message 2"]


async def test_polling_backs_off_from_a_server_that_is_down(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = ManualClock()
    settings = TelegramSettings(token=SecretStr("1000:secret"), base_url="http://127.0.0.1:9")
    platform = connect(settings, clock=clock)
    with caplog.at_level(logging.INFO):
        task = asyncio.create_task(platform.run(Inbox(), lambda: None))
        for _ in range(400):
            await asyncio.sleep(0.001)
            await clock.advance(1)
        task.cancel()
        await asyncio.wait({task})
    await platform.close()
    tries = [record for record in caplog.records if record.message == "no updates"]
    assert 10 < len(tries) < 25
    assert any("connecting anew" in record.message for record in caplog.records)
    assert "secret" not in caplog.text


async def test_a_refused_token_ends_polling_with_what_to_do() -> None:
    async with serve() as telegram:
        settings = TelegramSettings(
            token=SecretStr("1000:wrong"), base_url=settings_for(telegram).base_url
        )
        platform = connect(settings, clock=SystemClock())
        with pytest.raises(ConfigError, match=r"telegram\.token") as failure:
            await platform.run(Inbox(), lambda: None)
        await platform.close()
        assert "1000:wrong" not in str(failure.value)


async def test_a_second_poller_is_spoken_of_once(caplog: pytest.LogCaptureFixture) -> None:
    async with staged(private, clock=HastyClock()) as stage:
        stage.telegram.faults.fail_next(
            409, "terminated by other getUpdates request", method="getUpdates", times=5
        )
        inbox = Inbox()
        with caplog.at_level(logging.INFO):
            async with listening(stage.platform, inbox):
                await inbox.holds()
        said = [r.message for r in caplog.records if "polls with the same token" in r.message]
        assert len(said) == 1


async def test_a_second_poller_that_comes_again_is_spoken_of_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    inbox = Inbox()
    async with staged(private, clock=HastyClock()) as stage:

        def conflict() -> None:
            stage.telegram.faults.fail_next(
                409, "terminated by other getUpdates request", method="getUpdates", times=2
            )

        conflict()
        with caplog.at_level(logging.INFO):
            async with listening(stage.platform, inbox):
                await inbox.holds()
                conflict()
                for number in range(2):  # the poll under way does not meet the conflict
                    stage.view.send(f"message {number}")
                    await inbox.holds(number + 2)
        said = [r.message for r in caplog.records if "poll" in r.message]
        assert said == [
            "another program polls with the same token",
            "polling alone again",
            "another program polls with the same token",
            "polling alone again",
        ]


async def test_a_webhook_is_taken_away() -> None:
    async with staged(private, clock=HastyClock()) as stage:
        stage.telegram.updates.webhook_url = "https://example.com/hook"
        inbox = Inbox()
        async with listening(stage.platform, inbox):
            await inbox.holds()
        assert stage.telegram.updates.webhook_url == ""


@pytest.mark.parametrize(("status", "text"), [(429, ""), (409, "terminated by other setWebhook")])
async def test_a_webhook_that_is_being_set_at_this_moment_is_taken_away_later(
    status: int, text: str
) -> None:
    async with staged(private, clock=HastyClock()) as stage:
        stage.telegram.updates.webhook_url = "https://example.com/hook"
        if status == 429:
            stage.telegram.faults.refuse_next(1, method="deleteWebhook")
        else:
            stage.telegram.faults.fail_next(status, text, method="deleteWebhook")
        inbox = Inbox()
        async with listening(stage.platform, inbox):
            await inbox.holds()
        assert stage.telegram.updates.webhook_url == ""


async def test_an_update_with_an_impossible_number_is_kept_and_passed_over() -> None:
    inbox = Inbox()
    ann = {"id": 1001, "is_bot": False, "first_name": "Ann"}
    async with staged(clock=HastyClock()) as stage, listening(stage.platform, inbox):
        await inbox.holds()
        for number in (float("inf"), float("nan")):
            chat = {"id": 1001, "type": "private", "first_name": "Ann"}
            message = {"message_id": number, "from": ann, "chat": chat, "text": "from nowhere"}
            stage.telegram.updates.add_raw({"message": message})
        stage.view.send("from here")
        await inbox.holds(4)
        kept = [event for event in inbox.events if isinstance(event, Unreadable)]
        assert ["from nowhere" in event.raw for event in kept] == [True, True]
        assert inbox.texts[-1] == "from here"


async def test_an_update_with_an_impossible_date_is_kept_and_passed_over() -> None:
    """Of a long text the date tells whether the next message goes on with it."""
    inbox = Inbox()
    ann = {"id": 1001, "is_bot": False, "first_name": "Ann"}
    async with staged(clock=HastyClock()) as stage, listening(stage.platform, inbox):
        await inbox.holds()
        chat = {"id": 1001, "type": "private", "first_name": "Ann"}
        message = {"message_id": 7, "from": ann, "chat": chat, "text": "long " * 800, "date": "now"}
        stage.telegram.updates.add_raw({"message": message})
        stage.view.send("from here")
        await inbox.holds(3)
        kept = [event for event in inbox.events if isinstance(event, Unreadable)]
        assert ["long long" in event.raw for event in kept] == [True]
        assert inbox.texts[-1] == "from here"


async def test_ids_that_go_on_at_a_lower_number_are_followed() -> None:
    inbox = Inbox()
    async with staged() as stage:

        async def sink(event: Happening) -> None:
            if isinstance(event, IncomingMessage) and event.text == "second":
                stage.view.send("third")  # the bot does not ask for it yet
            await inbox(event)

        async with listening(stage.platform, sink):
            await inbox.holds()
            await stage.telegram.changes.until(lambda: stage.telegram.updates.polling)
            stage.telegram.updates.begin_anew(5)
            stage.view.send("second")
            await inbox.holds(3)
            await stage.telegram.changes.until(lambda: stage.telegram.updates.polling)
        assert inbox.texts == ["hi", "second", "third"]
        assert stage.telegram.updates.pending == []


async def test_a_lower_id_is_asked_for_after_a_pause() -> None:
    inbox, clock = Inbox(), ManualClock()
    async with staged(clock=clock) as stage, listening(stage.platform, inbox):
        updates, changes = stage.telegram.updates, stage.telegram.changes
        await inbox.holds()
        await changes.until(lambda: updates.polling)
        with changes.watch() as polls:
            updates.wake()  # the time of the poll is up, and nothing came
            await polls.get()
        updates.conflict()  # the bot has to wait before it asks again
        updates.begin_anew(5)
        stage.view.send("second")
        await clock.drive(inbox.holds(2))
        assert inbox.texts == ["hi", "second"]
