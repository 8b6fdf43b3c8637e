"""Staying connected, and losing nothing on the way in."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import pytest
from pydantic import SecretStr

from bot.core.clock import SystemClock
from bot.core.fakes.clock import ManualClock
from bot.core.ports import Clock
from bot.core.types import Unreadable
from bot.errors import ConfigError
from bot.platforms import slack
from bot.platforms.slack import adapter, directory, sockets
from bot.platforms.slack.calls import Calls
from bot.platforms.slack.sockets import Sockets
from bot.sandbox.slack import events
from bot.sandbox.slack.server import SlackSandbox
from tests.intake import Inbox
from tests.patience import PATIENCE
from tests.platforms.slack.running import Running, running


async def test_an_event_is_acknowledged_only_when_it_is_stored(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    bot.inbox.refusals = math.inf
    await ada.dm.send("hello")
    await bot.inbox.has_refused()
    assert bot.sandbox.sockets.unacked
    assert bot.inbox.events == []
    bot.inbox.refusals = 0
    await bot.settled()
    assert [bot.inbox.message().text] == ["hello"]


async def test_what_was_not_acknowledged_comes_again_with_the_same_key(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    await ada.dm.send("hello")
    await bot.settled()
    bot.sandbox.sockets.resend(bot.sandbox.sockets.envelopes[0])
    await bot.inbox.holds(2)
    assert bot.inbox.message(0).key == bot.inbox.message(1).key


async def test_messages_of_one_chat_are_stored_in_order(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    said = [f"message {n}" for n in range(30)]
    for text in said:
        await ada.dm.send(text)
    await bot.inbox.holds(30)
    assert [bot.inbox.message(at).text for at in range(30)] == said


@pytest.mark.usefixtures("impatient")
async def test_a_name_that_is_long_in_coming_does_not_hold_up_the_message(bot: Running) -> None:
    ada = bot.sandbox.person("Ada", id="U0ADA")
    bot.sandbox.faults.hang_next(method="users.info")
    await ada.dm.send("hello")
    assert (await bot.inbox.heard()).sender.name == "U0ADA"


async def test_names_that_are_long_in_coming_hold_up_a_whole_channel_no_longer_than_one(
    sandbox: SlackSandbox, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "PATIENCE", 1.0)
    channel = sandbox.channel("general")
    people = [sandbox.person(f"P{number}") for number in range(8)]
    sandbox.faults.hang_next(method="users.info", times=8)
    async with running(sandbox, clock=clock) as bot:
        for person in people:
            await person.channel(channel).send("<@BOT> hello")
        await people[0].channel(channel).slash("/help")
        await sandbox.wait_for(lambda: len(sandbox.calls_to("users.info")) == 8)
        # Slack waits for 3 s: then it sends an event again, and says that a command has failed.
        while clock.monotonic() < 2.5:
            await asyncio.sleep(0.01)
            await clock.advance(0.1)
        assert bot.inbox.texts == ["hello"] * 16 + ["/help"]
        await bot.settled()
        assert {envelope.attempt for envelope in sandbox.sockets.envelopes} == {0}


@pytest.mark.usefixtures("impatient")
async def test_a_name_that_came_too_late_is_known_for_the_next_message(bot: Running) -> None:
    ada = bot.sandbox.person("Ada", id="U0ADA")
    bot.sandbox.faults.hang_next(method="users.info")
    await ada.dm.send("hello")
    await ada.dm.send("hello?")
    assert (await bot.inbox.heard(2)).sender.name == "U0ADA"
    bot.sandbox.let_go()
    await ada.dm.send("hello!")
    assert (await bot.inbox.heard(3)).sender.name == "Ada"
    assert len(bot.sandbox.calls_to("users.info")) == 1


async def test_what_nobody_can_read_is_kept_and_acknowledged(bot: Running) -> None:
    workspace = bot.sandbox.workspace
    event = {"type": "message", "channel": "D1", "channel_type": "im", "user": "U1", "text": "x"}
    bot.sandbox.sockets.tell("events_api", events.callback(workspace, event))  # no ts
    await bot.settled()
    (kept,) = bot.inbox.events
    assert isinstance(kept, Unreadable)
    assert '"type": "message"' in kept.raw
    assert kept.platform == "slack"


async def test_what_slack_invents_next_year_is_acknowledged(bot: Running) -> None:
    workspace = bot.sandbox.workspace
    bot.sandbox.sockets.tell("events_api", events.callback(workspace, {"type": "hologram_shared"}))
    bot.sandbox.sockets.tell("interactive", {"type": "shortcut", "callback_id": "x"})
    await bot.settled()
    assert bot.inbox.events == []


async def test_a_broken_connection_is_replaced_and_nothing_is_lost(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    await bot.sandbox.sockets.disconnect()
    await ada.dm.send("are you there?")
    await bot.inbox.holds(1)
    assert bot.sandbox.sockets.opened == 2


async def test_a_refresh_asked_for_by_slack_loses_nothing(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    await bot.sandbox.sockets.refresh()
    for n in range(5):
        await ada.dm.send(f"message {n}")
    await bot.settled()
    texts = {bot.inbox.message(at).text for at in range(len(bot.inbox.events))}
    assert texts == {f"message {n}" for n in range(5)}


class Alarm(logging.Handler):
    """Rings when a certain phrase is logged."""

    def __init__(self, phrase: str) -> None:
        super().__init__()
        self._phrase = phrase
        self.rung = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == self._phrase:
            self.rung.set()


@asynccontextmanager
async def connected(
    sandbox: SlackSandbox, heard: asyncio.Event, clock: Clock
) -> AsyncIterator[Alarm]:
    """A socket that takes half a second of silence for deafness."""
    calls = Calls(sandbox.bot_token, base_url=sandbox.base_url, clock=clock)
    socket = Sockets(calls, sandbox.app_token, clock=clock, silence=0.5, ping_every=0.05)

    async def take(body: object) -> bool:
        heard.set()
        return True

    alarm, log = Alarm("socket gone deaf, reconnecting"), logging.getLogger(Sockets.__module__)
    log.addHandler(alarm)
    task = asyncio.create_task(socket.run(take, lambda: None))
    try:
        yield alarm
    finally:
        log.removeHandler(alarm)
        task.cancel()
        await asyncio.wait({task})
        await calls.close()


async def test_a_deaf_connection_is_noticed_and_replaced(sandbox: SlackSandbox) -> None:
    sandbox.sockets.deaf = True
    heard = asyncio.Event()
    async with asyncio.timeout(PATIENCE), connected(sandbox, heard, SystemClock()) as alarm:
        await alarm.rung.wait()
        sandbox.sockets.deaf = False
        await sandbox.person("Ada").dm.send("hello")
        await heard.wait()


async def test_a_connection_that_is_alive_stays(sandbox: SlackSandbox, clock: ManualClock) -> None:
    async with connected(sandbox, asyncio.Event(), clock) as alarm:
        for _ in range(10):
            await asyncio.sleep(0.1)  # time for two pings, of which one in five would do
            await clock.advance(0.1)
        assert not alarm.rung.is_set()


async def test_a_connection_that_closes_amid_events_lets_them_come_again(
    sandbox: SlackSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    ada = sandbox.person("Ada")
    for _ in range(5):
        heard = asyncio.Event()
        async with asyncio.timeout(PATIENCE), connected(sandbox, heard, SystemClock()):
            await ada.dm.send("hello")
            await heard.wait()
            for _ in range(100):
                await ada.dm.send("and another thing")
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_what_comes_while_the_connection_closes_amid_events_is_stored_too(
    sandbox: SlackSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "SETTLING", PATIENCE)
    ada, ready, database = sandbox.person("Ada"), asyncio.Event(), asyncio.Event()
    taken = asyncio.Queue[object]()

    async def take(body: object) -> bool:
        taken.put_nowait(body)
        return await database.wait()

    calls = Calls(sandbox.bot_token, base_url=sandbox.base_url, clock=SystemClock())
    running = asyncio.create_task(
        Sockets(calls, sandbox.app_token, clock=SystemClock()).run(take, ready.set)
    )
    async with asyncio.timeout(PATIENCE):
        await ready.wait()
        await ada.dm.send("one")
        await taken.get()
        running.cancel()
        await ada.dm.send("two")
        await taken.get()
        database.set()
        await asyncio.wait({running})
    await calls.close()
    assert not sandbox.sockets.unacked


async def test_slack_being_down_at_the_start_is_waited_for(
    sandbox: SlackSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "FIRST_PAUSE", 0.05)
    sandbox.faults.fail_next(503, method="auth.test")
    sandbox.faults.refuse_next(1, method="apps.connections.open")
    async with running(sandbox) as bot:
        assert bot.sandbox.sockets.connected


@pytest.mark.parametrize(
    ("wrong", "token"), [("bot_token", "xoxb-wrong"), ("app_token", "xapp-wrong")]
)
async def test_a_wrong_token_ends_the_run_with_what_to_do(
    sandbox: SlackSandbox, wrong: str, token: str
) -> None:
    tokens = {"bot_token": sandbox.bot_token, "app_token": sandbox.app_token, wrong: token}
    settings = slack.SlackSettings.model_validate({**tokens, "base_url": sandbox.base_url})
    platform = slack.connect(settings, clock=SystemClock())
    with pytest.raises(ConfigError, match=f"slack.{wrong}"):
        await platform.run(Inbox(), lambda: None)
    await platform.close()


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (slack.SlackSettings(), "slack.bot_token"),
        (slack.SlackSettings(bot_token=SecretStr("xoxb-1")), "slack.app_token"),
        (
            slack.SlackSettings(
                bot_token=SecretStr("xoxb-1"), app_token=SecretStr("xapp-1"), mode="http"
            ),
            "slack.signing_secret",
        ),
        (
            slack.SlackSettings(
                bot_token=SecretStr("xoxb-1"), signing_secret=SecretStr("s"), mode="http"
            ),
            "socket",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(
    settings: slack.SlackSettings, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        slack.connect(settings, clock=SystemClock())


async def test_calls_and_files_go_through_the_proxy_that_the_environment_names(
    sandbox: SlackSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = urlsplit(sandbox.base_url)
    monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.netloc}")
    nowhere = urlunsplit(proxy._replace(netloc="slack.invalid"))
    calls = Calls(sandbox.bot_token, base_url=nowhere, clock=SystemClock())
    try:
        assert (await calls.call("auth.test", {}))["ok"]
        async with calls.session.get(f"{nowhere}auth.test") as answer:
            assert answer.status == 200
    finally:
        await calls.close()
