"""The whole thing as an operator runs it: a real process, killed and started again."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from bot.sandbox.openai import ScriptedApi
from bot.sandbox.openai.faults import Stall
from bot.sandbox.openai.scripted import Answer
from bot.sandbox.telegram.telegram import Telegram
from bot.store import StorageSettings, admin, migrate
from bot.store.purging import AT_ONCE
from bot.store.schema import turns
from tests.environment import free_port
from tests.patience import PATIENCE, until
from tests.processes import Launcher
from tests.running import ENDED_SOON, imported, started
from tests.sounds import beeps
from tests.store.aging import count, grow

UNUSED = {
    "sqlalchemy.ext.asyncio",
    "sqlalchemy.orm",
    "sqlalchemy.dialects.postgresql",
    "asyncpg",
    "greenlet",
    "alembic",
    "structlog",
    "slack_sdk",
    "slack_bolt",
    "bot.platforms.slack.adapter",
    "prompt_toolkit",
    "babel",
    "PIL",
    "av",
    "genai_prices",
    "prometheus_client",
    "frozenlist._frozenlist",
}
"""What a bot with Telegram and SQLite that nobody has written to can do without: 60 MB or more."""

AT_ONCE_THEN_NEVER = "from bot.core import upkeep; upkeep.FIRST, upkeep.REST = 0.0, 1e6"
"""A bot purges as soon as it runs, and has a long rest after the first few rows."""

WITH_SIGHUP = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL)"
UNDER_NOHUP = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)"

SLOW = Answer(text="slow words " * 30, chunk=11, pace=0.1)


IN_THE_IMAGE = {"PYTHONOPTIMIZE": "2", "MALLOC_ARENA_MAX": "1"}
"""What the Dockerfile sets: without docstrings and assertions."""


@pytest.mark.parametrize("environment", [{}, IN_THE_IMAGE], ids=["plain", "image"])
async def test_a_person_chats_draws_speaks_and_chooses_a_model(
    launcher: Launcher,
    telegram: Telegram,
    api: ScriptedApi,
    tmp_path: Path,
    environment: dict[str, str],
) -> None:
    chat = telegram.person(name="Ann").private()
    async with started(launcher, telegram, api, tmp_path, env=environment, fresh=True):
        chat.send("hello")
        await chat.wait_for(lambda s: "You said: hello" in s.text)
        chat.send("/model gpt-4o")
        await chat.wait_for(lambda s: "From now on gpt-4o answers" in s.text)
        chat.send("/image a lighthouse")
        await chat.wait_for(lambda s: any(m.file for m in s.answers))
        api.script.transcribe("Can you hear me?")
        chat.send_voice(beeps(1.0), seconds=1)
        await chat.wait_for(lambda s: "Can you hear me?" in s.text)
        await chat.wait_for(lambda s: "the model's name: gpt-4o." in s.answers[-1].text)
    log = (tmp_path / "log").read_text()
    assert "hello" not in log and telegram.token not in log and "sk-sandbox" not in log


async def test_what_a_model_refused_is_not_sent_to_it_after_a_restart(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    chat = telegram.person(name="Ann").private()
    async with started(launcher, telegram, api, tmp_path):
        chat.send("/model o3-mini")
        await chat.wait_for(lambda s: "From now on o3-mini answers" in s.text)
        chat.send("/set max_tokens 500")
        await chat.wait_for(lambda s: "500" in s.answers[-1].text)
        chat.send("hello")
        await chat.wait_for(lambda s: "You said: hello" in s.text)
    async with started(launcher, telegram, api, tmp_path):
        chat.send("are you there?")
        await chat.wait_for(lambda s: "You said: are you there?" in s.text)
    asked = api.traffic.to("/chat/completions")
    assert [request.status for request in asked] == [400, 200, 200]
    assert asked[-1].json["max_completion_tokens"] == 500


async def test_what_was_forgotten_is_not_answered_anew_when_somebody_likes_it(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    chat = telegram.person(name="Ann").private()
    async with started(launcher, telegram, api, tmp_path):
        question = chat.send("hello")
        await chat.wait_for(lambda s: "You said: hello" in s.text)
        chat.like(question)
        chat.send("/forget me yes")
        await chat.wait_for(lambda s: "Forgotten: everything you said" in s.text)
        chat.like(question)
        chat.send("are you there?")
        screen = await chat.wait_for(lambda s: "You said: are you there?" in s.text)
    assert screen.text.count("You said: hello") == 1
    asked = api.traffic.to("/chat/completions")
    assert "hello" not in str(asked[-1].json["messages"])


async def test_what_telegram_posts_is_answered_once_over_a_kill(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    port = free_port()
    telegram.local = True
    posted = {
        "BOT_TELEGRAM__MODE": "webhook",
        "BOT_TELEGRAM__WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram",
        "BOT_WEB__PORT": str(port),
    }
    chat = telegram.person(name="Ann").private()
    async with started(launcher, telegram, api, tmp_path, env=posted) as bot:
        chat.send("hello")
        await chat.wait_for(lambda s: "You said: hello" in s.text)
        api.script.answer(SLOW, SLOW)
        chat.send("slowly")
        await chat.wait_for(lambda s: "slow words" in s.text)
        await bot.kill()
        chat.send("are you there?")
    async with started(launcher, telegram, api, tmp_path, env=posted):
        await chat.wait_for(lambda s: "You said: are you there?" in s.text)
    shown = [message.text for message in chat.kept() if message.by_bot]
    assert len(shown) == 3 and shown[1].strip() == SLOW.text.strip()
    assert not telegram.updates.pending
    assert telegram.token not in (tmp_path / "log").read_text()


async def test_a_text_that_the_app_cuts_into_messages_is_one_question(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    chat = telegram.person(name="Ann").private()
    api.script.answer("About all of it.")
    async with started(launcher, telegram, api, tmp_path):
        chat.send("word " * 2000)  # three messages
        await chat.wait_for(lambda s: s.answers and s.answers[-1].buttons == (("🔁 Regenerate",),))
        chat.send("and now?")
        await chat.wait_for(lambda s: "and now?" in s.answers[-1].text)
    asked = [request.json["messages"] for request in api.traffic.to("/chat/completions")]
    assert [len(messages) for messages in asked] == [1, 3]
    assert asked[0][0]["content"].replace("\n", "").split() == ["word"] * 2000
    assert asked[1][1]["content"] == "About all of it."


async def test_a_beginning_whose_receipt_got_lost_does_not_stand_there_twice(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    chat = telegram.person(name="Ann").private()
    api.script.answer(SLOW)
    async with started(launcher, telegram, api, tmp_path):
        telegram.faults.drop_next(method="sendMessage")
        chat.send("tell me")
        await chat.wait_for(lambda s: any(("🔁 Regenerate",) in m.buttons for m in s.answers))
        [answer] = chat.screen().answers
        assert answer.text == SLOW.text.strip()


async def test_the_conversation_is_there_after_a_restart(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    chat = telegram.person(name="Ann").private()
    async with started(launcher, telegram, api, tmp_path) as bot:
        chat.send("I am Bob")
        await chat.wait_for(lambda s: "You said: I am Bob" in s.text)
        bot.signal(signal.SIGTERM)
        assert await bot.ended == 0
    async with started(launcher, telegram, api, tmp_path):
        chat.send("Who am I?")
        await chat.wait_for(lambda s: "Who am I?" in s.answers[-1].text)
    assert "I am Bob" in str(api.traffic.requests[-1].json["messages"])


async def test_an_answer_whose_process_was_killed_is_finished_in_its_place(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    chat = telegram.person(name="Ann").private()
    api.script.answer(SLOW)
    api.faults.add(Stall(after=9), on="/chat/completions")  # it does not end before the process
    async with started(launcher, telegram, api, tmp_path) as bot:
        chat.send("tell me")
        await chat.wait_for(lambda s: "slow words slow words slow" in s.text)  # it was edited
        await bot.kill()
    api.script.answer("Whole now.")
    async with started(launcher, telegram, api, tmp_path):
        await chat.wait_for(lambda s: s.answers[-1].text == "Whole now.")
    assert [message.text for message in chat.kept() if message.by_bot] == ["Whole now."]


async def test_a_bot_whose_terminal_is_closed_ends_its_answers_first(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    api.script.answer(Answer(text="slow words " * 10, chunk=11, pace=0.1))
    chat = telegram.person(name="Ann").private()
    async with started(launcher, telegram, api, tmp_path, prelude=WITH_SIGHUP) as bot:
        chat.send("hello")
        await chat.wait_for(lambda s: "slow words" in s.text)
        bot.signal(signal.SIGHUP)
        await until(lambda: says(tmp_path, "stopping"))
        bot.signal(signal.SIGHUP)  # the shell, too, tells of it
        async with asyncio.timeout(PATIENCE):
            assert await bot.ended == 0
    assert chat.kept()[-1].text == ("slow words " * 10).strip()


async def test_a_bot_under_nohup_outlives_its_terminal(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    chat = telegram.person(name="Ann").private()
    async with started(launcher, telegram, api, tmp_path, prelude=UNDER_NOHUP) as bot:
        bot.signal(signal.SIGHUP)
        chat.send("hello")
        await chat.wait_for(lambda s: "You said: hello" in s.text)


async def says(folder: Path, event: str) -> bool:
    """Whether a bot has logged that."""
    return f'"event": "{event}"' in (folder / "log").read_text()


async def test_a_bot_is_ended_soon_while_telegram_does_not_answer_and_loses_nothing(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    chat = telegram.person(name="Ann").private()
    api.script.answer(SLOW)
    async with started(launcher, telegram, api, tmp_path, prelude=ENDED_SOON) as bot:
        chat.send("tell me")
        await chat.wait_for(lambda s: "slow words" in s.text)
        for method in ("editMessageText", "sendMessage", "sendChatAction"):
            telegram.faults.hang_next(method=method, times=1000)
        await until(lambda: any(call.description == "hung" for call in telegram.calls))
        async with asyncio.timeout(8):
            bot.signal(signal.SIGTERM)
            assert await bot.ended == 0
    telegram.faults.clear()
    api.script.answer("Whole now.")
    async with started(launcher, telegram, api, tmp_path):
        await chat.wait_for(lambda s: s.answers[-1].text == "Whole now.")
    assert [message.text for message in chat.kept() if message.by_bot] == ["Whole now."]


async def test_what_was_said_since_a_backup_stands_when_it_is_restored(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    database = StorageSettings(url=f"sqlite:///{tmp_path}/chinwag.db")

    async def is_waiting() -> bool:
        return await count(database, turns) == 2

    chat = telegram.person(name="Ann").private()
    async with started(launcher, telegram, api, tmp_path):
        api.script.answer(Answer(text="slow words " * 20, chunk=11, pace=0.1))
        chat.send("slowly")
        await chat.wait_for(lambda s: "slow words" in s.text)
        chat.send("waiting")
        await until(is_waiting)
        await admin.backup(database, tmp_path / "copy.db")
        await chat.wait_for(lambda s: "You said: waiting" in s.text)
        chat.send("later")
        await chat.wait_for(lambda s: "You said: later" in s.text)
    before = chat.kept()
    restored = {"BOT_STORAGE__URL": f"sqlite:///{tmp_path}/copy.db"}
    async with started(launcher, telegram, api, tmp_path, env=restored):
        chat.send("are you there?")
        await chat.wait_for(lambda s: "You said: are you there?" in s.text)
    after = chat.kept()
    assert [message.text for message in after[: len(before)]] == [m.text for m in before]
    assert len(after) == len(before) + 2


async def test_an_idle_bot_keeps_nothing_in_memory_that_it_may_never_need(
    launcher: Launcher,
    telegram: Telegram,
    api: ScriptedApi,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")  # the log tells each import
    async with started(launcher, telegram, api, tmp_path, fresh=True):
        pass
    modules = imported(tmp_path)
    assert modules >= {"telegram", "sqlalchemy", "bot.core.engine.lanes"}
    assert not modules & UNUSED


async def test_a_bot_purges_by_itself_and_does_not_wait_for_that_when_it_is_ended(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    storage = StorageSettings(url=f"sqlite:///{tmp_path}/chinwag.db")
    await migrate.upgrade(storage)
    await grow(storage, 3 * AT_ONCE)
    async with started(launcher, telegram, api, tmp_path, prelude=AT_ONCE_THEN_NEVER) as bot:
        async with asyncio.timeout(30):
            while await count(storage, turns) == 3 * AT_ONCE:  # noqa: ASYNC110  # a state
                await asyncio.sleep(0.01)
        async with asyncio.timeout(5):
            bot.signal(signal.SIGTERM)
            assert await bot.ended == 0
    assert await count(storage, turns) == 2 * AT_ONCE
