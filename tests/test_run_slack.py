"""Slack as an operator runs it: a real process, killed, stopped and started again."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot import serving
from bot.core.delivery import delivery
from bot.core.engine import notices
from bot.platforms.slack import status, streams
from bot.sandbox.openai import ScriptedApi
from bot.sandbox.openai.scripted import Answer
from bot.sandbox.slack.people import Place
from bot.sandbox.slack.server import SlackSandbox
from bot.sandbox.slack.state import Seen
from tests.environment import free_port
from tests.processes import Launcher
from tests.running import ENDED_SOON, imported, started_in_slack

SLOW = Answer(text="slow words " * 300, chunk=11, pace=0.05)


@pytest.fixture
async def slack() -> AsyncGenerator[SlackSandbox]:
    async with SlackSandbox() as slack:
        yield slack


async def sees(slack: SlackSandbox, place: Place, word: str) -> Seen:
    """Wait until the bot's newest message holds a word; return the message."""

    def there() -> bool:
        answers = place.answers()
        return bool(answers) and word in answers[-1].text

    await slack.wait_for(there)
    return place.answers()[-1]


async def test_people_chat_rate_and_stop(
    launcher: Launcher, slack: SlackSandbox, api: ScriptedApi, tmp_path: Path
) -> None:
    ada, bea = slack.person("Ada"), slack.person("Bea")
    general = slack.channel("general")
    async with started_in_slack(launcher, slack, api, tmp_path):
        question = await ada.channel(general).send("<@BOT> hello")
        thread = bea.thread(question)
        await sees(slack, thread, "You said:** Ada: hello")
        await slack.wait_for(lambda: thread.answers()[-1].thumbs)
        await thread.send("and why?")
        await sees(slack, thread, "You said:** Bea: and why?")
        await slack.wait_for(lambda: thread.answers()[-1].thumbs)
        await thread.rate(good=True)
        await sees(slack, thread, "Thank you!")
        api.script.answer(SLOW)
        await ada.dm.send("a story")
        await sees(slack, ada.dm, "slow words")
        await ada.dm.stop()
        stopped = await sees(slack, ada.dm, "Stopped.")
        assert stopped.text.startswith("slow words")
        await slack.wait_for(lambda: not ada.dm.stoppable())
        await slack.wait_for(lambda: not slack.sockets.unacked)
    log = (tmp_path / "log").read_text()
    secrets = ("slow", "and why", slack.bot_token, slack.app_token, "sk-sandbox")
    assert not [secret for secret in secrets if secret in log]
    assert not [call for call in slack.calls if call.error not in {"", *ENDED}]


async def test_a_channel_chooses_for_its_threads(
    launcher: Launcher, slack: SlackSandbox, api: ScriptedApi, tmp_path: Path
) -> None:
    ada, general = slack.person("Ada"), slack.channel("general")
    async with started_in_slack(launcher, slack, api, tmp_path):
        await ada.channel(general).slash("/model gpt-4o")
        await sees(slack, ada.channel(general), "From now on **gpt-4o** answers in this chat.")
        question = await ada.channel(general).send("<@BOT> hello")
        await sees(slack, ada.thread(question), "the model's name: gpt-4o.")


async def test_an_answer_that_had_to_wait_stands_in_the_thread_of_its_question(
    launcher: Launcher, slack: SlackSandbox, api: ScriptedApi, tmp_path: Path
) -> None:
    ada = slack.person("Ada")
    api.script.answer(SLOW, "a short answer")
    async with started_in_slack(launcher, slack, api, tmp_path):
        await ada.dm.send("a story")
        await sees(slack, ada.dm, "slow words")
        second = await ada.dm.send("and a joke?")
        await sees(slack, ada.dm, "⏳ 1 message before yours")
        await ada.dm.slash("/chinwag stop")
        assert (await sees(slack, ada.thread(second), "a short answer")).thread == second.ts


async def test_the_work_is_shown_where_the_answer_to_several_messages_will_stand(
    launcher: Launcher, slack: SlackSandbox, api: ScriptedApi, tmp_path: Path
) -> None:
    ada = slack.person("Ada")
    api.script.answer(SLOW, "a joke")
    async with started_in_slack(launcher, slack, api, tmp_path):
        await ada.dm.send("a story")
        await sees(slack, ada.dm, "slow words")
        second = await ada.dm.send("and a joke?")
        await sees(slack, ada.dm, "⏳ 1 message before yours")
        third = await ada.dm.send("a good one")
        await slack.wait_for(lambda: not slack.sockets.unacked)
        with api.held():
            await ada.dm.stop()
            await slack.wait_for(ada.thread(second).stoppable)
            assert not ada.thread(third).stoppable()
        await slack.wait_for(lambda: not ada.dm.stoppable())


ENDED = {"message_not_in_streaming_state", "stopped_by_user"}
"""Slack's Stop ends a stream; an append that was on its way hears so."""
STREAMING = "cant_delete_message"
"""A stream is to be stopped first."""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_an_interrupted_answer_is_finished_in_its_message(
    launcher: Launcher, slack: SlackSandbox, api: ScriptedApi, tmp_path: Path, end: signal.Signals
) -> None:
    ada = slack.person("Ada")
    api.script.answer(SLOW, "a whole answer")
    async with started_in_slack(launcher, slack, api, tmp_path) as bot:
        await ada.dm.send("a story")
        await sees(slack, ada.dm, "slow words slow")
        bot.signal(end)
        await bot.ended
    if end is signal.SIGTERM:
        assert not ada.dm.answers()[-1].streaming
        assert not ada.dm.stoppable()
    async with started_in_slack(launcher, slack, api, tmp_path):
        seen = await sees(slack, ada.dm, "a whole answer")
        assert (seen.text, seen.streaming) == ("a whole answer", False)
        assert len(ada.dm.answers()) == 1
        await slack.wait_for(lambda: not ada.dm.stoppable())


async def test_a_bot_is_ended_soon_while_slack_does_not_answer_and_loses_nothing(
    launcher: Launcher, slack: SlackSandbox, api: ScriptedApi, tmp_path: Path
) -> None:
    ada = slack.person("Ada")
    api.script.answer(SLOW)
    async with started_in_slack(launcher, slack, api, tmp_path, prelude=ENDED_SOON) as bot:
        await ada.dm.send("a story")
        await sees(slack, ada.dm, "slow words")
        before = len(slack.calls_to("chat.appendStream"))
        slack.faults.hang_next(times=1000)
        await slack.wait_for(lambda: len(slack.calls_to("chat.appendStream")) > before)
        async with asyncio.timeout(8):
            bot.signal(signal.SIGTERM)
            assert await bot.ended == 0
    slack.faults.clear()
    api.script.answer("Whole now.")
    async with started_in_slack(launcher, slack, api, tmp_path):
        await sees(slack, ada.dm, "Whole now.")
        assert [each.text for each in ada.dm.answers()] == ["Whole now."]


def test_a_bot_that_slack_does_not_answer_has_ended_before_docker_kills_it() -> None:
    parting = max(delivery.PARTING, notices.CLOSING)
    assert serving.DRAIN + parting + max(streams.LEAVING, status.LEAVING) <= 9.5


async def test_a_conversation_goes_on_when_its_channel_is_shared(
    launcher: Launcher, slack: SlackSandbox, api: ScriptedApi, tmp_path: Path
) -> None:
    ada, secret = slack.person("Ada"), slack.channel("secret", private=True)
    async with started_in_slack(launcher, slack, api, tmp_path):
        question = await ada.channel(secret).send("<@BOT> I am Bob")
        thread = ada.thread(question)
        await sees(slack, thread, "I am Bob")
        await slack.wait_for(lambda: thread.answers()[-1].thumbs)
        slack.share(secret)
        await slack.wait_for(lambda: not slack.sockets.unacked)
    async with started_in_slack(launcher, slack, api, tmp_path):
        await thread.send("who am I?")
        await sees(slack, thread, "who am I?")
        assert "I am Bob" in str(api.traffic.requests[-1].json["messages"])


async def test_what_people_delete_is_answered_no_more_and_remembered_nowhere(
    launcher: Launcher, slack: SlackSandbox, api: ScriptedApi, tmp_path: Path
) -> None:
    ada = slack.person("Ada")
    api.script.answer(SLOW)
    async with started_in_slack(launcher, slack, api, tmp_path):
        first = await ada.dm.send("a story about xyzzy")
        await sees(slack, ada.dm, "slow words")
        waiting = [await ada.dm.send(f"{word} of plugh") for word in ("a joke", "a song")]
        await sees(slack, ada.dm, "⏳ 1 message before yours")
        for message in (*waiting, first):
            await ada.dm.delete_at(message.ts)
        await slack.wait_for(lambda: not ada.dm.messages(), 20)
        await slack.wait_for(lambda: not ada.dm.stoppable())
        second = await ada.dm.send("hello")
        await sees(slack, ada.dm, "You said:** hello")
        await slack.wait_for(lambda: ada.dm.answers()[-1].thumbs)
        await ada.thread(second).send("my password is quux")
        await sees(slack, ada.dm, "my password is quux")
        await slack.wait_for(lambda: ada.dm.answers()[-1].thumbs)
        said = next(m for m in ada.dm.messages() if m.text == "my password is quux")
        await ada.dm.delete_at(said.ts)
        await ada.dm.delete_at(second.ts)
        await slack.wait_for(lambda: not slack.sockets.unacked)
        await ada.dm.send("what do you know?")
        await sees(slack, ada.dm, "You said:** what do you know?")
    words = ("xyzzy", "plugh", "quux", "hello")
    told = str(api.traffic.requests[-1].json["messages"])
    log, database = (tmp_path / "log").read_text(), (tmp_path / "chinwag.db").read_bytes()
    assert not [word for word in words if word in told + log or word.encode() in database]
    assert not [call for call in slack.calls if call.error not in {"", STREAMING, *ENDED}]


async def test_events_that_slack_posts_are_answered_too(
    launcher: Launcher, slack: SlackSandbox, api: ScriptedApi, tmp_path: Path
) -> None:
    port = free_port()
    ada = slack.person("Ada")
    async with started_in_slack(launcher, slack, api, tmp_path, port=port):
        await ada.dm.send("hello")
        await sees(slack, ada.dm, "You said:** hello")
        await slack.wait_for(lambda: ada.dm.answers()[-1].thumbs)
        await ada.dm.rate(good=True)
        await sees(slack, ada.dm, "Thank you!")
    assert "made-up" not in (tmp_path / "log").read_text()


async def test_an_idle_bot_in_slack_keeps_nothing_in_memory_that_it_may_never_need(
    launcher: Launcher,
    slack: SlackSandbox,
    api: ScriptedApi,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")  # the log tells each import
    async with started_in_slack(launcher, slack, api, tmp_path, fresh=True):
        pass
    modules = imported(tmp_path)
    assert modules >= {"slack_sdk.web.async_client", "slack_bolt.async_app"}
    assert not modules & {"slack_sdk.web.client", "aiohttp.web_app", "telegram"}
