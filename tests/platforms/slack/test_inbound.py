"""What people do in Slack, as the core hears of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.core.fakes.clock import ManualClock
from bot.core.types import LATE, Button, FileKind, Forward, IncomingMessage, Reply, Withdrawal
from bot.platforms.slack import previews
from bot.platforms.slack.ids import make_chat
from bot.sandbox.limits import Mode
from bot.sandbox.slack import events, objects
from bot.sandbox.slack.server import SlackSandbox
from bot.sandbox.slack.state import Json, Message, User
from tests.platforms.slack.running import Running, running


async def test_a_direct_message_is_addressed_to_the_bot(bot: Running) -> None:
    ada = bot.sandbox.person("Ada", id="U0ADA", locale="zh-CN")
    await ada.dm.send("1 < 2 & 3 > 2")
    message = await bot.inbox.heard()
    assert message.text == "1 < 2 & 3 > 2"
    assert (message.addressed, message.group, message.edited) == (True, False, False)
    assert message.sender.id == "U0ADA"
    assert message.sender.name == "Ada"
    assert message.sender.language == "zh-CN"


async def test_a_mention_arrives_once_in_effect(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    general = ada.channel(bot.sandbox.channel("general"))
    await general.send("<@BOT> what is this?")
    await bot.inbox.holds(2)
    first, second = bot.inbox.message(0), bot.inbox.message(1)
    assert first.key == second.key
    assert first.ref == second.ref
    assert (first.text, first.addressed, first.group) == ("what is this?", True, True)


async def test_what_an_app_has_sent_twice_is_known_by_the_name_that_it_gave_it(
    bot: Running,
) -> None:
    workspace, ada = bot.sandbox.workspace, bot.sandbox.person("Ada")
    said = await ada.dm.send("hello")
    workspace.tell(events.posted(workspace, workspace.post(replace(said, ts=""))))
    await ada.dm.send("hello")
    await bot.inbox.holds(3)
    first, again, other = (bot.inbox.message(at) for at in range(3))
    assert first.key != again.key and first.gesture == again.gesture
    assert first.gesture and first.gesture != other.gesture


@pytest.mark.parametrize("mentions_first", [False, True])
async def test_a_mention_has_its_picture_whichever_event_comes_first(
    bot: Running, *, mentions_first: bool
) -> None:
    bot.sandbox.workspace.mentions_first = mentions_first
    general = bot.sandbox.person("Ada").channel(bot.sandbox.channel("general"))
    await general.upload("cat.png", b"png", "image/png", text="<@BOT> what is this?")
    await bot.inbox.holds(2)
    first, second = bot.inbox.message(0), bot.inbox.message(1)
    assert first.key == second.key
    assert [file.name for file in first.attachments] == ["cat.png"]


async def test_in_a_direct_message_of_several_people_the_bot_is_mentioned(bot: Running) -> None:
    ada, bea = bot.sandbox.person("Ada"), bot.sandbox.person("Bea")
    group = bot.sandbox.group(ada, bea)
    await ada.channel(group).send("lunch?")
    question = await ada.channel(group).send("<@BOT> where?")
    await bea.thread(question).send("and when?")
    await bot.inbox.holds(3)
    heard = [bot.inbox.message(at) for at in range(3)]
    assert [(each.text, each.addressed, each.group) for each in heard] == [
        ("lunch?", False, True),
        ("where?", True, True),
        ("and when?", True, True),
    ]
    draft = bot.platform.draft(heard[2])
    await draft.show("at")
    await draft.finish(Reply(text="at one"))
    assert [seen.text for seen in bea.thread(question).answers()] == ["at one"]


@pytest.mark.usefixtures("impatient")
async def test_a_mention_where_the_bot_is_not_is_heard(bot: Running) -> None:
    channel = bot.sandbox.channel("general")
    channel.members.discard(bot.sandbox.workspace.bot.id)
    await bot.sandbox.person("Ada").channel(channel).send("<@BOT> hello")
    assert (await bot.inbox.heard()).addressed


async def test_what_is_not_said_to_the_bot_is_not_addressed(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    general = ada.channel(bot.sandbox.channel("general"))
    await general.send("lunch?")
    assert not (await bot.inbox.heard()).addressed


@pytest.mark.parametrize("command", ["allow", "deny", "quota", "usage", "cost"])
async def test_who_is_mentioned_in_a_command_about_people_is_told_by_id(
    bot: Running, command: str
) -> None:
    ada, bea = bot.sandbox.person("Ada"), bot.sandbox.person("Bea")
    await ada.dm.send(f"!{command} <@{bea.id}>")
    await ada.dm.slash(f"/{command} <@{bea.id}>")
    await ada.channel(bot.sandbox.channel("general")).send(f"<@BOT> !{command} <@{bea.id}>")
    await bot.inbox.holds(4)  # a mention comes twice
    assert {bot.inbox.message(at).text for at in range(4)} == {f"/{command} <@{bea.id}>"}


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("!model gpt", "/model gpt"),
        ("！model gpt", "/model gpt"),
        ("!!! help", "!!! help"),
        ("see <https://a.example/x?a=1&amp;b=2>", "see https://a.example/x?a=1&b=2"),
        ("see <https://a.example|the page>", "see the page (https://a.example)"),
        ("write to <mailto:a@b.example|a@b.example>", "write to a@b.example"),
        ("ask <!here> or <!subteam^S1|@team> in <#C1|general>", "ask @here or @team in #general"),
    ],
)
async def test_words_arrive_as_they_were_meant(bot: Running, said: str, heard: str) -> None:
    ada = bot.sandbox.person("Ada")
    await ada.dm.send(said.replace("&amp;", "&"))
    assert (await bot.inbox.heard()).text == heard


async def test_a_slash_command_is_a_message_that_is_answered_in_place(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    sent = await ada.dm.slash("/model gpt & co")
    message = await bot.inbox.heard()
    assert (message.text, message.addressed) == ("/model gpt & co", True)
    await bot.sandbox.wait_for(lambda: sent.acked)
    await ada.dm.send("hello")
    assert (await bot.inbox.heard(2)).ref.chat == message.ref.chat
    await bot.platform.send(message.ref.chat, Reply(text="done", answering=message.ref))
    draft = bot.platform.draft(message)
    await draft.show("drawing")
    await draft.finish(Reply(text="drawn"))
    assert [(seen.text, seen.thread) for seen in ada.dm.answers()] == [("done", ""), ("drawn", "")]


async def test_a_press_carries_the_value_and_the_message_of_the_button(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    await ada.dm.send("hello")
    chat = (await bot.inbox.heard()).ref.chat
    ref = await bot.platform.send(chat, Reply(text="pick", buttons=((Button("Again", "v1"),),)))
    await ada.dm.press("Again")
    await bot.inbox.holds(2)
    press = bot.inbox.press()
    assert (press.value, press.ref, press.sender.name) == ("v1", ref, "Ada")
    await bot.platform.notice(press, "")
    await bot.platform.notice(press, "one moment")
    assert len(bot.sandbox.calls_to("chat.postEphemeral")) == 1
    assert ada.dm.answers()[-1].text == "one moment"
    assert "one moment" not in [seen.text for seen in ada.dm.kept()]


async def test_what_is_pressed_and_commanded_in_a_channel_is_done_in_a_group(bot: Running) -> None:
    ada, channel = bot.sandbox.person("Ada"), bot.sandbox.channel("general")
    chat = make_chat(bot.sandbox.workspace.team, channel.id, "")
    await bot.platform.send(chat, Reply(text="pick", buttons=((Button("Again", "v1"),),)))
    await ada.channel(channel).press("Again")
    await bot.inbox.holds(1)
    await ada.channel(channel).slash("/forget chat yes")
    await bot.inbox.holds(2)
    await ada.dm.slash("/forget chat yes")
    await bot.inbox.holds(3)
    assert bot.inbox.press(0).group and bot.inbox.message(1).group
    assert not bot.inbox.message(2).group


async def test_a_notice_notifies_nobody_and_may_be_refused(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    await ada.dm.send("hello")
    chat = (await bot.inbox.heard()).ref.chat
    await bot.platform.send(chat, Reply(text="pick", buttons=((Button("Again", "v1"),),)))
    await ada.dm.press("Again")
    await bot.inbox.holds(2)
    await bot.platform.notice(bot.inbox.press(), "There is no model “<!channel>”.")
    seen = ada.dm.answers()[-1]
    assert "There is no model" in seen.text and seen.pings == ()
    bot.sandbox.faults.fail_next(503, method="chat.postEphemeral")
    await bot.platform.notice(bot.inbox.press(), "one moment")  # nobody need know


async def test_slacks_own_stop_button_is_heard(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    await ada.dm.send("a long story, please")
    message = await bot.inbox.heard()
    draft = bot.platform.draft(message)
    await draft.show("Once upon a time")
    await ada.dm.stop()
    await bot.inbox.holds(2)
    stop = bot.inbox.stop()
    assert (stop.chat, stop.sender.name) == (message.ref.chat, "Ada")
    await draft.finish(Reply(text="Once upon a time\n\nStopped."))
    (seen,) = ada.dm.answers()
    assert (seen.text, seen.streaming) == ("Once upon a time\n\nStopped.", False)
    await bot.sandbox.wait_for(lambda: not ada.dm.stoppable())
    with pytest.raises(LookupError):  # the session is no longer at work
        await ada.dm.stop()


async def test_an_edit_is_an_event_of_its_own(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    sent = await ada.dm.send("helo")
    await ada.dm.edit(sent, "hello")
    await bot.inbox.holds(2)
    first, second = bot.inbox.message(0), bot.inbox.message(1)
    assert (second.edited, second.text, second.ref) == (True, "hello", first.ref)
    assert first.key != second.key
    assert (first.late, second.late) == (False, False)
    sent.ts = f"{float(sent.ts) - 2 * LATE:.6f}"
    await ada.dm.edit(sent, "hello!")
    await bot.inbox.holds(3)
    assert bot.inbox.message(2).late


async def test_a_mention_that_is_written_in_later_is_heard_once(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    general = ada.channel(bot.sandbox.channel("general"))
    sent = await general.send("what is this?")
    await general.edit(sent, "<@BOT> what is this?")
    await bot.settled()
    heard = [bot.inbox.message(at) for at in range(len(bot.inbox.events))]
    addressed = [message for message in heard if message.addressed]
    assert [(message.text, message.edited) for message in addressed] == [("what is this?", True)]


async def test_a_change_that_is_not_the_persons_is_no_event(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    sent = await ada.dm.send("hello")
    await ada.dm.edit(sent, "hello")  # as when Slack adds a preview
    await bot.settled()
    assert len(bot.inbox.events) == 1


async def test_what_is_deleted_is_told_once_wherever_it_stood(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    general = ada.channel(bot.sandbox.channel("general"))
    alone, begun = [await general.send(f"<@BOT> {word}") for word in ("one", "two")]
    reply = await ada.thread(begun).send("three")
    asked = await ada.dm.send("four")
    beside = await ada.thread(asked).send("five")
    await bot.settled()
    told = {event.text: event for event in bot.inbox.events if isinstance(event, IncomingMessage)}
    bot.inbox.events.clear()
    for message in (alone, begun, reply):  # with the reply, the tombstone above it goes, too
        await general.delete_at(message.ts)
    for message in (asked, beside):
        await ada.dm.delete_at(message.ts)
    await bot.settled()
    gone = [event for event in bot.inbox.events if isinstance(event, Withdrawal)]
    assert {each.key: each.ref for each in gone} == {m.key: m.ref for m in told.values()}
    assert len(bot.inbox.events) == 5 and all(0 < each.age < 60 for each in gone)


async def test_what_the_bot_deletes_is_no_event(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    await ada.dm.send("hello")
    ref = await bot.platform.send((await bot.inbox.heard()).ref.chat, Reply(text="hi"))
    await bot.platform.delete([ref])
    await bot.settled()
    assert len(bot.inbox.events) == 1


async def test_the_bot_does_not_hear_itself(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    await ada.dm.send("hello")
    ref = await bot.platform.send((await bot.inbox.heard()).ref.chat, Reply(text="hi"))
    await bot.platform.edit(ref, Reply(text="hi there"))
    await bot.settled()
    assert len(bot.inbox.events) == 1


@pytest.mark.parametrize(
    "author",
    [{"user": "U0OTHER", "bot_id": "B0OTHER"}, {"user": "USLACKBOT"}, {"user": "{bot}"}, {}],
)
async def test_no_other_bot_is_heard_nor_slack_itself(bot: Running, author: dict[str, str]) -> None:
    workspace, channel = bot.sandbox.workspace, bot.sandbox.channel("general")
    who = {name: value.format(bot=workspace.bot.id) for name, value in author.items()}
    ts = workspace.new_ts()
    for kind in ("message", "app_mention"):
        said = {"type": kind, "channel": channel.id, "ts": ts}
        event = said | {"text": f"<@{workspace.bot.id}> hello", **who}
        bot.sandbox.sockets.tell("events_api", events.callback(workspace, event))
    await bot.settled()
    assert bot.inbox.events == []


async def test_a_file_that_was_deleted_meanwhile_is_none(bot: Running) -> None:
    workspace, ada = bot.sandbox.workspace, bot.sandbox.person("Ada")
    event = {"type": "message", "channel_type": "im", "channel": ada.dm.id, "user": ada.id}
    event |= {"text": "what is this?", "ts": workspace.new_ts(), "subtype": "file_share"}
    gone = [{"id": "F1", "mode": "tombstone"}, {"id": "F2", "mode": "hidden_by_limit"}]
    bot.sandbox.sockets.tell("events_api", events.callback(workspace, event | {"files": gone}))
    assert (await bot.inbox.heard()).text == "what is this?"
    assert bot.inbox.message().attachments == ()


def test_a_channel_and_its_threads_are_one_place_for_admins(bot: Running) -> None:
    thread = make_chat("T1", "C1", "17.1")
    assert {*bot.platform.places(thread)} == {thread.id, "C1"}
    assert bot.platform.lobby(thread) == make_chat("T1", "C1", "")


async def test_files_are_told_apart(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    await ada.dm.upload("cat.png", b"png", "image/png", text="what is this?")
    await ada.dm.record(b"mp4", seconds=2.5, mime="video/mp4")
    await ada.dm.upload("song.mp3", b"mp3", "audio/mpeg")
    await ada.dm.upload("film.mp4", b"mp4", "video/mp4")
    await ada.dm.upload("drawing.svg", b"svg", "image/svg+xml")
    await bot.inbox.holds(5)
    files = [bot.inbox.message(at).attachments[0] for at in range(5)]
    assert [file.kind for file in files] == [
        FileKind.IMAGE,
        FileKind.VOICE,
        FileKind.AUDIO,
        FileKind.VIDEO,
        FileKind.DOCUMENT,
    ]
    assert bot.inbox.message(0).text == "what is this?"
    clip = files[1]
    assert (clip.mime, clip.name, clip.seconds) == ("audio/mp4", "audio_message.m4a", 2.5)


async def test_opening_the_messages_tab_asks_for_nothing_but_is_acknowledged(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    await ada.open()
    await bot.settled()
    assert bot.inbox.events == []


async def test_people_whose_names_slack_does_not_tell_are_known_by_their_id(bot: Running) -> None:
    bot.sandbox.workspace.scopes.discard("users:read")
    ada = bot.sandbox.person("Ada", id="U0ADA")
    await ada.dm.send("hello")
    await ada.dm.send("hello?")
    assert (await bot.inbox.heard(2)).sender.name == "U0ADA"
    assert len(bot.sandbox.calls_to("users.info")) == 1


async def test_many_who_write_in_the_same_minute_are_all_known(
    sandbox: SlackSandbox, clock: ManualClock
) -> None:
    sandbox.limits.mode = Mode.HARD
    async with running(sandbox, clock=clock) as bot:
        for number in range(90):
            person = sandbox.person(f"P{number}", locale="zh-CN")
            await person.dm.send("hello")
            await bot.inbox.holds(number + 1)
            sender = bot.inbox.message(number).sender
            assert (sender.name, sender.language) == (f"P{number}", "zh-CN")
    assert sandbox.limits.refused == 0


SHEET = [["Region", "Q1"], ["North", "1 < 2"], ["South\n& West", "7"]]
READ = "Region | Q1\nNorth | 1 < 2\nSouth & West | 7"


@pytest.mark.parametrize(
    ("words", "heard"), [("Which is larger?", f"Which is larger?\n\n{READ}"), ("", READ)]
)
async def test_a_table_that_is_pasted_is_heard(bot: Running, words: str, heard: str) -> None:
    ada = bot.sandbox.person("Ada")
    await ada.dm.paste(SHEET, words)
    assert (await bot.inbox.heard()).text == heard


async def test_a_table_with_an_empty_cell_is_heard(bot: Running) -> None:
    ada, workspace = bot.sandbox.person("Ada"), bot.sandbox.workspace
    table = objects.table_json(SHEET)
    table["blocks"][0]["rows"][1][0] = None
    question = Message(channel=ada.dm.id, user=ada.id, text="Which?", attachments=[table])
    workspace.tell(events.posted(workspace, workspace.post(question)))
    heard = await bot.inbox.heard()
    assert heard.text == "Which?\n\nRegion | Q1\n | 1 < 2\nSouth & West | 7"


async def test_a_change_of_a_table_that_was_pasted_is_an_edit(bot: Running) -> None:
    ada, workspace = bot.sandbox.person("Ada"), bot.sandbox.workspace
    question = await ada.dm.paste(SHEET, "Which is larger?")
    before = objects.message_json(workspace, question)
    question.attachments = [objects.table_json([["Region", "Q1"], ["East", "3"]])]
    workspace.tell(events.edited(workspace, question, before))
    edit = await bot.inbox.heard(2)
    assert edit.edited
    assert edit.text == "Which is larger?\n\nRegion | Q1\nEast | 3"


async def test_a_preview_with_a_table_is_no_word_of_who_sent_the_link(bot: Running) -> None:
    ada, workspace = bot.sandbox.person("Ada"), bot.sandbox.workspace
    question = await ada.dm.send("see https://sheet.example")
    before = objects.message_json(workspace, question)
    preview = objects.table_json(SHEET) | {"from_url": "https://sheet.example"}
    question.attachments = [preview]
    workspace.tell(events.edited(workspace, question, before))
    await bot.settled()
    assert len(bot.inbox.events) == 1


async def test_a_shared_message_is_told_with_its_author(bot: Running) -> None:
    ada, bea = bot.sandbox.person("Ada"), bot.sandbox.person("Bea")
    original = await bea.channel(bot.sandbox.channel("general")).send("Meet at 1 & 2")
    await ada.dm.share(original, "What does she mean?")
    message = await bot.inbox.heard(2)
    assert message.text == "What does she mean?"
    assert message.forwards == (Forward(author="Bea", text="Meet at 1 & 2"),)


@pytest.mark.parametrize("where", ["dm", "channel"])
async def test_a_message_that_is_linked_is_told_with_its_author(bot: Running, where: str) -> None:
    ada, bea = bot.sandbox.person("Ada"), bot.sandbox.person("Bea")
    channel = bot.sandbox.channel("general")
    original = await bea.channel(channel).send("Meet at 1 & 2")
    here = ada.channel(channel)
    place = ada.dm if where == "dm" else here
    await place.send(f"<@BOT> What does she mean? <{objects.permalink(original)}>")
    message = await bot.inbox.heard(2)
    assert message.text.endswith(objects.permalink(original))
    assert message.forwards == (Forward(author="Bea", text="Meet at 1 & 2"),)
    await bot.settled()
    told = [each for each in bot.inbox.events if isinstance(each, IncomingMessage)]
    assert {each.key for each in told} == {bot.inbox.message(0).key, message.key}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("where", ["dm", "channel", "thread"])
async def test_a_linked_message_is_told_though_another_process_was_told_of_it(
    bot: Running, where: str
) -> None:
    ada, bea, workspace = (
        bot.sandbox.person("Ada"),
        bot.sandbox.person("Bea"),
        bot.sandbox.workspace,
    )
    channel = bot.sandbox.channel("general")
    original = await bea.channel(channel).send("Meet at 1 & 2")
    thread = ada.thread(original)
    await thread.send("Sure?")
    place = {"dm": ada.dm, "channel": ada.channel(channel), "thread": thread}[where]
    workspace.without_previews = True
    question = await place.send(f"<@BOT> When? <{objects.permalink(original)}>")
    question.attachments = [objects.preview_json(workspace, original)]
    message = await bot.inbox.heard(3)
    assert message.forwards == (Forward(author="Bea", text="Meet at 1 & 2"),)


@pytest.mark.usefixtures("impatient")
async def test_a_link_that_slack_does_not_look_at_holds_nothing_up(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    here = ada.channel(bot.sandbox.channel("general"))
    original = await here.send("Meet at 1")
    bot.sandbox.workspace.without_previews = True
    await ada.dm.send(f"<{objects.permalink(original)}> when?")
    await ada.dm.send("and where?")
    await bot.inbox.holds(3)
    assert bot.inbox.texts == [
        "Meet at 1",
        f"{objects.permalink(original)} when?",
        "and where?",
    ]


async def test_links_that_slack_does_not_look_at_hold_up_a_whole_channel_no_longer_than_one(
    sandbox: SlackSandbox, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previews, "PATIENCE", 1.5)
    ada = sandbox.person("Ada")
    here = ada.channel(sandbox.channel("general"))
    sandbox.workspace.without_previews = True
    async with running(sandbox, clock=clock) as bot:
        original = await here.send("Meet at 1")
        await bot.inbox.holds()
        for _ in range(3):
            await here.send(f"<@BOT> <{objects.permalink(original)}> when?")
        await here.slash("/help")
        # Slack waits for 3 s: then it sends an event again, and says that a command has failed.
        while clock.monotonic() < 2.5:
            await asyncio.sleep(0.01)
            await clock.advance(0.1)
        asked = f"{objects.permalink(original)} when?"
        assert bot.inbox.texts == ["Meet at 1", *[asked] * 6, "/help"]


async def test_a_shared_message_brings_its_pictures(bot: Running) -> None:
    ada, bea = bot.sandbox.person("Ada"), bot.sandbox.person("Bea")
    general = bea.channel(bot.sandbox.channel("general"))
    original = await general.upload("cat.png", b"\x89PNG", "image/png", text="Look at him")
    await ada.dm.share(original, "What is this?")
    message = await bot.inbox.heard(2)
    assert message.forwards == (Forward(author="Bea", text="Look at him"),)
    (picture,) = message.attachments
    assert (picture.id, picture.kind, picture.name) == (
        original.files[0].id,
        FileKind.IMAGE,
        "cat.png",
    )


async def test_a_long_answer_that_is_shared_is_told_to_its_end(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    await ada.dm.send("tell me a story")
    await bot.inbox.holds(1)
    story = " ".join(["once"] * 500) + " 1 < 2 & <b> the end"
    ref = await bot.platform.send(bot.inbox.message().ref.chat, Reply(text=story))
    answer = bot.sandbox.workspace.message(ada.dm.id, ref.id.partition(":")[0])
    await ada.dm.share(answer, "Translate this.")
    await bot.inbox.holds(2)
    assert bot.inbox.message(1).forwards == (Forward(author="chinwag", text=story),)


async def test_an_alert_that_is_shared_is_told_with_its_blocks(bot: Running) -> None:
    ada, workspace = bot.sandbox.person("Ada"), bot.sandbox.workspace
    general = bot.sandbox.channel("general")
    cells = [{"type": "raw_text", "text": "disk"}, {"type": "raw_text", "text": "97 %"}]
    pieces = [
        {"type": "text", "text": "seen by "},
        {"type": "user", "user_id": ada.id},
        {"type": "link", "url": "https://example.com/a", "text": "here"},
    ]
    section = {"type": "rich_text_section", "elements": pieces}
    blocks: list[Json] = [
        {"type": "header", "text": {"type": "plain_text", "text": "<host> is full"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "a &amp; b"}},
        {"type": "divider"},
        {"type": "table", "rows": [cells]},
        {"type": "rich_text", "elements": [section]},
    ]
    alerts = User("U0ALERTS", "Alerts", is_bot=True)
    workspace.users[alerts.id] = alerts
    alert = Message(ts=workspace.new_ts(), channel=general.id, user=alerts.id, blocks=blocks)
    await ada.dm.share(workspace.post(alert), "What is this?")
    (forward,) = (await bot.inbox.heard()).forwards
    assert forward.author == "Alerts"
    assert forward.text.splitlines() == [
        "<host> is full",
        "a & b",
        "disk | 97 %",
        "seen by @Adahere (https://example.com/a)",
    ]
