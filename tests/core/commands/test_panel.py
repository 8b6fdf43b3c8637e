from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bot.core.commands.settings_table import SETTINGS, Choice, Setting
from bot.core.fakes.platform import CHAT
from bot.core.i18n import LANGUAGES
from bot.core.settings import ChatSettings
from bot.core.types import ChatId, ChatRef, Sender, UserId
from tests.house import DEFAULTS, QUICK, House, open_house
from tests.patience import until

EVE = Sender(UserId("666"), "Eve")
ELSEWHERE = ChatRef("fake", ChatId("2"))


async def test_one_panel_shows_everything_and_changes_it_by_buttons(house: House) -> None:
    [text] = await house.say("/settings")
    assert text.startswith("⚙️ **Settings of this chat**")
    assert "- `model` – Model: **gpt-4o-mini**" in text
    assert "- `language` – Language: **as your app**" in text
    [text] = await house.press("Language: as your app")
    assert text.startswith("**Language**") and "- `auto` – as your app ✓" in text
    assert house.platform.buttons() == ["✓ as your app", "English", "简体中文", "‹ Back"]
    [text] = await house.press("简体中文")
    assert "- `language` – 语言：**简体中文**" in text
    await house.press("语言：简体中文")
    await house.press("跟随你的应用")
    assert "**Settings of this chat**" in house.platform.kept()[0]
    assert len(house.platform.kept()) == 1  # the same message all along


async def test_in_a_group_nothing_is_chosen_that_groups_do_not_have(house: House) -> None:
    message = house.platform.message("/settings", group=True)
    [text] = await house.tell(message)
    assert "- `listening` – " in text and "- `together` – " not in text


async def test_back_returns_to_the_panel(house: House) -> None:
    before = await house.say("/settings")
    await house.press("Language: as your app")
    assert await house.press("‹ Back") == before


async def test_the_models_are_reached_from_the_panel(house: House) -> None:
    await house.say("/settings")
    [text] = await house.press("Model: gpt-4o-mini")
    assert text.startswith("Model of this chat: **gpt-4o-mini**")
    [_, text] = await house.say("/settings model gpt-4o")
    assert text == "From now on **gpt-4o** answers in this chat."


async def test_the_same_by_typing(house: House) -> None:
    assert (await house.say("/settings language EN"))[-1] == (
        "In this chat from now on – Language: **English**."
    )
    assert (await house.say("/settings language"))[-1].startswith("**Language**")
    assert (await house.say("/settings language klingon"))[-1].startswith(
        "“klingon” is not one of the choices.\n\n**Language**"
    )
    assert (await house.say("/settings langage"))[-1].startswith(
        "There is no setting “langage”. Did you mean “language”?\n\n⚙️"
    )
    assert (await house.services.stores.settings.load(CHAT)).language == "en"


async def test_what_is_chosen_for_a_channel_holds_in_its_threads(house: House) -> None:
    thread, other = (ChatRef("fake", ChatId(f"{CHAT.id}/{name}")) for name in ("a", "b"))
    await house.say("/model gpt-4o")
    await house.say("/settings listening on")
    await house.say("hello", chat=thread)
    assert house.api.traffic.requests[-1].json["model"] == "gpt-4o"
    with house.api.held():
        await house.write("one", "two", chat=thread)
    await house.answered(thread)
    assert house.api.traffic.requests[-1].json["model"] == "gpt-4o"  # also where it had to wait
    await house.say("/model default", chat=thread)
    await house.say("hello", chat=thread)
    assert house.api.traffic.requests[-1].json["model"] == DEFAULTS.model
    text = (await house.say("/settings", chat=other))[-1]
    assert "Model: **gpt-4o**" in text
    group = house.platform.message("/settings", chat=other, group=True)
    assert "**I do not listen**" in (await house.tell(group, other))[-1]


async def test_without_buttons_it_says_what_to_type(tmp_path: Path) -> None:
    async with open_house(tmp_path, capabilities=replace(QUICK, max_buttons=0)) as house:
        [text] = await house.say("/settings")
        assert text.endswith("`/settings NAME` shows its values.")
        assert "- `zh` – 简体中文" in (await house.say("/settings language"))[-1]


async def test_settings_belong_to_their_chat_and_buttons_to_who_asked(house: House) -> None:
    await house.say("/settings language zh")
    assert "⚙️ **Settings of this chat**" in (await house.say("/settings", chat=ELSEWHERE))[0]
    before = await house.say("/settings")
    assert await house.press("语言：简体中文", sender=EVE) == before
    assert house.platform.notices[-1] == "这个按钮是别人的。"


async def test_two_quick_presses_on_a_panel_end_with_what_was_chosen_last(house: House) -> None:
    await house.say("/settings")
    await house.press("Language: as your app")
    first, second = house.platform.press("English"), house.platform.press("简体中文")
    house.platform.refuse_next(0.1)
    await house.happen(first)
    await until(lambda: house.platform.refusals)
    [text] = await house.tell(second)
    assert "- `language` – 语言：**简体中文**" in text
    assert len(house.platform.sent) == 4


async def test_changes_made_at_once_are_all_kept(house: House) -> None:
    settings = house.services.stores.settings

    def add(number: int, old: ChatSettings) -> ChatSettings:
        return replace(old, model=f"{old.model}{number}")

    changes = [settings.change(CHAT, partial(add, number)) for number in range(10)]
    await asyncio.gather(*changes)
    assert sorted((await settings.load(CHAT)).model) == list("0123456789")


@pytest.mark.parametrize("stored", ["", "purple"])
def test_the_operators_default_holds_until_somebody_chooses(stored: str) -> None:
    setting = Setting(
        name="colour",
        label="Colour",
        field="language",
        choices=(Choice(word="red", label="red"), Choice(word="blue", label="blue")),
        default=lambda defaults: "blue" if defaults.system_prompt else "red",
    )
    settings = ChatSettings(language=stored)
    assert setting.current(settings, DEFAULTS).word == "blue"
    assert setting.current(settings, replace(DEFAULTS, system_prompt="")).word == "red"
    assert setting.current(ChatSettings(language="red"), DEFAULTS).word == "red"


def test_every_language_we_speak_can_be_chosen() -> None:
    (language,) = (each for each in SETTINGS if each.name == "language")
    assert isinstance(language, Setting)
    assert {choice.word for choice in language.choices} == {"auto", *LANGUAGES}
