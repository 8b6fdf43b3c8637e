"""/set, /system and /persona: what they say, and what the model is asked for afterwards."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.chat import Sampling
from bot.core.defaults import Persona
from bot.core.fakes.platform import CHAT
from bot.core.parameters import PARAMETERS, OutOfRangeError, find
from bot.core.types import Sender, UserId
from tests.house import DEFAULTS, QUICK, House, open_house

EVE = Sender(UserId("666"), "Eve")
PERSONAS = (
    Persona(name="Tutor", prompt="Ask before you explain.", model="gpt-4o", temperature=0.2),
    Persona(name="Poet", prompt="Answer in verse."),
)


@pytest.fixture
async def manned(tmp_path: Path) -> AsyncGenerator[House]:
    defaults = replace(DEFAULTS, personas=PERSONAS)
    async with open_house(tmp_path, defaults=defaults) as house:
        yield house


def asked(house: House) -> dict[str, object]:
    """The last request for an answer."""
    return house.api.traffic.to("/chat/completions")[-1].json


# ---------------------------------------------------------------- /set


async def test_parameters_are_shown_set_and_sent(house: House) -> None:
    [text] = await house.say("/set")
    assert "- `temperature` (0 … 2): **default** – how freely words are chosen" in text
    assert "- `max_tokens` (1 … 1,000,000)" in text
    assert (await house.say("/set temperature 0,3"))[-1] == (
        "`temperature` of this chat is now **0.3**."
    )
    for typed in ("top_p=0.5", "max_tokens 77", "presence-penalty -1", 'stop END "the end"'):
        await house.say(f"/set {typed}")
    await house.say("hello")
    sent = asked(house)
    assert (sent["temperature"], sent["top_p"], sent["presence_penalty"]) == (0.3, 0.5, -1)
    assert sent["stop"] == ["END", "the end"]
    assert 77 in (sent.get("max_tokens"), sent.get("max_completion_tokens"))
    await house.say("/set temp default")
    await house.say("hello")
    assert "temperature" not in asked(house) and asked(house)["top_p"] == 0.5
    await house.say("/set default")
    await house.say("hello")
    assert not {"top_p", "presence_penalty", "stop"} & set(asked(house))


@pytest.mark.parametrize("typed", ["2,000", "2，000", "2000"])
async def test_a_whole_number_is_understood_as_the_range_is_written(
    house: House, typed: str
) -> None:
    said = "`max_tokens` of this chat is now **2000**."
    assert await house.say(f"/set max_tokens {typed}") == [said]


@pytest.mark.parametrize("typed", ['stop "a=b"', "stop=a=b", "stop = a=b"])
async def test_a_text_to_stop_at_may_hold_an_equals_sign(house: House, typed: str) -> None:
    await house.say(f"/set {typed}")
    await house.say("hello")
    assert asked(house)["stop"] == ["a=b"]


async def test_the_same_by_button(house: House) -> None:
    await house.say("/set")
    await house.press("temperature")
    await house.press("0.7")
    assert "- `temperature` (0 … 2): **0.7**" in house.platform.kept()[-1]
    await house.press("temperature")
    assert "✓ 0.7" in house.platform.buttons()
    await house.press("‹ Back")
    await house.press("All to default")
    assert (await house.services.stores.settings.load(CHAT)).sampling == Sampling()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("temperature 3", "`temperature` takes 0 … 2, not “3”."),
        ("temperature hot", "`temperature` takes 0 … 2, not “hot”."),
        ("temperature nan", "`temperature` takes 0 … 2, not “nan”."),
        ("max_tokens 1.5", "`max_tokens` takes 1 … 1,000,000, not “1.5”."),
        ("max_tokens 1,5", "`max_tokens` takes 1 … 1,000,000, not “1,5”."),
        ("max_tokens 0", "`max_tokens` takes 1 … 1,000,000, not “0”."),
        ("stop a b c d e", "`stop` takes 0 … 4, not “a b c d e”."),
        ("temprature 1", "There is no parameter “temprature”. Did you mean “temperature”?"),
        ("n 1000", "There is no parameter “n”."),
    ],
)
async def test_what_cannot_be_is_said_and_changes_nothing(
    house: House, typed: str, said: str
) -> None:
    assert (await house.say(f"/set {typed}"))[-1].startswith(said)
    assert (await house.services.stores.settings.load(CHAT)).sampling == Sampling()


def test_every_preset_is_a_value() -> None:
    for parameter in PARAMETERS:
        for preset in parameter.presets:
            assert parameter.parse(f"{preset:g}") == preset


def test_an_open_quote_is_a_text_to_stop_at() -> None:
    stop = find("STOP")
    assert stop is not None and stop.parse('"oh') == ('"oh',)
    with pytest.raises(OutOfRangeError):
        stop.parse("x" * 101)


# ---------------------------------------------------------------- /system


async def test_an_instruction_is_kept_shown_and_taken_back(house: House) -> None:
    assert (await house.say("/system"))[-1].startswith("Nothing was said here about how")
    text = (await house.say("/system Answer in rhymes.\nAlways."))[-1]
    assert text.endswith("> Answer in rhymes.\n> Always.")
    await house.say("hello")
    assert house.asked()[0] == ("system", "Answer in rhymes.\nAlways.")
    assert "> Answer in rhymes." in (await house.say("/system"))[-1]
    assert (await house.press("Back to usual"))[-1] == "I answer in my usual way again."
    await house.say("hello")
    assert house.asked()[0] == ("system", "Be brief.")


async def test_an_instruction_that_is_too_long_is_refused_with_its_length(house: House) -> None:
    text = (await house.say("/system " + "x" * 8_001))[-1]
    assert text == "That is too long: I take 8,000 characters, and these are 8,001."
    await house.say("/system default")
    assert (await house.services.stores.settings.load(CHAT)).system_prompt == ""


# ---------------------------------------------------------------- /persona


async def test_a_persona_is_picked_and_answers_with_its_model(manned: House) -> None:
    await manned.say("/system Be rude.")
    await manned.say("/persona")
    assert manned.platform.buttons()[-3:] == ["Tutor", "Poet", "✓ The usual me"]
    await manned.say("/model deepseek-chat")
    text = next(each for each in await manned.press("Tutor") if "Tutor" in each)
    assert text == "From now on I answer as **Tutor** in this chat. Model: gpt-4o."
    await manned.say("hello")
    assert manned.asked()[0] == ("system", "Ask before you explain.")
    assert (asked(manned)["model"], asked(manned)["temperature"]) == ("gpt-4o", 0.2)
    assert "Tutor" in (await manned.say("/system"))[-1]
    await manned.say("/set temperature 1")
    await manned.say("/model gpt-4o-mini")
    await manned.say("hello")  # what the chat says itself goes before
    assert (asked(manned)["model"], asked(manned)["temperature"]) == ("gpt-4o-mini", 1)


async def test_personas_by_typing(manned: House) -> None:
    assert (await manned.say("/persona poet"))[-1].startswith("From now on I answer as **Poet**")
    assert "- `persona` – Persona: **Poet**" in (await manned.say("/settings"))[-1]
    assert (await manned.say("/persona poe"))[-1].startswith(
        "There is no persona “poe”. Did you mean “Poet”?"
    )
    assert (await manned.say("/persona none"))[-1] == "I answer in my usual way again."
    await manned.say("hello")
    assert manned.asked()[0] == ("system", "Be brief.")
    await manned.say("/persona Tutor")
    await manned.say("/system Be rude.")  # takes the place of all that made the persona
    await manned.say("hello")
    assert manned.asked()[0] == ("system", "Be rude.")
    assert asked(manned)["model"] == "gpt-4o-mini"


async def test_the_usual_me_is_one_of_the_choices(manned: House) -> None:
    await manned.say("/persona Poet")
    await manned.say("/persona")
    assert "I answer in my usual way again." in await manned.press("The usual me")
    await manned.say("hello")
    assert manned.asked()[0] == ("system", "Be brief.")


async def test_without_personas_it_says_what_else_to_do(house: House) -> None:
    assert "`/system`" in (await house.say("/persona"))[-1]
    assert "Persona" not in (await house.say("/settings"))[-1]


async def test_a_persona_the_operator_took_away_is_as_if_none_was_picked(tmp_path: Path) -> None:
    defaults = replace(DEFAULTS, personas=PERSONAS)
    async with open_house(tmp_path, defaults=defaults) as house:
        await house.say("/persona Poet")
    async with open_house(tmp_path, platform=house.platform) as house:
        await house.say("hello")
        assert house.asked()[0] == ("system", "Be brief.")


async def test_somebody_elses_picker_picks_nothing(manned: House) -> None:
    await manned.say("/persona")
    await manned.press("Tutor", sender=EVE)
    await manned.say("hello")
    assert manned.asked()[0] == ("system", "Be brief.")


async def test_without_buttons_names_are_listed(tmp_path: Path) -> None:
    defaults = replace(DEFAULTS, personas=PERSONAS)
    poor = replace(QUICK, max_buttons=0)
    async with open_house(tmp_path, defaults=defaults, capabilities=poor) as house:
        assert "- Tutor\n- Poet" in (await house.say("/persona"))[-1]
