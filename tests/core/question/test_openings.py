"""The message that a thread began with, told to whom somebody mentions further down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.answer import patience
from bot.core.types import Attachment, FileKind, IncomingMessage, Quote
from bot.sandbox.openai.faults import Refuse
from tests.attached import attached, recording
from tests.house import DEFAULTS, House, open_house
from tests.media import papers


def below(
    house: House, text: str, *files: Attachment, said: str = "The moon is cheese."
) -> IncomingMessage:
    message = house.platform.message(text, group=True)
    opening = Quote(ref=message.ref, author="Bea", text=said, attachments=files, opening=True)
    return replace(message, reply_to=opening)


async def test_it_is_told_once_in_a_conversation(house: House) -> None:
    for text in ("true?", "really?", "/new", "true?"):
        await house.tell(below(house, text))
    first, second, third = (house.asked(at)[-1][1] for at in range(3))
    assert first == third == "Ann: [In reply to Bea: “The moon is cheese.”]\n\ntrue?"
    assert second == "Ann: really?"


async def test_who_only_calls_the_bot_below_it_wants_an_answer_to_it(house: House) -> None:
    await house.tell(below(house, ""))
    asked = str(house.asked()[-1][1])
    assert asked.strip() == "Ann: [In reply to Bea: “The moon is cheese.”]"
    again = await house.tell(below(house, ""))
    assert again[-1].startswith("Yes? Write me a question")


async def test_a_long_one_is_told_to_its_end(house: House) -> None:
    post = "The moon is cheese. " * 500
    await house.tell(below(house, "Sum it up", said=post + "Not so."))
    assert f"{post}Not so.”]" in str(house.asked()[-1][1])


async def test_what_cannot_be_read_of_it_stands_in_no_questions_way(house: House) -> None:
    files = (
        attached(house, b"no picture", kind=FileKind.IMAGE, name="moon.png"),
        attached(house, papers.locked_pdf(), kind=FileKind.DOCUMENT, name="moon.pdf"),
        attached(house, b"no sound", kind=FileKind.VOICE, name="moon.ogg"),
        recording(house, name="talk.mp3", kind=FileKind.AUDIO),
        attached(house, b"42 moons", kind=FileKind.DOCUMENT, name="moons.txt"),
    )
    await house.tell(below(house, "How many?", *files))
    told = str(house.asked()[-1][1])
    assert "42 moons" in told and "How many?" in told
    assert "[Also sent, but not readable to you: moon.png, moon.pdf, moon.ogg, a recording]" in told


async def test_who_is_called_below_a_voice_clip_hears_it(house: House) -> None:
    house.api.script.transcribe("What time is it in Lima?")
    house.api.script.answer("It is noon.")
    kept = await house.tell(below(house, "", recording(house), said=""))
    assert kept == ["> 🎤 What time is it in Lima?\n\nIt is noon."]


async def test_a_voice_clip_that_nobody_can_hear_stands_in_no_questions_way(house: House) -> None:
    house.api.faults.add(Refuse(400), on="/audio/transcriptions")
    await house.tell(below(house, "How many?", recording(house)))
    told = str(house.asked()[-1][1])
    assert told.endswith("How many?\n\n[Also sent, but not readable to you: voice.ogg]")


async def test_a_voice_clip_waits_for_an_api_that_is_down_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.01)
    async with open_house(tmp_path, defaults=replace(DEFAULTS, patience=60.0)) as house:
        house.api.faults.add(Refuse(503), on="/audio/transcriptions")
        house.api.script.transcribe("What time is it in Lima?")
        house.api.script.answer("It is noon.")
        kept = await house.tell(below(house, "Well?", recording(house)))
        assert kept == ["> 🎤 What time is it in Lima?\n\nIt is noon."]
