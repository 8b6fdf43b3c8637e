from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.core.types import Style
from tests.house import DEFAULTS, QUICK, House, open_house

STYLED = replace(QUICK, drafts=True, rich=True)


async def test_a_chat_chooses_how_answers_are_shown(tmp_path: Path) -> None:
    async with open_house(tmp_path, capabilities=STYLED) as house:
        await house.say("hello")
        assert house.platform.styles[-1] == Style()
        await house.say("/settings streaming draft")
        await house.say("/settings rich on")
        await house.say("hello")
        assert house.platform.styles[-1] == Style(drafts=True, rich=True)


async def test_the_operator_chooses_for_chats_that_have_not(tmp_path: Path) -> None:
    defaults = replace(DEFAULTS, streaming="draft", rich="on")
    async with open_house(tmp_path, capabilities=STYLED, defaults=defaults) as house:
        await house.say("hello")
        assert house.platform.styles[-1] == Style(drafts=True, rich=True)
        await house.say("/settings streaming edit")
        await house.say("/settings rich off")
        await house.say("hello")
        assert house.platform.styles[-1] == Style()


async def test_where_there_is_no_choice_none_is_offered(house: House) -> None:
    [panel] = await house.say("/settings")
    assert "streaming" not in panel and "rich" not in panel


async def test_a_text_that_vanishes_says_at_once_that_the_model_thinks(tmp_path: Path) -> None:
    async with open_house(tmp_path, capabilities=replace(STYLED, vanishes=30.0)) as house:
        house.api.script.answer("Yes.")
        assert await house.say("is it?") == ["Yes."]
        assert house.platform.frames[0] == ["💭 Thinking…"]
