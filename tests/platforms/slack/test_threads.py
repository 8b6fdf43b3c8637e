"""Which thread is a conversation with the bot, and what belongs to it."""

from __future__ import annotations

import pytest

from bot.core.capabilities import Streaming
from bot.core.types import Reply
from bot.errors import ChatGone, NotYourTurn
from bot.sandbox.limits import Mode
from bot.sandbox.slack.server import SlackSandbox
from bot.sandbox.slack.state import Message, User
from tests.platforms.slack.running import Running, running


async def test_a_thread_begun_by_a_mention_needs_no_other(bot: Running) -> None:
    ada, bea = bot.sandbox.person("Ada"), bot.sandbox.person("Bea")
    channel = bot.sandbox.channel("general")
    question = await ada.channel(channel).send("<@BOT> what is this?")
    await bot.inbox.holds(2)
    thread = ada.thread(question)
    await thread.send("and why?")
    await thread.send(f"<@{bea.id}> what do you say?")
    await bot.inbox.holds(4)
    follow_up, aside = bot.inbox.message(2), bot.inbox.message(3)
    assert follow_up.addressed
    assert follow_up.ref.chat == bot.inbox.message(0).ref.chat
    assert not aside.addressed
    assert aside.text == "@Bea what do you say?"


async def test_whose_thread_it_is_is_known_after_a_restart_too(sandbox: SlackSandbox) -> None:
    ada = sandbox.person("Ada")
    general = ada.channel(sandbox.channel("general"))
    async with running(sandbox) as before:
        ours = await general.send("<@BOT> what is this?")
        theirs = await general.send("what is this?")
        await before.inbox.holds(3)
        await before.settled()
    async with running(sandbox) as after:
        await ada.thread(theirs).send("anybody?")
        await ada.thread(ours).send("and why?")
        await after.inbox.holds(2)
        heard = {m.text: m.addressed for m in (after.inbox.message(0), after.inbox.message(1))}
    assert heard == {"anybody?": False, "and why?": True}


@pytest.mark.parametrize("trouble", ["busy", "broken"])
@pytest.mark.usefixtures("impatient")
async def test_a_follow_up_after_a_restart_is_not_lost_on_a_slack_in_trouble(
    sandbox: SlackSandbox, trouble: str
) -> None:
    ada = sandbox.person("Ada")
    question = await ada.channel(sandbox.channel("general")).send("<@BOT> what is this?")
    async with running(sandbox) as before:
        await before.settled()
    async with running(sandbox) as after:
        if trouble == "busy":
            sandbox.faults.refuse_next(1, method="conversations.replies")
        else:
            sandbox.faults.fail_next(503, method="conversations.replies")
        await ada.thread(question).send("and why?")
        assert (await after.inbox.heard()).addressed
        await after.settled()


@pytest.mark.usefixtures("impatient")
async def test_follow_ups_wait_for_a_slow_slack_in_order_and_hold_up_nobody(
    sandbox: SlackSandbox,
) -> None:
    ada = sandbox.person("Ada")
    general = ada.channel(sandbox.channel("general"))
    question = await general.send("<@BOT> what is this?")
    async with running(sandbox) as before:
        await before.settled()
    async with running(sandbox) as after:
        sandbox.faults.hang_next(method="conversations.replies")
        for text in ("and why?", "and how?"):
            await ada.thread(question).send(text)
        await general.send("<@BOT> something else")
        await after.inbox.holds(2)  # a mention comes twice
        await ada.thread(question).send("and when?")
        # Slack would send the three again to another process.
        await sandbox.wait_for(lambda: len(sandbox.sockets.unacked) == 3)
        assert [message.text for message in map(after.inbox.message, (0, 1))] == (
            ["something else"] * 2
        )
        sandbox.let_go()
        await after.inbox.holds(5)
        heard = [after.inbox.message(at) for at in (2, 3, 4)]
        assert [message.text for message in heard] == ["and why?", "and how?", "and when?"]
        assert all(message.addressed for message in heard)
        await after.settled()


async def test_many_threads_that_go_on_at_once_after_a_restart_are_all_heard(
    sandbox: SlackSandbox,
) -> None:
    ada = sandbox.person("Ada")
    general = ada.channel(sandbox.channel("general"))
    questions = [await general.send(f"<@BOT> question {number}") for number in range(45)]
    async with running(sandbox) as before:
        await before.settled()
    async with running(sandbox) as after:
        sandbox.limits.mode = Mode.HARD
        for question in questions:
            await ada.thread(question).send("and why?")
        await after.inbox.holds(45)
        assert all(after.inbox.message(at).addressed for at in range(45))
    assert sandbox.limits.refused == 0


async def test_a_command_for_files_is_about_the_message_that_began_the_thread(
    bot: Running,
) -> None:
    ada = bot.sandbox.person("Ada")
    general = bot.sandbox.channel("general")
    clip = await ada.channel(general).upload("talk.m4a", b"sound", "audio/mp4")
    await ada.thread(clip).send("<@BOT> !transcribe de")
    mine = await ada.dm.record(b"sound", seconds=1)
    await ada.thread(mine).send("!transcribe")
    await ada.thread(mine).send("what else?")
    await bot.inbox.holds(6)  # a mention comes twice
    by_text = {m.text: m.reply_to for m in map(bot.inbox.message, range(len(bot.inbox.events)))}
    for command, name in (("/transcribe de", "talk.m4a"), ("/transcribe", "audio_message.m4a")):
        quote = by_text[command]
        assert quote is not None and [file.name for file in quote.attachments] == [name]
    assert by_text["what else?"] is None


async def test_who_is_mentioned_below_a_message_is_told_of_it(bot: Running) -> None:
    ada, bea = bot.sandbox.person("Ada"), bot.sandbox.person("Bea")
    general = bot.sandbox.channel("general")
    plan = await bea.channel(general).upload("plan.png", b"png", "image/png", text="Is 1 < 2 fine?")
    await ada.thread(plan).send("<@BOT> what does she mean?")
    await bot.inbox.holds(3)  # a mention comes twice
    asked = bot.inbox.message(1)
    assert asked.text == "what does she mean?"
    quote = asked.reply_to
    assert quote is not None and quote.opening
    assert (quote.author, quote.text, quote.by_bot) == ("Bea", "Is 1 < 2 fine?", False)
    assert [file.name for file in quote.attachments] == ["plan.png"]


async def test_who_is_mentioned_below_a_shared_message_is_told_of_it(bot: Running) -> None:
    ada, bea, cid = (bot.sandbox.person(name) for name in ("Ada", "Bea", "Cid"))
    original = await cid.channel(bot.sandbox.channel("sales")).send("Do you sell < 5?")
    shared = await bea.channel(bot.sandbox.channel("help")).share(original, "Anybody?")
    await ada.thread(shared).send("<@BOT> draft a reply")
    quote = (await bot.inbox.heard(3)).reply_to
    assert quote is not None
    assert quote.author == "Bea"
    assert quote.text.splitlines() == ["Anybody?", "Cid: Do you sell < 5?"]


async def test_who_is_mentioned_below_an_alert_is_told_what_it_says(bot: Running) -> None:
    ada, workspace = bot.sandbox.person("Ada"), bot.sandbox.workspace
    alerts = workspace.users["U0ALERTS"] = User("U0ALERTS", "Alerts", is_bot=True)
    field = {"title": "Host", "value": "db-1", "short": True}
    said = {"title": "Disk full", "text": "97 % of &lt;/data&gt;", "fields": [field]}
    channel = bot.sandbox.channel("ops")
    alert = Message(channel.id, alerts.id, text="[FIRING:1]", attachments=[said])
    await ada.thread(workspace.post(alert)).send("<@BOT> what now?")
    quote = (await bot.inbox.heard()).reply_to
    assert quote is not None
    assert quote.author == "Alerts"
    assert quote.text.splitlines() == ["[FIRING:1]", "Disk full", "97 % of </data>", "Host: db-1"]


@pytest.mark.parametrize(("change", "told"), [("Meet at 2", "Meet at 2"), ("", None)])
async def test_who_is_mentioned_below_a_message_is_told_what_it_says_by_now(
    bot: Running, change: str, told: str | None
) -> None:
    ada, bea = bot.sandbox.person("Ada"), bot.sandbox.person("Bea")
    here = bea.channel(bot.sandbox.channel("general"))
    plan = await here.send("Meet at 1")
    await bea.thread(plan).send("or not?")
    await bot.inbox.holds(2)
    await (here.edit(plan, change) if change else here.delete(plan.ts))
    await bot.inbox.holds(3)
    await ada.thread(plan).send("<@BOT> when?")
    await bot.inbox.holds(5)
    quote = bot.inbox.message(3).reply_to
    assert (quote and quote.text) == told


async def test_a_change_of_a_message_is_known_below_it_though_another_process_was_told(
    bot: Running,
) -> None:
    ada = bot.sandbox.person("Ada")
    plan = await ada.channel(bot.sandbox.channel("general")).send("Meet at 1")
    await ada.thread(plan).send("or not?")
    await bot.inbox.holds(2)
    plan.text = "Meet at 2"  # the other one is told of it
    await ada.thread(plan).send("<@BOT> when?")
    quote = (await bot.inbox.heard(3)).reply_to
    assert quote is not None and quote.text == "Meet at 2"


async def test_below_what_the_bot_said_in_a_channel_it_is_known(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    channel = bot.sandbox.channel("general")
    await ada.channel(channel).slash("/chinwag what is tea?")
    command = await bot.inbox.heard()
    await bot.platform.send(command.ref.chat, Reply(text="A drink.", answering=command.ref))
    (answer,) = ada.channel(channel).messages()
    await ada.thread(answer).send("and coffee?")
    quote = (await bot.inbox.heard(2)).reply_to
    assert quote is not None
    assert (quote.author, quote.text, quote.by_bot) == ("chinwag", "A drink.", True)


async def test_of_a_thread_that_began_with_a_mention_nothing_is_asked(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    question = await ada.channel(bot.sandbox.channel("general")).send("<@BOT> what is this?")
    await ada.thread(question).send("<@BOT> and that?")
    await bot.inbox.holds(4)
    assert {bot.inbox.message(at).reply_to for at in range(4)} == {None}
    assert not bot.sandbox.calls_to("conversations.replies")


async def test_a_direct_message_and_its_threads_are_one_conversation(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    question = await ada.dm.send("what is this?")
    await ada.thread(question).send("and why?")
    await bot.inbox.holds(2)
    first, second = bot.inbox.message(0), bot.inbox.message(1)
    assert first.ref.chat == second.ref.chat
    draft = bot.platform.draft(second)
    await draft.finish(Reply(text="because"))
    assert ada.dm.answers()[0].thread == question.ts


async def test_what_is_said_of_a_message_in_a_thread_stands_in_the_thread(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    question = await ada.dm.send("what is this?")
    await ada.thread(question).send("!model")
    chat = (await bot.inbox.heard(2)).ref.chat
    await bot.platform.send(chat, Reply(text="pick a model"))
    await ada.dm.send("!help")
    await bot.inbox.holds(3)
    await bot.platform.send(chat, Reply(text="this is what I can do"))
    assert [seen.thread for seen in ada.dm.answers()] == [question.ts, ""]


async def test_a_line_that_may_be_left_out_is_so_where_much_is_posted_in_a_channel(
    bot: Running,
) -> None:
    await bot.sandbox.person("Ada").channel(bot.sandbox.channel("general")).send("<@BOT> one")
    chat = (await bot.inbox.heard()).ref.chat
    with pytest.raises(NotYourTurn):
        for _ in range(4):  # more than Slack takes at once
            await bot.platform.send(chat, Reply(text="⏳", spare=True))


async def test_threads_of_a_channel_are_conversations_of_their_own(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    general = ada.channel(bot.sandbox.channel("general"))
    await general.send("<@BOT> one")
    await general.send("<@BOT> two")
    await bot.inbox.holds(4)
    assert len({bot.inbox.message(at).ref.chat for at in range(4)}) == 2


@pytest.mark.parametrize("is_shown", [False, True])
async def test_an_answer_to_what_was_deleted_does_not_stand_in_the_channel(
    bot: Running, is_shown: bool
) -> None:
    ada = bot.sandbox.person("Ada")
    general = ada.channel(bot.sandbox.channel("general"))
    question = await general.send("<@BOT> what is this?")
    asked = await bot.inbox.heard(2)
    await general.delete_at(question.ts)
    draft = bot.platform.draft(asked)
    with pytest.raises(ChatGone):
        await (draft.show("a secret") if is_shown else draft.finish(Reply(text="a secret")))
    assert general.screen() == []


@pytest.mark.parametrize("fault", ["refused", "failed", "lost"])
async def test_it_does_not_stand_there_either_when_it_cannot_be_deleted_at_once(
    bot: Running, fault: str
) -> None:
    ada = bot.sandbox.person("Ada")
    general = ada.channel(bot.sandbox.channel("general"))
    question = await general.send("<@BOT> what is this?")
    await bot.inbox.holds(2)
    asked = bot.inbox.message()
    await general.delete_at(question.ts)
    match fault:
        case "refused":
            bot.sandbox.faults.refuse_next(1, method="chat.delete")
        case "failed":
            bot.sandbox.faults.fail_next(503, method="chat.delete")
        case _:
            bot.sandbox.faults.drop_next(method="chat.delete")
    with pytest.raises(ChatGone):
        await bot.platform.draft(asked).finish(Reply(text="a secret"))
    assert general.screen() == []


async def test_an_answer_to_what_was_deleted_costs_the_next_one_no_stream(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    question = await ada.dm.send("what is this?")
    asked = await bot.inbox.heard()
    await ada.dm.delete_at(question.ts)
    draft = bot.platform.draft(asked)
    await draft.status("Thinking…")
    with pytest.raises(ChatGone):
        await draft.show("a secret")
    assert ada.dm.screen() == []
    possible = bot.platform.capabilities(asked.ref.chat)
    assert (possible.streaming, possible.status) == (Streaming.NATIVE, True)


async def test_what_is_about_one_of_many_messages_stands_under_it_as_long_as_that_is_there(
    bot: Running,
) -> None:
    ada = bot.sandbox.person("Ada")
    first, second = [await ada.dm.send(text) for text in ("first", "second")]
    await bot.inbox.holds(2)
    await ada.dm.delete(second.ts)
    for about in (bot.inbox.message(0).ref, bot.inbox.message(1).ref):
        await bot.platform.send(about.chat, Reply(text="this", answering=about, pointing=True))
    assert [seen.thread for seen in ada.dm.answers()] == [first.ts, ""]
