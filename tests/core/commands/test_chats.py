from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.access import Access
from bot.core.fakes.platform import ANN, CHAT
from bot.core.memory.titles import clean
from bot.core.types import ChatId, ChatRef, Sender, UserId
from tests.house import DEFAULTS, QUICK, House, open_house

EVE = Sender(UserId("666"), "Eve")
BOSS = Sender(UserId("7"), "Boss")
ELSEWHERE = ChatRef("fake", ChatId("2"))


@pytest.fixture
async def talked(house: House) -> AsyncGenerator[House]:
    """Somebody had two conversations."""
    await house.say("Where is Timbuktu?")
    await house.titled("Where is Timbuktu?")
    await house.say("/new")
    await house.say("How do I bake bread?")
    await house.titled("How do I bake bread?", "Where is Timbuktu?")
    yield house


def remembers(house: House, word: str) -> bool:
    """Whether the model was told of this at the last question."""
    return word in str(house.asked())


async def test_conversations_are_listed_with_title_and_date_the_latest_first(talked: House) -> None:
    text = (await talked.say("/chats"))[-1]
    first, second = [line for line in text.splitlines() if line.startswith("- ")]
    assert first.startswith("- `2` How do I bake bread? – ") and first.endswith(" ✓")
    assert second.startswith("- `1` Where is Timbuktu? – ") and ":" in second
    buttons = talked.platform.buttons()
    assert buttons[-2:] == ["✓ How do I bake bread?", "Where is Timbuktu?"]


async def test_one_goes_back_by_button_and_the_model_knows_again(talked: House) -> None:
    await talked.say("/chats")
    assert "**Where is Timbuktu?**" in (await talked.press("Where is Timbuktu?"))[-1]
    text = (await talked.press("▶️ Go on with it"))[-1]
    assert text.startswith("▶️ We go on with “Where is Timbuktu?”")
    assert text.endswith("> Where is Timbuktu?")
    await talked.say("And how far?")
    assert remembers(talked, "Timbuktu") and not remembers(talked, "bread")


async def test_the_same_by_typing(talked: House) -> None:
    assert (await talked.say("/chats 1"))[-1].startswith("▶️ We go on with “Where is Timbuktu?”")
    await talked.say("And how far?")
    assert remembers(talked, "Timbuktu")
    renamed = "Conversation 1 is now called “Far away”."
    assert (await talked.say("/chats rename 1 Far *away*"))[-1] == renamed
    assert "- `1` Far away – " in (await talked.say("/chats"))[-1]
    question = "Delete “Far away” for good, with everything said in it?"
    for typed in ("/chats delete 1", "/chats delete 1 no"):
        assert (await talked.say(typed))[-1].startswith(question)
    assert (await talked.say("/chats delete 1 yes"))[-1].startswith("“Far away” is deleted.")
    await talked.say("And now?")
    assert not remembers(talked, "Timbuktu") and not remembers(talked, "bread")


async def test_deleting_by_button_asks_once(talked: House) -> None:
    await talked.say("/chats")
    await talked.press("Where is Timbuktu?")
    await talked.press("🗑 Delete")
    assert "**Where is Timbuktu?**" in (await talked.press("Keep it"))[-1]
    await talked.press("🗑 Delete")
    text = (await talked.press("🗑 Delete"))[-1]
    assert text.startswith("“Where is Timbuktu?” is deleted.")
    assert "- `1`" not in text and "- `2`" in text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("/chats 99", "There is no conversation 99 here."),
        ("/chats ٣", "There is no conversation ٣ here."),
        ("/chats 99999999999999999999", "There is no conversation 99999999999999999999 here."),
        ("/chats delete x", "There is no conversation x here."),
        ("/chats rename 1", "Write `/chats`, "),
        ("/chats rename 1 ***", "Give it a name: "),
        ("/chats rename 99 x", "There is no conversation 99 here."),
        ("/chats burn 1", "Write `/chats`, "),
        ("/chats -1", "Write `/chats`, "),
    ],
)
async def test_wrong_words_are_answered_with_the_right_ones(
    talked: House, typed: str, said: str
) -> None:
    assert (await talked.say(typed))[-1].startswith(said)
    assert await talked.services.stores.archive.count(CHAT) == 2


async def test_of_other_chats_nothing_is_seen(talked: House) -> None:
    [text] = await talked.say("/chats", chat=ELSEWHERE)
    assert text == "There are no conversations here yet. Just write me something."
    [_, text] = await talked.say("/chats 1", chat=ELSEWHERE)
    assert text == "There is no conversation 1 here. /chats lists them."


async def test_an_old_button_of_what_is_deleted_shows_the_list(talked: House) -> None:
    await talked.say("/chats")
    await talked.press("Where is Timbuktu?")
    await talked.say("/chats delete 1 yes")
    kept = await talked.press("▶️ Go on with it")
    assert [text[:2] for text in kept].count("📚 ") == 1
    assert (await talked.services.stores.archive.listed(CHAT))[0].current


async def test_many_conversations_are_paged(house: House) -> None:
    for number in range(8):
        await house.say("/new")
        await house.say(f"Question {number}")
    await house.titled(*(f"Question {n}" for n in reversed(range(8))))
    await house.say("/chats")
    text = (await house.press("› 2/2"))[-1]
    assert "Question 1" in text and "Question 0" in text and "Question 2" not in text
    assert "‹ 1/2" in house.platform.buttons()


async def test_a_page_that_is_no_more_is_the_last_one_there_is(house: House) -> None:
    for number in range(7):
        await house.say("/new")
        await house.say(f"Question {number}")
    await house.titled(*(f"Question {n}" for n in reversed(range(7))))
    await house.say("/chats")
    await house.say("/chats delete 1 yes")
    listed = (await house.press("› 2/2"))[-2]
    assert "Question 6" in listed and "Question 1" in listed


async def test_without_buttons_there_are_words(tmp_path: Path) -> None:
    async with open_house(tmp_path, capabilities=replace(QUICK, max_buttons=0)) as house:
        await house.say("hello")
        assert "`/chats delete 1 yes`" in (await house.say("/chats delete 1"))[-1]


async def test_in_a_group_only_an_admin_deletes(tmp_path: Path) -> None:
    access = Access(open=True, admins=frozenset({"fake:7"}))
    async with open_house(tmp_path, access=access) as house:

        async def say(text: str, sender: Sender) -> str:
            message = house.platform.message(text, sender=sender, group=True)
            return (await house.tell(message))[-1]

        await say("hello", ANN)
        for typed in ("/chats delete 1", "/chats delete 1 yes"):
            assert (await say(typed, ANN)).startswith("In a group only the admins")
        await say("/chats", ANN)
        await house.tell(replace(house.platform.press("✓ hello"), group=True))
        assert "🗑 Delete" not in house.platform.buttons()
        assert (await say("/chats delete 1 yes", BOSS)).startswith("“hello” is deleted.")


async def test_a_title_may_be_given_at_the_start(house: House) -> None:
    await house.say("/new Trip to Timbuktu")
    await house.say("hello")
    await house.titled("Trip to Timbuktu")
    await house.say("/new")
    assert "📚 Earlier conversations" in house.platform.buttons()
    assert "Trip to Timbuktu" in (await house.press("📚 Earlier conversations"))[-1]


async def test_a_title_goes_with_what_it_was_made_of(house: House) -> None:
    await house.say("Where is Timbuktu?")
    await house.titled("Where is Timbuktu?")
    await house.say("/undo")
    await house.say("How do I bake bread?")
    await house.titled("How do I bake bread?")
    await house.say("/new Holiday")
    await house.say("/new")  # the same conversation, since nothing was said in it
    await house.say("hello")
    await house.titled("hello", "How do I bake bread?")


async def test_a_cheap_model_finds_the_title_and_its_cost_is_kept(tmp_path: Path) -> None:
    defaults = replace(DEFAULTS, summary_model="gpt-4o")
    async with open_house(tmp_path, defaults=defaults) as house:
        house.api.script.answer("Yes?", "***")  # no title
        await house.say("***")
        while "- `gpt-4o`: 1 request, " not in (await house.say("/usage"))[-1]:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        house.api.script.answer("In Mali.", "“**Towns of Mali**.”\n")
        await house.say("Where is Timbuktu?")
        await house.titled("Towns of Mali")
        assert house.api.traffic.requests[-1].json["model"] == "gpt-4o"
        assert "In Mali." in str(house.asked())
        assert "- `gpt-4o`: 2 requests, " in (await house.say("/usage"))[-1]
        asked = len(house.api.traffic.to("/chat/completions"))
        await house.say("And Gao?")
        await house.titled("Towns of Mali")
        assert len(house.api.traffic.to("/chat/completions")) == asked + 1


async def test_without_an_answer_of_the_cheap_model_the_first_words_are_the_title(
    tmp_path: Path,
) -> None:
    defaults = replace(DEFAULTS, summary_model="no-such-model")
    async with open_house(tmp_path, defaults=defaults) as house:
        await house.say("[hm] Where is *Timbuktu*?")
        await house.titled("Where is Timbuktu?")
        assert house.api.traffic.requests[-1].json["model"] == "no-such-model"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("“Towns of Mali.”", "Towns of Mali"),
        ('"Towns of Mali".', "Towns of Mali"),
        ('What is "fair use"', 'What is "fair use"'),
        ('"Yes" or "no"', '"Yes" or "no"'),
        ("> ## Why is `x_y` in C# __not__ > 2?", "Why is x_y in C# not > 2?"),
        ("# One\n\ntwo `three`", "One two three"),
        ("word " * 30, "word word word word word word word word word…"),
        ("长" * 60, "长" * 48 + "…"),
        ("***", ""),
    ],
)
def test_a_title_is_one_clean_short_line(text: str, title: str) -> None:
    assert clean(text) == title
