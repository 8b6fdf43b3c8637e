from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.api.settings import ModelSettings
from bot.core.access import Access
from bot.core.types import IncomingMessage, Quote
from bot.sandbox.openai.faults import Refuse
from tests.attached import picture
from tests.house import DEFAULTS, House, open_house

BLIND = ModelSettings(vision=False)
SEEING = ModelSettings(vision=True)


def photo(house: House, text: str) -> IncomingMessage:
    return house.platform.message(text, attachments=(picture(house),))


async def test_a_model_that_cannot_see_is_not_shown_pictures(tmp_path: Path) -> None:
    known = {"gpt-4o-mini": BLIND, "gpt-4o": SEEING}
    async with open_house(tmp_path, prices=known) as house:
        [text] = await house.tell(photo(house, "What is this?"))
        assert text.startswith("“gpt-4o-mini” cannot see pictures. Choose a model that can")
        assert house.api.traffic.to("/chat/completions") == []
        assert house.platform.buttons() == ["gpt-4o"]
        await house.press("gpt-4o")
        await house.tell(photo(house, "What is this?"))
        assert house.api.traffic.to("/chat/completions")[0].json["model"] == "gpt-4o"


async def test_where_no_model_is_known_to_see_that_is_said(tmp_path: Path) -> None:
    async with open_house(tmp_path, prices={"*": BLIND}) as house:
        [text] = await house.tell(photo(house, "What is this?"))
        hint = "Choose another with /model, and send the picture again."
        assert text == f"“gpt-4o-mini” cannot see pictures. {hint}"


async def test_a_model_of_which_nobody_knows_is_shown_them(house: House) -> None:
    await house.tell(photo(house, "What is this?"))
    assert len(house.api.traffic.to("/chat/completions")) >= 1


async def test_words_in_reply_to_a_picture_are_answered_by_a_model_that_cannot_see(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path, prices={"*": BLIND}) as house:
        picture = photo(house, "").attachments
        message = house.platform.message("Thank you!")
        quote = Quote(ref=message.ref, author="Bot", text="", attachments=picture)
        await house.tell(replace(message, reply_to=quote))
        assert "not readable to you: a picture" in str(house.asked(0)[-1][1])


async def test_only_models_that_the_person_may_use_and_that_answer_are_offered(
    tmp_path: Path,
) -> None:
    known = {"gpt-4o-mini": BLIND, "gpt-5*": BLIND, "deepseek-*": BLIND, "*": SEEING}
    access = Access(open=True, models={"gpt-4o": frozenset({"fake:7"})})
    defaults = replace(DEFAULTS, hidden_models=("qwen-max",))
    async with open_house(tmp_path, prices=known, access=access, defaults=defaults) as house:
        await house.tell(photo(house, "What is this?"))
        offered = house.platform.buttons()
        assert offered and not {"gpt-4o", "qwen-max", "dall-e-3", "whisper-1"} & {*offered}


async def test_without_a_list_of_models_it_is_said_all_the_same(tmp_path: Path) -> None:
    async with open_house(tmp_path, prices={"*": BLIND}) as house:
        house.api.faults.add(Refuse(500), on="/models", times=None)
        [text] = await house.tell(photo(house, "What is this?"))
        hint = "Choose another with /model, and send the picture again."
        assert text == f"“gpt-4o-mini” cannot see pictures. {hint}"
