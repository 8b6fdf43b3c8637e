from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from bot.core.access import Access
from bot.core.engine.albums import QUIET, Albums
from bot.core.fakes.clock import ManualClock
from bot.core.fakes.platform import ANN, CHAT
from bot.core.types import IncomingMessage
from tests.attached import picture, png
from tests.house import House, open_house


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def house(tmp_path: Path, clock: ManualClock) -> AsyncGenerator[House]:
    async with open_house(tmp_path, clock=clock) as house:
        yield house


async def answered(house: House, clock: ManualClock) -> None:
    """Time passes until everything is answered."""
    ended = asyncio.create_task(house.answered())
    while not ended.done():
        await asyncio.sleep(0.002)
        await clock.advance(0.1)


def photo(
    house: House, number: int, text: str = "", *, album: str = "7", group: bool = False
) -> IncomingMessage:
    file = picture(house, png(8 + number, 8), name=f"p{number}")
    message = house.platform.message(
        text, attachments=(file,), group=group, addressed=not group or bool(text)
    )
    return replace(message, album=album)


def widths(house: House, number: int = -1) -> list[int]:
    """The widths of the pictures in a request, in order."""
    content = house.asked(number)[-1][1]
    assert isinstance(content, list)
    found = []
    for part in content:
        if part["type"] == "image_url":
            data = base64.b64decode(part["image_url"]["url"].partition(",")[2])
            found.append(Image.open(io.BytesIO(data)).width)
    return found


async def test_an_album_is_one_question(house: House, clock: ManualClock) -> None:
    for number in range(10):  # more than may wait in a chat otherwise
        await house.happen(photo(house, number, "What are these?" if number == 0 else ""))
    await answered(house, clock)
    assert len(house.api.traffic.to("/chat/completions")) == 1
    assert widths(house) == [8 + number for number in range(10)][-8:]
    assert len(house.platform.kept()) == 1


async def test_a_picture_that_came_while_the_bot_stood_still_is_waited_for(
    clock: ManualClock,
) -> None:
    albums = Albums(clock)
    assert not albums.note(CHAT, "7")
    whole = asyncio.create_task(albums.wait_until_whole(CHAT, "7"))
    await clock.settle()
    await clock.stand_still(5)
    assert albums.note(CHAT, "7")
    await clock.advance(QUIET - 0.1)
    assert not whole.done()
    await clock.advance(0.2)
    await whole


async def test_two_albums_and_a_message_are_three_questions_in_order(
    house: House, clock: ManualClock
) -> None:
    await house.happen(photo(house, 0, "first", album="a"))
    await house.happen(photo(house, 1, album="a"))
    await house.happen(photo(house, 2, "second", album="b"))
    await house.happen(photo(house, 3, album="b"))
    await house.write("third")
    await answered(house, clock)
    assert [widths(house, number) for number in (0, 1)] == [[8, 9], [10, 11]]
    assert house.asked(2)[-1] == ("user", "third")


async def test_an_album_that_waits_says_so_once(house: House, clock: ManualClock) -> None:
    house.api.script.answer("slow answer")
    async with house.answering("slow"):
        for number in range(4):
            await house.happen(photo(house, number))
        await house.sees("⏳")
    await answered(house, clock)
    seen = {text for frame in house.platform.frames for text in frame}
    assert {text for text in seen if text.startswith("⏳")} == {"⏳ 1 message before yours"}
    assert widths(house) == [8, 9, 10, 11]


async def test_an_album_survives_a_restart_in_its_middle(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_house(tmp_path, clock=clock) as house:
        platform = house.platform
        await house.happen(photo(house, 0, "What are these?"))
        await house.happen(photo(house, 1))
    async with open_house(tmp_path, platform=platform, clock=clock) as house:
        await house.happen(photo(house, 2))
        await answered(house, clock)
        assert widths(house) == [8, 9, 10]
        assert len(house.api.traffic.to("/chat/completions")) == 1


async def test_in_a_group_the_whole_album_is_for_the_bot_when_its_caption_is(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with open_house(tmp_path, clock=clock) as house:
        platform = house.platform
        await house.happen(photo(house, 0, "What are these?", group=True))
        await house.happen(photo(house, 1, group=True))
        await house.happen(photo(house, 9, album="other", group=True))  # said to others
    async with open_house(tmp_path, platform=platform, clock=clock) as house:
        await house.happen(photo(house, 2, group=True))
        await answered(house, clock)
        assert widths(house) == [8, 9, 10]


async def test_a_stranger_cannot_slip_in_behind_an_album(
    tmp_path: Path, clock: ManualClock
) -> None:
    access = Access(users=frozenset({f"fake:{ANN.id}"}))
    async with open_house(tmp_path, access=access, clock=clock) as house:
        await house.happen(photo(house, 0, "What are these?", group=True))
        stranger = photo(house, 1, group=True)
        await house.happen(replace(stranger, sender=replace(ANN, id="666")))  # type: ignore[arg-type]  # an id
        await answered(house, clock)
        assert widths(house, 0) == [8]


async def test_a_command_as_caption_has_all_the_pictures(house: House, clock: ManualClock) -> None:
    await house.happen(photo(house, 0, "/image one picture of these"))
    await house.happen(photo(house, 1))
    await answered(house, clock)
    [edit] = house.api.traffic.to("/images/edits")
    assert len(edit.files["image[]"]) == 2
