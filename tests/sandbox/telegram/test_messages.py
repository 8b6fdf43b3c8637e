from __future__ import annotations

import pytest
from telegram import Bot, LinkPreviewOptions, MessageEntity, ReplyParameters
from telegram.error import BadRequest, Forbidden

from bot.core.fakes.clock import ManualClock
from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.telegram.view import ChatView


async def test_what_the_bot_sends_stands_on_the_screen(bot: Bot, ann: ChatView) -> None:
    sent = await bot.send_message(ann.id, "hello")
    assert sent.text == "hello"
    (shown,) = ann.kept()
    assert (shown.id, shown.text, shown.by_bot) == (sent.message_id, "hello", True)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", "Message text is empty"),
        (" \n ", "Text must be non-empty"),
        ("x" * 4097, "Message is too long"),
        ("😀" * 2049, "Message is too long"),
        ("x" * 32769, "Text is too long"),
    ],
)
async def test_texts_without_content_or_end_are_refused(
    bot: Bot, ann: ChatView, text: str, refusal: str
) -> None:
    with pytest.raises(BadRequest, match=refusal):
        await bot.send_message(ann.id, text)
    assert ann.kept() == ()


async def test_an_edit_that_is_too_long_is_refused_with_a_code(bot: Bot, ann: ChatView) -> None:
    sent = await bot.send_message(ann.id, "hello")
    with pytest.raises(BadRequest, match=r"(?i)^message_too_long$"):
        await bot.edit_message_text("x" * 4097, ann.id, sent.message_id)


@pytest.mark.parametrize("text", ["x" * 4096, "😀" * 2048, f"  {'x' * 4096}\n\n"])
async def test_a_text_may_have_4096_utf16_units_once_it_is_trimmed(
    bot: Bot, ann: ChatView, text: str
) -> None:
    sent = await bot.send_message(ann.id, text)
    assert sent.text == text.strip()


async def test_an_unknown_chat_is_not_found(bot: Bot) -> None:
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(424242, "hello")
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.get_chat(424242)


async def test_a_bot_may_not_write_first(telegram: Telegram, bot: Bot) -> None:
    bob = telegram.person(id=7, name="Bob").private(started=False)
    with pytest.raises(Forbidden, match="bot can't initiate conversation with a user"):
        await bot.send_message(bob.id, "hello")
    bob.send("/start")
    assert await bot.send_message(bob.id, "hello")


async def test_a_blocked_bot_is_forbidden_to_write(telegram: Telegram, bot: Bot) -> None:
    ann = telegram.person(name="Ann")
    chat = ann.private()
    ann.block()
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(chat.id, "hello")
    with pytest.raises(Forbidden):
        await bot.send_chat_action(chat.id, "typing")
    (update,) = await bot.get_updates()
    assert update.my_chat_member is not None
    assert update.my_chat_member.new_chat_member.status == "kicked"
    ann.unblock()
    assert await bot.send_message(chat.id, "hello again")


async def test_a_bot_thrown_out_of_a_group_is_forbidden_to_write(
    telegram: Telegram, bot: Bot
) -> None:
    group = telegram.group("Friends")
    group.remove_bot(telegram.person(name="Ann"))
    with pytest.raises(Forbidden, match="bot was kicked from the supergroup chat"):
        await bot.send_message(group.id, "hello")


async def test_an_edit_replaces_the_text(bot: Bot, ann: ChatView, clock: ManualClock) -> None:
    sent = await bot.send_message(ann.id, "hel")
    await clock.advance(2)
    edited = await bot.edit_message_text("hello", ann.id, sent.message_id)
    assert not isinstance(edited, bool)
    assert edited.edit_date is not None
    assert edited.edit_date > sent.date
    assert [(m.text, m.edited) for m in ann.kept()] == [("hello", True)]


async def test_an_edit_that_changes_nothing_is_refused(bot: Bot, ann: ChatView) -> None:
    sent = await bot.send_message(ann.id, "hello")
    with pytest.raises(BadRequest, match="Message is not modified: specified new message content"):
        await bot.edit_message_text(" hello ", ann.id, sent.message_id)
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_reply_markup(ann.id, sent.message_id)
    bold = [MessageEntity("bold", 0, 5)]
    assert await bot.edit_message_text("hello", ann.id, sent.message_id, entities=bold)


async def test_only_the_bots_own_messages_that_are_still_there_can_be_edited(
    bot: Bot, ann: ChatView
) -> None:
    theirs = ann.send("mine")
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("yours", ann.id, theirs)
    sent = await bot.send_message(ann.id, "hello")
    ann.delete(sent.message_id)
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("gone", ann.id, sent.message_id)


async def test_deleting(telegram: Telegram, bot: Bot, ann: ChatView) -> None:
    sent = await bot.send_message(ann.id, "hello")
    assert await bot.delete_message(ann.id, sent.message_id)
    assert ann.kept() == ()
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(ann.id, sent.message_id)
    group = telegram.group().seen_by(telegram.person(name="Ann"))
    theirs = group.send("/hello")
    with pytest.raises(BadRequest, match="Message can't be deleted"):
        await bot.delete_message(group.id, theirs)


async def test_deleting_several_passes_over_what_is_gone_and_deletes_all_or_none(
    telegram: Telegram, bot: Bot
) -> None:
    group = telegram.group().seen_by(telegram.person(name="Ann"))
    theirs = group.send("/hello")
    ids = [(await bot.send_message(group.id, str(number))).message_id for number in range(3)]
    with pytest.raises(BadRequest, match="Message can't be deleted"):
        await bot.delete_messages(group.id, [*ids, theirs])
    assert len(telegram.chats[group.id].messages) == 4
    assert await bot.delete_messages(group.id, [*ids[:2], ids[2] + 1])
    assert [message.text for message in telegram.chats[group.id].messages.values()] == [
        "/hello",
        "2",
    ]
    for refused, words in (([], "not specified"), (list(range(1, 102)), "Too many")):
        with pytest.raises(BadRequest, match=words):
            await bot.delete_messages(group.id, refused)


async def test_what_is_two_days_old_stays(telegram: Telegram, bot: Bot, ann: ChatView) -> None:
    group = telegram.group().seen_by(telegram.person(name="Ann"))
    theirs = [
        (chat, (await bot.send_message(chat, "hello")).message_id) for chat in (ann.id, group.id)
    ]
    telegram.let_pass(2 * 86_400)
    for (chat, sent), words in zip(theirs, ("deleted for everyone", "deleted"), strict=True):
        with pytest.raises(BadRequest, match=f"Message can't be {words}$"):
            await bot.delete_message(chat, sent)
        assert await bot.edit_message_text("hello again", chat, sent)


async def test_replies_need_something_to_reply_to(bot: Bot, ann: ChatView) -> None:
    asked = ann.send("why?")
    answer = await bot.send_message(
        ann.id, "because", reply_parameters=ReplyParameters(message_id=asked)
    )
    assert answer.reply_to_message is not None
    assert answer.reply_to_message.text == "why?"
    assert ann.kept()[-1].reply_to == asked
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await bot.send_message(ann.id, "x", reply_parameters=ReplyParameters(message_id=99))
    forgiving = ReplyParameters(message_id=99, allow_sending_without_reply=True)
    sent = await bot.send_message(ann.id, "x", reply_parameters=forgiving)
    assert sent.reply_to_message is None


async def test_typing_is_shown_for_five_seconds_or_until_a_message(
    bot: Bot, ann: ChatView, clock: ManualClock
) -> None:
    await bot.send_chat_action(ann.id, "typing")
    assert ann.screen().typing == "typing"
    await clock.advance(5)
    assert ann.screen().typing == ""
    await bot.send_chat_action(ann.id, "upload_photo")
    assert ann.screen().typing == "upload_photo"
    await bot.send_message(ann.id, "done")
    assert ann.screen().typing == ""
    with pytest.raises(BadRequest, match="Wrong parameter action in request"):
        await bot.send_chat_action(ann.id, "dancing")


async def test_links_have_previews_unless_they_are_switched_off(bot: Bot, ann: ChatView) -> None:
    await bot.send_message(ann.id, "see https://example.com")
    off = LinkPreviewOptions(is_disabled=True)
    await bot.send_message(ann.id, "see https://example.com", link_preview_options=off)
    await bot.send_message(ann.id, "nothing to see")
    assert [message.link_preview for message in ann.kept()] == [True, False, False]


async def test_message_ids_are_counted_per_chat(telegram: Telegram, bot: Bot) -> None:
    ann = telegram.person(id=1, name="Ann").private()
    bob = telegram.person(id=2, name="Bob").private()
    one = await bot.send_message(ann.id, "to Ann")
    two = await bot.send_message(bob.id, "to Bob")
    assert one.message_id == two.message_id
    await bot.edit_message_text("to Bob!", bob.id, two.message_id)
    assert (ann.screen().text, bob.screen().text) == ("to Ann", "to Bob!")
