from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bot.core.clock import SystemClock
from bot.core.types import (
    LATE,
    Button,
    ButtonPress,
    FileKind,
    IncomingMessage,
    Reply,
    Unreadable,
)
from bot.errors import FileTooLarge, PlatformError
from bot.platforms.telegram import TelegramSettings, adapter, connect
from bot.platforms.telegram.ids import make_chat
from bot.sandbox.telegram.world import DOWNLOAD
from tests.intake import Inbox, listening
from tests.platforms.telegram.stage import TelegramStage, group, private, staged, topic


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
async def ann(inbox: Inbox) -> AsyncIterator[TelegramStage]:
    async with staged(private) as stage, listening(stage.platform, inbox):
        await inbox.only()  # the greeting of every stage
        yield stage


@pytest.fixture
async def friends(inbox: Inbox) -> AsyncIterator[TelegramStage]:
    async with staged(group) as stage, listening(stage.platform, inbox):
        await inbox.only()
        stage.telegram.privacy = False
        yield stage


def picture(side: int) -> bytes:
    file = BytesIO()
    Image.new("RGB", (side, side), "teal").save(file, "JPEG")
    return file.getvalue()


# ---------------------------------------------------------------- words


async def test_a_message_says_who_wrote_what_and_where(ann: TelegramStage, inbox: Inbox) -> None:
    id = ann.view.send("hello *there* 👋")
    message = await inbox.only()
    assert message.text == "hello *there* 👋"
    assert (message.sender.id, message.sender.name, message.sender.language) == (
        "1001",
        "Ann",
        "en",
    )
    assert message.ref.id == str(id)
    assert message.ref.chat == ann.incoming.ref.chat
    assert message.addressed
    assert not message.group
    assert message.key


async def test_an_edit_is_marked_and_keeps_its_place(ann: TelegramStage, inbox: Inbox) -> None:
    id = ann.view.send("helo")
    first = await inbox.only()
    ann.view.edit(id, "hello")
    second = await inbox.only()
    assert (second.text, second.edited, second.ref) == ("hello", True, first.ref)
    assert second.key != first.key
    ann.telegram.chats[ann.view.id].messages[id].date -= 2 * int(LATE)
    ann.view.edit(id, "hello!")
    third = await inbox.only()
    assert (first.late, second.late, third.late) == (False, False, True)


async def test_a_reply_quotes_what_it_answers(ann: TelegramStage, inbox: Inbox) -> None:
    ref = await ann.platform.send(ann.incoming.ref.chat, Reply(text="It is **five**."))
    ann.view.reply(int(ref.id), "sure?")
    message = await inbox.only()
    assert message.reply_to is not None
    assert (message.reply_to.text, message.reply_to.by_bot) == ("It is five.", True)
    assert message.reply_to.ref == ref


@pytest.mark.parametrize(
    ("label", "address", "text"),
    [
        ("here", "https://a.example/x?a=1", "👋 look here (https://a.example/x?a=1), please"),
        ("a.example", "https://a.example/", "👋 look https://a.example/, please"),
        ("https://a.example", "https://a.example/", "👋 look https://a.example/, please"),
        ("a.example", "https://b.example/", "👋 look a.example (https://b.example/), please"),
    ],
)
async def test_it_is_told_where_a_link_leads(
    ann: TelegramStage, inbox: Inbox, label: str, address: str, text: str
) -> None:
    id = ann.view.send_linked(f"👋 look {label}, please", label, address)
    assert (await inbox.only()).text == text
    ann.view.reply(id, "what is there?")
    quote = (await inbox.only()).reply_to
    assert quote is not None
    assert quote.text == text
    ann.view.send_rich(f"👋 look [{label}]({address}), please")
    assert (await inbox.only()).text == text


async def test_a_mention_goes_and_the_link_beside_it_stays(
    friends: TelegramStage, inbox: Inbox
) -> None:
    written = "@sandbox_bot what is behind this, 🙂 @sandbox_bot?"
    friends.view.send_linked(written, "this", "https://a.example/")
    message = await inbox.only()
    assert message.text == "what is behind this (https://a.example/), 🙂 ?"
    assert message.addressed


@pytest.mark.parametrize(
    ("written", "text", "addressed"),
    [
        ("just talking", "just talking", False),
        ("@sandbox_bot, what is 🙂 this?", "what is 🙂 this?", True),
        ("🙂 hey @Sandbox_Bot tell me", "🙂 hey tell me", True),
        ("what do you think @sandbox_bot", "what do you think", True),
        ("@sandbox_bots are not me", "@sandbox_bots are not me", False),
        ("／model@sandbox_bot gpt", "／model gpt", True),
        ("／help", "／help", True),
        ("请看／help", "请看／help", False),
        ("请问@sandbox_bot 这是什么", "请问 这是什么", True),
        ("@sandbox_bot这是什么？", "这是什么？", True),
        ("大家好🙂请@Sandbox_Bot帮个忙", "大家好🙂请帮个忙", True),
        ("写信到a@sandbox_bot吧", "写信到a@sandbox_bot吧", False),
        ("/help", "/help", True),
        ("@sandbox_bot what is /help@another_bot?", "what is /help@another_bot?", True),
        ("/model@sandbox_bot gpt", "/model gpt", True),
    ],
)
async def test_in_a_group_the_bot_knows_when_it_is_spoken_to(
    friends: TelegramStage, inbox: Inbox, written: str, text: str, addressed: bool
) -> None:
    friends.view.send(written)
    message = await inbox.only()
    assert (message.text, message.addressed, message.group) == (text, addressed, True)


async def test_a_command_for_another_bot_is_none_of_ours(
    friends: TelegramStage, inbox: Inbox
) -> None:
    friends.view.send("／help@another_bot")
    friends.view.send("/help@another_bot")
    friends.view.send("after it")
    assert (await inbox.only()).text == "after it"


async def test_a_reply_to_the_bot_speaks_to_it(friends: TelegramStage, inbox: Inbox) -> None:
    ref = await friends.platform.send(friends.incoming.ref.chat, Reply(text="hello"))
    friends.view.reply(int(ref.id), "and you?")
    assert (await inbox.only()).addressed


async def test_a_reply_chain_in_a_group_is_no_topic(friends: TelegramStage, inbox: Inbox) -> None:
    first = friends.view.send("one")
    await inbox.only()
    friends.view.reply(first, "two")
    assert (await inbox.only()).ref.chat == friends.incoming.ref.chat


async def test_topics_are_conversations_of_their_own(inbox: Inbox) -> None:
    async with staged(topic) as stage, listening(stage.platform, inbox):
        stage.view.send("/help")
        events = await inbox.holds(2)
        chats = {event.ref.chat for event in events if isinstance(event, IncomingMessage)}
        assert chats == {stage.incoming.ref.chat}
        assert set(stage.platform.places(stage.incoming.ref.chat)) == {
            stage.incoming.ref.chat.id,
            str(stage.view.id),
        }
        assert all(e.reply_to is None for e in events if isinstance(e, IncomingMessage))


# ---------------------------------------------------------------- files


async def test_a_photo_comes_with_its_caption_in_a_size_that_is_enough(
    ann: TelegramStage, inbox: Inbox, tmp_path: Path
) -> None:
    content = picture(64)
    ann.view.send_photo(content, "what is this?")
    message = await inbox.only()
    (photo,) = message.attachments
    assert (message.text, photo.kind, photo.mime) == ("what is this?", FileKind.IMAGE, "image/jpeg")
    await ann.platform.download(photo, tmp_path / "photo")
    assert (tmp_path / "photo").read_bytes() == content


async def test_no_picture_of_an_album_is_lost(ann: TelegramStage, inbox: Inbox) -> None:
    ann.view.send_album([picture(20), picture(21), picture(22)], "three")
    events = [event for event in await inbox.holds(3) if isinstance(event, IncomingMessage)]
    assert [event.text for event in events] == ["three", "", ""]
    assert len({attachment.id for event in events for attachment in event.attachments}) == 3


async def test_voice_audio_video_and_documents_say_what_they_are(
    ann: TelegramStage, inbox: Inbox
) -> None:
    ann.view.send_voice(b"OggS", 3, caption="listen")
    ann.view.send_audio("song.mp3", b"ID3", 5)
    ann.view.send_video("clip.mp4", b"ftyp", 7)
    ann.view.send_document("notes.pdf", b"%PDF", "read", mime="application/pdf")
    ann.view.send_sticker("👍")
    messages = [event for event in await inbox.holds(5) if isinstance(event, IncomingMessage)]
    files = [message.attachments[0] for message in messages]
    assert [file.kind for file in files] == [
        FileKind.VOICE,
        FileKind.AUDIO,
        FileKind.VIDEO,
        FileKind.DOCUMENT,
        FileKind.STICKER,
    ]
    assert [file.seconds for file in files] == [3, 5, 7, None, None]
    assert files[1].name == "song.mp3"
    assert (files[3].mime, files[3].size) == ("application/pdf", 4)
    assert (messages[0].text, messages[3].text) == ("listen", "read")


async def test_a_file_that_is_too_large_is_not_fetched(
    ann: TelegramStage, inbox: Inbox, tmp_path: Path
) -> None:
    ann.view.send_document("film.mkv", b"x", size=25_000_000)
    (file,) = (await inbox.only()).attachments
    with pytest.raises(FileTooLarge):
        await ann.platform.download(file, tmp_path / "film")
    assert not ann.telegram.calls.of("getFile")


async def test_of_a_file_whose_size_is_not_told_no_more_is_read_than_may_be(
    ann: TelegramStage, inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "MAX_FILE_IN", 1_000)
    ann.view.send_document("film.mkv", b"x" * 1_001)
    (told,) = (await inbox.only()).attachments
    ann.view.send_document("lie.mkv", b"x" * 1_001, size=1)
    (lie,) = (await inbox.only()).attachments
    with pytest.raises(FileTooLarge):
        await ann.platform.download(replace(told, size=None), tmp_path / "film")
    assert not (tmp_path / "film").exists()  # it was not even begun
    with pytest.raises(FileTooLarge):
        await ann.platform.download(lie, tmp_path / "lie")


async def test_what_the_server_says_of_a_file_is_not_taken_for_the_file(
    ann: TelegramStage, inbox: Inbox, tmp_path: Path
) -> None:
    ann.view.send_document("notes.pdf", b"%PDF")
    (file,) = (await inbox.only()).attachments
    ann.telegram.faults.fail_next(502, method=DOWNLOAD)
    with pytest.raises(PlatformError):
        await ann.platform.download(file, tmp_path / "notes")
    await ann.platform.download(file, tmp_path / "notes")
    assert (tmp_path / "notes").read_bytes() == b"%PDF"


async def test_a_full_disk_is_an_error_that_names_it(
    ann: TelegramStage, inbox: Inbox, tmp_path: Path
) -> None:
    ann.view.send_document("notes.pdf", b"%PDF")
    (file,) = (await inbox.only()).attachments
    with pytest.raises(PlatformError, match="the file cannot be written"):
        await ann.platform.download(file, tmp_path / "nowhere" / "notes")


async def test_a_file_that_telegram_forgot_is_an_error_without_the_token(
    ann: TelegramStage, inbox: Inbox, tmp_path: Path
) -> None:
    ann.view.send_voice(b"OggS")
    (file,) = (await inbox.only()).attachments
    ann.telegram.faults.fail_next(
        400, "wrong file_id or the file is temporarily unavailable", method="getFile"
    )
    with pytest.raises(PlatformError) as failure:
        await ann.platform.download(file, tmp_path / "voice")
    assert ann.telegram.token not in f"{failure.value!r} {failure.value.__cause__!r}"


# ---------------------------------------------------------------- buttons


async def test_a_press_comes_back_with_the_value_and_can_be_answered(
    ann: TelegramStage, inbox: Inbox
) -> None:
    reply = Reply(text="pick", buttons=((Button("Yes", "yes"), Button("No", "no")),))
    ref = await ann.platform.send(ann.incoming.ref.chat, reply)
    press = ann.view.press("No")
    (event,) = await inbox.holds()
    assert isinstance(event, ButtonPress)
    assert (event.value, event.ref, event.sender.id) == ("no", ref, "1001")
    await ann.platform.notice(event, "Chosen: " + "x" * 300)
    assert press.toast == "Chosen: " + "x" * 192
    too_late = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    ann.telegram.faults.fail_next(400, too_late, method="answerCallbackQuery")
    await ann.platform.notice(event, "nobody is told")


# ---------------------------------------------------------------- what nobody can read


async def test_an_update_that_cannot_be_read_is_kept_and_the_next_one_comes(
    ann: TelegramStage, inbox: Inbox
) -> None:
    ann.telegram.updates.add_raw({"message": {"message_id": "what?", "chat": 5}})
    ann.view.send("after it")
    unreadable, after = await inbox.holds(2)
    assert isinstance(unreadable, Unreadable)
    assert '"what?"' in unreadable.raw
    assert isinstance(after, IncomingMessage)
    assert after.text == "after it"


def test_a_group_and_its_topics_are_one_place_for_admins() -> None:
    settings = TelegramSettings.model_validate({"token": "1000:secret"})
    platform, topic = connect(settings, clock=SystemClock()), make_chat(-100, 7)
    assert {*platform.places(topic)} == {topic.id, "-100"}
    assert platform.lobby(topic) == make_chat(-100)


def test_groups_have_no_drafts_and_fewer_previews() -> None:
    settings = TelegramSettings.model_validate({"token": "1000:secret"})
    platform = connect(settings, clock=SystemClock())
    group, private = (platform.capabilities(make_chat(id)) for id in (-100, 100))
    assert private.drafts and not group.drafts
    assert group.update_interval > 3 > private.update_interval  # 20 messages a minute


async def test_the_pictures_of_a_rich_message_are_seen(ann: TelegramStage, inbox: Inbox) -> None:
    ann.view.send_rich("# Holiday\n\nWhere is this?", picture(40), picture(80))
    message = await inbox.only()
    assert isinstance(message, IncomingMessage)
    assert message.text == "Holiday\nWhere is this?"
    first, second = message.attachments
    assert (first.kind, second.kind) == (FileKind.IMAGE, FileKind.IMAGE)
    assert first.id != second.id
