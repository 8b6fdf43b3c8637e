"""/retry, /undo, /export and /forget, as people use them."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.access import Access
from bot.core.chat import ImagePart, NewMessage, Role
from bot.core.commands import export
from bot.core.fakes.platform import ANN, CHAT
from bot.core.queue import Outcome
from bot.core.types import ChatId, ChatRef, Quote, Sender, UserId
from tests.attached import picture, recording
from tests.house import QUICK, House, open_house

EVE = Sender(UserId("666"), "Eve")
BOSS = Sender(UserId("7"), "Boss")
ELSEWHERE = ChatRef("fake", ChatId("2"))


async def in_group(house: House, text: str, sender: Sender) -> str:
    message = house.platform.message(text, sender=sender, group=True)
    return (await house.tell(message))[-1]


def left(folder: Path) -> bytes:
    """What stands in the files of the database."""
    return b"".join(file.read_bytes() for file in folder.glob("house.db*"))


def last_file(house: House) -> str:
    return house.platform.files()[-1].content.decode()


# ---------------------------------------------------------------- /retry and /undo


async def test_retry_answers_the_last_question_anew_and_the_old_answer_is_gone(
    house: House,
) -> None:
    house.api.script.answer("First try.", "Second try.")
    await house.say("Tell me a joke")
    assert (await house.say("/retry"))[-1] == "Second try."
    await house.say("Another")
    asked = str(house.asked())
    assert "Second try." in asked and "First try." not in asked and "/retry" not in asked


async def test_retry_draws_a_picture_once_more_and_the_first_stays(house: House) -> None:
    await house.say("/image a cat --size 1024x1536 --n 2 --model dall-e-3")
    assert await house.say("/retry") == ["🎨 a cat", "🎨 a cat"]
    first, second = house.api.traffic.to("/images/generations")
    assert first.json == second.json
    assert house.api.traffic.to("/chat/completions") == []
    noted = "I had a picture drawn and have seen it: a cat]"
    house.api.script.answer("A dot.")
    await house.tell(house.platform.message("", attachments=(picture(house),)))  # no words
    assert str(house.asked()).count(noted) == 2 and house.asked()[-1][0] == "user"
    await house.say("Which is better?")
    assert str(house.asked()).count(noted) == 2


async def test_retry_says_what_to_do_about_a_picture_that_was_changed(house: House) -> None:
    await house.say("/image a cat")
    await house.say("/image --edit give it a hat")
    kept = await house.say("/retry")
    assert kept[-1].startswith("That picture was made of another one. Reply to the other one")
    assert len(house.api.traffic.to("/images/edits")) == 1
    assert house.api.traffic.to("/chat/completions") == []
    await house.say("Do you like it?")
    assert "give it a hat" in str(house.asked())


async def test_retry_says_what_to_do_about_a_transcript_and_it_stays(house: House) -> None:
    house.api.script.transcribe("See you on Monday.")
    voice = recording(house)
    await house.tell(house.platform.message("/transcribe", attachments=(voice,)))
    kept = await house.say("/retry")
    assert kept[-1].startswith("That was a recording. Reply to it with `/transcribe`")
    assert house.api.traffic.to("/chat/completions") == []
    await house.say("When?")
    assert "See you on Monday." in str(house.asked())


async def test_retry_with_nothing_said_yet(house: House) -> None:
    assert await house.say("/retry") == ["There is no question yet that I could answer again."]


async def test_undo_takes_exchanges_back_one_by_one(house: House) -> None:
    await house.say("My name is Bob")
    await house.say("I like cheese")
    assert (await house.say("/undo"))[-1] == (
        "↩️ Taken back, with its answer; I know nothing of it any more:\n\n> I like cheese"
    )
    await house.say("Who am I?")
    assert "Bob" in str(house.asked()) and "cheese" not in str(house.asked())
    await house.say("/undo")
    await house.say("/undo")
    assert (await house.say("/undo"))[-1] == "There is nothing to take back in this conversation."


async def test_undo_shows_the_question_as_it_was_written(house: House) -> None:
    for question in ('What is C# called in "my_file.cs"', "/image a cat --n 2 --size 1024x1024"):
        await house.say(question)
        assert (await house.say("/undo"))[-1].endswith(f":\n\n> {question}")


async def test_in_a_group_others_cannot_take_back_what_somebody_asked(tmp_path: Path) -> None:
    access = Access(open=True, admins=frozenset({"fake:7"}))
    async with open_house(tmp_path, access=access) as house:
        await in_group(house, "hello", ANN)
        refusal = "The last question is from Ann: only they can take it back."
        assert await in_group(house, "/undo", EVE) == refusal
        assert (await in_group(house, "/undo", BOSS)).startswith("↩️ Taken back")


# ---------------------------------------------------------------- /export


async def test_a_conversation_is_exported_to_read_and_to_process(house: House) -> None:
    house.api.script.answer("In **Mali**.")
    await house.say("Where is Timbuktu?")
    assert (await house.say("/export"))[-1] == "📄 2 messages."
    [file] = house.platform.files()
    assert file.name.startswith("chinwag-20") and file.name.endswith(".md")
    text = file.content.decode()
    assert "## Ann · " in text and "Where is Timbuktu?" in text
    assert "## gpt-4o-mini · " in text and "In **Mali**." in text
    assert (await house.press("As JSON"))[-2:] == ["📄 2 messages."] * 2  # a file of its own
    [chapter] = json.loads(last_file(house))
    asked, answered = chapter["messages"]
    assert (asked["role"], asked["name"], asked["text"]) == ("user", "Ann", "Where is Timbuktu?")
    assert (answered["model"], answered["text"]) == ("gpt-4o-mini", "In **Mali**.")


async def test_where_files_are_forbidden_that_is_said(house: House) -> None:
    await house.say("Where is Timbuktu?")
    house.platform.takes_files = False
    assert (await house.say("/export"))[-1] == (
        "📄 2 messages.\n\n"
        "I may not post pictures or files in this chat. Its administrators can allow it."
    )


async def test_all_conversations_of_this_chat_alone_are_exported(house: House) -> None:
    await house.say("secret", chat=ELSEWHERE)
    await house.say("one")
    await house.say("/new")
    await house.say("two")
    await house.say("/export")
    assert "one" not in last_file(house)
    await house.press("All conversations")
    text = last_file(house)
    assert text.index("one") < text.index("two") and "secret" not in text
    await house.say("/export json all")
    assert [each["number"] for each in json.loads(last_file(house))] == [1, 2]


async def test_a_long_conversation_is_exported_in_order(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PAGE", 3)  # messages that are read at a time
    words = [f"word {number}" for number in range(4)]
    for each in words:
        await house.say(each)
    await house.say("/export json")
    [chapter] = json.loads(last_file(house))
    assert [each["text"] for each in chapter["messages"][::2]] == words


async def test_the_pictures_of_an_exported_conversation_are_not_all_in_memory(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PAGE", 3)
    turns = house.services.stores.turns
    begun = await turns.accept(house.platform.message("look"), urgent=False, begin=True)
    pictures = [ImagePart("image/png", bytes([number]) * 1_000_000) for number in range(20)]
    asked = tuple(NewMessage(role=Role.USER, parts=(picture,)) for picture in pictures)
    await turns.finish(begun.turn_id, Outcome(messages=asked))
    tracemalloc.start()
    try:
        assert (await house.say("/export"))[-1] == "📄 20 messages."
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert last_file(house).count("[picture]") == 20
    assert most < 12_000_000


async def test_what_cannot_be_exported_is_said(tmp_path: Path) -> None:
    async with open_house(tmp_path, capabilities=replace(QUICK, max_file_out=1_000)) as house:
        assert (await house.say("/export"))[-1].startswith("There is nothing to export")
        for typed in ("/export pdf", "/export md json"):
            assert (await house.say(typed))[-1].startswith("Write `/export`, ")
        await house.say("long " * 300)
        assert (await house.say("/export"))[-1].startswith("That is more than a file here can hold")
        assert house.platform.files() == []


# ---------------------------------------------------------------- /forget


async def test_forgetting_this_chat_is_asked_back_and_then_done(house: House) -> None:
    await house.say("/settings language en")
    await house.say("My name is Bob")
    await house.say("Elsewhere I am Alice", chat=ELSEWHERE)
    text = (await house.say("/forget"))[-1]
    assert text.startswith("What shall I forget? It cannot be brought back.")
    assert (await house.press("Cancel"))[-1] == "Nothing is forgotten."
    await house.say("Who am I?")
    assert "Bob" in str(house.asked())
    await house.say("/forget")
    assert (await house.press("🗑 This chat"))[-1].startswith("Forgotten: everything said in this")
    assert "🗑 This chat" not in house.platform.buttons()
    assert (await house.say("/chats"))[-1].startswith("There are no conversations here yet.")
    assert (await house.services.stores.settings.load(CHAT)).language == ""
    await house.say("Who am I?", chat=ELSEWHERE)
    assert "Alice" in str(house.asked())


async def test_forgetting_by_typing_takes_a_second_yes(house: House) -> None:
    await house.say("My name is Bob")
    assert "`/forget me yes`" in (await house.say("/forget me"))[-1]
    await house.say("Who am I?")
    assert "Bob" in str(house.asked())
    assert (await house.say("/forget me yes"))[-1].startswith("Forgotten: everything you said")
    await house.say("Who am I?")
    assert "Bob" not in str(house.asked())


@pytest.mark.parametrize("typed", ["/forget everything", "/forget me no", "/forget yes"])
async def test_nothing_is_forgotten_by_mistake(house: House, typed: str) -> None:
    await house.say("My name is Bob")
    assert (await house.say(typed))[-1] == "Write `/forget`, `/forget chat` or `/forget me`."
    await house.say("Who am I?")
    assert "Bob" in str(house.asked())


async def test_in_a_group_one_forgets_only_what_is_ones_own(tmp_path: Path) -> None:
    access = Access(open=True, admins=frozenset({"fake:7"}))
    async with open_house(tmp_path, access=access) as house:
        await in_group(house, "Ann likes cheese", ANN)
        await in_group(house, "Eve likes wine", EVE)
        assert (await in_group(house, "/forget chat yes", EVE)).startswith("In a group only")
        assert "**This chat**" not in await in_group(house, "/forget", EVE)
        await house.press("🗑 Everything of mine", sender=EVE)
        await in_group(house, "What do we like?", ANN)
        assert "cheese" in str(house.asked()) and "wine" not in str(house.asked())
        assert (await in_group(house, "/forget chat yes", BOSS)).startswith("Forgotten")


async def test_who_is_forgotten_is_told_that_what_others_quoted_stays(house: House) -> None:
    stays = "What others quoted when they replied to you stays in their messages."
    said = house.platform.message("I like cheese", group=True)
    await house.tell(said)
    quote = Quote(ref=said.ref, author="Ann", text=said.text)
    reply = house.platform.message("Which one?", sender=EVE, group=True)
    await house.tell(replace(reply, reply_to=quote))
    assert stays in await in_group(house, "/forget me", ANN)
    assert stays in await in_group(house, "/forget me yes", ANN)
    await in_group(house, "And now?", EVE)
    assert "[In reply to Ann: “I like cheese”]" in str(house.asked())


async def test_of_who_is_forgotten_nothing_is_left_in_the_database(tmp_path: Path) -> None:
    zoe = Sender(UserId("555777"), "Zoe Quimby")
    async with open_house(tmp_path) as house:
        await house.say("I like Roquefort", sender=zoe)
        await house.say("/forget me yes", sender=zoe)
    assert b"Roquefort" not in left(tmp_path) and b"Quimby" not in left(tmp_path)


async def test_admins_forget_somebody_who_has_left(tmp_path: Path) -> None:
    access = Access(open=True, admins=frozenset({"fake:7"}))
    zoe = Sender(UserId("555777"), "Zoe Quimby")
    async with open_house(tmp_path, access=access) as house:
        await house.say("I like Roquefort", sender=zoe, chat=ELSEWHERE)
        await in_group(house, "Ann likes cheese", ANN)
        await in_group(house, "Mine is Roquefort", zoe)
        asked = (await house.say("/forget zoe quimby", sender=BOSS))[-1]
        assert "Zoe Quimby `fake:555777`" in asked and "`/forget fake:555777 yes`" in asked
        told = (await house.press("🗑 fake:555777", sender=BOSS))[-1]
        assert told.startswith("Forgotten: everything of `fake:555777`.")
        await in_group(house, "What do we like?", ANN)
        assert "cheese" in str(house.asked()) and "Roquefort" not in str(house.asked())
    assert b"Roquefort" not in left(tmp_path) and b"Quimby" not in left(tmp_path)


async def test_admins_forget_a_chat_with_its_threads_from_elsewhere(tmp_path: Path) -> None:
    access = Access(open=True, admins=frozenset({"fake:7"}))
    async with open_house(tmp_path, access=access) as house:
        for place in ("90", "90/1", "901"):
            await house.say(f"The word of {place}.", chat=ChatRef("fake", ChatId(place)))
        assert (await house.say("/forget 90 yes", sender=BOSS))[-1].startswith("Forgotten")
    assert b"word of 90." not in left(tmp_path) and b"word of 90/1." not in left(tmp_path)
    assert b"word of 901." in left(tmp_path)


@pytest.mark.parametrize("typed", ["/forget fake:1 yes", "/forget Ann", "/forget nobody"])
async def test_nobody_is_forgotten_by_who_is_no_admin_or_names_nobody(
    tmp_path: Path, typed: str
) -> None:
    access = Access(open=True, admins=frozenset({"fake:7"}))
    async with open_house(tmp_path, access=access) as house:
        await house.say("My name is Bob")
        said = "Write `/forget`, `/forget chat` or `/forget me`."
        assert (await house.say(typed, sender=EVE))[-1] == said
        unknown = (await house.say("/forget nobody", sender=BOSS))[-1]
        assert unknown.startswith("I know nobody, or several people, by the name “nobody”.")
        await house.say("Who am I?")
        assert "Bob" in str(house.asked())


async def test_an_answer_under_way_is_forgotten_too(house: House) -> None:
    house.api.script.answer("slowly " * 40)
    await house.say("/forget")
    async with house.answering("My name is Bob", shows="slowly"):
        await house.happen(house.platform.press("🗑 This chat"))
    await house.answered()
    assert (await house.say("/chats"))[-1].startswith("There are no conversations here yet.")


async def test_an_answer_under_way_in_another_chat_is_forgotten_with_its_person(
    house: House,
) -> None:
    house.api.script.answer("slowly " * 40)
    with house.api.held():
        await house.write("My name is Bob", chat=ELSEWHERE)
        await house.sees("slowly", ELSEWHERE)
        assert (await house.say("/forget me yes"))[-1].startswith("Forgotten: everything you said")
        await house.write("I like cheese", chat=ELSEWHERE)
    await house.answered(ELSEWHERE)
    assert await house.services.stores.users.count() == 1  # as one who likes cheese
    await house.say("Who am I?", chat=ELSEWHERE)
    assert "Bob" not in str(house.asked()) and "cheese" in str(house.asked())


async def test_somebody_elses_confirmation_forgets_nothing(house: House) -> None:
    await house.say("My name is Bob")
    await house.say("/forget")
    await house.press("🗑 This chat", sender=EVE)
    await house.say("Who am I?")
    assert "Bob" in str(house.asked())
