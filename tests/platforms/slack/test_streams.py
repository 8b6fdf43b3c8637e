"""Answers that are streamed: what a person sees while Slack limits, ends and refuses streams."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import pytest

from bot.core.capabilities import Streaming
from bot.core.delivery.delivery import Delivery
from bot.core.delivery.partial import settle
from bot.core.fakes.clock import ManualClock
from bot.core.types import Button, IncomingMessage, Reply, Sender, UserId
from bot.errors import NotYourTurn, OutcomeUnknown, PlatformDown, PlatformError, RateLimited
from bot.platforms.slack.ids import make_chat, make_message
from bot.sandbox.limits import Mode
from bot.sandbox.slack.people import Person
from tests.platform_contract import HastyClock
from tests.platforms.slack.stage import SlackStage, slack_stage

STOP = Button("Stop it", "stop")


@pytest.fixture
async def stage() -> AsyncIterator[SlackStage]:
    async with slack_stage("thread", HastyClock()) as stage:
        yield stage


async def test_only_what_is_new_is_sent(stage: SlackStage) -> None:
    draft = stage.platform.draft(stage.incoming)
    await draft.show("one")
    await draft.show("one two")
    await draft.finish(Reply(text="one two three"))
    sent = [
        (call.method, "".join(chunk["text"] for chunk in call.args["chunks"]))
        for call in stage.sandbox.calls
        if call.method.endswith("Stream")
    ]
    assert sent == [
        ("chat.startStream", "one"),
        ("chat.appendStream", " two"),
        ("chat.stopStream", " three"),
    ]
    start = stage.sandbox.calls_to("chat.startStream")[0]
    assert start.args["recipient_user_id"] == stage.incoming.sender.id
    assert start.args["recipient_team_id"] == stage.sandbox.workspace.team


async def test_a_stream_waits_for_words_that_decide_about_those_before(stage: SlackStage) -> None:
    draft = stage.platform.draft(stage.incoming)
    for text in ("所以**注意：", "所以**注意：**", "所以**注意：**后面"):
        await draft.show(settle(text))
        (seen,) = stage.place.answers()
        assert seen.streaming
    await draft.finish(Reply(text="所以**注意：**后面"))
    (seen,) = stage.place.answers()
    assert seen.text == "所以**注意**：后面"
    assert not stage.sandbox.calls_to("chat.update")


async def test_a_stream_whose_words_turn_out_otherwise_is_written_over(stage: SlackStage) -> None:
    draft = stage.platform.draft(stage.incoming)
    for text in ("so $2*3*4", "so $2*3*4$ is"):
        await draft.show(text)
    await draft.finish(Reply(text="so $2*3*4$ is 24"))
    (seen,) = stage.place.answers()
    assert (seen.text, seen.streaming) == ("so `2*3*4` is 24", False)


async def test_the_message_is_streaming_until_it_is_whole(stage: SlackStage) -> None:
    draft = stage.platform.draft(stage.incoming, stop=STOP)
    await draft.show("one")
    (seen,) = stage.place.answers()
    assert (seen.streaming, seen.buttons) == (True, ())  # Slack shows its own Stop
    await draft.finish(Reply(text="one two", buttons=((Button("Again", "a"),),)))
    (seen,) = stage.place.answers()
    assert (seen.text, seen.streaming, seen.buttons) == ("one two", False, ("Again",))


@pytest.mark.parametrize("why", ["ended", "refused"])
async def test_a_stream_that_slack_takes_no_more_goes_on_as_an_edited_message(
    stage: SlackStage, why: str
) -> None:
    draft = stage.platform.draft(stage.incoming, stop=STOP)
    await draft.show("one")
    if why == "ended":
        await stage.place.stop()
    else:
        stage.sandbox.faults.fail_next(200, "msg_too_long", method="chat.appendStream")
    await draft.show("one two")
    assert await stage.screen() == ["one two"]
    assert await stage.buttons() == ["Stop it"]  # Slack's own is gone now
    await draft.finish(Reply(text="one two three"))
    (seen,) = stage.place.answers()
    assert (seen.text, seen.buttons, seen.streaming) == ("one two three", (), False)


async def test_a_stream_that_nobody_finished_can_be_written_over(stage: SlackStage) -> None:
    """As after a kill: the message is still streaming when the bot comes back."""
    draft = stage.platform.draft(stage.incoming)
    await draft.show("half an ans")
    assert draft.ref is not None
    again = stage.platform.draft(stage.incoming, ref=draft.ref)
    await again.finish(Reply(text="a whole answer"))
    (seen,) = stage.place.answers()
    assert (seen.text, seen.streaming) == ("a whole answer", False)


async def test_a_message_that_still_streams_can_be_taken_away(stage: SlackStage) -> None:
    """As after a kill: Slack deletes nothing that is still streaming."""
    draft = stage.platform.draft(stage.incoming)
    await draft.show("half an ans")
    assert draft.ref is not None
    await stage.platform.delete([draft.ref])
    assert stage.place.answers() == []


async def test_a_stop_while_it_works_lets_the_next_answer_say_what_goes_on(
    stage: SlackStage,
) -> None:
    draft = stage.platform.draft(stage.incoming)
    await draft.status("🎧 Listening…")
    await stage.place.stop()
    await draft.status("💭 Thinking…")
    await draft.finish(Reply(text="⏹ Stopped."))
    assert await stage.screen() == ["⏹ Stopped."]
    assert stage.platform.capabilities(stage.incoming.ref.chat).status


async def test_the_last_words_do_not_wait_for_the_turn_of_the_end(stage: SlackStage) -> None:
    draft = stage.platform.draft(stage.incoming)
    await draft.show("one")
    stage.sandbox.faults.refuse_next(30, method="chat.stopStream")
    with pytest.raises(RateLimited):
        await draft.finish(Reply(text="one two"))
    await draft.finish(Reply(text="one two"))
    assert [call.method for call in stage.sandbox.calls if call.method.endswith("Stream")][-2:] == [
        "chat.appendStream",
        "chat.stopStream",
    ]
    assert await stage.screen() == ["one two"]


async def test_a_stream_is_left_before_it_is_full(stage: SlackStage) -> None:
    stage.sandbox.workspace.stream_cap = 10_600
    text = "好" * 500 + " word" * 2_000
    draft = stage.platform.draft(stage.incoming)
    for end in range(0, len(text), 900):
        await draft.show(text[: end + 1])
    await draft.finish(Reply(text=text))
    assert await stage.screen() == [text]
    assert not [call for call in stage.sandbox.calls if call.error]


@pytest.mark.parametrize("method", ["chat.appendStream", "chat.stopStream"])
async def test_a_lost_answer_in_a_stream_doubles_nothing(stage: SlackStage, method: str) -> None:
    stage.sandbox.faults.drop_next(method=method)
    async with Delivery(stage.platform, stage.incoming, clock=HastyClock()) as delivery:
        delivery.write("one")
        await stage.sandbox.wait_for(lambda: bool(stage.place.answers()))
        delivery.write(" two")
        if method == "chat.appendStream":
            await stage.sandbox.wait_for(lambda: bool(stage.sandbox.calls_to(method)))
        delivery.write(" three")
        await delivery.finish()
    assert await stage.kept() == ["one two three"]


async def test_a_refused_append_is_not_sent_twice(stage: SlackStage) -> None:
    draft = stage.platform.draft(stage.incoming)
    await draft.show("one")
    stage.sandbox.faults.refuse_next(1, method="chat.appendStream")
    with pytest.raises(RateLimited):
        await draft.show("one two")
    await draft.finish(Reply(text="one two three"))
    assert await stage.screen() == ["one two three"]


async def test_a_finish_with_an_unknown_outcome_can_be_repeated(stage: SlackStage) -> None:
    draft = stage.platform.draft(stage.incoming)
    await draft.show("one")
    stage.sandbox.faults.fail_next(503, method="chat.stopStream")
    with pytest.raises(OutcomeUnknown):
        await draft.finish(Reply(text="one two"))
    await draft.finish(Reply(text="one two"))
    (seen,) = stage.place.answers()
    assert (seen.text, seen.streaming) == ("one two", False)


async def test_where_streams_are_refused_the_chat_remembers_it(stage: SlackStage) -> None:
    stage.sandbox.workspace.refusing_streams = "user_not_found"
    chat = stage.incoming.ref.chat
    assert stage.platform.capabilities(chat).streaming is Streaming.NATIVE
    first = stage.platform.draft(stage.incoming, stop=STOP)
    await first.show("one")
    assert await stage.buttons() == ["Stop it"]
    await first.finish(Reply(text="one two"))
    second = stage.platform.draft(stage.incoming)
    await second.show("three")
    await second.finish(Reply(text="three four"))
    assert await stage.screen() == ["one two", "three four"]
    assert len(stage.sandbox.calls_to("chat.startStream")) == 1
    assert stage.platform.capabilities(chat).streaming is Streaming.EDIT


async def test_a_workspace_without_streams_is_asked_once(stage: SlackStage) -> None:
    stage.sandbox.workspace.refusing_streams = "unknown_method"
    draft = stage.platform.draft(stage.incoming)
    await draft.show("one")
    await draft.finish(Reply(text="one two"))
    assert await stage.screen() == ["one two"]
    bea = stage.sandbox.person("Bea")
    elsewhere = make_chat(stage.sandbox.workspace.team, bea.dm.id, "")
    assert stage.platform.capabilities(elsewhere).streaming is Streaming.EDIT


@pytest.mark.parametrize(
    "said",
    [
        "wake up <!channel> and <!here|here> and <!everyone>",
        "ask <@U0ADA> or <!subteam^S012|@team>",
        "hey @channel, @here and @everyone",
        "`<!channel>` in code",
    ],
)
async def test_nobody_is_notified_by_what_a_model_writes(stage: SlackStage, said: str) -> None:
    draft = stage.platform.draft(stage.incoming)
    for end in range(1, len(said) + 1):
        await draft.show(said[:end])
        assert [seen.pings for seen in stage.place.answers() if seen.pings] == []
    await draft.finish(Reply(text=said))
    (seen,) = stage.place.answers()
    assert seen.pings == ()
    assert seen.text.replace("\N{WORD JOINER}", "") == said
    await stage.platform.send(stage.incoming.ref.chat, Reply(text=said))
    assert stage.place.answers()[-1].pings == ()


@pytest.mark.parametrize("shown", ["wake up <!channel> ", "wake up "])
async def test_nobody_is_notified_by_the_first_words_or_by_the_last(
    stage: SlackStage, shown: str
) -> None:
    draft = stage.platform.draft(stage.incoming)
    await draft.show(shown)
    assert [seen.pings for seen in stage.place.answers()] == [()]
    await draft.finish(Reply(text="wake up <!channel> and <@U0ADA>"))
    assert [seen.pings for seen in stage.place.answers()] == [()]


async def test_links_are_not_unfurled(stage: SlackStage) -> None:
    await stage.platform.send(stage.incoming.ref.chat, Reply(text="https://a.example/secret"))
    (call,) = stage.sandbox.calls_to("chat.postMessage")
    assert (call.args["unfurl_links"], call.args["unfurl_media"]) == (False, False)


async def asked(stage: SlackStage, person: Person) -> IncomingMessage:
    """A question in somebody's direct message."""
    question = await person.dm.send("hello")
    chat = make_chat(stage.sandbox.workspace.team, person.dm.id, "")
    return replace(
        stage.incoming,
        ref=make_message(chat, question.ts, ""),
        sender=Sender(UserId(person.id), person.user.name),
    )


async def test_more_answers_than_streams_a_minute_are_posted() -> None:
    clock = HastyClock()
    async with slack_stage("thread", clock, sandbox_clock=clock) as stage:
        stage.sandbox.limits.mode = Mode.ON
        for number in range(30):
            draft = stage.platform.draft(stage.incoming)
            with suppress(RateLimited):  # the end gets through by itself
                await draft.show(f"answer {number}")
            await draft.finish(Reply(text=f"answer {number}, whole"))
        assert await stage.screen() == [f"answer {number}, whole" for number in range(30)]
        assert stage.sandbox.limits.refused == 0


async def test_first_texts_come_at_once_while_there_is_a_call_for_each_end() -> None:
    clock = ManualClock()  # not a second passes
    async with slack_stage("dm", clock, sandbox_clock=clock) as stage:
        stage.sandbox.limits.mode = Mode.HARD
        people = [stage.sandbox.person(f"P{number}") for number in range(66)]
        drafts = [stage.platform.draft(await asked(stage, person)) for person in people]
        for draft in drafts[:65]:
            await draft.show("half an")
        with pytest.raises(NotYourTurn):  # this one is posted when it is whole
            await drafts[65].show("half an")
        screens = [person.dm.answers() for person in people]
        assert [[seen.text for seen in screen] for screen in screens] == [["half an"]] * 65 + [[]]
        assert sum(seen.streaming for screen in screens for seen in screen) == 20
        for draft in drafts:
            await draft.finish(Reply(text="half an answer, and the other half"))
        texts = [[seen.text for seen in person.dm.answers()] for person in people]
        assert texts == [["half an answer, and the other half"]] * 66
        assert stage.sandbox.limits.refused == 0


async def test_a_bot_that_leaves_stops_its_streams(stage: SlackStage) -> None:
    draft = stage.platform.draft(stage.incoming)
    await draft.show("half an ans")
    await stage.platform.close()
    (seen,) = stage.place.answers()
    assert (seen.text, seen.streaming) == ("half an ans", False)
    assert not stage.place.stoppable()


@pytest.mark.usefixtures("impatient")
async def test_a_slack_that_does_not_answer_holds_up_no_bot_that_leaves(stage: SlackStage) -> None:
    draft = stage.platform.draft(stage.incoming)
    await draft.show("half an ans")
    stage.sandbox.faults.hang_next(method="chat.stopStream")
    await stage.platform.close()


async def test_a_stream_that_has_ended_is_not_stopped_again(stage: SlackStage) -> None:
    draft = stage.platform.draft(stage.incoming)
    await draft.show("half an ans")
    await draft.finish(Reply(text="half an answer"))
    await stage.platform.close()
    assert len(stage.sandbox.calls_to("chat.stopStream")) == 1


@pytest.mark.parametrize("fate", ["deleted", "taken away", "chat gone"])
async def test_a_bot_that_leaves_stops_no_stream_that_is_gone(fate: str) -> None:
    async with slack_stage("thread", HastyClock()) as stage:
        draft = stage.platform.draft(stage.incoming)
        await draft.show("one")
        assert draft.ref is not None
        if fate == "deleted":
            await stage.delete(draft.ref)
        elif fate == "taken away":
            await stage.place.stop()
            await stage.platform.delete([draft.ref])
        else:
            stage.sandbox.faults.fail_next(200, "channel_not_found", method="chat.stopStream")
        if fate != "taken away":
            with pytest.raises(PlatformError):
                await draft.finish(Reply(text="one two"))
        made = len(stage.sandbox.calls)
    assert [call.method for call in stage.sandbox.calls[made:]] == []


@pytest.mark.parametrize("code", ["messaging_processing_failed", "team_added_to_org"])
async def test_a_stream_that_fails_for_a_moment_is_no_reason_to_stream_no_more(code: str) -> None:
    async with slack_stage("dm", HastyClock()) as stage:
        stage.sandbox.faults.fail_next(200, code, method="chat.startStream")
        draft = stage.platform.draft(stage.incoming)
        with pytest.raises((OutcomeUnknown, PlatformDown)):
            await draft.show("one")
        await draft.show("one")
        assert [seen.streaming for seen in stage.place.answers()] == [True]
        await draft.finish(Reply(text="one two"))
        assert await stage.kept() == ["one two"]
