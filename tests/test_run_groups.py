"""Groups, also those that become supergroups: for the people nothing changes."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path

from bot.sandbox.openai import ScriptedApi
from bot.sandbox.openai.scripted import Answer
from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.telegram.view import ChatView
from tests.processes import Launcher
from tests.running import ENDED_SOON, started

SLOW = Answer(text="slow words " * 30, chunk=11, pace=0.1)
ENDLESS = Answer(text="slow words " * 300, chunk=11, pace=0.1)


async def test_each_answer_replies_to_its_question_when_people_ask_at_once(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    group = telegram.group("Friends")
    ann = group.seen_by(telegram.person(name="Ann"))
    bob = group.seen_by(telegram.person(id=1002, name="Bob"))
    async with started(launcher, telegram, api, tmp_path):
        with api.held(after=5):
            first = ann.send("@sandbox_bot one")
            await ann.wait_for(lambda s: "You said" in s.text)
            second = bob.send("@sandbox_bot two")
            await bob.wait_for(lambda s: "⏳ 1 message before yours" in s.answers[-1].text)
        await ann.wait_for(lambda s: "Bob: two" in s.answers[-1].text)
    assert [seen.reply_to for seen in ann.screen().answers] == [first, second]


async def test_who_waits_is_told_while_an_answer_takes_all_the_calls_that_a_group_has(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    group = telegram.group("Friends")
    ann = group.seen_by(telegram.person(name="Ann"))
    bob = group.seen_by(telegram.person(id=1002, name="Bob"))
    api.script.answer(replace(ENDLESS, first=0.5))
    async with started(launcher, telegram, api, tmp_path, prelude=ENDED_SOON):
        ann.send("@sandbox_bot tell me")
        await ann.wait_for(lambda s: "slow words" in s.text)
        bob.send("@sandbox_bot two")
        bob.send("@sandbox_bot three")
        await bob.wait_for(lambda s: s.answers[-1].text.startswith("⏳"))
        assert "⏹ Stop" in str(bob.screen().answers[0].buttons)


async def test_a_group_is_known_again_by_its_new_id(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    ann = telegram.person(name="Ann")
    group = telegram.group("Friends", basic=True)
    only = json.dumps([f"telegram:{group.id}"])
    closed = {
        "BOT_ACCESS__OPEN": "false",
        "BOT_ACCESS__ADMINS": "[]",
        "BOT_ACCESS__CHATS": only,
    }
    chat = group.seen_by(ann)
    async with started(launcher, telegram, api, tmp_path, env=closed) as bot:
        chat.send("@sandbox_bot /model gpt-4o")
        await chat.wait_for(lambda s: "From now on gpt-4o answers" in s.text)
        chat.send("@sandbox_bot I am Bob")
        await chat.wait_for(lambda s: "You said: Ann: I am Bob" in s.text)
        now = group.upgrade(ann).seen_by(ann)
        now.send("@sandbox_bot Who am I?")
        await now.wait_for(lambda s: "Who am I?" in s.text and s.answers[-1].buttons)
        bot.signal(signal.SIGTERM)
        assert await bot.ended == 0
    asked = api.traffic.requests[-1].json
    assert asked["model"] == "gpt-4o" and "I am Bob" in str(asked["messages"])
    async with started(launcher, telegram, api, tmp_path, env=closed):  # and it stays so
        now.send("@sandbox_bot Still there?")
        await now.wait_for(lambda s: "Still there?" in s.answers[-1].text)
    assert "I am Bob" in str(api.traffic.requests[-1].json["messages"])
    assert "where the configuration names the old id" in (tmp_path / "log").read_text()


async def overtaken(telegram: Telegram, api: ScriptedApi, answer: Answer) -> ChatView:
    """The supergroup that a group became in the middle of this answer, which goes on there."""
    ann = telegram.person(name="Ann")
    group = telegram.group("Friends", basic=True)
    chat = group.seen_by(ann)
    api.script.answer(answer)
    chat.send("@sandbox_bot tell me")
    await chat.wait_for(lambda s: "slow words" in s.text)
    now = group.upgrade(ann).seen_by(ann)
    await now.wait_for(lambda s: "slow words" in s.text)
    return now


async def test_an_answer_goes_on_in_the_supergroup(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    async with started(launcher, telegram, api, tmp_path):
        now = await overtaken(telegram, api, SLOW)
        now.send("@sandbox_bot and this?")
        api.script.answer("That, too.")
        await now.wait_for(lambda s: s.answers[-1].text == "That, too.")
    answers = [message.text for message in now.kept() if message.by_bot]
    assert answers == [SLOW.text.strip(), "That, too."]
    asked = [each for each in api.traffic.requests if each.endpoint == "/chat/completions"]
    assert len(asked) == 2, "the answer was asked for again"


async def test_stop_reaches_an_answer_that_was_begun_in_the_group(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    async with started(launcher, telegram, api, tmp_path):
        now = await overtaken(telegram, api, ENDLESS)
        now.press("⏹ Stop")
        await now.wait_for(lambda s: "Stopped" in s.answers[-1].text)
        await now.wait_for(lambda s: "Regenerate" in str(s.answers[-1].buttons))
        api.script.answer("Quick now.")
        now.press("🔁 Regenerate")
        await now.wait_for(lambda s: s.answers[-1].text == "Quick now.")
