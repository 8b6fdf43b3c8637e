"""Files in both directions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bot.core.delivery.delivery import Delivery
from bot.core.question.attachments import kind_of
from bot.core.types import Attachment, FileId, FileKind, OutgoingFile, Reply
from bot.errors import (
    FilesForbidden,
    FileTooLarge,
    MediaError,
    OutcomeUnknown,
    PlatformError,
    RateLimited,
)
from bot.platforms.slack import files
from bot.platforms.slack.replies import FILELESS
from bot.sandbox.slack.state import CANVAS, Message
from tests.platform_contract import HastyClock
from tests.platforms.slack.running import Running
from tests.platforms.slack.stage import SlackStage, slack_stage


@pytest.fixture
async def stage() -> AsyncIterator[SlackStage]:
    async with slack_stage("dm", HastyClock()) as stage:
        yield stage


def attached(message: Message, size: int | None = None) -> Attachment:
    file = message.files[0]
    return Attachment(id=FileId(file.id), kind=FileKind.IMAGE, mime=file.mime, size=size)


async def test_a_file_is_fetched_with_the_bots_token(stage: SlackStage, tmp_path: Path) -> None:
    sent = await stage.place.upload("cat.png", b"\x89PNG" * 50_000, "image/png")
    await stage.platform.download(attached(sent), tmp_path / "cat")
    assert (tmp_path / "cat").read_bytes() == b"\x89PNG" * 50_000


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"hiding_files": True}, MediaError, "files:read"),  # its login page is no picture
        ({"scopes": set[str]()}, MediaError, "files:read"),
        ({"files_at": "/?page="}, MediaError, "files:read"),  # the same without an address to go on
        ({"files_at": "/nowhere"}, MediaError, "HTTP 404"),
        ({"files_at": "/files-pri"}, PlatformError, "circles"),
    ],
)
async def test_a_file_that_cannot_be_had_is_told_why(
    stage: SlackStage,
    tmp_path: Path,
    change: dict[str, Any],
    error: type[Exception],
    words: str,
) -> None:
    sent = await stage.place.upload("cat.png", b"\x89PNG", "image/png")
    workspace = stage.sandbox.workspace
    for name, value in change.items():
        setattr(workspace, name, workspace.url + value if name == "files_at" else value)
    with pytest.raises(error, match=words):
        await stage.platform.download(attached(sent), tmp_path / "cat")


async def test_the_login_page_is_not_taken_for_a_page_that_somebody_sent(
    stage: SlackStage, tmp_path: Path
) -> None:
    sent = await stage.place.upload("page.html", b"<p>hello", "text/html")
    await stage.platform.download(attached(sent), tmp_path / "page")
    assert (tmp_path / "page").read_bytes() == b"<p>hello"
    stage.sandbox.workspace.hiding_files = True
    with pytest.raises(MediaError, match="files:read"):
        await stage.platform.download(attached(sent), tmp_path / "page")


NOTES = b'<div class="quip-canvas-content"><h1>Huddle notes</h1><p class="line">Ship on Friday.</p>'


async def test_a_canvas_is_read_under_its_title(bot: Running, tmp_path: Path) -> None:
    ada = bot.sandbox.person("Ada")
    await ada.dm.upload("Huddle notes", NOTES, CANVAS, text="What did we decide?")
    (canvas,) = (await bot.inbox.heard()).attachments
    assert (canvas.name, canvas.mime, canvas.kind) == (
        "Huddle notes",
        "text/html",
        FileKind.DOCUMENT,
    )
    await bot.platform.download(canvas, tmp_path / "notes")
    assert (tmp_path / "notes").read_bytes() == NOTES
    bot.sandbox.workspace.hiding_files = True
    with pytest.raises(MediaError, match="files:read"):
        await bot.platform.download(canvas, tmp_path / "notes")


@pytest.mark.parametrize("thumb", [b"\xff\xd8 a picture", b""])
async def test_a_photo_of_an_iphone_is_fetched_as_a_picture_where_slack_has_made_one(
    bot: Running, tmp_path: Path, thumb: bytes
) -> None:
    ada = bot.sandbox.person("Ada")
    sent = await ada.dm.upload("IMG_1.HEIC", b"ftypheic", "image/heic")
    sent.files[0].thumb = thumb
    (photo,) = (await bot.inbox.heard()).attachments
    assert photo.kind is FileKind.IMAGE
    await bot.platform.download(photo, tmp_path / "photo")
    assert (tmp_path / "photo").read_bytes() == (thumb or b"ftypheic")


async def test_a_document_that_lies_elsewhere_is_known_as_one_that_cannot_be_read(
    bot: Running,
) -> None:
    ada = bot.sandbox.person("Ada")
    await ada.dm.link("plan.png", "https://docs.google.com/d/1/edit", "Is that a good name?")
    (link,) = (await bot.inbox.heard()).attachments
    assert (link.id, link.name, kind_of(link)) == ("", "plan.png", FileKind.DOCUMENT)


@pytest.mark.parametrize("path", ["files-origin", "signed"])
async def test_a_file_is_fetched_where_slack_leads(
    stage: SlackStage, tmp_path: Path, path: str
) -> None:
    sent = await stage.place.upload("cat.png", b"\x89PNG", "image/png")
    ours = urlsplit(stage.sandbox.base_url)
    host = ours.netloc if path == "files-origin" else f"localhost:{ours.port}"
    stage.sandbox.workspace.files_at = f"http://{host}/{path}"
    await stage.platform.download(attached(sent), tmp_path / "cat")
    assert (tmp_path / "cat").read_bytes() == b"\x89PNG"


async def test_what_is_too_large_is_refused_before_it_is_fetched(
    stage: SlackStage, tmp_path: Path
) -> None:
    sent = await stage.place.upload("cat.png", b"\x89PNG", "image/png")
    with pytest.raises(FileTooLarge) as refused:
        await stage.platform.download(attached(sent, size=files.MAX_FILE_IN + 1), tmp_path / "cat")
    assert refused.value.limit == files.MAX_FILE_IN
    assert not stage.sandbox.calls_to("files.info")


async def test_of_a_file_whose_size_an_event_does_not_tell_no_more_is_read_than_may_be(
    stage: SlackStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_FILE_IN", 1_000)
    large = await stage.place.upload("dog.png", bytes(1_001), "image/png")
    with pytest.raises(FileTooLarge):
        await stage.platform.download(attached(large), tmp_path / "dog")
    assert not (tmp_path / "dog").exists()  # it was not even begun
    small = await stage.place.upload("cat.png", bytes(10), "image/png")
    origin = f"{stage.sandbox.workspace.url}/files-origin"
    stage.sandbox.workspace.files_at = f"{origin}/{large.files[0].id}"
    with pytest.raises(FileTooLarge):
        await stage.platform.download(attached(small), tmp_path / "cat")


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/cat.png",
        "http://files.slack.com/cat.png",
        "https://notslack.com/cat.png",
        "https://slack.com.example/cat.png",
        "https://{host}/cat.png",
    ],
)
async def test_the_token_is_shown_to_nobody_but_slack(
    stage: SlackStage, tmp_path: Path, address: str
) -> None:
    sent = await stage.place.upload("cat.png", b"\x89PNG", "image/png")
    sent.files[0].elsewhere = address.format(host=urlsplit(stage.sandbox.base_url).netloc)
    with pytest.raises(MediaError, match="does not lie at Slack"):
        await stage.platform.download(attached(sent), tmp_path / "cat")


async def test_a_picture_without_words_is_posted_under_its_name(stage: SlackStage) -> None:
    picture = OutgoingFile(name="picture-1.png", mime="image/png", content=b"\x89PNG")
    await stage.platform.send(stage.incoming.ref.chat, Reply(text="", files=(picture,)))
    assert await stage.screen() == ["`picture-1.png`", ""]
    assert await stage.files() == ["picture-1.png"]


async def test_several_pictures_are_one_message(stage: SlackStage) -> None:
    pictures = tuple(
        OutgoingFile(name=f"picture-{n}.png", mime="image/png", content=b"\x89PNG")
        for n in range(3)
    )
    draft = stage.platform.draft(stage.incoming)
    await draft.finish(Reply(text="three pictures", files=pictures))
    first, second = stage.place.answers()
    assert (first.text, first.files) == ("three pictures", ())
    assert second.files == ("picture-0.png", "picture-1.png", "picture-2.png")
    assert second.thread == first.thread


async def test_an_upload_that_fails_does_not_post_the_text_again(stage: SlackStage) -> None:
    picture = OutgoingFile(name="picture.png", mime="image/png", content=b"\x89PNG")
    reply = Reply(text="a picture", files=(picture,))
    draft = stage.platform.draft(stage.incoming)
    stage.sandbox.faults.fail_next(503, method="files.getUploadURLExternal")
    with pytest.raises(PlatformError):
        await draft.finish(reply)
    await draft.finish(reply)
    assert await stage.screen() == ["a picture", ""]
    assert await stage.files() == ["picture.png"]


async def test_a_file_without_words_that_fails_is_announced_once(stage: SlackStage) -> None:
    stage.sandbox.faults.fail_next(503, method="files.getUploadURLExternal")
    async with deliver(stage) as delivery:
        await delivery.finish(files=[NOTE])
    assert len(await stage.screen()) == 2
    assert await stage.files() == ["note.txt"]


async def test_a_message_whose_file_must_wait_is_not_posted_again(stage: SlackStage) -> None:
    chat = stage.incoming.ref.chat
    export = OutgoingFile(name="chat.md", mime="text/markdown", content=b"# Us")
    stage.sandbox.faults.refuse_next(1, method="files.getUploadURLExternal", times=2)
    for _ in range(2):
        with pytest.raises(RateLimited):
            await stage.platform.send(chat, Reply(text="2 messages", files=(export,)))
    await stage.platform.send(chat, Reply(text="2 messages", files=(export,)))
    assert await stage.screen() == ["2 messages", ""]
    assert await stage.files() == ["chat.md"]
    await stage.platform.send(chat, Reply(text="2 messages", files=(export,)))
    assert await stage.screen() == ["2 messages", ""] * 2


async def test_a_message_whose_file_is_to_come_is_not_taken_for_a_lost_one(bot: Running) -> None:
    place = bot.sandbox.person("Ada").dm
    await place.send("!export")
    asked = (await bot.inbox.heard()).ref
    export = OutgoingFile(name="chat.md", mime="text/markdown", content=b"# Us")
    reply = Reply(text="2 messages", files=(export,), answering=asked)
    bot.sandbox.faults.fail_next(503, method="files.getUploadURLExternal")
    with pytest.raises(OutcomeUnknown):
        await bot.platform.send(asked.chat, reply)
    await bot.platform.sweep(asked.chat, after=[asked], keep=[])
    await bot.platform.send(asked.chat, reply)
    words, file = place.answers()
    assert (words.text, file.files) == ("2 messages", ("chat.md",))
    assert not bot.sandbox.calls_to("chat.delete")


# ---------------------------------------------------------------- where Slack takes no files

NOTE = OutgoingFile(name="note.txt", mime="text/plain", content=b"remember the milk")
CODE = "\n".join(f"x_{number} = {number}  # some words here" for number in range(1_400))


def deliver(stage: SlackStage) -> Delivery:
    return Delivery(
        stage.platform,
        stage.incoming,
        clock=HastyClock(),
        code_note=lambda name, lines: "In a file.",
        excuse=lambda refusal: "No files.",
    )


def may_upload(stage: SlackStage) -> bool:
    return stage.platform.capabilities(stage.incoming.ref.chat).max_file_out > 0


async def test_without_the_scope_for_files_long_code_is_in_the_text(stage: SlackStage) -> None:
    stage.sandbox.workspace.scopes.discard("files:write")
    for _ in range(2):
        async with deliver(stage) as delivery:
            delivery.write(f"Here:\n\n```python\n{CODE}\n```\n\nThat is all.")
            refs = await delivery.finish()
        seen = "\n".join((await stage.screen())[-len(refs) :]).split("\n")
        assert [line for line in CODE.split("\n") if line not in seen] == []
        assert "That is all." in seen
    assert [call.error for call in stage.sandbox.calls if call.error] == ["missing_scope"]


@pytest.mark.parametrize(
    ("code", "holds"),
    [
        ("file_uploads_disabled", True),
        ("not_in_channel", False),  # for other channels
        ("file_type_not_allowed", False),  # for other files
    ],
)
async def test_an_answer_gets_through_where_its_file_is_refused(
    stage: SlackStage, code: str, *, holds: bool
) -> None:
    step = "getUploadURLExternal" if holds else "completeUploadExternal"
    stage.sandbox.faults.fail_next(200, code, method=f"files.{step}")
    async with deliver(stage) as delivery:
        delivery.write("Here it is")
        await delivery.finish(files=(NOTE,))
    assert await stage.screen() == ["Here it is\n\nNo files."]
    assert may_upload(stage) is not holds


async def test_of_a_message_whose_file_is_refused_nothing_is_left(stage: SlackStage) -> None:
    chat, reply = stage.incoming.ref.chat, Reply(text="2 messages", files=(NOTE,))
    stage.sandbox.workspace.scopes.discard("files:write")
    for _ in range(2):
        with pytest.raises(FilesForbidden):
            await stage.platform.send(chat, reply)
        assert await stage.screen() == []
    assert len(stage.sandbox.calls_to("chat.postMessage")) == 1


async def test_of_many_messages_whose_files_failed_only_the_last_are_gone_on_with(
    stage: SlackStage,
) -> None:
    chat, upload = stage.incoming.ref.chat, "files.completeUploadExternal"
    replies = [Reply(text=f"reply {number}", files=(NOTE,)) for number in range(FILELESS + 1)]
    stage.sandbox.faults.fail_next(503, method=upload, times=len(replies))
    for reply in replies:
        with pytest.raises(PlatformError):
            await stage.platform.send(chat, reply)
    for reply in (replies[-1], replies[0]):
        await stage.platform.send(chat, reply)
    screen = [text for text in await stage.screen() if text]
    assert screen == [reply.text for reply in (*replies, replies[0])]
