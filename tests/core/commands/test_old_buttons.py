"""Buttons that are pressed after the operator has changed what they offer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.core.defaults import Persona
from tests.house import DEFAULTS, open_house

PERSONAS = (Persona(name="Tutor", prompt="Ask."), Persona(name="Poet", prompt="Rhyme."))


async def test_a_model_that_is_hidden_by_now_is_not_chosen(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.say("/model")
    hidden = replace(DEFAULTS, hidden_models=("gpt-4o",))
    async with open_house(tmp_path, defaults=hidden, platform=house.platform) as house:
        [text] = await house.press("gpt-4o")
        assert text.startswith("Model of this chat: **gpt-4o-mini**")
        assert "gpt-4o" not in house.platform.buttons()


async def test_a_persona_that_is_gone_by_now_is_not_picked(tmp_path: Path) -> None:
    async with open_house(tmp_path, defaults=replace(DEFAULTS, personas=PERSONAS)) as house:
        await house.say("/persona")
    fewer = replace(DEFAULTS, personas=PERSONAS[:1])
    async with open_house(tmp_path, defaults=fewer, platform=house.platform) as house:
        [text] = await house.press("Poet")
        assert text.startswith("🎭 **As whom shall I answer?**") and "Poet" not in text
        assert house.platform.buttons() == ["Tutor", "✓ The usual me"]


async def test_a_panel_whose_message_was_deleted_meanwhile_is_shown_anew(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.say("/settings")
        press = house.platform.press("Voice: answered")
        house.platform.remove(press.ref)
        [text] = await house.tell(press)
        assert text.startswith("**Voice**")
