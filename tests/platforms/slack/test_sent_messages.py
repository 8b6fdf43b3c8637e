"""Posts that nobody wrote down: which are found again, and which are let be."""

from __future__ import annotations

import pytest

from bot.core.delivery.delivery import Delivery
from bot.core.types import OutgoingFile, Reply
from bot.errors import OutcomeUnknown
from bot.platforms.slack.ids import make_chat, make_command
from bot.sandbox.slack.server import SlackSandbox
from tests.platform_contract import HastyClock
from tests.platforms.slack.running import Running, running
from tests.platforms.slack.stage import slack_stage


async def test_what_a_dead_process_posted_after_a_message_is_taken_away(
    sandbox: SlackSandbox,
) -> None:
    place = sandbox.person("Ada").dm
    async with running(sandbox) as bot:
        await place.send("first")
        chat = (await bot.inbox.heard()).ref.chat
        await bot.platform.send(chat, Reply(text="an earlier answer"))
        await place.send("second")
        await bot.inbox.holds(2)
        await bot.platform.send(chat, Reply(text="nobody knows of this"))
        await bot.platform.sweep(chat, after=[bot.inbox.message().ref], keep=[])
        assert [seen.text for seen in place.answers()] == ["an earlier answer"]


async def test_what_was_posted_later_than_the_lost_is_let_be(sandbox: SlackSandbox) -> None:
    place = sandbox.person("Ada").dm
    async with running(sandbox) as bot:
        await place.send("first")
        asked = (await bot.inbox.heard()).ref
        texts = ("lost", "an answer", "what follows")
        _, answer, _ = [await bot.platform.send(asked.chat, Reply(text=text)) for text in texts]
        await bot.platform.sweep(asked.chat, after=[asked], keep=[], before=[asked, answer])
        assert [seen.text for seen in place.answers()] == ["an answer", "what follows"]


@pytest.mark.parametrize("put_off", [False, True])
async def test_an_answer_to_what_the_database_does_not_know_is_let_be(
    sandbox: SlackSandbox, *, put_off: bool
) -> None:
    """It is a copy of before; the bot went on."""
    ada = sandbox.person("Ada")
    async with running(sandbox) as bot:
        thread = ada.thread(await ada.dm.send("first"))
        asked = (await bot.inbox.heard()).ref
        for number, text in enumerate(("lost", "an answer", "another"), start=2):
            await bot.platform.draft(bot.inbox.message()).finish(Reply(text=text))
            await thread.send("and then?")
            await bot.inbox.holds(number)
        again = await bot.platform.draft(bot.inbox.message(0)).finish(Reply(text="once more"))
        before, keep = ([again], []) if put_off else ([], [again])
        await bot.platform.sweep(asked.chat, after=[asked], keep=keep, before=before)
        assert [seen.text for seen in thread.answers()] == ["an answer", "another", "once more"]


async def test_after_a_slash_command_no_older_answers_are_taken_away(
    sandbox: SlackSandbox,
) -> None:
    place = sandbox.person("Ada").dm
    chat = make_chat(sandbox.workspace.team, place.id, "")
    async with running(sandbox) as bot:
        for text in ("one", "two"):
            await bot.platform.send(chat, Reply(text=text))
        await bot.platform.sweep(chat, after=[make_command(chat, "1.1")], keep=[])
    assert [seen.text for seen in place.answers()] == ["one", "two"]


async def test_the_answer_to_a_command_is_not_taken_for_one_of_yesterday(
    sandbox: SlackSandbox,
) -> None:
    general = sandbox.channel("general")
    place = sandbox.person("Ada").channel(general)
    chat = make_chat(sandbox.workspace.team, general.id, "")

    def answer(command: str) -> Reply:
        return Reply(text="Commands: …", answering=make_command(chat, command))

    async with running(sandbox) as bot:
        yesterday = await bot.platform.send(chat, answer("1.1"))
    async with running(sandbox) as bot:
        sandbox.faults.fail_next(503, method="chat.postMessage")
        with pytest.raises(OutcomeUnknown):
            await bot.platform.send(chat, answer("2.2"))
        assert await bot.platform.send(chat, answer("2.2")) != yesterday
    assert [seen.text for seen in place.answers()] == ["Commands: …"] * 2


async def test_the_answer_to_a_command_is_found_after_another_post_in_the_channel() -> None:
    async with slack_stage("channel", HastyClock()) as stage:
        asked = stage.incoming.ref
        reply = Reply(text="The same words.", answering=asked)
        first = await stage.platform.send(asked.chat, reply)
        stage.sandbox.faults.drop_next(method="chat.postMessage")
        assert await stage.platform.send(asked.chat, reply) != first
        assert await stage.kept() == ["The same words."] * 2


@pytest.mark.parametrize("profile", ["dm", "thread", "channel"])
@pytest.mark.parametrize(
    "text",
    [
        "Q&A about the plan",
        "if a < b then",
        "One **two** 🙂 three",
        "✅ Done",
        "1️⃣ First",
        "At 10:30:15 &amp; later",
        "## Here\n- **this** is [the page](https://a.example/b) you want",
    ],
)
async def test_a_lost_post_is_found_whatever_slack_makes_of_its_letters(
    profile: str, text: str
) -> None:
    async with slack_stage(profile, HastyClock()) as stage:
        await stage.platform.send(stage.incoming.ref.chat, Reply(text="I am here."))
        stage.sandbox.faults.drop_next(method="chat.postMessage")
        stage.sandbox.faults.drop_next(method="chat.startStream")
        async with Delivery(stage.platform, stage.incoming, clock=HastyClock()) as delivery:
            delivery.write(text[:-3])
            await stage.sandbox.wait_for(lambda: len(stage.place.answers()) > 1)
            delivery.write(text[-3:])
            (ref,) = await delivery.finish()
        assert await stage.kept() == ["I am here.", text]
        await stage.platform.edit(ref, Reply(text="bye"))
        assert await stage.kept() == ["I am here.", "bye"]


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.usefixtures("impatient")
async def test_a_stream_that_only_says_what_goes_on_is_gone_on_with(
    bot: Running, *, direct: bool
) -> None:
    ada = bot.sandbox.person("Ada")
    general = bot.sandbox.channel("general")
    place = ada.dm if direct else ada.channel(general)
    question = await place.send("hello" if direct else "<@BOT> hello")
    draft = bot.platform.draft(await bot.inbox.heard())
    bot.sandbox.faults.drop_next(method="chat.startStream")
    await draft.status("🎧 Listening…")
    await draft.show("one")
    (seen,) = place.answers()
    assert (seen.text, seen.tasks, seen.streaming) == (
        "one",
        ("🎧 Listening… (complete)",),
        True,
    )
    assert seen.thread == question.ts
    await draft.finish(Reply(text="one two"))
    assert [(seen.text, seen.streaming) for seen in place.answers()] == [("one two", False)]


@pytest.mark.usefixtures("impatient")
async def test_a_picture_of_an_earlier_try_is_not_taken_for_a_stream(bot: Running) -> None:
    place = bot.sandbox.person("Ada").dm
    await place.send("hello")
    await bot.inbox.holds(1)
    picture = OutgoingFile(name="a.png", mime="image/png", content=b"png")
    async with running(bot.sandbox) as earlier:
        await earlier.platform.draft(bot.inbox.message()).finish(Reply(text="", files=(picture,)))
    before = place.answers()
    bot.sandbox.faults.fail_next(503, method="chat.startStream")
    draft = bot.platform.draft(bot.inbox.message())
    with pytest.raises(OutcomeUnknown):
        await draft.status("🎧 Listening…")
    await draft.finish(Reply(text="one"))
    assert place.answers()[: len(before)] == before
