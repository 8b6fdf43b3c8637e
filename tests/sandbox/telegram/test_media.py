from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image
from telegram import Bot, InputMediaDocument, InputMediaPhoto, MessageEntity
from telegram.error import BadRequest, InvalidToken

from bot.sandbox.limits import Mode
from bot.sandbox.telegram.files import MAX_DOWNLOAD
from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.telegram.view import ChatView
from tests.sandbox.telegram.conftest import connected, raw


def picture(width: int = 40, height: int = 30) -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, height), "red").save(out, "PNG")
    return out.getvalue()


async def test_a_photo_with_a_caption_and_formatting(bot: Bot, ann: ChatView) -> None:
    bold = [MessageEntity("bold", 0, 3)]
    sent = await bot.send_photo(ann.id, picture(), caption="red", caption_entities=bold)
    assert (sent.photo[-1].width, sent.photo[-1].height) == (40, 30)
    assert (sent.caption, sent.caption_entities[0].type) == ("red", "bold")
    (shown,) = ann.kept()
    assert shown.text == "red"
    assert shown.file is not None
    assert (shown.file.kind, shown.file.content) == ("photo", picture())
    again = await bot.send_photo(ann.id, sent.photo[-1].file_id)
    assert again.photo[-1].file_id == sent.photo[-1].file_id


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"no picture", "Image_process_failed"),
        (b"", "File must be non-empty"),
        (picture(2100, 100), "Photo_invalid_dimensions"),
        (b"x" * (10 * 1024 * 1024 + 1), "bytes is too big for a photo"),
    ],
)
async def test_what_is_no_photo_is_refused(
    bot: Bot, ann: ChatView, content: bytes, refusal: str
) -> None:
    with pytest.raises(BadRequest, match=refusal):
        await bot.send_photo(ann.id, content)
    assert ann.kept() == ()


async def test_a_group_may_forbid_media_and_take_words(telegram: Telegram, bot: Bot) -> None:
    group = telegram.group()
    group.forbid("photo", "document")
    sent = await bot.send_message(group.id, "hello")
    with pytest.raises(BadRequest, match="Not enough rights to send photos to the chat"):
        await bot.send_photo(group.id, picture())
    with pytest.raises(BadRequest, match="Not enough rights to send documents to the chat"):
        await bot.send_document(group.id, b"print()", filename="a.py")
    with pytest.raises(BadRequest, match="Not enough rights to send photos to the chat"):
        await bot.send_media_group(group.id, [InputMediaPhoto(picture())] * 2)
    with pytest.raises(BadRequest, match="Chat_send_photos_forbidden"):
        await bot.edit_message_media(
            InputMediaPhoto(picture()), group.id, message_id=sent.message_id
        )
    seen = group.seen_by(telegram.person()).kept()
    assert [message.text for message in seen] == ["hello"]


async def test_a_document_arrives_as_sent(bot: Bot, ann: ChatView) -> None:
    document = await bot.send_document(ann.id, b"print()", filename="a.py", caption="code")
    assert document.document is not None
    assert (document.document.file_name, document.document.file_size) == ("a.py", 7)
    assert [message.file.kind for message in ann.kept() if message.file] == ["document"]


async def test_a_caption_has_at_most_1024_utf16_units(bot: Bot, ann: ChatView) -> None:
    assert await bot.send_photo(ann.id, picture(), caption="😀" * 512)
    with pytest.raises(BadRequest, match="Message caption is too long"):
        await bot.send_photo(ann.id, picture(), caption="😀" * 513)


async def test_captions_are_edited_as_captions(bot: Bot, ann: ChatView) -> None:
    sent = await bot.send_photo(ann.id, picture(), caption="re")
    with pytest.raises(BadRequest, match="There is no text in the message to edit"):
        await bot.edit_message_text("red", ann.id, sent.message_id)
    await bot.edit_message_caption(ann.id, sent.message_id, caption="red")
    assert ann.screen().text == "red"
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_caption(ann.id, sent.message_id, caption="red")
    text = await bot.send_message(ann.id, "hello")
    with pytest.raises(BadRequest, match="There is no caption in the message to edit"):
        await bot.edit_message_caption(ann.id, text.message_id, caption="red")


async def test_text_can_become_a_photo(bot: Bot, ann: ChatView) -> None:
    text = await bot.send_message(ann.id, "soon")
    await bot.edit_message_media(
        InputMediaPhoto(picture(), caption="here"), ann.id, text.message_id
    )
    [seen] = ann.kept()
    assert seen.text == "here" and seen.file and seen.file.kind == "photo"


async def test_an_album_is_one_group_of_messages(bot: Bot, ann: ChatView) -> None:
    photos = [InputMediaPhoto(picture()), InputMediaPhoto(picture())]
    sent = await bot.send_media_group(ann.id, photos, caption="two")
    assert len({message.media_group_id for message in sent}) == 1
    assert [(m.text, bool(m.album)) for m in ann.kept()] == [("two", True), ("", True)]


async def test_albums_of_the_wrong_size_or_mixture_are_refused(bot: Bot, ann: ChatView) -> None:
    photo, document = InputMediaPhoto(picture()), InputMediaDocument(b"x", filename="x.txt")
    with pytest.raises(BadRequest, match="There are no messages to send"):
        await bot.send_media_group(ann.id, [photo])
    with pytest.raises(BadRequest, match="Too many messages to send as an album"):
        await bot.send_media_group(ann.id, [photo] * 11)
    with pytest.raises(BadRequest, match="Document can't be mixed with other media types"):
        await bot.send_media_group(ann.id, [photo, document])


@pytest.mark.parametrize(
    ("media", "refusal"),
    [
        ("[", "can't parse media JSON object"),
        ({}, "expected an Array of InputMedia"),
        ([{"type": "photo"}, {"type": "moon"}], "can't parse InputMedia"),
        (["photo", "photo"], "can't parse InputMedia"),
    ],
)
async def test_malformed_albums_are_refused(
    telegram: Telegram, ann: ChatView, media: object, refusal: str
) -> None:
    _, body = await raw(telegram, "sendMediaGroup", chat_id=ann.id, media=media)
    assert refusal in body["description"]
    telegram.limits.mode = Mode.ON
    _, again = await raw(telegram, "sendMediaGroup", chat_id=ann.id, media=media)
    assert again == body


async def test_a_real_picture_from_a_person_has_its_size(bot: Bot, ann: ChatView) -> None:
    ann.send_photo(picture(40, 30))
    (update,) = await bot.get_updates()
    assert update.message is not None
    assert [(size.width, size.height) for size in update.message.photo] == [(90, 90), (40, 30)]


async def test_a_file_must_be_known_or_come_along(telegram: Telegram, ann: ChatView) -> None:
    for value, refusal in {
        "": "there is no document in the request",
        "attach://missing": "there is no document in the request",
        "https://example.com/a.txt": "wrong HTTP URL specified",
        "nonsense": "wrong remote file identifier specified",
    }.items():
        _, body = await raw(telegram, "sendDocument", chat_id=ann.id, document=value)
        assert refusal in body["description"]


async def test_the_bot_downloads_what_people_send(bot: Bot, ann: ChatView) -> None:
    ann.send_document("notes.txt", b"hello", "look")
    (update,) = await bot.get_updates()
    assert update.message is not None
    assert update.message.document is not None
    assert update.message.caption == "look"
    file = await update.message.document.get_file()
    assert bytes(await file.download_as_bytearray()) == b"hello"


async def test_a_file_above_20_megabytes_is_not_handed_out(bot: Bot, ann: ChatView) -> None:
    ann.send_document("large.bin", b"only the beginning", size=MAX_DOWNLOAD + 1)
    (update,) = await bot.get_updates()
    assert update.message is not None
    assert update.message.document is not None
    assert update.message.document.file_size == MAX_DOWNLOAD + 1
    with pytest.raises(BadRequest, match="File is too big"):
        await update.message.document.get_file()
    with pytest.raises(BadRequest, match="Wrong file_id or the file is temporarily unavailable"):
        await bot.get_file("nonsense")


async def test_more_than_50_megabytes_are_not_taken(telegram: Telegram, ann: ChatView) -> None:
    async with connected(telegram, read_timeout=20) as bot:
        with pytest.raises(Exception, match="Request Entity Too Large"):
            await bot.send_document(ann.id, b"x" * (52 * 1024 * 1024), filename="large.bin")


async def test_downloads_need_the_token(telegram: Telegram, ann: ChatView) -> None:
    ann.send_document("notes.txt", b"hello")
    async with connected(telegram) as bot:
        (update,) = await bot.get_updates()
        assert update.message is not None
        assert update.message.document is not None
        file = await update.message.document.get_file()
        assert file.file_path is not None
        telegram.token = "1000:another"
        with pytest.raises(InvalidToken):
            await file.download_as_bytearray()
