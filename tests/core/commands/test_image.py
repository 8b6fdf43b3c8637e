from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.sandbox.openai.faults import Hang, Refuse
from tests.house import DEFAULTS, House, open_house


async def test_a_picture_is_drawn(house: House) -> None:
    kept = await house.say("/image a lighthouse in a storm")
    assert kept == ["🎨 a lighthouse in a storm"]
    [file] = house.platform.files()
    assert file.content.startswith(b"\x89PNG") and file.name == "picture-1.png"
    assert "🎨 Drawing…" in [text for frame in house.platform.frames for text in frame]
    assert house.platform.buttons() == ["🔁 Again", "🎨 Vary"]


async def test_the_model_hears_of_what_was_drawn_from_people_and_has_nothing_to_imitate(
    house: House,
) -> None:
    house.api.script.answer("Tall it stands.", "You are welcome.")
    await house.say("/image a lighthouse [red]")
    await house.press("🔁 Again")
    await house.say("make it a poem")
    await house.say("thanks")
    drawn = "[I had a picture drawn and have seen it: a lighthouse [red]]"
    assert house.asked() == [
        ("system", "Be brief."),
        ("user", f"{drawn}\n\n{drawn}\n\nmake it a poem"),
        ("assistant", "Tall it stands."),
        ("user", "thanks"),
    ]


async def test_in_a_group_the_model_hears_who_had_a_picture_drawn(house: House) -> None:
    await house.tell(house.platform.message("/image a cat", group=True))
    await house.tell(house.platform.message("what is it?", group=True))
    [_, (_, asked)] = house.asked()
    assert str(asked).startswith("Ann: [I had a picture drawn")
    assert str(asked).endswith("\n\nAnn: what is it?")


async def test_nothing_to_draw(house: House) -> None:
    assert (await house.say("/image"))[0].startswith("Tell me what to draw")


async def test_no_image_model(tmp_path: Path) -> None:
    async with open_house(tmp_path, defaults=replace(DEFAULTS, image_model="")) as house:
        assert (await house.say("/image a cat"))[0].startswith("I cannot draw here")


async def test_a_refused_prompt_is_one_clear_sentence(house: House) -> None:
    refusal = Refuse(400, "rejected by the safety system", code="content_policy_violation")
    house.api.faults.add(refusal, on="/images/generations")
    [text] = await house.say("/image something terrible")
    assert text.startswith("⚠️ The model’s content policy does not allow this.")


async def test_an_unknown_image_model_is_named(house: House) -> None:
    house.api.faults.add(Refuse(404), on="/images/generations")
    [text] = await house.say("/image a cat")
    assert text.startswith("⚠️ The API does not know the image model “gpt-image-1”.")


async def test_a_name_like_no_model_brings_those_that_draw(house: House) -> None:
    assert await house.say("/image a cat --model 🦆🦆🦆🦆") == [
        "There is no model “🦆🦆🦆🦆”. Did you mean one of these: `dall-e-3`, `gpt-image-1`?"
    ]


async def test_without_a_list_of_models_the_persons_word_is_taken(house: House) -> None:
    house.api.faults.add(Refuse(404, "no such route"), on="/models", times=None)
    await house.say("/image a cat --model dall-e-3")
    assert house.api.traffic.to("/images/generations")[0].json["model"] == "dall-e-3"


async def test_drawing_can_be_stopped(house: House) -> None:
    house.api.faults.add(Hang(), on="/images/generations")
    await house.write("/image a cat")
    await house.api.traffic.until(lambda seen: seen.in_flight == 1)
    assert await house.say("/stop") == ["⏹ Stopped."]
    assert house.platform.files() == []


async def test_a_long_prompt_is_shortened_under_the_picture(house: House) -> None:
    [text] = await house.say("/image " + "very " * 100 + "long")
    assert len(text) < 220 and text.endswith("…")
