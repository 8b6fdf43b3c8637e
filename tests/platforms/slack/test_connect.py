"""Channels that are shared with another workspace (Slack Connect)."""

from __future__ import annotations

import pytest

from bot.core.types import Button, ChatMoved, FileKind, OutgoingFile, Reply
from bot.platforms.slack.ids import make_chat
from tests.platforms.slack.running import Running

ELSEWHERE = "T0ELSEWHERE"


async def test_people_of_two_workspaces_are_in_one_conversation(bot: Running) -> None:
    ada, bea = bot.sandbox.person("Ada"), bot.sandbox.person("Bea", team=ELSEWHERE)
    channel = bot.sandbox.channel("shared")
    question = await bea.channel(channel).send("<@BOT> what is this?")
    await bot.inbox.holds(2)
    await ada.thread(question).send("and why?")
    await bot.inbox.holds(3)
    theirs, ours = bot.inbox.message(0), bot.inbox.message(2)
    assert ours.addressed
    assert ours.ref.chat == theirs.ref.chat
    assert theirs.sender.name == "Bea"


async def test_somebody_of_another_workspace_presses_a_button_of_the_same_conversation(
    bot: Running,
) -> None:
    ada, bea = bot.sandbox.person("Ada"), bot.sandbox.person("Bea", team=ELSEWHERE)
    channel = bot.sandbox.channel("shared")
    bea.channel(channel)
    question = await ada.channel(channel).send("<@BOT> what is this?")
    asked = await bot.inbox.heard(2)
    again = Reply(text="this", buttons=((Button("Again", "a"),),))
    ref = await bot.platform.send(asked.ref.chat, again)
    await bea.thread(question).press("Again")
    await bot.inbox.holds(3)
    assert bot.inbox.press().ref == ref


async def test_an_answer_to_somebody_of_another_workspace_is_streamed(bot: Running) -> None:
    bea = bot.sandbox.person("Bea", team=ELSEWHERE)
    question = await bea.channel(bot.sandbox.channel("shared")).send("<@BOT> what is this?")
    await bot.platform.draft(await bot.inbox.heard(2)).show("this")
    (seen,) = bea.thread(question).answers()
    assert (seen.text, seen.streaming) == ("this", True)


async def test_a_picture_of_another_workspace_is_known_as_one(bot: Running) -> None:
    bea = bot.sandbox.person("Bea", team=ELSEWHERE)
    shared = bea.channel(bot.sandbox.channel("shared"))
    await shared.upload("cat.png", b"\x89PNG", "image/png", text="<@BOT> what is this?")
    await bot.inbox.holds(2)
    (picture,) = bot.inbox.message(0).attachments
    assert (picture.kind, picture.mime, picture.name) == (FileKind.IMAGE, "image/png", "cat.png")
    assert picture.size == 4


async def test_a_picture_of_another_workspace_is_known_as_one_when_it_is_shared(
    bot: Running,
) -> None:
    ada, bea = bot.sandbox.person("Ada"), bot.sandbox.person("Bea", team=ELSEWHERE)
    shared = bea.channel(bot.sandbox.channel("shared"))
    original = await shared.upload("cat.png", b"\x89PNG", "image/png")
    await ada.dm.share(original, "What is this?")
    await bot.inbox.holds(2)
    (picture,) = bot.inbox.message(1).attachments
    assert (picture.kind, picture.name, picture.size) == (FileKind.IMAGE, "cat.png", 4)


async def test_an_answer_goes_on_in_a_channel_that_gets_another_id(bot: Running) -> None:
    ada, channel = bot.sandbox.person("Ada"), bot.sandbox.channel("secret", private=True)
    question = await ada.channel(channel).send("<@BOT> what is this?")
    asked, team, old = await bot.inbox.heard(2), bot.sandbox.workspace.team, channel.id
    draft = bot.platform.draft(asked)
    await draft.show("half")
    bot.sandbox.share(channel)
    await bot.inbox.holds(3)
    here, there = make_chat(team, old, ""), make_chat(team, channel.id, "")
    assert bot.inbox.events[2] == ChatMoved(old=here, new=there, threads=True)
    note = OutgoingFile(name="note.txt", mime="text/plain", content=b"milk")
    await draft.finish(Reply(text="half and half", files=(note,)))
    answer, files = ada.thread(question).answers()
    assert (answer.text, files.files) == ("half and half", ("note.txt",))
    await ada.thread(question).send("and why?")
    assert (await bot.inbox.heard(4)).addressed
    assert bot.inbox.message().ref.chat == make_chat(team, channel.id, question.ts)


@pytest.mark.parametrize("words", ["what is this?", "!image a cat like this"])
async def test_a_picture_of_another_workspace_is_known_as_one_below_its_message(
    bot: Running, words: str
) -> None:
    ada, bea = bot.sandbox.person("Ada"), bot.sandbox.person("Bea", team=ELSEWHERE)
    channel = bot.sandbox.channel("shared")
    original = await bea.channel(channel).upload("cat.png", b"\x89PNG", "image/png")
    await ada.thread(original).send(f"<@BOT> {words}")
    quote = (await bot.inbox.heard(2)).reply_to
    assert quote is not None
    (picture,) = quote.attachments
    assert (picture.kind, picture.name) == (FileKind.IMAGE, "cat.png")
