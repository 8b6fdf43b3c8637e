"""Answers with pictures and files, from the first text to what stands in the chat at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from bot.core.delivery.delivery import Delivery
from bot.core.ports import Clock
from bot.core.types import MessageRef, OutgoingFile
from tests.platform_contract import HastyClock
from tests.platforms.telegram.stage import TelegramStage, picture, private, staged

LONG = "I cannot draw that. " + "word " * 300
"""More than there is room for under a picture."""

CODE = OutgoingFile(name="code.py", mime="text/x-python", content=b"print(1)\n")
NOTE = OutgoingFile(name="note.txt", mime="text/plain", content=b"milk")


@pytest.fixture
async def stage() -> AsyncIterator[TelegramStage]:
    async with staged(private, clock=HastyClock()) as stage:
        yield stage


def deliver(
    stage: TelegramStage, *, resume: Sequence[MessageRef] = (), clock: Clock | None = None
) -> Delivery:
    return Delivery(stage.platform, stage.incoming, clock=clock or HastyClock(), resume=resume)


async def drawn(stage: TelegramStage) -> Sequence[MessageRef]:
    """An answer that is a picture with words under it."""
    async with deliver(stage) as delivery:
        delivery.write("A cat")
        return await delivery.finish(files=[picture()])


# ------------------------------------------------------------ a text in the place of a picture


async def test_a_picture_whose_new_text_is_too_long_makes_way_for_it(stage: TelegramStage) -> None:
    refs = await drawn(stage)
    async with deliver(stage, resume=refs) as delivery:
        delivery.write(LONG)
        await delivery.finish()
    assert await stage.kept() == [LONG.strip()]
    assert await stage.files() == []


async def test_a_growing_text_takes_the_place_of_a_picture(stage: TelegramStage) -> None:
    refs = await drawn(stage)
    async with deliver(stage, resume=refs) as delivery:
        delivery.write(LONG)
        await stage.view.wait_for(
            lambda screen: [answer.text for answer in screen.answers] == [LONG.strip()]
        )
        delivery.write("The end.")
        await delivery.finish()
    assert await stage.kept() == [LONG + "The end."]


async def test_a_picture_too_old_to_be_deleted_does_not_hold_the_text_up(
    stage: TelegramStage,
) -> None:
    refs = await drawn(stage)
    stage.telegram.faults.fail_next(
        400, "message can't be deleted for everyone", method="deleteMessage"
    )
    async with deliver(stage, resume=refs) as delivery:
        delivery.write(LONG)
        await delivery.finish()
    assert await stage.kept() == ["A cat", LONG.strip()]


# ------------------------------------------------------------ a file that fails on its way


@pytest.mark.parametrize("failing", ["sendMediaGroup", "sendDocument"])
async def test_what_stands_already_is_not_posted_again_for_a_file_that_failed(
    stage: TelegramStage, failing: str
) -> None:
    files = [picture("a.png"), picture("b.png"), CODE, NOTE]
    stage.telegram.faults.fail_next(502, method=failing, times=3)
    async with deliver(stage) as delivery:
        delivery.write(LONG)
        await delivery.finish(files=files)
    assert await stage.files() == ["a.png", "b.png", "code.py", "note.txt"]
    assert [text for text in await stage.kept() if text] == [LONG.strip()]


async def test_a_file_that_failed_stands_once_under_an_answer_that_was_seen_growing(
    stage: TelegramStage,
) -> None:
    stage.telegram.faults.fail_next(502, method="sendDocument", times=3)
    async with deliver(stage) as delivery:
        delivery.write(LONG)
        await stage.view.wait_for(lambda screen: screen.answers)
        await delivery.finish(files=[picture(), CODE])
    assert await stage.files() == ["drawing.png", "code.py"]
    assert [text for text in await stage.kept() if text] == [LONG.strip()]
