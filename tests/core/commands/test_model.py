from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.access import Access
from bot.core.fakes.platform import CHAT
from bot.core.stores import Action
from bot.core.types import Sender, UserId
from bot.sandbox.openai.backend import Endpoint, ModelCard
from bot.sandbox.openai.faults import Refuse
from tests.house import DEFAULTS, QUICK, House, open_house

EVE = Sender(UserId("666"), "Eve")


def many(house: House, count: int = 30) -> None:
    house.api.script.cards[:] = [
        ModelCard(id=f"vendor-{n:02}", owner="v", endpoints=frozenset({Endpoint.CHAT}))
        for n in range(count)
    ]


async def test_the_models_are_offered_as_buttons_page_by_page(house: House) -> None:
    many(house)
    [text] = await house.say("/model")
    assert (
        text == "Model of this chat: **gpt-4o-mini**\n\nChoose one of 30, or search: `/model WORD`"
    )
    assert house.platform.buttons() == [*(f"vendor-{n:02}" for n in range(8)), "› 2/4"]
    await house.press("› 2/4")
    assert house.platform.buttons() == [
        *(f"vendor-{n:02}" for n in range(8, 16)),
        "‹ 1/4",
        "› 3/4",
    ]
    assert len(house.platform.kept()) == 1  # the same message
    assert house.platform.notices == [""]


async def test_a_pressed_model_answers_from_then_on(house: House) -> None:
    many(house)
    await house.say("/model")
    [text] = await house.press("vendor-03")
    assert text == "From now on **vendor-03** answers in this chat."
    assert house.platform.buttons() == ["⭐ Keep as favourite"]
    await house.say("hello")
    assert house.api.traffic.requests[-1].json["model"] == "vendor-03"
    await house.say("/model")
    assert "✓ vendor-03" in house.platform.buttons()


async def test_the_choice_is_there_after_a_restart(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.say("/model gpt-4o")
    async with open_house(tmp_path, platform=house.platform) as house:
        await house.say("hello")
        assert house.api.traffic.requests[-1].json["model"] == "gpt-4o"


async def test_a_full_name_in_any_case_is_chosen_at_once(house: House) -> None:
    assert await house.say("/model GPT-4O") == ["From now on **gpt-4o** answers in this chat."]


async def test_a_word_that_only_one_model_holds_chooses_it(house: House) -> None:
    [text] = await house.say("/model sonnet")
    assert text == "From now on **claude-sonnet-4-5** answers in this chat."


async def test_a_word_searches(house: House) -> None:
    [text] = await house.say("/model deepseek")
    assert text.endswith("2 models match “deepseek”:")
    assert house.platform.buttons() == ["deepseek-chat", "deepseek-reasoner"]


async def test_several_words_all_have_to_match(house: House) -> None:
    [text] = await house.say("/model deep reason")
    assert text == "From now on **deepseek-reasoner** answers in this chat."


async def test_an_unknown_name_brings_the_nearest(house: House) -> None:
    [text] = await house.say("/model deepsek-chta")
    assert text == "There is no model “deepsek-chta”. Did you mean one of these?"
    assert house.platform.buttons()[0] == "deepseek-chat"


async def test_a_name_like_nothing_else(house: House) -> None:
    [text] = await house.say("/model 🦆🦆🦆🦆")
    assert text == "There is no model “🦆🦆🦆🦆”. /model shows them all."
    assert house.platform.buttons() == []


async def test_without_buttons_the_names_are_written_out(tmp_path: Path) -> None:
    async with open_house(tmp_path, capabilities=replace(QUICK, max_buttons=0)) as house:
        [text] = await house.say("/model")
        assert "- `gpt-4o`" in text and "- `qwen-max`" in text


async def test_a_page_that_the_api_does_not_give_says_why(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        before = await house.say("/model")
        platform = house.platform
    async with open_house(tmp_path, platform=platform) as house:  # it knows no list yet
        house.api.faults.add(Refuse(401), on="/models", times=None)
        assert await house.press("› 2/2") == before
        assert "the API refuses my key" in house.platform.notices[-1]


async def test_somebody_elses_button_does_nothing(house: House) -> None:
    before = await house.say("/model")
    assert await house.press("gpt-4o", sender=EVE) == before
    assert house.platform.notices[-1] == "This button belongs to somebody else."


async def test_a_made_up_button_does_nothing(house: House) -> None:
    await house.say("/model")
    press = house.platform.press("gpt-4o")
    await house.tell(replace(press, key="made up", value="../../etc/passwd"))
    assert "too old and no longer works" in house.platform.notices[-1]


async def test_a_button_of_an_older_version_says_that_it_no_longer_works(house: House) -> None:
    [value] = await house.services.stores.actions.offer(CHAT, [Action(name="of yesterday")])
    await house.say("/model")
    await house.tell(replace(house.platform.press("gpt-4o"), value=value))
    assert "too old and no longer works" in house.platform.notices[-1]


async def test_a_model_list_that_fails_is_one_clear_sentence(house: House) -> None:
    house.api.faults.add(Refuse(500), on="/models", times=None)
    assert (await house.say("/model"))[0].startswith("⚠️ The API is having trouble.")


async def test_a_server_without_a_list_takes_the_persons_word(house: House) -> None:
    house.api.faults.add(Refuse(404, "no such route", code="not_found"), on="/models", times=None)
    [text] = await house.say("/model my-own-model")
    assert text == "From now on **my-own-model** answers in this chat."
    await house.say("hello")
    assert (await house.services.stores.settings.load(CHAT)).model == "my-own-model"


async def test_without_a_list_no_word_chooses_what_is_hidden_or_reserved(tmp_path: Path) -> None:
    access = Access(open=True, models={"gpt-5*": frozenset({"fake:7"})})
    defaults = replace(DEFAULTS, hidden_models=("*-preview",))
    async with open_house(tmp_path, access=access, defaults=defaults) as house:
        gone = Refuse(404, "no such route", code="not_found")
        house.api.faults.add(gone, on="/models", times=None)
        for name in ("gpt-5", "GPT-5-mini"):
            assert (await house.say(f"/model {name}"))[-1] == (
                f"⚠️ The model “{name}” is reserved for others. Choose another with /model."
            )
        await house.say("/model gpt-4-preview")
        assert (await house.services.stores.settings.load(CHAT)).model == ""


async def test_a_button_chooses_although_there_is_no_list_any_more(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.say("/model")
    async with open_house(tmp_path, platform=house.platform) as house:
        house.api.faults.add(Refuse(500), on="/models", times=None)
        [text] = await house.press("gpt-4o")
        assert text == "From now on **gpt-4o** answers in this chat."
        assert (await house.say("/model unstar gpt-4o"))[-1] == "There is no model “gpt-4o”."


async def test_a_button_does_not_choose_what_was_hidden_or_reserved_since(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.say("/model gpt-4")
        await house.say("/model deepseek")
    access = Access(open=True, models={"gpt-4o": frozenset({"fake:7"})})
    defaults = replace(DEFAULTS, hidden_models=("*-reasoner",))
    platform = house.platform
    async with open_house(tmp_path, platform=platform, access=access, defaults=defaults) as house:
        kept = await house.press("gpt-4o")
        assert "⚠️ The model “gpt-4o” is reserved for others. Choose another with /model." in kept
        await house.press("deepseek-reasoner")
        assert (await house.services.stores.settings.load(CHAT)).model == ""


# ---------------------------------------------------------------- what cannot answer in words

DRAWS = (
    "**dall-e-3** draws and cannot answer in words. "
    "Let it draw: `/image --model dall-e-3 a lighthouse in a storm`"
)
COMPARES = (
    "**text-embedding-3-small** compares texts and cannot answer in words. "
    "/model shows those that can."
)
LISTENS = (
    "**whisper-1** only writes down what is said in recordings. That is what `/transcribe` does."
)


async def test_models_that_cannot_answer_in_words_are_not_offered(tmp_path: Path) -> None:
    async with open_house(tmp_path, capabilities=replace(QUICK, max_buttons=0)) as house:
        [text] = await house.say("/model")
        assert "- `claude-sonnet-4-5`" in text
        for name in ("dall-e-3", "gpt-image-1", "whisper-1", "text-embedding-3-small"):
            assert name not in text
        found = (await house.say("/model gpt"))[-1]
        assert "`gpt-4o`" in found and "gpt-image-1" not in found


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("dall-e-3", DRAWS),
        ("DALL-E", DRAWS),
        ("star dall-e-3", DRAWS),
        ("text-embedding-3-small", COMPARES),
        ("whisper-1", LISTENS),
    ],
)
async def test_naming_such_a_model_tells_what_it_is_for(
    house: House, typed: str, said: str
) -> None:
    assert await house.say(f"/model {typed}") == [said]
    chosen = await house.services.stores.settings.load(CHAT)
    assert (chosen.model, chosen.favourites) == ("", ())


async def test_such_a_model_is_known_without_a_list(house: House) -> None:
    house.api.faults.add(Refuse(404, "no such route", code="not_found"), on="/models", times=None)
    assert await house.say("/model dall-e-3") == [DRAWS]


async def test_what_draws_in_its_answers_can_be_chosen(house: House) -> None:
    house.api.script.cards[:] = [
        ModelCard(id=name, owner="v", endpoints=frozenset({Endpoint.CHAT}))
        for name in ("gemini-2.5-flash-image", "gpt-4o-image", "other")
    ]
    await house.say("/model")
    assert house.platform.buttons() == ["gemini-2.5-flash-image", "gpt-4o-image", "other"]
    said = (await house.say("/model gpt-4o-image"))[-1]
    assert said == "From now on **gpt-4o-image** answers in this chat."


async def test_what_the_operator_lets_answer_is_offered_whatever_it_is_called(
    tmp_path: Path,
) -> None:
    defaults, plain = replace(DEFAULTS, model="whisper-1"), replace(QUICK, max_buttons=0)
    async with open_house(tmp_path, defaults=defaults, capabilities=plain) as house:
        assert "- `whisper-1`" in (await house.say("/model"))[-1]
        said = (await house.say("/model whisper-1"))[-1]
        assert said == "From now on **whisper-1** answers in this chat."


# ---------------------------------------------------------------- favourites and what is hidden


async def test_favourites_stand_first_then_what_was_used_lately(house: House) -> None:
    many(house)
    await house.say("/model vendor-20")
    await house.press("⭐ Keep as favourite")
    await house.say("/model vendor-10")
    await house.say("/model star vendor-15")
    await house.say("/model")
    shown = house.platform.buttons()[-9:-1]
    assert shown[:4] == ["⭐ vendor-20", "⭐ vendor-15", "✓ vendor-10", "vendor-00"]
    await house.press("⭐ vendor-20")
    await house.press("☆ No favourite any more")
    assert (await house.say("/model unstar vendor-15"))[-1].endswith("any more.")
    await house.say("/model")
    assert not [label for label in house.platform.buttons()[-9:] if "⭐" in label]


async def test_a_star_for_what_does_not_exist(house: House) -> None:
    assert await house.say("/model star nonsense") == ["There is no model “nonsense”."]


async def test_the_usual_model_comes_back(house: House) -> None:
    await house.say("/model gpt-4o")
    text = (await house.say("/model default"))[-1]
    assert text == "The usual model answers here again: **gpt-4o-mini**."


async def test_hidden_models_are_neither_listed_nor_chosen(tmp_path: Path) -> None:
    defaults = replace(DEFAULTS, hidden_models=("*-reasoner", "whisper-*"))
    async with open_house(tmp_path, defaults=defaults) as house:
        text = (await house.say("/model deepseek"))[-1]
        assert text == "From now on **deepseek-chat** answers in this chat."  # the only one
        assert (await house.say("/model deepseek-reasoner"))[-1].startswith("There is no model")
        assert (await house.say("/model whisper-1"))[-1].startswith("There is no model")


async def test_reserved_models_are_offered_only_to_those_they_are_for(tmp_path: Path) -> None:
    access = Access(open=True, models={"gpt-4o": frozenset({"fake:7"})})
    async with open_house(tmp_path, access=access) as house:
        await house.say("/model gpt-4", sender=EVE)
        assert house.platform.buttons() == ["⭐ Keep as favourite"]  # gpt-4o-mini is the only one
        assert (await house.say("/model gpt-4o", sender=EVE))[-1].startswith(
            "From now on **gpt-4o-mini** answers"
        )
        bob = Sender(UserId("7"), "Bob")
        assert (await house.say("/model gpt-4o", sender=bob))[-1].startswith(
            "From now on **gpt-4o** answers"
        )
