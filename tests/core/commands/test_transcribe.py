from __future__ import annotations

import wave
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from bot.core.commands.transcribe import language_of
from bot.core.fakes.platform import CHAT
from bot.core.question.listening import PARTS_AT_ONCE
from bot.core.types import (
    Attachment,
    ChatId,
    ChatRef,
    FileId,
    FileKind,
    IncomingMessage,
    OutgoingFile,
    Quote,
)
from bot.sandbox.openai.faults import Hang, Refuse, Stall
from tests.house import DEFAULTS, House, open_house
from tests.sounds import beeps
from tests.watch import Hurry

LONG = "And so we went on talking about boats and the sea. " * 60


def sent(
    house: House, content: bytes, *, name: str = "note.ogg", kind: FileKind = FileKind.VOICE
) -> Attachment:
    house.platform.contents[FileId(name)] = content
    return Attachment(id=FileId(name), kind=kind, mime="audio/ogg", name=name)


def reply(house: House, text: str, recording: Attachment) -> IncomingMessage:
    message = house.platform.message(text)
    quote = Quote(ref=message.ref, author="Bob", text="", attachments=(recording,))
    return replace(message, reply_to=quote)


def file(house: House, suffix: str) -> OutgoingFile:
    return next(file for file in house.platform.files() if file.name.endswith(suffix))


def talk(minutes: int) -> bytes:
    """A second of sound and one of silence, again and again; quickly made."""
    out = BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(4_000)
        sound.writeframes((b"\x00\x40\x00\xc0" * 2_000 + b"\0\0" * 4_000) * 30 * minutes)
    return out.getvalue()


async def test_a_recording_replied_to_is_written_down(house: House) -> None:
    house.api.script.transcribe("See you on Monday.")
    message = reply(house, "/transcribe german", sent(house, beeps(1.0)))
    assert await house.tell(message) == ["🎤 See you on Monday."]
    [asked] = house.api.traffic.to("/audio/transcriptions")
    assert asked.json["language"] == "de"
    assert house.api.traffic.to("/chat/completions") == []
    await house.say("when?")
    assert "See you on Monday." in str(house.asked()[-2])


async def test_undo_calls_a_recording_by_its_name_in_the_language_of_the_chat(house: House) -> None:
    await house.say("/voice transcribe")
    await house.tell(house.platform.message("", attachments=(sent(house, beeps(1.0)),)))
    await house.say("/language zh")
    assert (await house.say("/undo"))[-1].endswith("> 一段录音")


async def test_a_recording_that_comes_with_the_command_is_written_down(house: House) -> None:
    house.api.script.transcribe("See you on Monday.")
    recording = sent(house, beeps(1.0), kind=FileKind.AUDIO)
    message = house.platform.message("/transcribe", attachments=(recording,))
    assert await house.tell(message) == ["🎤 See you on Monday."]


async def test_a_long_one_comes_as_files(house: House) -> None:
    house.api.script.transcribe(LONG)
    [text] = await house.tell(reply(house, "/transcribe", sent(house, beeps(1.0), name="talk.ogg")))
    assert text.startswith("🎤 And so we went on") and len(text) < 700 and text.endswith("…")
    assert file(house, ".txt").name == "talk.txt"
    assert LONG.strip() in file(house, ".txt").content.decode()
    assert file(house, ".srt").content.decode().startswith("1\n00:00:00,000 --> 00:00:01,000\nAnd")


async def test_chinese_speech_is_written_down_without_gaps(tmp_path: Path) -> None:
    async with open_house(tmp_path, part_seconds=3) as house:
        said = "好 今天" + "我们来谈一谈明年的计划" * 80 + "。"
        house.api.script.transcribe(said)
        house.api.script.transcribe(said)
        [text] = await house.tell(
            reply(house, "/transcribe", sent(house, talk(1)[: 6 * 8_000 + 44], name="会议.wav"))
        )
        assert len(text) > 600 and text.endswith("…")
        written = file(house, ".txt")
        assert written.name == "会议.txt"
        assert "计划。 " not in written.content.decode()


async def test_a_long_recording_is_heard_in_parts_and_in_order(tmp_path: Path) -> None:
    async with open_house(tmp_path, part_seconds=3) as house:
        [text] = await house.tell(
            reply(house, "/transcribe", sent(house, talk(3), name="talk.wav"))
        )
        parts = [one.files["file"][0] for one in house.api.traffic.to("/audio/transcriptions")]
        parts.sort(key=lambda part: int(part.name.removesuffix(".ogg").removeprefix("talk-")))
        heard = " ".join(f"This recording has {len(part.content)} bytes." for part in parts)
        subtitles = file(house, ".srt").content.decode()
        cues = [line for line in subtitles.splitlines() if line.startswith("This")]
        assert len(parts) > 30 and " ".join(cues) == heard
        assert heard.startswith(text.removeprefix("🎤 ").removesuffix(" …"))
        starts = [line for line in subtitles.splitlines() if "-->" in line]
        assert starts == sorted(starts) and "00:02:55" < starts[-1] < "00:03:00"
        assert house.api.traffic.most_in_flight <= 3
        seen = {text for frame in house.platform.frames for text in frame}
        assert any(text.endswith(f"of {len(parts)}") for text in seen)


async def test_a_part_that_fails_ends_it_in_one_sentence(house: House) -> None:
    house.api.faults.add(Refuse(500), on="/audio/transcriptions")
    [text] = await house.tell(reply(house, "/transcribe", sent(house, beeps(1.0))))
    assert text.startswith("⚠️ The API is having trouble.")


async def test_when_a_part_fails_the_others_are_not_paid_for(tmp_path: Path) -> None:
    async with open_house(tmp_path, part_seconds=3) as house:
        house.api.faults.add(Refuse(400), on="/audio/transcriptions")
        await house.tell(reply(house, "/transcribe", sent(house, talk(1), name="talk.wav")))
        assert len(house.api.traffic.to("/audio/transcriptions")) <= PARTS_AT_ONCE + 1


async def test_listening_can_be_stopped(house: House) -> None:
    house.api.faults.add(Hang(), on="/audio/transcriptions")
    await house.happen(reply(house, "/transcribe", sent(house, beeps(1.0))))
    await house.api.traffic.until(lambda seen: seen.in_flight == 1)
    assert await house.say("/stop") == ["⏹ Stopped."]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("/transcribe", "Reply to a recording with `/transcribe`"),
        ("/transcribe germn", "I do not know the language “germn”. Did you mean “german”?"),
        ("/transcribe qqqqq", "I do not know the language “qqqqq”. Write its name or its code"),
    ],
)
async def test_what_is_missing_is_said(house: House, typed: str, sentence: str) -> None:
    assert (await house.say(typed))[0].startswith(sentence)


async def test_what_is_called_a_recording_and_is_none(house: House) -> None:
    [text] = await house.tell(reply(house, "/transcribe", sent(house, b"%PDF-1.4 not sound")))
    assert text.startswith("I cannot find any sound in that file.")


def test_languages_have_many_names() -> None:
    assert [language_of(name) for name in ("", "DE", "Deutsch", "德语", "中文", "klingon")] == [
        "",
        "de",
        "de",
        "de",
        "zh",
        None,
    ]


# ------------------------------------------------------------ what a chat may choose


async def test_a_chat_may_have_voice_notes_only_written_down(house: House) -> None:
    await house.say("/voice transcribe")
    house.api.script.transcribe("See you on Monday.")
    message = house.platform.message("", attachments=(sent(house, beeps(1.0)),))
    assert (await house.tell(message))[-1] == "🎤 See you on Monday."
    assert house.api.traffic.to("/chat/completions") == []


async def test_a_chat_may_have_voice_notes_left_alone(house: House) -> None:
    await house.say("/voice off")
    message = house.platform.message("", attachments=(sent(house, beeps(1.0)),))
    assert (await house.tell(message))[-1].startswith("Voice messages are switched off")
    await house.tell(replace(message, key="2", text="What is this?"))
    assert "not readable to you: a recording" in str(house.asked()[-1][1])
    assert house.api.traffic.to("/audio/transcriptions") == []


async def test_the_choice_has_buttons(house: House) -> None:
    await house.say("/voice")
    assert {"✓ answered", "written down", "left alone"} <= set(house.platform.buttons())
    await house.press("written down")
    house.api.script.transcribe("Hello.")
    message = house.platform.message("", attachments=(sent(house, beeps(1.0)),))
    assert (await house.tell(message))[-1] == "🎤 Hello."


async def test_a_long_voice_note_is_answered_and_comes_as_files(house: House) -> None:
    house.api.script.transcribe(LONG)
    house.api.script.answer("You went on about boats.")
    message = house.platform.message("", attachments=(sent(house, beeps(1.0)),))
    [text] = await house.tell(message)
    assert text.startswith("> 🎤 And so") and text.endswith("You went on about boats.")
    assert len(text) < 800
    assert file(house, ".txt").name == "note.txt"
    assert LONG[-40:].strip() in str(house.asked()[-1][1])  # the model is told all of it


async def test_a_recording_without_a_type_is_known_by_its_name(house: House) -> None:
    house.api.script.transcribe("Hello.")
    unknown = replace(
        sent(house, beeps(1.0), name="a.mp3", kind=FileKind.DOCUMENT),
        mime="application/octet-stream",
    )
    [text] = await house.tell(house.platform.message("", attachments=(unknown,)))
    assert text.startswith("> 🎤 Hello.")


async def test_what_was_heard_for_somebody_who_has_left_counts(house: House) -> None:
    house.api.script.transcribe("See you on Monday.")
    await house.happen(reply(house, "/transcribe", sent(house, beeps(1.0))))
    house.platform.leave(CHAT)
    await house.answered()
    elsewhere = ChatRef("fake", ChatId("2"))
    assert "Today: 1 request" in (await house.say("/usage", chat=elsewhere))[-1]


def two(house: House) -> IncomingMessage:
    """Two recordings at once."""
    files = sent(house, beeps(1.5), name="a.ogg"), sent(house, beeps(1.0), name="b.ogg")
    return house.platform.message("/transcribe", attachments=files)


def going_well() -> Stall:
    """For the request before one that goes wrong."""
    return Stall(seconds=0)


async def test_what_was_heard_before_something_failed_is_there_once(tmp_path: Path) -> None:
    patient = replace(DEFAULTS, patience=30.0)
    async with open_house(tmp_path, defaults=patient, clock=Hurry()) as house:
        house.api.script.transcribe("One.", "Two.")
        house.api.faults.add(going_well(), on="/audio/transcriptions")
        house.api.faults.add(Refuse(503), on="/audio/transcriptions")
        assert await house.tell(two(house)) == ["🎤 One.\n\n🎤 Two."]


@pytest.mark.parametrize("second", ["", "refused"])
async def test_what_was_heard_before_something_failed_counts(house: House, second: str) -> None:
    house.api.script.transcribe("One.", second)
    if second:
        house.api.faults.add(going_well(), on="/audio/transcriptions")
        house.api.faults.add(Refuse(400), on="/audio/transcriptions")
    await house.tell(two(house))
    assert len(house.api.traffic.to("/audio/transcriptions")) == 2
    assert "One." not in str(house.platform.kept())
    counted = "1 request" if second else "2 requests"
    assert f"- Today: {counted}, " in (await house.say("/usage"))[-1]


async def test_a_recording_that_is_too_large_is_refused_in_words(house: House) -> None:
    large = replace(sent(house, b"", kind=FileKind.VIDEO), size=30_000_000)
    [text] = await house.tell(reply(house, "/transcribe", large))
    assert text == "That file is too large: I can fetch at most 20 MB here."
    assert house.api.traffic.requests == []


async def test_what_is_no_recording_is_not_sent_to_be_heard(house: House) -> None:
    [text] = await house.tell(reply(house, "/transcribe", sent(house, b"", kind=FileKind.IMAGE)))
    assert text.startswith("Reply to a recording with `/transcribe`")


async def test_of_hours_of_talk_the_conversation_remembers_the_beginning(house: House) -> None:
    house.api.script.transcribe("word " * 5_000)
    await house.tell(reply(house, "/transcribe", sent(house, beeps(1.0))))
    await house.say("What was said?")
    assert 500 < str(house.asked()).count("word ") < 1_000
