"""A bot that is started again knows what its model has told, whatever the database."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from bot.core.clock import SystemClock
from bot.core.facts import LIFE
from bot.core.fakes.platform import FakePlatform
from bot.sandbox.openai import serve_scripted, windows
from bot.sandbox.openai.windows import Window
from bot.store import StorageSettings, admin
from tests.core.answer.test_fitting import MODEL, askings, picture, talk
from tests.house import QUICK, House, open_house
from tests.watch import Watch

Start = Callable[[], AbstractAsyncContextManager[House]]


@pytest.fixture
def clock() -> Watch:
    return Watch()


@pytest.fixture
async def start(settings: StorageSettings, tmp_path: Path, clock: Watch) -> AsyncGenerator[Start]:
    """Starts a bot, again and again, with one platform, one API and one database."""
    platform = FakePlatform(QUICK, clock=SystemClock())
    async with serve_scripted() as api:

        def starting() -> AbstractAsyncContextManager[House]:
            return open_house(tmp_path, platform=platform, storage=settings, api=api, clock=clock)

        yield starting


async def asked(house: House, text: str, answer: str) -> int:
    """How often the model was asked until there was an answer."""
    before = askings(house)
    house.api.script.answer(answer)
    assert (await house.say(text))[-1] == answer
    return askings(house) - before


async def test_a_conversation_that_is_too_long_fits_at_once(start: Start) -> None:
    async with start() as house:
        house.api.script.windows[MODEL] = Window(tokens=4_000, count=windows.count_dear)
        await talk(house, "天地玄黃宇宙洪荒" * 12)
        assert await asked(house, "天是藍色的嗎？", "是。") > 1
    async with start() as house:
        assert await asked(house, "草呢？", "不是。") == 1
        assert ("assistant", "是。") in house.asked()


async def test_a_window_that_was_guessed_is_not_believed_again(start: Start) -> None:
    async with start() as house:
        house.api.script.windows[MODEL] = Window(tokens=2_000, wording=windows.bedrock)
        await talk(house)
        assert await asked(house, "And the sky?", "Blue.") == 2
        assert await asked(house, "And the sea?", "Blue, too.") == 1
        house.api.script.windows.clear()  # the server takes more when the bot is started again
    async with start() as house:
        assert await asked(house, "And the grass?", "Green.") == 1
        assert "Answer 1." in str(house.asked())


async def test_after_a_week_it_is_found_out_that_a_window_is_larger(
    start: Start, clock: Watch
) -> None:
    async with start() as house:
        house.api.script.windows[MODEL] = Window(tokens=2_000, wording=windows.bedrock)
        await talk(house)
        await asked(house, "And the sky?", "Blue.")
        house.api.script.windows.clear()
        assert await asked(house, "And the sea?", "Blue, too.") == 1
        assert "Answer 1." not in str(house.asked())
        clock.ahead += LIFE
        assert await asked(house, "And the grass?", "Green.") == 1
        assert "Answer 1." in str(house.asked())


async def test_a_model_that_sees_nothing_is_not_shown_anything_until_it_is_unlearnt(
    start: Start, settings: StorageSettings
) -> None:
    for refused in (1, 0):
        async with start() as house:
            house.api.script.windows[MODEL] = Window(
                tokens=32_000, images=0, blind="unknown variant `image_url`, expected `text`"
            )
            before = askings(house)
            [*_, text] = await house.tell(picture(house, "p0"))
            assert "“gpt-4o-mini” cannot see pictures." in text
            assert askings(house) == before + refused
    assert await admin.unlearn(settings, ["another"]) == 0
    assert [fact.name for fact in await admin.facts(settings)] == ["pictures"]
    assert await admin.unlearn(settings) == 1
    async with start() as house:
        house.api.script.windows.clear()
        house.api.script.answer("A red square.")
        assert (await house.tell(picture(house, "p0")))[-1] == "A red square."
