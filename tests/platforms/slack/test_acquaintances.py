"""People and threads that have spoken to the bot before: known without waiting for Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.stores import Stores
from bot.core.types import Sender, UserId
from bot.sandbox.slack.server import SlackSandbox
from bot.store import StorageSettings, open_store
from tests.platforms.slack.running import Running, running

ADA = Sender(UserId("U0ADA"), "Ada", "zh-CN")


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_store(StorageSettings(url=f"sqlite:///{tmp_path}/bot.db")) as stores:
        yield stores


@pytest.fixture
async def bot(sandbox: SlackSandbox, stores: Stores) -> AsyncIterator[Running]:
    """A bot that Ada has spoken to before it was started."""
    await stores.users.seen("slack", ADA)
    async with running(sandbox, stores.users) as found:
        yield found


async def test_who_has_spoken_here_before_is_known_though_slack_is_slow(bot: Running) -> None:
    ada = bot.sandbox.person("Ada", id=ADA.id, locale="zh-CN")
    bot.sandbox.faults.hang_next(method="users.info")
    await ada.dm.send("hello")
    assert (await bot.inbox.heard()).sender == ADA


async def test_a_name_that_has_changed_is_learnt_for_the_next_message(bot: Running) -> None:
    ada = bot.sandbox.person("Ada Lovelace", id=ADA.id, locale="en-GB")
    await ada.dm.send("hello")
    assert (await bot.inbox.heard()).sender == ADA
    for count in range(2, 50):  # nothing waits for Slack's answer, so it comes at some time
        await ada.dm.send("hello?")
        if (await bot.inbox.heard(count)).sender != ADA:
            break
    assert bot.inbox.message().sender == Sender(UserId("U0ADA"), "Ada Lovelace", "en-GB")
    assert len(bot.sandbox.calls_to("users.info")) == 1


async def test_who_was_known_by_their_id_alone_is_asked_for(bot: Running, stores: Stores) -> None:
    await stores.users.seen("slack", Sender(UserId("U0BOB"), "U0BOB"))
    bob = bot.sandbox.person("Bob", id="U0BOB")
    await bob.dm.send("hello")
    assert (await bot.inbox.heard()).sender.name == "Bob"


async def test_a_name_that_slack_does_not_tell_any_more_stays(bot: Running) -> None:
    bot.sandbox.workspace.scopes.discard("users:read")
    ada = bot.sandbox.person("Ada", id=ADA.id)
    for count in (1, 2):
        await ada.dm.send("hello")
        await bot.inbox.holds(count)
    assert bot.inbox.message().sender == ADA


async def test_a_thread_that_began_with_a_question_here_is_known_though_slack_is_slow(
    sandbox: SlackSandbox, stores: Stores
) -> None:
    ada = sandbox.person("Ada")
    general = ada.channel(sandbox.channel("general"))
    question, remark = await general.send("<@BOT> what is this?"), await general.send("lunch?")
    async with running(sandbox) as before:
        await before.inbox.holds(3)
        await before.settled()
        for message in map(before.inbox.message, range(3)):
            if message.addressed:
                await stores.turns.accept(message, urgent=False)
    async with running(sandbox, stores.users, stores.turns) as after:
        sandbox.faults.hang_next(method="conversations.replies")
        await ada.thread(question).send("and why?")
        assert (await after.inbox.heard()).addressed
        assert sandbox.calls_to("conversations.replies") == []
        await ada.thread(remark).send("yes!")
        await sandbox.wait_for(lambda: bool(sandbox.calls_to("conversations.replies")))
        sandbox.let_go()
        assert not (await after.inbox.heard(2)).addressed
