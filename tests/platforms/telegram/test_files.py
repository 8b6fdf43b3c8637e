"""Replies and answers with pictures and files, to what stands in the chat at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from bot.core.delivery.delivery import Delivery, Excuse
from bot.core.delivery.long_code import Note
from bot.core.types import Button, ButtonRow, MessageRef, OutgoingFile, Reply, Style
from bot.errors import FileTooLarge
from bot.sandbox.telegram.screen import Shown
from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.telegram.view import ChatView
from tests.platform_contract import HastyClock
from tests.platforms.telegram.stage import TelegramStage, group, picture, private, staged

LONG = "I cannot draw that. " + "word " * 300
"""More than there is room for under a picture."""

CODE = OutgoingFile(name="code.py", mime="text/x-python", content=b"print(1)\n")
NOTE = OutgoingFile(name="note.txt", mime="text/plain", content=b"milk")


@pytest.fixture
async def stage() -> AsyncIterator[TelegramStage]:
    async with staged(private, clock=HastyClock()) as stage:
        yield stage


def forbidding(telegram: Telegram) -> ChatView:
    """A group of Ann's in which nobody may send pictures or files."""
    forbidding = telegram.group("Words")
    forbidding.forbid("photo", "document")
    return forbidding.seen_by(telegram.person())


def deliver(
    stage: TelegramStage,
    *,
    resume: Sequence[MessageRef] = (),
    code_note: Note | None = None,
    excuse: Excuse = str,
) -> Delivery:
    return Delivery(
        stage.platform,
        stage.incoming,
        clock=HastyClock(),
        resume=resume,
        code_note=code_note,
        excuse=excuse,
    )


def kinds(seen: Sequence[Shown]) -> list[str]:
    return [message.file.kind if message.file else "text" for message in seen]


async def drawn(stage: TelegramStage) -> Sequence[MessageRef]:
    """An answer that is a picture with words under it."""
    async with deliver(stage) as delivery:
        delivery.write("A cat")
        return await delivery.finish(files=[picture()])


# ------------------------------------------------------------ replies with files


async def test_a_picture_is_a_photo_with_its_text_and_buttons(stage: TelegramStage) -> None:
    reply = Reply(text="*here*", files=(picture(),), buttons=((Button("Again", "again"),),))
    ref = await stage.platform.send(stage.incoming.ref.chat, reply)
    (seen,) = stage.view.screen().answers
    assert seen.file is not None
    assert (seen.text, seen.file.kind, seen.buttons) == ("here", "photo", (("Again",),))
    await stage.platform.edit(ref, Reply(text="here it is"))
    (seen,) = stage.view.screen().answers
    assert (seen.text, seen.buttons) == ("here it is", ())


async def test_a_line_of_text_becomes_the_picture_that_it_announced(stage: TelegramStage) -> None:
    ref = await stage.platform.send(stage.incoming.ref.chat, Reply(text="Drawing…"))
    buttons = ((Button("Again", "again"),),)
    await stage.platform.edit(ref, Reply(text="*A cat*", files=(picture(),), buttons=buttons))
    [seen] = stage.view.screen().answers
    assert seen.text == "A cat" and seen.file and seen.file.kind == "photo"
    assert [button for row in seen.buttons for button in row] == ["Again"]
    await stage.platform.edit(ref, Reply(text="A dog"))  # its words can still be changed
    assert stage.view.screen().answers[-1].text == "A dog"


async def test_where_text_cannot_become_a_picture_it_is_posted_below(stage: TelegramStage) -> None:
    wide = picture("wide.png", width=12_000)
    ref = await stage.platform.send(stage.incoming.ref.chat, Reply(text="Drawing…"))
    await stage.platform.edit(ref, Reply(text="A coast", files=(wide,)))
    words, file = stage.view.screen().answers
    assert words.text == "A coast" and file.file and file.file.name == "wide.png"


async def test_several_pictures_are_an_album_and_other_files_documents(
    stage: TelegramStage,
) -> None:
    files = (picture("a.png"), CODE, picture("b.png"))
    await stage.platform.send(stage.incoming.ref.chat, Reply(text="three files", files=files))
    seen = stage.view.screen().answers
    assert kinds(seen) == ["text", "photo", "photo", "document"]
    assert seen[1].album == seen[2].album != ""
    assert seen[3].file is not None
    assert (seen[3].file.name, seen[3].file.content) == ("code.py", b"print(1)\n")


async def test_a_picture_that_telegram_takes_for_no_photo_is_a_document(
    stage: TelegramStage,
) -> None:
    stage.telegram.faults.fail_next(400, "PHOTO_INVALID_DIMENSIONS", method="sendPhoto")
    await stage.platform.send(stage.incoming.ref.chat, Reply(text="wide", files=(picture(),)))
    (seen,) = stage.view.screen().answers
    assert seen.file is not None
    assert (seen.text, seen.file.kind) == ("wide", "document")


async def test_a_file_that_is_too_large_is_not_sent(stage: TelegramStage) -> None:
    film = OutgoingFile(name="film.mkv", mime="video/x-matroska", content=bytes(50_000_001))
    with pytest.raises(FileTooLarge):
        await stage.platform.send(stage.incoming.ref.chat, Reply(text="film", files=(film,)))
    assert stage.view.screen().answers == ()


async def test_a_picture_without_words_has_no_caption(stage: TelegramStage) -> None:
    await stage.platform.send(stage.incoming.ref.chat, Reply(text="", files=(picture(),)))
    (seen,) = stage.view.screen().answers
    assert (seen.text, seen.file is not None) == ("", True)


LINKS = "\n".join(f"[{number}](https://a.example/{'x' * 600}/{number})" for number in range(20))
"""Few words, with more addresses than one message can have."""


async def test_words_with_more_addresses_than_fit_under_a_picture_stand_above_it(
    stage: TelegramStage,
) -> None:
    await stage.platform.send(stage.incoming.ref.chat, Reply(text=LINKS, files=(picture(),)))
    *words, last = stage.view.screen().answers
    assert set(kinds(words)) == {"text"} and kinds([last]) == ["photo"]
    assert sum(len(message.entities) for message in words) == 20


async def test_words_that_are_too_long_for_a_caption_stand_above_their_picture(
    stage: TelegramStage,
) -> None:
    words = ("word " * 206).strip()  # 1,029 characters
    await stage.platform.send(stage.incoming.ref.chat, Reply(text=words, files=(picture(),)))
    above, photo = stage.view.screen().answers
    assert (above.text, photo.text) == (words, "") and photo.file


async def test_more_pictures_than_an_album_holds_all_arrive(stage: TelegramStage) -> None:
    files = tuple(picture(f"{number}.png", width=20 + number) for number in range(12))
    await stage.platform.send(stage.incoming.ref.chat, Reply(text="", files=files))
    seen = stage.view.screen().answers
    assert [each.file.name for each in seen if each.file] == [file.name for file in files]
    assert len({each.album for each in seen}) == 2


async def test_a_picture_too_large_for_a_photo_is_a_document(stage: TelegramStage) -> None:
    large = replace(picture(), content=picture().content + bytes(11_000_000))
    await stage.platform.send(stage.incoming.ref.chat, Reply(text="large", files=(large,)))
    (seen,) = stage.view.screen().answers
    assert seen.file and seen.file.kind == "document" and seen.file.content == large.content


async def test_a_refusal_in_the_middle_of_a_reply_does_not_begin_it_again(
    stage: TelegramStage,
) -> None:
    stage.telegram.faults.refuse_next(5, method="sendDocument")
    stage.telegram.faults.fail_next(400, "IMAGE_PROCESS_FAILED", method="sendMediaGroup")
    files = (picture("a.png"), picture("b.png"), CODE)
    await stage.platform.send(stage.incoming.ref.chat, Reply(text="all", files=files))
    seen = stage.view.screen().answers
    assert kinds(seen) == ["text", "photo", "photo", "document"]


# ------------------------------------------------------------ a text in the place of a picture


async def test_a_picture_whose_new_text_is_too_long_makes_way_for_it(stage: TelegramStage) -> None:
    refs = await drawn(stage)
    async with deliver(stage, resume=refs) as delivery:
        delivery.write(LONG)
        await delivery.finish()
    assert await stage.kept() == [LONG.strip()]
    assert await stage.files() == []


async def test_a_growing_text_takes_the_place_of_a_picture(stage: TelegramStage) -> None:
    refs = await drawn(stage)
    async with deliver(stage, resume=refs) as delivery:
        delivery.write(LONG)
        await stage.view.wait_for(
            lambda screen: [answer.text for answer in screen.answers] == [LONG.strip()]
        )
        delivery.write("The end.")
        await delivery.finish()
    assert await stage.kept() == [LONG + "The end."]


async def test_a_picture_too_old_to_be_deleted_does_not_hold_the_text_up(
    stage: TelegramStage,
) -> None:
    refs = await drawn(stage)
    stage.telegram.faults.fail_next(
        400, "message can't be deleted for everyone", method="deleteMessage"
    )
    async with deliver(stage, resume=refs) as delivery:
        delivery.write(LONG)
        await delivery.finish()
    assert await stage.kept() == ["A cat", LONG.strip()]


# ------------------------------------------------------------ a file that fails on its way


@pytest.mark.parametrize("failing", ["sendMediaGroup", "sendDocument"])
async def test_what_stands_already_is_not_posted_again_for_a_file_that_failed(
    stage: TelegramStage, failing: str
) -> None:
    files = [picture("a.png"), picture("b.png"), CODE, NOTE]
    stage.telegram.faults.fail_next(502, method=failing, times=3)
    async with deliver(stage) as delivery:
        delivery.write(LONG)
        await delivery.finish(files=files)
    assert await stage.files() == ["a.png", "b.png", "code.py", "note.txt"]
    assert [text for text in await stage.kept() if text] == [LONG.strip()]


async def test_a_file_that_failed_stands_once_under_an_answer_that_was_seen_growing(
    stage: TelegramStage,
) -> None:
    stage.telegram.faults.fail_next(502, method="sendDocument", times=3)
    async with deliver(stage) as delivery:
        delivery.write(LONG)
        await stage.view.wait_for(lambda screen: screen.answers)
        await delivery.finish(files=[picture(), CODE])
    assert await stage.files() == ["drawing.png", "code.py"]
    assert [text for text in await stage.kept() if text] == [LONG.strip()]


ELEVEN = [picture(f"{number}.png") for number in range(11)]
"""More than an album holds."""
AGAIN = ((Button("Again", "again"),),)


@pytest.mark.parametrize("status", ["", "⏳ Thinking…"])
@pytest.mark.parametrize("buttons", [(), AGAIN])
@pytest.mark.parametrize("style", [Style(), Style(drafts=True), Style(rich=True)])
@pytest.mark.parametrize(
    ("files", "failing"),
    [
        (ELEVEN, "sendPhoto"),
        (ELEVEN, "sendMediaGroup"),
        ([picture(), CODE, NOTE], "sendDocument"),
        ([CODE, NOTE], "sendDocument"),
    ],
)
async def test_files_without_words_stand_there_once_although_one_of_them_failed(
    files: Sequence[OutgoingFile],
    failing: str,
    style: Style,
    buttons: Sequence[ButtonRow],
    status: str,
) -> None:
    async with staged(private, clock=HastyClock(), style=style) as stage:
        stage.telegram.faults.fail_next(502, method=failing, times=3)
        async with deliver(stage) as delivery:
            delivery.status(status)
            if status and not style.drafts:
                await stage.view.wait_for(lambda screen: screen.answers)
            await delivery.finish(files=files, buttons=buttons)
        assert await stage.files() == [file.name for file in files]
        assert await stage.buttons() == [button.label for row in buttons for button in row]


async def test_the_pictures_of_an_album_that_is_none_stand_there_once_although_one_failed(
    stage: TelegramStage,
) -> None:
    files = [picture("a.png"), picture("panorama.png", width=12_000), picture("b.png")]
    stage.telegram.faults.fail_next(502, method="sendDocument", times=3)
    async with deliver(stage) as delivery:
        await delivery.finish(files=files)
    assert await stage.files() == ["a.png", "panorama.png", "b.png"]


async def test_files_that_come_when_their_words_stand_already_stand_there_once(
    stage: TelegramStage,
) -> None:
    text = "x" * stage.platform.capabilities(stage.incoming.ref.chat).max_text
    stage.telegram.faults.fail_next(502, method="sendDocument", times=3)
    async with deliver(stage) as delivery:
        delivery.write(text + "and more")
        await stage.view.wait_for(lambda screen: len(screen.answers) == 2)
        delivery.rewrite(text)
        await delivery.finish(files=[picture(), CODE])
    assert [each for each in await stage.kept() if each] == [text]
    assert await stage.files() == ["drawing.png", "code.py"]


# ------------------------------------------------------------ a group that forbids files


@pytest.mark.parametrize("is_seen_growing", [False, True])
@pytest.mark.parametrize("files", [[picture()], [picture(), picture()], [CODE], [picture(), CODE]])
@pytest.mark.parametrize("words", ["A cat", LONG.strip()])
async def test_an_answer_gets_through_where_the_group_forbids_its_files(
    words: str, files: Sequence[OutgoingFile], is_seen_growing: bool
) -> None:
    async with staged(forbidding, clock=HastyClock()) as stage:
        async with deliver(stage, excuse=lambda refusal: "No files.") as delivery:
            delivery.write(words)
            if is_seen_growing:
                await stage.view.wait_for(lambda screen: screen.answers)
            (ref,) = await delivery.finish(files=files)
        (seen,) = stage.view.screen().answers
    assert (seen.text, seen.id) == (words + "\n\nNo files.", int(ref.id))


async def test_long_code_is_in_the_text_where_the_group_forbids_files() -> None:
    lines = [f"x_{number} = {number}  # some words here" for number in range(700)]
    code = "\n".join(lines)
    async with staged(forbidding, clock=HastyClock()) as stage:
        async with deliver(stage, code_note=lambda name, lines: "In a file.") as delivery:
            delivery.write(f"Here:\n\n```python\n{code}\n```\n\nThat is all.")
            await delivery.finish()
        seen = "\n".join(await stage.kept())
    assert seen.split("\n") == ["Here:", "", *lines, "", "That is all."]


async def test_a_rich_answer_is_classic_where_the_group_forbids_rich_ones() -> None:
    async with staged(group, clock=HastyClock(), style=Style(rich=True)) as stage:
        stage.telegram.faults.fail_next(
            400,
            "not enough rights to send the rich message to the chat",
            method="sendRichMessage",
            times=99,
        )
        async with deliver(stage) as delivery:
            delivery.write("**Four.**")
            await delivery.finish()
        assert await stage.kept() == ["Four."]
