from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.api.settings import ModelSettings
from bot.core.fakes.platform import CHAT
from bot.core.types import (
    Attachment,
    ChatId,
    ChatRef,
    FileId,
    FileKind,
    IncomingMessage,
    Quote,
)
from bot.errors import PlatformError
from bot.sandbox.openai.backend import Endpoint, ModelCard
from bot.sandbox.openai.faults import Hang, Refuse, Stall
from tests.attached import picture, png
from tests.house import QUICK, House, open_house
from tests.patience import PATIENCE, until


def reply(house: House, text: str, *pictures: Attachment, quoted: bytes) -> IncomingMessage:
    """A message in reply to a picture."""
    message = house.platform.message(text, attachments=pictures)
    quote = Quote(
        ref=message.ref,
        author="Bot",
        text="",
        attachments=(picture(house, name="old", content=quoted),),
    )
    return replace(message, reply_to=quote)


async def test_every_option_reaches_the_api(house: House) -> None:
    await house.say("/image a cat --n 3 --size 1024x1536 --quality high --model dall-e-3")
    [asked] = house.api.traffic.to("/images/generations")
    assert asked.json == {
        "model": "dall-e-3",
        "prompt": "a cat",
        "n": 3,
        "size": "1024x1536",
        "quality": "high",
    }
    assert [file.name for file in house.platform.files()] == [
        "picture-1.png",
        "picture-2.png",
        "picture-3.png",
    ]
    assert house.platform.buttons() == ["🔁 Again", "🎨 Vary 1", "🎨 Vary 2", "🎨 Vary 3"]


async def test_where_pictures_are_forbidden_that_is_said_and_remembered(house: House) -> None:
    house.platform.takes_files = False
    [text] = await house.say("/image a cat")
    assert text == (
        "🎨 a cat\n\n"
        "I may not post pictures or files in this chat. Its administrators can allow it."
    )
    assert house.platform.buttons() == ["🔁 Again", "🎨 Vary"]
    await house.say("What was that?")
    assert "a cat" in str(house.asked())


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("/image a cat --n 1000", "`--n` takes a whole number from 1 to 10."),
        ("/image a cat --sise x", "There is no option `--sise` here. Did you mean `--size`?"),
        (
            "/image a cat --model dalle3",
            "There is no model “dalle3”. Did you mean one of these: `dall-e-3`?",
        ),
        ("/image --edit it", "I have drawn nothing here yet that I could change."),
    ],
)
async def test_a_wrong_option_costs_nothing(house: House, typed: str, sentence: str) -> None:
    assert await house.say(typed) == [sentence]
    assert house.api.traffic.to("/images/generations") == []


async def test_a_value_that_the_model_does_not_take_is_named(house: House) -> None:
    [text] = await house.say("/image a cat --size huge")
    assert text == "⚠️ The API did not accept the request: a size is WIDTHxHEIGHT, such as 1024x1024"
    assert house.api.traffic.to("/images/generations") == []


@pytest.mark.parametrize("typed", ["2K", "2k"])
@pytest.mark.parametrize("sizes", [("1K", "2K"), ()])
async def test_a_word_is_sent_as_the_model_spells_it_whatever_its_case(
    tmp_path: Path, typed: str, sizes: tuple[str, ...]
) -> None:
    prices = {"gpt-image-1": ModelSettings(sizes=sizes, qualities=("HD",))}
    async with open_house(tmp_path, prices=prices) as house:
        await house.say(f"/image a cat --size {typed} --quality hd")
        [asked] = house.api.traffic.to("/images/generations")
        assert (asked.json["size"], asked.json["quality"]) == ("2K", "HD")


async def test_again_draws_the_same_once_more(house: House) -> None:
    await house.say("/image a cat --size 1024x1536")
    kept = await house.press("🔁 Again")
    assert kept == ["🎨 a cat", "🎨 a cat"]
    first, second = house.api.traffic.to("/images/generations")
    assert first.json == second.json
    assert len(house.platform.files()) == 2


async def test_a_button_under_a_picture_waits_for_its_turn(house: House) -> None:
    await house.say("/image a cat")
    house.api.script.answer("slow answer " * 20)
    press = house.platform.press("🔁 Again")
    async with house.answering("hello"):
        await house.happen(press)
        assert len(house.api.traffic.to("/images/generations")) == 1
    await house.answered()
    assert house.platform.notices == ["⏳ 1 message before yours"]
    assert len(house.api.traffic.to("/images/generations")) == 2


async def test_a_variation_is_drawn_of_the_picture(house: House) -> None:
    await house.say("/image a cat")
    kept = await house.press("🎨 Vary")
    assert kept[-1] == "🎨 A variation: a cat"
    [asked] = house.api.traffic.to("/images/variations")
    assert asked.files["image"][0].content == house.platform.files()[0].content


async def test_where_there_are_no_variations_the_picture_is_redrawn(house: House) -> None:
    house.api.faults.add(Refuse(501, "not implemented"), on="/images/variations", times=None)
    await house.say("/image a cat")
    assert (await house.press("🎨 Vary"))[-1] == "🎨 A variation: a cat"
    [edit] = house.api.traffic.to("/images/edits")
    assert edit.json["prompt"].endswith("with small differences. a cat")
    await house.press("🎨 Vary")
    assert len(house.api.traffic.to("/images/variations")) == 1  # it is asked for only once


async def test_where_pictures_cannot_be_changed_that_is_said_and_no_longer_offered(
    house: House,
) -> None:
    for endpoint in ("/images/variations", "/images/edits"):
        house.api.faults.add(
            Refuse(404, "Invalid URL", code="invalid_url"), on=endpoint, times=None
        )
    await house.say("/image a cat")
    kept = await house.press("🎨 Vary")
    assert kept[-1] == "⚠️ The API offers no variations of pictures with “gpt-image-1”."
    await house.say("/image a dog")
    assert house.platform.buttons()[-1] == "🔁 Again"


async def test_a_picture_replied_to_is_redrawn(house: House) -> None:
    message = reply(house, "/image make it winter --quality low", quoted=png())
    assert await house.tell(message) == ["🎨 make it winter"]
    [edit] = house.api.traffic.to("/images/edits")
    assert edit.json["prompt"] == "make it winter" and edit.json["quality"] == "low"
    assert len(edit.files["image"]) == 1


@pytest.mark.parametrize(("field", "more"), [("image[]", 0), ("image", 1)])
async def test_a_picture_is_redrawn_also_by_a_model_that_calls_it_otherwise_in_the_form(
    house: House, field: str, more: int
) -> None:
    flux = ModelCard(
        id="flux-kontext-pro",
        owner="bfl",
        endpoints=frozenset({Endpoint.EDITS}),
        picture_field=field,
    )
    house.api.script.cards.append(flux)
    others = [picture(house, name=f"other {number}", content=png()) for number in range(more)]
    order = "/image make it winter --model flux-kontext-pro"
    for asked in (2, 3):
        kept = await house.tell(reply(house, order, *others, quoted=png()))
        assert kept[-1] == "🎨 make it winter"
        assert len(house.api.traffic.to("/images/edits")) == asked


async def test_a_picture_that_was_not_handed_over_is_fetched_at_the_press_of_a_button(
    house: House,
) -> None:
    message = reply(house, "/image make it winter", quoted=png())
    contents = dict(house.platform.contents)
    house.platform.contents.clear()
    assert await house.tell(message) == ["I could not fetch that file. Please send it again."]
    house.platform.contents.update(contents)
    assert (await house.press("🔁 Draw it"))[-1] == "🎨 make it winter"


async def test_a_picture_with_the_command_as_its_caption_is_redrawn(house: House) -> None:
    shot = picture(house, name="mine", content=png())
    await house.tell(house.platform.message("/image make it winter", attachments=(shot,)))
    assert len(house.api.traffic.to("/images/edits")) == 1


async def test_the_picture_drawn_last_is_changed_without_replying(house: House) -> None:
    await house.say("/image a cat")
    await house.say("/image --edit give it a hat")
    [edit] = house.api.traffic.to("/images/edits")
    assert edit.files["image"][0].content == house.platform.files()[0].content


async def test_a_mask_says_where(house: House) -> None:
    mask = picture(house, name="mask", content=png(see_through=True))
    await house.tell(reply(house, "/image a lake --mask", mask, quoted=png()))
    [edit] = house.api.traffic.to("/images/edits")
    assert edit.files["mask"][0].content == png(see_through=True)


async def test_a_mask_of_another_size_costs_nothing(house: House) -> None:
    mask = picture(house, name="mask", content=png(32, 32, see_through=True))
    [text] = await house.tell(reply(house, "/image a lake --mask", mask, quoted=png(64, 64)))
    assert text.endswith("the mask is 32×32 pixels and its picture 64×64")
    assert house.api.traffic.to("/images/edits") == []


async def test_a_mask_needs_its_picture(house: House) -> None:
    [text] = await house.tell(reply(house, "/image a lake --mask", quoted=png()))
    assert text.startswith("For `--mask` I need two pictures")


async def test_what_to_change_must_be_said(house: House) -> None:
    [text] = await house.tell(reply(house, "/image", quoted=png()))
    assert text.startswith("Tell me what to change in it")


async def test_a_picture_bomb_is_not_opened(house: House) -> None:
    bomb = png()
    header = bomb.index(b"IHDR") + 4
    bomb = bomb[:header] + b"\0\0\xff\xff\0\0\xff\xff" + bomb[header + 8 :]
    [text] = await house.tell(reply(house, "/image winter", quoted=bomb))
    assert text in (
        "That file is too large for me. Send a smaller one.",
        "I cannot open that picture. Send it as JPEG, PNG or WebP.",
    )


async def test_a_picture_that_turns_out_to_be_too_large_is_said_so_at_once(tmp_path: Path) -> None:
    async with open_house(tmp_path, capabilities=replace(QUICK, max_file_in=3_000_000)) as house:
        [said] = await house.tell(reply(house, "/image winter", quoted=bytes(3_000_001)))
        assert said == "That file is too large: I can fetch at most 3 MB here."


async def test_a_file_that_is_no_picture_is_not_drawn_from(house: House) -> None:
    sheet = Attachment(id=FileId("f"), kind=FileKind.DOCUMENT, mime="text/plain", name="a.txt")
    message = house.platform.message("/image a cat", attachments=(sheet,))
    assert await house.tell(message) == ["🎨 a cat"]


async def test_a_refused_prompt_is_not_tried_again(house: House) -> None:
    refusal = Refuse(400, "rejected by the safety system", code="content_policy_violation")
    house.api.faults.add(refusal, on="/images/generations", times=None)
    [text] = await house.say("/image something terrible")
    assert text.startswith("⚠️ The model’s content policy does not allow this.")
    assert len(house.api.traffic.to("/images/generations")) == 1
    assert house.platform.buttons() == []


async def test_after_trouble_it_can_be_drawn_by_a_button(house: House) -> None:
    house.api.faults.add(Refuse(500), on="/images/generations")
    [text] = await house.say("/image a cat")
    assert text.startswith("⚠️ The API is having trouble.")
    assert (await house.press("🔁 Draw it"))[-1] == "🎨 a cat"


# ------------------------------------------------------------ a restart, and no picture paid twice


async def test_a_picture_that_may_be_paid_is_not_ordered_again_by_itself(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.api.faults.add(Hang(), on="/images/generations")
        await house.write("/image a cat")
        await house.api.traffic.until(lambda seen: seen.in_flight == 1)
        await house.sees("Drawing")
        platform = house.platform
    async with open_house(tmp_path, platform=platform) as house:
        await house.sees("I did not order it again by myself")
        assert house.api.traffic.to("/images/generations") == []
        [line, picture] = await house.press("🔁 Draw it")
        assert line.startswith("⚠️ I was restarted") and picture == "🎨 a cat"
        assert len(house.api.traffic.to("/images/generations")) == 1


async def test_a_picture_that_is_there_is_delivered_after_the_restart(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        platform = house.platform
        await house.happen(platform.message("/image a cat"))
        await house.sees("Drawing")
        for _ in range(1000):
            platform.fail_next(PlatformError("the network is down"))
        await house.api.traffic.until(lambda seen: bool(seen.requests) and seen.in_flight == 0)
        async with asyncio.timeout(PATIENCE):
            while not await house.services.stores.turns.made(1):
                pass
        assert platform.files() == []
    platform.clear_fates()
    async with open_house(tmp_path, platform=platform) as house:
        await until(lambda: platform.files())
        assert platform.kept() == ["🎨 a cat"]
        assert [file.name for file in platform.files()] == ["picture-1.png"]
        assert house.api.traffic.to("/images/generations") == []
        await house.say("/image --edit a hat")
        await house.sees("🎨 a hat")
        assert len(house.api.traffic.to("/images/edits")) == 1


@pytest.mark.parametrize("when", ["before it is seen", "while it is drawn"])
async def test_a_picture_for_somebody_who_has_left_counts(house: House, when: str) -> None:
    going_on = asyncio.Event()
    house.api.faults.add(Stall(until=going_on), on="/images/generations")
    await house.write("/image a lighthouse")
    if when == "while it is drawn":
        await house.sees("Drawing")
    house.platform.leave(CHAT)
    await house.api.traffic.until(lambda seen: seen.in_flight == 1)
    going_on.set()
    await house.answered()
    elsewhere = ChatRef("fake", ChatId("2"))
    assert "1 picture" in (await house.say("/usage", chat=elsewhere))[-1]
