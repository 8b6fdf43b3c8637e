"""What shows that the bot is at work, and Slack's own Stop beside it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest

from bot.core.fakes.clock import ManualClock
from bot.core.queue import Outcome
from bot.core.types import IncomingMessage, Reply, Sender, UserId
from bot.platforms.slack import status
from bot.platforms.slack.ids import make_chat, make_message
from bot.platforms.slack.status import LINE, SESSION, session_title
from bot.sandbox.slack.people import Place
from bot.sandbox.slack.server import SlackSandbox
from bot.sandbox.slack.workspace import Session
from bot.store import StorageSettings, open_store
from tests.platforms.slack.running import Running, running
from tests.platforms.slack.stage import platform_for


async def asks(bot: Running, place: Place, text: str = "hello") -> None:
    """Somebody writes, and it has arrived."""
    before = len(bot.inbox.events)
    await place.send(text)
    await bot.inbox.holds(before + 1)


def was_called(sandbox: SlackSandbox, method: str, times: int) -> bool:
    return len(sandbox.calls_to(method)) == times


def states(bot: Running) -> list[str]:
    return [call.args["status"] for call in bot.sandbox.calls_to(SESSION)]


@pytest.mark.parametrize("where", ["dm", "thread"])
async def test_there_is_a_stop_before_the_first_word_and_none_at_the_end(
    bot: Running, where: str
) -> None:
    ada = bot.sandbox.person("Ada")
    place = ada.dm if where == "dm" else ada.channel(bot.sandbox.channel("general"))
    await asks(bot, place, "<@BOT> hello" if where == "thread" else "hello")
    question = bot.inbox.message(0)
    async with bot.platform.typing(question.ref.chat, question.ref):
        await bot.sandbox.wait_for(place.stoppable)
    draft = bot.platform.draft(question)
    await draft.show("one")
    assert place.stoppable()
    await draft.finish(Reply(text="one two"))
    assert not place.stoppable()
    await bot.platform.close()
    assert states(bot) == ["processing"]  # the stream has done the rest


async def test_the_session_is_named_after_the_first_words(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    await asks(bot, ada.dm, "\n" + "What is a very long question? " * 9 + "\nand more")
    question = bot.inbox.message()
    async with bot.platform.typing(question.ref.chat, question.ref):
        await bot.sandbox.wait_for(ada.dm.stoppable)
    (title,) = ada.dm.titles()
    assert title.startswith("What is a very long question? What")
    assert title.endswith("…")
    assert len(title) <= 80
    assert session_title("") == ""


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream has a minute to take over: what ends earlier was ended by something else."""
    monkeypatch.setattr(status, "TAKE_OVER", 60.0)


@pytest.mark.usefixtures("patient")
async def test_what_is_posted_ends_the_work(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    await asks(bot, ada.dm)
    question = bot.inbox.message()
    async with bot.platform.typing(question.ref.chat, question.ref):
        await bot.sandbox.wait_for(ada.dm.stoppable)
    await bot.platform.send(question.ref.chat, Reply(text="no", answering=question.ref))
    await bot.sandbox.wait_for(lambda: not ada.dm.stoppable())
    assert states(bot) == ["processing", "active"]


@pytest.mark.usefixtures("patient")
async def test_it_goes_away_when_the_work_is_cancelled(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    general = ada.channel(bot.sandbox.channel("general"))
    await asks(bot, general, "<@BOT> hello")

    async def work() -> None:
        async with bot.platform.typing(bot.inbox.message(0).ref.chat):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await bot.sandbox.wait_for(general.stoppable)
    task.cancel()
    await bot.sandbox.wait_for(lambda: not general.stoppable())


async def test_it_goes_away_when_the_bot_leaves(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    await asks(bot, ada.dm)
    async with bot.platform.typing(bot.inbox.message().ref.chat):
        await bot.sandbox.wait_for(ada.dm.stoppable)
    await bot.platform.close()
    assert not ada.dm.stoppable()


async def test_a_release_that_slack_refuses_for_now_is_made_later(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    await asks(bot, ada.dm)
    async with bot.platform.typing(bot.inbox.message().ref.chat):
        await bot.sandbox.wait_for(ada.dm.stoppable)
        bot.sandbox.faults.refuse_next(1, method=SESSION)
    await bot.platform.send(bot.inbox.message().ref.chat, Reply(text="no"))
    await bot.sandbox.wait_for(lambda: not ada.dm.stoppable())
    assert states(bot) == ["processing", "active", "active"]


@pytest.mark.parametrize("method", ["fail_next", "drop_next"])
async def test_a_session_that_has_perhaps_begun_is_released_and_perhaps_again(
    bot: Running, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(status, "RELEASES", (0.01,) * 5)
    ada = bot.sandbox.person("Ada")
    await asks(bot, ada.dm)
    bot.sandbox.faults.drop_next(method=SESSION)
    async with bot.platform.typing(bot.inbox.message().ref.chat):
        await bot.sandbox.wait_for(ada.dm.stoppable)
        if method == "fail_next":
            bot.sandbox.faults.fail_next(503, method=SESSION)
        else:
            bot.sandbox.faults.drop_next(method=SESSION)
    await bot.platform.send(bot.inbox.message().ref.chat, Reply(text="no"))
    await bot.sandbox.wait_for(lambda: states(bot) == ["processing", "active", "active"])
    assert not ada.dm.stoppable()


async def test_a_release_that_is_late_takes_no_stop_from_the_next_answer(
    sandbox: SlackSandbox, clock: ManualClock
) -> None:
    ada = sandbox.person("Ada")
    async with running(sandbox, clock=clock) as bot:
        first = await ada.dm.send("hello")
        question = (await bot.inbox.heard()).ref
        async with bot.platform.typing(question.chat, question):
            await sandbox.wait_for(ada.dm.stoppable)
            sandbox.faults.fail_next(503, method=SESSION)
        await bot.platform.send(question.chat, Reply(text="no", answering=question))
        await sandbox.wait_for(lambda: states(bot) == ["processing", "active"])
        await ada.thread(first).send("why?")
        again = await bot.inbox.heard(2)
        async with bot.platform.typing(question.chat, again.ref):
            await sandbox.wait_for(lambda: len(states(bot)) == 3)
        await bot.platform.draft(again).show("one")
        await clock.advance(1.0)
        await bot.platform.close()
        assert states(bot) == ["processing", "active", "processing"]


@pytest.mark.usefixtures("patient")
async def test_of_a_crowd_no_more_get_a_stop_than_can_be_taken_back_at_once(
    sandbox: SlackSandbox, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bot")
    platform, crowd, without = platform_for(sandbox, clock), list[Place](), 0
    with pytest.raises(RuntimeError, match="all fail"):
        async with AsyncExitStack() as answers:
            for number in range(40):
                await clock.advance(1.6)
                dm = sandbox.person(f"Ada {number}").dm
                chat = make_chat(sandbox.workspace.team, dm.id, "")
                question = make_message(chat, (await dm.send("hello")).ts, "")
                await answers.enter_async_context(platform.typing(chat, question))
                await clock.settle()
                if caplog.messages.count("session not begun") > without:
                    without += 1
                else:
                    await sandbox.wait_for(dm.stoppable)
                    crowd.append(dm)
            raise RuntimeError("all fail")
    try:
        assert len(crowd) >= 20
        await sandbox.wait_for(lambda: not any(dm.stoppable() for dm in crowd))  # no time passes
    finally:
        await platform.close()


@pytest.mark.parametrize("end", ["one two", "asked again, all is different"])
@pytest.mark.parametrize("process", ["lives", "was killed"])
async def test_a_stream_that_died_leaves_no_stop(bot: Running, process: str, end: str) -> None:
    ada = bot.sandbox.person("Ada")
    await asks(bot, ada.dm)
    draft = bot.platform.draft(bot.inbox.message())
    await draft.show("one")
    assert draft.ref is not None
    for message in bot.sandbox.workspace.messages.values():
        message.streaming = False  # after five minutes
    assert ada.dm.stoppable()
    if process == "was killed":
        draft = bot.platform.draft(bot.inbox.message(), ref=draft.ref)
    await draft.finish(Reply(text=end))
    await bot.sandbox.wait_for(lambda: not ada.dm.stoppable())


async def test_stop_takes_away_what_a_process_that_died_has_left(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    await asks(bot, ada.dm)
    question = bot.inbox.message()
    session = bot.sandbox.workspace.sessions[ada.dm.id, str(question.ref.id)] = Session()
    session.state = "processing"
    await ada.dm.stop()
    await bot.sandbox.wait_for(lambda: not ada.dm.stoppable())


async def test_a_process_that_was_killed_at_the_end_of_an_answer_leaves_no_stop(
    sandbox: SlackSandbox, tmp_path: Path
) -> None:
    ada = sandbox.person("Ada")
    question = await ada.dm.send("hello")
    ref = make_message(make_chat(sandbox.workspace.team, ada.dm.id, ""), question.ts, "")
    asked = IncomingMessage(
        key="question", ref=ref, sender=Sender(UserId(ada.id), "Ada"), text="hello"
    )
    session = sandbox.workspace.sessions[ada.dm.id, question.ts] = Session(state="processing")
    async with open_store(StorageSettings(url=f"sqlite:///{tmp_path}/bot.db")) as stores:
        turn = (await stores.turns.accept(asked, urgent=False, begin=True)).turn
        assert turn is not None
        answer = make_message(ref.chat, "2.2", question.ts)
        await stores.turns.finish(turn.id, Outcome(), stood=answer)
        async with running(sandbox, turns=stores.turns):
            await sandbox.wait_for(lambda: session.state == "active")


async def test_looking_for_what_a_process_that_died_has_left_takes_away_its_stop(
    bot: Running,
) -> None:
    ada = bot.sandbox.person("Ada")
    died, lives = await ada.dm.send("first"), await ada.dm.send("second")
    await bot.inbox.holds(2)
    questions = [bot.inbox.message(0).ref, bot.inbox.message(1).ref]
    session = bot.sandbox.workspace.sessions[ada.dm.id, died.ts] = Session()
    session.state = "processing"
    async with bot.platform.typing(questions[1].chat, questions[1]):
        await bot.sandbox.wait_for(ada.thread(lives).stoppable)
        await bot.platform.sweep(questions[0].chat, after=questions, keep=[])
        await bot.sandbox.wait_for(lambda: not ada.thread(died).stoppable())
        assert ada.thread(lives).stoppable()


async def test_looking_for_what_was_lost_takes_no_stop_from_an_answer_that_is_streamed(
    bot: Running,
) -> None:
    ada = bot.sandbox.person("Ada")
    await asks(bot, ada.dm)
    question = bot.inbox.message()
    async with bot.platform.typing(question.ref.chat, question.ref):
        await bot.sandbox.wait_for(ada.dm.stoppable)
    draft = bot.platform.draft(question)
    await draft.show("one")
    assert draft.ref is not None
    await bot.platform.sweep(question.ref.chat, after=[question.ref], keep=[draft.ref])
    await bot.platform.close()
    assert states(bot) == ["processing"]


async def test_two_questions_in_a_direct_message_show_it_each_under_its_own(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    first = await ada.dm.send("first")
    second = await ada.dm.send("second")
    await bot.inbox.holds(2)
    async with bot.platform.typing(bot.inbox.message(0).ref.chat, bot.inbox.message(0).ref):
        await bot.sandbox.wait_for(ada.thread(first).stoppable)
        assert not ada.thread(second).stoppable()


async def test_an_app_that_does_not_hear_of_stop_is_told_once(
    bot: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="bot")
    bot.sandbox.workspace.events.discard("agent_session_stopped")
    ada = bot.sandbox.person("Ada")
    for number in (1, 2):
        await asks(bot, ada.dm)
        async with bot.platform.typing(bot.inbox.message().ref.chat):
            await bot.sandbox.wait_for(lambda: states(bot).count("processing") == number)  # noqa: B023
    assert len([text for text in caplog.messages if "agent_session_stopped" in text]) == 1


# ---------------------------------------------------------------- where the app is no agent


async def test_an_app_that_is_no_agent_shows_a_line_of_text(bot: Running) -> None:
    bot.sandbox.workspace.is_agent = False
    ada = bot.sandbox.person("Ada")
    await asks(bot, ada.dm)
    chat = bot.inbox.message().ref.chat
    async with bot.platform.typing(chat):
        await bot.sandbox.wait_for(lambda: bool(ada.dm.status()))
    await bot.sandbox.wait_for(lambda: not ada.dm.status())
    assert states(bot) == ["processing"]
    await asks(bot, ada.dm)
    async with bot.platform.typing(chat):
        await bot.sandbox.wait_for(lambda: bool(ada.dm.status()))
    assert states(bot) == ["processing"]  # not asked for again


async def test_a_line_of_text_stays_as_long_as_the_work(
    sandbox: SlackSandbox, clock: ManualClock
) -> None:
    """Slack takes it away after two minutes."""
    sandbox.workspace.is_agent = False
    ada, platform = sandbox.person("Ada"), platform_for(sandbox, clock)
    question = await ada.dm.send("hello")
    chat = make_chat(sandbox.workspace.team, ada.dm.id, "")
    async with platform.typing(chat, make_message(chat, question.ts, "")):
        await sandbox.wait_for(lambda: bool(ada.dm.status()))
        for times in (2, 3):
            await clock.advance(110)
            await sandbox.wait_for(partial(was_called, sandbox, LINE, times))
        assert ada.dm.status()
    await sandbox.wait_for(lambda: not ada.dm.status())
    await platform.close()


async def test_a_channel_that_the_bot_is_not_in_takes_no_stop_from_others(bot: Running) -> None:
    ada, outside = bot.sandbox.person("Ada"), bot.sandbox.channel("outside", with_bot=False)
    await asks(bot, ada.dm)
    direct, team = bot.inbox.message().ref.chat, bot.sandbox.workspace.team
    there = await ada.channel(outside).send("what is this?")
    async with bot.platform.typing(make_chat(team, outside.id, there.ts)):
        await bot.sandbox.wait_for(lambda: bool(bot.sandbox.calls_to(SESSION)))
    await bot.platform.send(direct, Reply(text="the refusal has been heard by now"))
    async with bot.platform.typing(direct):
        await bot.sandbox.wait_for(ada.dm.stoppable)


async def test_where_it_cannot_be_shown_nothing_fails_and_slack_is_left_alone(
    bot: Running,
) -> None:
    bot.sandbox.workspace.is_agent = False
    bot.sandbox.workspace.scopes.discard("assistant:write")
    ada = bot.sandbox.person("Ada")
    await asks(bot, ada.dm)
    chat = bot.inbox.message().ref.chat
    for _ in range(2):
        async with bot.platform.typing(chat):
            await bot.sandbox.wait_for(lambda: bool(bot.sandbox.calls_to(LINE)))
            await bot.platform.send(chat, Reply(text="the refusal has been heard by now"))
    assert len(bot.sandbox.calls_to(LINE)) == 1


async def test_after_a_restart_a_direct_message_has_no_line_and_no_error(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    async with bot.platform.typing(make_chat(bot.sandbox.workspace.team, ada.dm.id, "")):
        pass
    assert states(bot) == []


@pytest.mark.usefixtures("patient")
async def test_an_edit_that_ends_the_answer_ends_the_work(bot: Running) -> None:
    """As where the answer takes the place of the line that said it waits."""
    ada = bot.sandbox.person("Ada")
    await asks(bot, ada.dm)
    question = bot.inbox.message()
    ref = await bot.platform.send(question.ref.chat, Reply(text="⏳ 1 message before yours"))
    async with bot.platform.typing(question.ref.chat, question.ref):
        await bot.sandbox.wait_for(ada.dm.stoppable)
    await bot.platform.draft(question, ref=ref).finish(Reply(text="one"))
    await bot.sandbox.wait_for(lambda: not ada.dm.stoppable())
