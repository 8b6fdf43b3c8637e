"""What the bot is doing, as tasks in a stream: what a person sees of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial

import pytest

from bot.core.delivery.delivery import Delivery
from bot.core.types import Button, MessageRef, OutgoingFile, Reply
from bot.errors import OutcomeUnknown
from bot.platforms.slack.draft import TICK
from bot.platforms.slack.ids import make_command
from bot.sandbox.limits import Mode
from bot.sandbox.slack.state import Seen
from tests.patience import PATIENCE
from tests.platform_contract import HastyClock
from tests.platforms.slack.stage import SlackStage, slack_stage

NOTE = OutgoingFile(name="note.txt", mime="text/plain", content=b"milk")


@pytest.fixture
def clock() -> HastyClock:
    return HastyClock()


@pytest.fixture(params=["dm", "thread"])
async def stage(request: pytest.FixtureRequest, clock: HastyClock) -> AsyncIterator[SlackStage]:
    async with slack_stage(request.param, clock) as stage:
        yield stage


def answer(stage: SlackStage) -> Seen:
    (seen,) = stage.place.answers()
    return seen


def says(stage: SlackStage, text: str) -> bool:
    """Whether the bot has one message, which says this."""
    return [seen.text for seen in stage.place.answers()] == [text]


async def test_what_goes_on_is_a_task_that_completes_when_the_text_begins(
    stage: SlackStage,
) -> None:
    draft = stage.platform.draft(stage.incoming)
    await draft.status("🎧 Listening…")
    assert (answer(stage).text, answer(stage).streaming) == ("", True)
    assert answer(stage).tasks == ("🎧 Listening… (in_progress)",)
    await draft.show("one")
    assert answer(stage).tasks == ("🎧 Listening… (complete)",)
    await draft.finish(Reply(text="one two"))
    assert (answer(stage).text, answer(stage).streaming) == ("one two", False)
    assert answer(stage).tasks == ("🎧 Listening… (complete)",)
    assert draft.ref is not None
    assert not [call for call in stage.sandbox.calls if call.error]


async def test_another_step_is_another_task_and_details_change_it(
    stage: SlackStage, clock: HastyClock
) -> None:
    draft = stage.platform.draft(stage.incoming)
    await draft.status("🎧 Listening… part 1 of 2")
    await clock.sleep(TICK)
    await draft.status("🎧 Listening… part 2 of 2")
    assert answer(stage).tasks == ("🎧 Listening… part 2 of 2 (in_progress)",)
    await draft.status("💭 Thinking… 1 s")
    assert answer(stage).tasks == (
        "🎧 Listening… part 2 of 2 (complete)",
        "💭 Thinking… 1 s (in_progress)",
    )


async def test_a_step_that_ticks_is_told_only_now_and_then_but_ends_with_its_last_words(
    stage: SlackStage,
) -> None:
    draft = stage.platform.draft(stage.incoming)
    for second in range(1, 3):
        await draft.status(f"💭 Thinking… {second} s")
    assert answer(stage).tasks == ("💭 Thinking… 1 s (in_progress)",)
    await draft.show("one")
    assert answer(stage).tasks == ("💭 Thinking… 2 s (complete)",)


async def test_a_step_that_failed_says_so(stage: SlackStage) -> None:
    draft = stage.platform.draft(stage.incoming)
    await draft.status("🎨 Drawing…")
    await draft.finish(Reply(text="⚠️ The model is overloaded.", failed=True))
    assert answer(stage).tasks == ("🎨 Drawing… (error)",)
    assert await stage.kept() == ["⚠️ The model is overloaded."]


async def test_a_picture_comes_after_its_task(stage: SlackStage) -> None:
    draft = stage.platform.draft(stage.incoming)
    await draft.status("🎨 Drawing…")
    await draft.finish(Reply(text="", files=(NOTE,)))
    assert stage.place.answers()[0].tasks == ("🎨 Drawing… (complete)",)
    assert await stage.files() == ["note.txt"]
    assert not [call for call in stage.sandbox.calls if call.error]


async def test_where_tasks_are_refused_the_answer_is_streamed_without(stage: SlackStage) -> None:
    stage.sandbox.workspace.refusing_tasks = True
    draft = stage.platform.draft(stage.incoming)
    await draft.status("🎧 Listening…")
    assert stage.place.answers() == []
    await draft.show("one")
    assert (answer(stage).text, answer(stage).streaming) == ("one", True)
    await draft.finish(Reply(text="one two"))
    assert await stage.kept() == ["one two"]
    assert not stage.platform.capabilities(stage.incoming.ref.chat).status  # not tried again


@pytest.mark.parametrize("profile", ["channel", "dm"])
async def test_what_goes_on_after_a_slash_command_stands_where_the_answer_will(
    profile: str, clock: HastyClock
) -> None:
    """Beside the threads Slack has neither streams nor a sign that the bot is at work."""
    async with slack_stage(profile, clock) as stage:
        command = replace(stage.incoming, ref=make_command(stage.incoming.ref.chat, "1.1"))
        delivery = Delivery(stage.platform, command, clock=clock, stop=Button("Stop it", "stop"))
        async with delivery:
            for text in ("💭 Thinking…", "💭 Thinking… 3 s"):
                delivery.status(text)
                await stage.sandbox.wait_for(partial(says, stage, text), PATIENCE)
                assert answer(stage).buttons == ("Stop it",)
            delivery.write("one two")
            await delivery.finish()
        assert (answer(stage).text, answer(stage).buttons) == ("one two", ())


async def test_a_task_for_which_there_is_no_stream_delays_no_text(stage: SlackStage) -> None:
    stage.sandbox.limits.mode = Mode.ON
    for _ in range(20):
        draft = stage.platform.draft(stage.incoming)
        await draft.status("🎧 Listening…")
    before = len(stage.sandbox.calls)
    draft = stage.platform.draft(stage.incoming)
    await draft.status("🎧 Listening…")  # no stream can be had now: it is not even asked for
    assert len(stage.sandbox.calls) == before
    assert stage.sandbox.limits.refused == 0
    await draft.show("one")  # posted, as it cannot be streamed in time
    assert stage.place.answers()[-1].text == "one"


async def test_a_stream_that_died_while_the_bot_worked_becomes_a_message(
    stage: SlackStage, clock: HastyClock
) -> None:
    draft = stage.platform.draft(stage.incoming)
    await draft.status("💭 Thinking… 1 s")
    for message in stage.sandbox.workspace.messages.values():
        message.streaming = False
    await clock.sleep(TICK)
    await draft.status("💭 Thinking… 299 s")
    await draft.show("one")
    assert stage.place.stoppable()
    await draft.finish(Reply(text="one two"))
    assert await stage.kept() == ["one two"]
    await stage.sandbox.wait_for(lambda: not stage.place.stoppable())


async def test_a_message_that_holds_but_tasks_is_written_down(
    stage: SlackStage, clock: HastyClock
) -> None:
    written: asyncio.Queue[Sequence[MessageRef]] = asyncio.Queue()

    async def remember(text: str, messages: Sequence[MessageRef]) -> None:
        written.put_nowait(messages)

    async with Delivery(
        stage.platform, stage.incoming, clock=clock, checkpoint=remember
    ) as delivery:
        delivery.status("💭 Thinking… 1 s")
        async with asyncio.timeout(PATIENCE):
            before_the_text = await written.get()
        assert await delivery.finish(mark="⏹ Stopped.") == before_the_text
    assert await stage.kept() == ["⏹ Stopped."]


async def test_a_stream_of_tasks_that_cannot_be_found_again_is_not_begun_twice(
    stage: SlackStage,
) -> None:
    draft = stage.platform.draft(stage.incoming)
    stage.sandbox.faults.drop_next(method="chat.startStream")
    stage.sandbox.faults.fail_next(503, method="conversations.replies")
    with pytest.raises(OutcomeUnknown):
        await draft.status("🎧 Listening…")
    await draft.status("💭 Thinking… 1 s")
    assert len(stage.place.answers()) == 1
    await draft.finish(Reply(text="one"))
    assert (await stage.kept())[-1] == "one"


async def test_a_task_notifies_nobody(stage: SlackStage) -> None:
    draft = stage.platform.draft(stage.incoming)
    await draft.status("📄 Reading <!channel> <@U0SOMEBODY> @everyone " + "x" * 300 + "…")
    (task,) = answer(stage).tasks
    assert answer(stage).pings == ()
    assert task.endswith("… (in_progress)")
    await draft.finish(Reply(text="one"))
    assert answer(stage).pings == ()


async def test_many_tasks_leave_room_for_the_words(stage: SlackStage, clock: HastyClock) -> None:
    async with Delivery(stage.platform, stage.incoming, clock=clock) as delivery:
        for number in range(60):
            delivery.status(f"📄 Reading {'好' * 40}{number}.pdf…")
            await clock.sleep(1)
        words = " ".join(f"wörd{number}" for number in range(2_000))
        delivery.write(words)
        await delivery.finish()
    assert " ".join(" ".join(await stage.kept()).split()) == words
    assert not [call for call in stage.sandbox.calls if call.error == "msg_too_long"]
