from __future__ import annotations

import asyncio

import pytest
from telegram import Bot, ReplyParameters, Update
from telegram.error import BadRequest

from bot.core.fakes.clock import ManualClock
from bot.sandbox.telegram import serve
from bot.sandbox.telegram.changes import Change
from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.telegram.view import ChatView


async def heard(bot: Bot) -> list[Update]:
    """What the bot hears now, confirmed."""
    updates = await bot.get_updates()
    if updates:
        await bot.get_updates(offset=updates[-1].update_id + 1)
    return list(updates)


async def test_the_bot_learns_who_writes_and_in_which_language(
    telegram: Telegram, bot: Bot
) -> None:
    bob = telegram.person(id=7, name="Bob", username="bobby", language="zh-hans")
    bob.private().send("你好")
    (update,) = await heard(bot)
    user, chat = update.effective_user, update.effective_chat
    assert user is not None
    assert chat is not None
    assert (user.id, user.first_name, user.username, user.language_code) == (
        7,
        "Bob",
        "bobby",
        "zh-hans",
    )
    assert (chat.type, chat.id) == ("private", 7)
    assert chat.first_name == "Bob"
    assert telegram.person(id=7).user is bob.user


async def test_a_text_too_long_for_one_message_is_sent_in_several(bot: Bot, ann: ChatView) -> None:
    ann.send("x" * 100_000)
    lengths = [len(update.message.text or "") for update in await heard(bot) if update.message]
    assert lengths == [4096] * 24 + [1696]


async def test_every_kind_of_message_reaches_the_bot_as_that_kind(bot: Bot, ann: ChatView) -> None:
    ann.send_voice(b"OggS", 3, caption="listen")
    ann.send_audio("song.mp3", b"ID3", 180)
    ann.send_video("clip.mp4", b"moov", 5)
    ann.send_photo(b"not really a picture", "look")
    ann.send_sticker("👍")
    voice, audio, video, photo, sticker = [u.message for u in await heard(bot) if u.message]
    assert voice.voice is not None
    assert (voice.voice.mime_type, voice.caption) == ("audio/ogg", "listen")
    assert audio.audio is not None
    assert (audio.audio.file_name, audio.audio.mime_type) == ("song.mp3", "audio/mpeg")
    assert video.video is not None
    assert len(photo.photo) == 2
    assert (photo.caption, photo.text) == ("look", None)
    assert sticker.sticker is not None
    assert sticker.sticker.emoji == "👍"
    assert [m.file.kind for m in ann.kept() if m.file] == [
        "voice",
        "audio",
        "video",
        "photo",
        "sticker",
    ]


async def test_an_album_arrives_as_messages_of_one_group(bot: Bot, ann: ChatView) -> None:
    ann.send_album([b"1", b"2", b"3"], "three")
    messages = [update.message for update in await heard(bot) if update.message]
    assert len({message.media_group_id for message in messages}) == 1
    assert [message.caption for message in messages] == ["three", None, None]


async def test_edits_and_replies_reach_the_bot(bot: Bot, ann: ChatView) -> None:
    answer = await bot.send_message(ann.id, "yes?")
    number = ann.reply(answer.message_id, "helo")
    ann.edit(ann.kept()[-1], "hello")
    first, second = await heard(bot)
    assert first.message is not None
    assert first.message.reply_to_message is not None
    assert first.message.reply_to_message.text == "yes?"
    assert second.edited_message is not None
    assert (second.edited_message.message_id, second.edited_message.text) == (number, "hello")
    shown = ann.kept()[-1]
    assert (shown.text, shown.edited, shown.author) == ("hello", True, "Ann")


async def test_with_privacy_the_bot_hears_only_what_is_meant_for_it(
    telegram: Telegram, bot: Bot
) -> None:
    group = telegram.group("Friends").seen_by(telegram.person(name="Ann"))
    said = await bot.send_message(group.id, "I am here")
    group.send("just talking")
    group.send("hey @sandbox_bot2")
    group.send("/help@another_bot")
    group.send("hey @Sandbox_Bot")
    group.send("/help")
    group.send("/help@sandbox_bot")
    group.reply(said.message_id, "good")
    group.send_photo(b"picture", "for @sandbox_bot")
    messages = [update.message for update in await heard(bot) if update.message]
    assert [message.text or message.caption for message in messages] == [
        "hey @Sandbox_Bot",
        "/help",
        "/help@sandbox_bot",
        "good",
        "for @sandbox_bot",
    ]
    assert not (await bot.get_me()).can_read_all_group_messages


async def test_without_privacy_the_bot_hears_everything(telegram: Telegram, bot: Bot) -> None:
    telegram.privacy = False
    group = telegram.group("Friends").seen_by(telegram.person(name="Ann"))
    group.send("just talking")
    (update,) = await heard(bot)
    assert update.effective_chat is not None
    assert (update.effective_chat.type, update.effective_chat.title) == ("supergroup", "Friends")


async def test_outside_of_forums_a_reply_carries_a_thread_id_that_is_no_topic(
    telegram: Telegram, bot: Bot
) -> None:
    group = telegram.group().seen_by(telegram.person(name="Ann"))
    said = await bot.send_message(group.id, "I am here")
    group.reply(said.message_id, "good")
    (update,) = await heard(bot)
    assert update.message is not None
    assert update.message.message_thread_id == said.message_id
    assert not update.message.is_topic_message


async def test_topics_of_a_forum_are_separate(telegram: Telegram, bot: Bot) -> None:
    ann = telegram.person(name="Ann")
    forum = telegram.group("Forum", forum=True)
    news, chat = forum.open_topic("News", ann), forum.open_topic("Chat", ann)
    forum.seen_by(ann, topic=news).send("/help")
    *_, update = await heard(bot)
    message = update.message
    assert message is not None
    assert (message.message_thread_id, message.is_topic_message) == (news, True)
    assert message.reply_to_message is not None
    assert message.reply_to_message.forum_topic_created is not None
    await bot.send_message(forum.id, "in the news", message_thread_id=news)
    await bot.send_chat_action(forum.id, "typing", message_thread_id=chat)
    assert forum.seen_by(ann, topic=news).screen().text == "in the news"
    assert forum.seen_by(ann, topic=chat).screen().answers == ()
    assert forum.seen_by(ann, topic=chat).screen().typing == "typing"
    assert forum.seen_by(ann, topic=news).screen().typing == ""
    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_message(forum.id, "nowhere", message_thread_id=99)


async def test_a_group_that_is_no_forum_ignores_threads(telegram: Telegram, bot: Bot) -> None:
    group = telegram.group().seen_by(telegram.person(name="Ann"))
    asked = group.send("/help")
    reply = ReplyParameters(message_id=asked)
    await bot.send_message(group.id, "here", message_thread_id=asked, reply_parameters=reply)
    assert [message.text for message in group.kept()] == ["/help", "here"]


async def test_waiting_ends_when_the_screen_is_right(bot: Bot, ann: ChatView) -> None:
    waiting = asyncio.ensure_future(ann.wait_for(lambda screen: screen.text == "two"))
    await bot.send_message(ann.id, "one")
    sent = ann.kept()[0]
    await bot.edit_message_text("two", ann.id, sent.id)
    assert (await waiting).last is not None
    with pytest.raises(TimeoutError, match="there is Screen"):
        await ann.wait_for(lambda screen: screen.text == "three", 0.01)


async def test_waiting_notices_what_vanishes_by_itself(
    bot: Bot, ann: ChatView, clock: ManualClock
) -> None:
    await bot.send_message_draft(ann.id, 7, "hello")
    await bot.send_chat_action(ann.id, "typing")
    waiting = asyncio.ensure_future(
        ann.wait_for(lambda screen: screen.draft is None and not screen.typing)
    )
    await clock.advance(30)
    assert (await waiting).messages == ()


async def test_changes_can_be_followed(telegram: Telegram, bot: Bot, ann: ChatView) -> None:
    seen = []

    async def follow() -> None:
        async for change in telegram.changes:
            seen.append(change)
            if change.what == "deleted":
                break

    following = asyncio.ensure_future(follow())
    await asyncio.sleep(0)
    sent = await bot.send_message(ann.id, "hello")
    await bot.delete_message(ann.id, sent.message_id)
    await following
    assert seen == [Change(ann.id, "message"), Change(ann.id, "deleted")]


async def test_a_lenient_sandbox_needs_no_parser() -> None:
    async with serve(judge=False) as telegram:
        chat = telegram.person().private()
        chat.send("/start")
        assert telegram.updates.pending[0]["message"]["entities"][0]["type"] == "bot_command"
