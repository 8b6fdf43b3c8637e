"""A message that was changed, and is answered anew: only what was typed in it is different."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.commands.edited import ANSWER_EDITED
from bot.core.fakes.platform import ANN, CHAT
from bot.core.stores import Action
from bot.core.types import (
    ButtonPress,
    FileKind,
    Forward,
    IncomingMessage,
    Quote,
    Sender,
    UserId,
)
from tests.attached import attached, png
from tests.house import QUICK, House, open_house
from tests.media import papers
from tests.sounds import beeps

ANEW = "🔁 Answer it anew"


def sent(house: House, kind: FileKind, content: bytes, name: str, text: str) -> IncomingMessage:
    file = attached(house, content, kind=kind, name=name)
    return house.platform.message(text, attachments=(file,))


async def asked_anew(house: House, message: IncomingMessage, text: str) -> str:
    """What the model is asked, all together, once the message says something else."""
    changed = replace(message, key=f"{message.key}:{text}", text=text, edited=True)
    await house.tell(changed)
    await house.press(ANEW)
    return str(house.asked()[-1][1])


async def test_a_document_whose_caption_was_changed_is_still_read(house: House) -> None:
    boats = papers.pdf(["We sold 42 boats."])
    message = sent(house, FileKind.DOCUMENT, boats, "boats.pdf", "How many?")
    await house.tell(message)
    asked = await asked_anew(house, message, "How many boats?")
    assert "How many boats?" in asked and "We sold 42 boats." in asked
    assert "How many?" not in asked


async def test_a_document_that_gets_a_caption_afterwards_is_still_read(house: House) -> None:
    boats = papers.pdf(["We sold 42 boats."])
    message = sent(house, FileKind.DOCUMENT, boats, "boats.pdf", "")
    await house.tell(message)
    asked = await asked_anew(house, message, "How many?")
    assert asked.startswith("How many?") and "We sold 42 boats." in asked
    asked = await asked_anew(house, message, "How many boats?")
    assert asked.startswith("How many boats?\n\n[File") and "We sold 42 boats." in asked


async def test_what_was_heard_in_a_recording_stays_when_its_caption_is_changed(
    house: House,
) -> None:
    house.api.script.transcribe("What time is it in Lima?")
    message = sent(house, FileKind.VOICE, beeps(1.0), "v.ogg", "Answer in French")
    await house.tell(message)
    house.api.script.answer("Mittag.")
    asked = await asked_anew(house, message, "Answer in German")
    assert asked == "Answer in German\n\nWhat time is it in Lima?"
    assert house.platform.kept() == ["> 🎤 What time is it in Lima?\n\nMittag."]
    assert len(house.api.traffic.to("/audio/transcriptions")) == 1


async def test_what_was_quoted_and_passed_on_stays_when_the_words_are_changed(
    house: House,
) -> None:
    first = house.platform.message("Translate")
    quote = Quote(ref=first.ref, author="Zoe", text="Translate\n\nGuten Tag")
    passed_on = Forward(author="Bob", text="Gute Nacht")
    message = replace(first, reply_to=quote, forwards=(passed_on,), sender=ANN)
    await house.tell(message)
    assert await asked_anew(house, message, "Translate to French") == (
        "[In reply to Zoe: “Translate\n\nGuten Tag”]\n\n"
        "Translate to French\n\n[Forwarded from Bob]\nGute Nacht"
    )


async def test_a_recording_that_was_written_down_stays_when_it_gets_a_caption(
    house: House,
) -> None:
    await house.say("/voice transcribe")
    house.api.script.transcribe("See you on Monday.", "See you on Monday.")
    message = sent(house, FileKind.VOICE, beeps(1.0), "v.ogg", "")
    await house.tell(message)
    changed = replace(message, key=f"{message.key}:e", text="When?", edited=True)
    house.api.script.answer("On Monday.")
    kept = await house.tell(changed)
    assert kept[-2:] == ["🎤 See you on Monday.", "> 🎤 See you on Monday.\n\nOn Monday."]
    assert house.asked()[-1] == ("user", "When?\n\nSee you on Monday.")


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("captions", [("", "", ""), ("Who?", "", ""), ("", "Where?", "When?")])
async def test_of_an_album_only_the_caption_that_was_changed_is_different(
    house: House, captions: tuple[str, ...], number: int
) -> None:
    messages = [
        replace(sent(house, FileKind.IMAGE, png(), f"{at}.png", caption), album="7")
        for at, caption in enumerate(captions)
    ]
    for message in messages:
        await house.happen(message)
    await house.answered()
    changed = replace(messages[number], key="edit", text="And this?", edited=True, album="")
    await house.tell(changed)
    await house.press(ANEW)
    content = house.asked()[-1][1]
    assert isinstance(content, list)
    words = [*captions[:number], "And this?", *captions[number + 1 :]]
    assert content[0]["text"] == "\n".join(filter(None, words))
    assert [part["type"] for part in content[1:]] == ["image_url"] * 3


async def test_only_who_wrote_it_has_it_answered_anew(house: House) -> None:
    message = house.platform.message("One?")
    before = await house.tell(message)
    await house.tell(replace(message, key="edited", text="Two?", edited=True))
    await house.press(ANEW, sender=Sender(UserId("666"), "Eve"))
    assert house.platform.notices[-1] == "This button belongs to somebody else."
    assert house.platform.kept()[: len(before)] == before
    assert len(house.api.traffic.to("/chat/completions")) == 1


async def test_where_there_are_no_buttons_it_is_said_what_to_do(tmp_path: Path) -> None:
    async with open_house(tmp_path, capabilities=replace(QUICK, max_buttons=0)) as house:
        message = house.platform.message("One?")
        await house.tell(message)
        [*_, text] = await house.tell(replace(message, key="e", text="Two?", edited=True))
        assert text == "✏️ You changed your message. Send it once more for a new answer."
        assert house.platform.buttons() == []


async def test_a_button_that_an_earlier_version_offered_is_too_late(house: House) -> None:
    message = house.platform.message("One?")
    await house.tell(message)
    edited = replace(message, key="edited", text="Two?", edited=True)
    await house.tell(edited)
    old = Action(name=ANSWER_EDITED, argument="1\nTwo?", owner=ANN.id)
    [value] = await house.services.stores.actions.offer(CHAT, [old])
    offer = house.platform.newest(CHAT)
    assert offer is not None
    press = ButtonPress(key="press", ref=offer, sender=ANN, value=value)
    assert "The conversation has gone on since" in str(await house.tell(press))
