from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.api import silence
from bot.core.types import Attachment, FileId, FileKind, IncomingMessage
from bot.sandbox.openai.faults import Hang, Refuse, Stall
from tests.attached import recording
from tests.house import DEFAULTS, House, open_house
from tests.sounds import beeps
from tests.watch import Hurry


def voice(house: House, content: bytes, **more: object) -> IncomingMessage:
    file = recording(house, content)
    return house.platform.message("", attachments=(replace(file, **more),))  # type: ignore[arg-type]  # any field


async def test_a_voice_note_is_quoted_and_then_answered(house: House) -> None:
    house.api.script.transcribe("What time is it\nin Lima?")
    house.api.script.answer("It is noon.")
    kept = await house.tell(voice(house, beeps(1.0)))
    assert kept == ["> 🎤 What time is it\n> in Lima?\n\nIt is noon."]
    assert house.asked()[-1] == ("user", "What time is it\nin Lima?")


async def test_the_transcript_is_there_before_the_answer(house: House) -> None:
    house.api.script.transcribe("Hello?")
    house.api.faults.add(Refuse(500), on="/chat/completions")
    [text] = await house.tell(voice(house, beeps(1.0)))
    assert text.startswith("> 🎤 Hello?\n\n⚠️ The API is having trouble.")


async def test_a_recording_sent_as_a_file_is_heard(house: House) -> None:
    house.api.script.transcribe("Hello?")
    message = voice(house, beeps(1.0), kind=FileKind.DOCUMENT, mime="audio/x-wav")
    assert (await house.tell(message))[0].startswith("> 🎤 Hello?")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "That file is empty (0 bytes). Please send it again."),
        (b"just some text, called .ogg", "I cannot find any sound in that file."),
        (beeps(2.0, loud=0.0), "I hear only silence in that recording."),
    ],
)
async def test_what_is_no_speech_is_one_clear_sentence(
    house: House, content: bytes, sentence: str
) -> None:
    [text] = await house.tell(voice(house, content))
    assert text.startswith(sentence)
    assert house.api.traffic.requests == []


async def test_speech_without_words_is_silence(house: House) -> None:
    house.api.script.transcribe("")
    [text] = await house.tell(voice(house, beeps(1.0)))
    assert text.startswith("I hear only silence")


async def test_an_api_that_cannot_listen_is_one_clear_sentence(house: House) -> None:
    house.api.faults.add(Refuse(500), on="/audio/transcriptions")
    assert (await house.tell(voice(house, beeps(1.0))))[0].startswith("⚠️ The API is having")


@pytest.mark.parametrize("words", ["", "/transcribe"])
@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (
            Refuse(404),
            "⚠️ The API does not know the model “whisper-1” for speech recognition. The operator "
            "can set another.",
        ),
        (
            Refuse(413, code="request_too_large"),
            "⚠️ That recording is too long for me. Send it in shorter pieces.",
        ),
    ],
)
async def test_who_cannot_be_heard_is_not_sent_to_choose_another_model_for_answers(
    house: House, words: str, fault: Refuse, sentence: str
) -> None:
    house.api.faults.add(fault, on="/audio/transcriptions")
    message = replace(voice(house, beeps(1.0)), text=words)
    assert (await house.tell(message))[-1] == sentence


@pytest.mark.parametrize("words", ["", "/transcribe"])
async def test_what_could_not_be_heard_is_heard_at_the_press_of_a_button_after_a_restart(
    tmp_path: Path, words: str
) -> None:
    async with open_house(tmp_path) as house:
        house.api.faults.add(Refuse(500), on="/audio/transcriptions")
        message = replace(voice(house, beeps(1.0)), text=words)
        [text] = await house.tell(message)
        assert text == "⚠️ The API is having trouble. Please try again in a minute."
        platform = house.platform
    async with open_house(tmp_path, platform=platform) as house:
        house.api.faults.add(Refuse(429), on="/audio/transcriptions")
        await house.press("🔁 Retry")
        await house.sees("⚠️ The API is getting too many requests.")  # it may fail again
        await house.say("hello?")  # is answered after it
        house.api.script.transcribe("See you on Monday.")
        house.api.script.answer("See you!")
        first, second = (platform.press("🔁 Retry") for _ in range(2))
        await house.tell(first)
        await house.sees("See you on Monday.")
        await house.say("When?")
        await house.tell(second)
        assert platform.kept()[0] == (
            "🎤 See you on Monday." if words else "> 🎤 See you on Monday.\n\nSee you!"
        )
        assert platform.notices[-1] == "This is being answered already."
        assert str(house.asked()).count("See you on Monday.") == 1


async def test_what_could_not_be_heard_is_said_although_the_database_fails(
    house: House, tmp_path: Path
) -> None:
    house.api.faults.add(Refuse(500), on="/audio/transcriptions")
    with closing(sqlite3.connect(tmp_path / "house.db", isolation_level=None)) as other:
        await house.happen(voice(house, beeps(1.0)))
        await house.api.traffic.until(lambda seen: bool(seen.to("/audio/transcriptions")))
        other.execute("BEGIN IMMEDIATE")
        await house.sees("⚠️ The API is having trouble.")
        assert house.platform.buttons() == []
        other.execute("COMMIT")
    [text] = await house.answered()
    assert text.startswith("⚠️ The API is having trouble.")


async def test_retry_is_about_the_recording_that_was_not_heard_and_no_question_before_it(
    house: House,
) -> None:
    house.api.script.answer("Hello!")
    await house.say("hello")
    house.api.faults.add(Refuse(500), on="/audio/transcriptions")
    await house.tell(voice(house, beeps(1.0)))
    house.api.script.transcribe("See you on Monday.")
    house.api.script.answer("See you!")
    await house.say("/retry")
    await house.sees("See you!")
    await house.say("/usage")  # comes after it
    assert house.platform.kept()[:2] == ["Hello!", "> 🎤 See you on Monday.\n\nSee you!"]
    house.api.script.answer("Until then!")
    assert (await house.say("/retry"))[-1].endswith("Until then!")


async def test_no_line_about_waiting_is_left_of_a_retry_that_hears_a_recording(
    house: House,
) -> None:
    house.api.faults.add(Refuse(500), on="/audio/transcriptions")
    await house.tell(voice(house, beeps(1.0)))
    house.api.faults.add(Hang(), on="/audio/transcriptions")
    await house.happen(voice(house, beeps(1.5)))
    await house.api.traffic.until(lambda seen: seen.in_flight == 1)
    await house.write("/retry")
    await house.sees("⏳ 1 message before yours")
    house.api.script.transcribe("See you on Monday.")
    house.api.script.answer("See you!")
    await house.happen(house.platform.press("⏹ Stop"))
    await house.sees("See you!")
    assert await house.answered() == ["> 🎤 See you on Monday.\n\nSee you!", "⏹ Stopped."]


@pytest.mark.parametrize("then", ["/undo", "/new"])
async def test_retry_is_not_about_a_recording_that_was_sent_once_more_and_answered(
    house: House, then: str
) -> None:
    house.api.script.answer("Hello!", "See you!", "Hello again!")
    await house.say("hello")
    house.api.faults.add(Refuse(500), on="/audio/transcriptions")
    note = voice(house, beeps(1.0))
    await house.tell(note)
    house.api.script.transcribe("See you on Monday.")
    await house.tell(replace(note, key="again"))
    await house.say(then)
    told = (await house.say("/retry"))[-1]
    assert told == (
        "Hello again!" if then == "/undo" else "There is no question yet that I could answer again."
    )


async def test_recordings_sent_at_once_are_heard_again_as_one(house: House) -> None:
    house.api.faults.add(Refuse(500), on="/audio/transcriptions")
    album = [
        replace(voice(house, beeps(seconds), id=FileId(name)), album="1")
        for name, seconds in (("a", 1.0), ("b", 1.5))
    ]
    for name, seconds in (("a", 1.0), ("b", 1.5)):
        house.platform.contents[FileId(name)] = beeps(seconds)
    await house.happen(*album)
    assert (await house.answered())[0].startswith("⚠️")
    house.api.script.transcribe("One.", "Two.")
    house.api.script.answer("Three?")
    await house.press("🔁 Retry")
    await house.sees("Three?")
    assert await house.answered() == ["> 🎤 One.\n>\n> Two.\n\nThree?"]


@pytest.mark.parametrize("words", ["", "/transcribe"])
@pytest.mark.parametrize(
    "fault",
    [
        Refuse(413, code="request_too_large"),
        Refuse(400, "Invalid file format."),
    ],
)
async def test_what_cannot_be_heard_bears_no_button(
    house: House, words: str, fault: Refuse
) -> None:
    house.api.faults.add(fault, on="/audio/transcriptions")
    await house.tell(replace(voice(house, beeps(1.0)), text=words))
    assert house.platform.buttons() == []


async def test_a_file_that_was_not_handed_over_is_fetched_at_the_press_of_a_button(
    house: House,
) -> None:
    message = voice(house, beeps(1.0))
    content = house.platform.contents.pop(message.attachments[0].id)
    [text] = await house.tell(message)
    assert text == "I could not fetch that file. Please send it again."
    house.platform.contents[message.attachments[0].id] = content
    house.api.script.transcribe("Hello?")
    await house.press("🔁 Retry")
    await house.sees("> 🎤 Hello?")


async def test_a_server_that_says_nothing_is_not_said_to_listen(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "QUIET", 0.05)
    monkeypatch.setattr(silence, "SECONDS", 0.05)
    house.api.faults.add(Hang(), times=None)
    await house.happen(voice(house, beeps(1.0)))
    await house.sees("⏳ The API does not answer just now. I keep trying…")
    assert "⏹ Stopped." in await house.say("/stop")


async def test_without_speech_recognition_the_person_is_told(tmp_path: Path) -> None:
    async with open_house(tmp_path, defaults=replace(DEFAULTS, transcription_model="")) as house:
        [text] = await house.tell(voice(house, beeps(1.0)))
        assert text.startswith("⚠️ I cannot listen to recordings here")
        assert house.platform.buttons() == []


async def test_of_two_recordings_each_counts_once_although_one_was_heard_at_the_second_try(
    tmp_path: Path,
) -> None:
    patient = replace(DEFAULTS, patience=30.0)
    async with open_house(tmp_path, defaults=patient, clock=Hurry()) as house:
        files = []
        for name, seconds in (("a", 1.5), ("b", 1.0)):
            house.platform.contents[FileId(name)] = beeps(seconds)
            files.append(Attachment(id=FileId(name), kind=FileKind.VOICE, mime="audio/ogg"))
        house.api.script.transcribe("One.", "Two.")
        house.api.faults.add(Stall(seconds=0), on="/audio/transcriptions")
        house.api.faults.add(Refuse(503), on="/audio/transcriptions")
        await house.tell(house.platform.message("", attachments=tuple(files)))
        assert house.asked()[-1] == ("user", "One.\n\nTwo.")
        assert "(listening): 2 requests" in (await house.say("/usage"))[-1]
