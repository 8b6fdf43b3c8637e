"""Slack's thumbs under an answer, and what happens to blocks that Slack does not draw."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.core.types import Button, Feedback, Reply, Thoughts
from tests.platform_contract import HastyClock
from tests.platforms.slack.running import Running
from tests.platforms.slack.stage import SlackStage, slack_stage

THUMBS = Feedback(good="yes", bad="no")
AGAIN = Button("Again", "again")
THOUGHTS = Thoughts(title="💭 Thought for 3 s", text="First <!channel>,\nthen two.")
ANSWER = Reply(text="one **two**", buttons=((AGAIN,),), feedback=THUMBS)


@pytest.fixture(params=["dm", "thread", "channel"])
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[SlackStage]:
    async with slack_stage(request.param, HastyClock()) as stage:
        yield stage


async def test_thumbs_stand_under_the_finished_answer(stage: SlackStage) -> None:
    draft = stage.platform.draft(stage.incoming)
    await draft.show("one")
    assert not stage.place.answers()[0].thumbs
    await draft.finish(ANSWER)
    (seen,) = stage.place.answers()
    assert (seen.text, seen.buttons, seen.thumbs) == ("one **two**", ("Again",), True)
    assert not [call for call in stage.sandbox.calls if call.error]


async def test_thumbs_go_when_the_answer_is_replaced(stage: SlackStage) -> None:
    ref = await stage.platform.draft(stage.incoming).finish(ANSWER)
    await stage.platform.edit(ref, Reply(text="something else"))
    assert not stage.place.answers()[0].thumbs


async def test_a_press_of_a_thumb_is_a_press_of_a_button(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    await ada.dm.send("hello")
    question = await bot.inbox.heard()
    ref = await bot.platform.draft(question).finish(Reply(text="hi", feedback=THUMBS))
    await ada.dm.rate(good=False)
    await bot.inbox.holds(2)
    press = bot.inbox.press()
    assert (press.value, press.ref, press.sender.id) == ("no", ref, ada.id)
    await bot.platform.notice(press, "Thank you!")
    (*_, thanks) = ada.dm.answers()
    assert thanks.text == "Thank you!"
    assert thanks not in ada.dm.kept()  # only she sees it, and not for long
    await bot.settled()


@pytest.mark.parametrize("streams", [True, False])
async def test_where_thumbs_are_not_drawn_the_answer_comes_without(
    stage: SlackStage, streams: bool
) -> None:
    stage.sandbox.workspace.refusing_streams = "" if streams else "user_not_found"
    stage.sandbox.workspace.refusing_blocks = {"context_actions"}
    draft = stage.platform.draft(stage.incoming)
    await draft.show("one")
    await draft.finish(ANSWER)
    (seen,) = stage.place.answers()
    assert (seen.text, seen.buttons) == ("one **two**", ("Again",))
    assert not seen.streaming
    before = len(stage.sandbox.calls)
    draft = stage.platform.draft(stage.incoming)
    await draft.show("three")
    await draft.finish(ANSWER)
    later = stage.sandbox.calls[before:]
    assert not [call for call in later if call.error == "invalid_blocks"]  # not asked for again


@pytest.mark.parametrize("streams", [True, False])
async def test_thoughts_are_folded_up_under_the_answer(stage: SlackStage, streams: bool) -> None:
    stage.sandbox.workspace.refusing_streams = "" if streams else "user_not_found"
    assert stage.platform.capabilities(stage.incoming.ref.chat).folds
    draft = stage.platform.draft(stage.incoming)
    await draft.show("one")
    ref = await draft.finish(replace(ANSWER, thoughts=THOUGHTS))
    (seen,) = stage.place.answers()
    assert (seen.text, seen.buttons, seen.thumbs) == ("one **two**", ("Again",), True)
    assert [text.replace("\N{WORD JOINER}", "") for text in seen.folded] == [
        "💭 Thought for 3 s\nFirst <!channel>,\nthen two."
    ]
    assert seen.pings == ()
    long = Thoughts(title="💭 Thought for 9 s", text="well, " * 9_000)
    await stage.platform.edit(ref, Reply(text="three", thoughts=long))
    (seen,) = stage.place.answers()
    assert len(seen.folded[0]) < 2_100
    await stage.platform.edit(ref, Reply(text="three"))
    assert stage.place.answers()[0].folded == ()


@pytest.mark.parametrize(
    ("refused", "thumbs", "folded"),
    [({"task_card"}, True, 0), ({"context_actions"}, False, 1)],
)
async def test_only_what_is_not_drawn_is_left_out(
    stage: SlackStage, refused: set[str], thumbs: bool, folded: int
) -> None:
    stage.sandbox.workspace.refusing_blocks = refused
    for _ in range(2):
        draft = stage.platform.draft(stage.incoming)
        await draft.show("one")
        await draft.finish(replace(ANSWER, thoughts=THOUGHTS))
        seen = stage.place.answers()[-1]
        assert (seen.thumbs, len(seen.folded)) == (thumbs, folded)
        assert (seen.text, seen.streaming) == ("one **two**", False)


async def test_what_was_too_long_once_is_drawn_the_next_time(stage: SlackStage) -> None:
    full = replace(ANSWER, thoughts=THOUGHTS)
    ref = await stage.platform.send(stage.incoming.ref.chat, full)
    stage.sandbox.faults.fail_next(200, "msg_blocks_too_long", method="chat.update")
    await stage.platform.edit(ref, replace(full, text="word " * 2_000))
    (seen,) = stage.place.answers()
    assert (seen.folded, seen.thumbs) == ((), True)
    await stage.platform.edit(ref, full)
    (seen,) = stage.place.answers()
    assert (len(seen.folded), seen.thumbs) == (1, True)


async def test_markdown_that_slack_does_not_draw_comes_as_plain_text(stage: SlackStage) -> None:
    stage.sandbox.workspace.refusing_blocks = {"markdown"}
    text = "| a | b |\n|---|---|\n" + "| <!channel> & 你 | 2 |\n" * 500
    reply = Reply(text=text[:8_000], buttons=((AGAIN,),), feedback=THUMBS)
    ref = await stage.platform.send(stage.incoming.ref.chat, reply)
    (seen,) = stage.place.answers()
    shown = seen.text.replace("\n\n", "").replace("\N{WORD JOINER}", "")
    assert shown == reply.text
    assert seen.buttons == ("Again",)
    assert seen.pings == ()
    await stage.platform.edit(ref, Reply(text="bye"))
    assert await stage.kept() == ["bye"]


async def test_an_answer_of_ampersands_is_not_too_long(stage: SlackStage) -> None:
    draft = stage.platform.draft(stage.incoming)
    await draft.show("&" * 500)
    await draft.finish(Reply(text="&" * 1_200 + " end"))
    assert await stage.kept() == ["&" * 1_200 + " end"]
    assert not [call for call in stage.sandbox.calls if call.error]


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_blocks_too_long", "msg_too_long"])
async def test_a_message_that_slack_refuses_comes_as_plain_text(
    stage: SlackStage, code: str
) -> None:
    ref = await stage.platform.send(stage.incoming.ref.chat, Reply(text="one"))
    stage.sandbox.faults.fail_next(200, code, method="chat.update")
    await stage.platform.edit(ref, Reply(text="one **two**"))
    assert await stage.kept() == ["one **two**"]


async def test_a_table_takes_the_place_of_a_sentence(stage: SlackStage) -> None:
    """Slack puts nothing but rich text where rich text was, and a table is none."""
    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    ref = await stage.platform.send(stage.incoming.ref.chat, Reply(text="one", feedback=THUMBS))
    await stage.platform.edit(ref, Reply(text=table, buttons=((AGAIN,),), feedback=THUMBS))
    (seen,) = stage.place.answers()
    assert (seen.text.strip(), seen.buttons, seen.thumbs) == (table, ("Again",), True)


async def test_other_refusals_are_not_tried_around(stage: SlackStage) -> None:
    stage.sandbox.faults.fail_next(200, "restricted_action", method="chat.postMessage")
    with pytest.raises(Exception, match="restricted_action"):
        await stage.platform.send(stage.incoming.ref.chat, ANSWER)
    assert len(stage.sandbox.calls_to("chat.postMessage")) == 1
