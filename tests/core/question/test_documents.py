from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.clock import SystemClock
from bot.core.fakes.platform import FakePlatform
from bot.core.types import Attachment, FileId, FileKind, IncomingMessage, Quote
from bot.errors import PlatformError
from tests.attached import attached
from tests.house import DEFAULTS, QUICK, House, open_house
from tests.media import papers


def file(house: House, name: str, content: bytes, text: str = "") -> IncomingMessage:
    sent = attached(house, content, kind=FileKind.DOCUMENT, name=name)
    return house.platform.message(text, attachments=(sent,))


async def test_a_document_is_read_and_stays_for_later_questions(house: House) -> None:
    asked = file(house, "boats.pdf", papers.pdf(["We sold 42 boats."]), "How many?")
    assert "✂️" not in (await house.tell(asked))[-1]
    await house.say("And which year?")
    for told in (house.asked(0)[-1], house.asked(1)[1]):
        assert told[0] == "user"
        assert "How many?" in str(told[1]) and "[File “boats.pdf”, 1 page]" in str(told[1])
        assert "[page 1]\nWe sold 42 boats." in str(told[1])


async def test_a_document_is_cut_to_the_window_of_the_model(tmp_path: Path) -> None:
    async with open_house(tmp_path, defaults=replace(DEFAULTS, context_window=2_000)) as house:
        lines = "\n".join(f"line {number} of the long report" for number in range(2_000))
        [text] = await house.tell(file(house, "long.txt", lines.encode(), "Sum it up"))
        note = (
            "✂️ I have read only a part of long.txt, which is too long. Send what matters by itself."
        )
        assert text.endswith(f"\n\n{note}")
        asked = str(house.asked()[-1][1])
        assert "Left out for want of room" in asked and len(asked) < 8_000
        assert "2,000 lines" in asked
        [text] = await house.press("🔁 Regenerate")
        assert text.endswith(f"\n\n{note}")


@pytest.mark.parametrize(
    ("words", "answers", "title"),
    [
        ("How many?", False, "How many?"),
        ("", False, "boats.txt"),
        ("", True, "boats.txt"),
        ("How many?", True, "How many?"),
    ],
)
async def test_a_conversation_about_a_document_is_called_by_the_question_or_by_its_name(
    house: House, words: str, answers: bool, title: str
) -> None:
    asked = file(house, "boats.txt", b"We sold 42 boats.\n", words)
    if answers:
        asked = replace(asked, reply_to=Quote(ref=asked.ref, author="Bob", text="[1] As said."))
    await house.tell(asked)
    await house.titled(title)
    await house.say("/new")
    assert f"- `1` {title} – " in (await house.say("/chats"))[-1]
    text = (await house.say("/chats 1"))[-1]
    assert text == f"▶️ We go on with “{title}”. Its last question was:\n\n> {title}"
    assert (await house.say("/undo"))[-1].endswith(f"> {title}")


async def test_typescript_is_read_although_the_app_calls_it_a_video(house: House) -> None:
    source = b"const boats: number = 42;\n"
    sent = attached(
        house, source, kind=FileKind.DOCUMENT, name="boats.ts", mime="video/vnd.dlna.mpeg-tts"
    )
    await house.tell(house.platform.message("What is it?", attachments=(sent,)))
    assert "const boats: number = 42;" in str(house.asked()[-1][1])


async def test_a_scan_is_looked_at(house: House) -> None:
    await house.tell(file(house, "scan.pdf", papers.scan("a", "b"), "What is it?"))
    parts = house.asked()[-1][1]
    assert isinstance(parts, list)
    assert [part["type"] for part in parts].count("image_url") == 2


async def test_what_cannot_be_read_is_said_in_one_sentence(house: House) -> None:
    [text] = await house.tell(file(house, "a.bin", b"\x7fELF\0\0"))
    assert text.startswith("I cannot read that file: it is damaged, or of a kind I do not know. I")
    [*_, text] = await house.tell(file(house, "a.zip", papers.archive("a.txt")))
    assert text == "That is an archive. Unpack it, and send me the files that matter."
    [*_, text] = await house.tell(file(house, "b.pdf", papers.locked_pdf()))
    assert text == "That file needs a password. Send it without one."
    assert house.api.traffic.to("/chat/completions") == []


async def test_words_are_answered_although_their_file_cannot_be_read(house: House) -> None:
    await house.tell(file(house, "a.bin", b"\x7fELF\0\0", "What is ELF?"))
    assert "not readable to you: a.bin" in str(house.asked()[-1][1])


async def test_a_file_that_cannot_be_fetched_is_said_after_a_second_try(house: House) -> None:
    gone = file(house, "gone.pdf", b"")
    house.platform.contents.clear()
    [text] = await house.tell(gone)
    assert text == "I could not fetch that file. Please send it again."


class Flaky(FakePlatform):
    """A platform that does not hand a file over at first."""

    failures = 0

    async def download(self, attachment: Attachment, to: Path) -> None:
        if self.failures:
            self.failures -= 1
            raise PlatformError("the connection broke")
        await super().download(attachment, to)


@pytest.mark.parametrize(
    ("failures", "text"), [(1, "**You said:** [File “a.txt”"), (2, "I could not fetch that file")]
)
async def test_a_file_that_is_not_handed_over_is_asked_for_once_more(
    tmp_path: Path, failures: int, text: str
) -> None:
    flaky = Flaky(QUICK, clock=SystemClock())
    async with open_house(tmp_path, platform=flaky) as house:
        flaky.failures = failures
        flaky.contents[FileId("f")] = b"Hello."
        file = Attachment(id=FileId("f"), kind=FileKind.DOCUMENT, mime="text/plain", name="a.txt")
        [said] = await house.tell(flaky.message("", attachments=(file,)))
        assert said.startswith(text)


async def test_a_file_that_turns_out_to_be_too_large_is_said_so_at_once(tmp_path: Path) -> None:
    async with open_house(tmp_path, capabilities=replace(QUICK, max_file_in=3_000_000)) as house:
        house.platform.contents[FileId("f")] = bytes(3_000_001)
        file = Attachment(id=FileId("f"), kind=FileKind.DOCUMENT, mime="text/plain", name="a.txt")
        [said] = await house.tell(house.platform.message("", attachments=(file,)))
        assert said == "That file is too large: I can fetch at most 3 MB here."


async def test_a_question_about_a_locked_document_is_not_answered_without_it(house: House) -> None:
    house.platform.contents[FileId("f")] = papers.locked_pdf()
    file = Attachment(id=FileId("f"), kind=FileKind.DOCUMENT, mime="application/pdf", name="a.pdf")
    [said] = await house.tell(house.platform.message("How many?", attachments=(file,)))
    assert "password" in said
    assert house.api.traffic.to("/chat/completions") == []
