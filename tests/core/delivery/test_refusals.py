from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from bot.core.delivery.pace import PATIENCE
from bot.core.fakes.platform import CHAT
from bot.core.types import MessageRef
from bot.errors import (
    ChatGone,
    NotYourTurn,
    OutcomeUnknown,
    PlatformError,
    StoreBusy,
)
from tests.core.delivery.scene import Scene

# ---------------------------------------------------------------- refusals and failures


async def test_while_the_chat_is_blocked_nothing_is_sent_to_it(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        scene.platform.refuse_next(30)
        delivery.write("One")
        await scene.clock.advance(29)
        assert scene.platform.screen() == []
        delivery.write(" two")
        await scene.clock.advance(1)
        assert scene.platform.frames == [["One two"]]
    assert scene.platform.offences == 0


async def test_the_end_gets_through_however_long_the_wait(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("One")
        await scene.clock.settle()
        delivery.write(" two")
        for seconds in (60, 3600, 7200):
            scene.platform.refuse_next(seconds)
        await scene.clock.drive(delivery.finish())
    assert scene.platform.kept() == ["One two"]
    assert scene.clock.monotonic() == 60 + 3600 + 7200
    assert scene.platform.offences == 0


async def test_a_preview_that_must_let_others_go_first_holds_up_no_end(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        scene.platform.fail_next(NotYourTurn(30))
        delivery.write("One")
        await scene.clock.advance(29)
        assert scene.platform.screen() == []
        await scene.clock.advance(1)
        assert scene.platform.screen() == ["One"]
        scene.platform.fail_next(NotYourTurn(30))
        delivery.write(" two")
        await scene.clock.advance(5)
        await scene.clock.drive(delivery.finish())
    assert scene.platform.kept() == ["One two"]
    assert scene.clock.monotonic() == 35


async def test_a_wait_in_one_chat_holds_up_no_other(scene: Scene) -> None:
    scene.platform.refuse_next(3600)
    async with scene.deliver() as refused, scene.deliver() as other:
        refused.write("One")
        await scene.clock.settle()
        other.write("Two")
        await scene.clock.settle()
        assert scene.platform.screen() == ["Two"]


async def test_an_end_that_fails_is_tried_again(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("One")
        for _ in range(5):
            scene.platform.fail_next(PlatformError("bad gateway"))
        await scene.clock.drive(delivery.finish())
    assert scene.platform.kept() == ["One"]
    assert scene.clock.monotonic() == 1 + 2 + 4 + 8 + 16


async def test_an_end_is_given_up_after_a_quarter_of_an_hour(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        for _ in range(100):
            scene.platform.fail_next(PlatformError("bad gateway"))
        delivery.write("One")
        with pytest.raises(PlatformError, match="bad gateway"):
            await scene.clock.drive(delivery.finish())
    assert PATIENCE <= scene.clock.monotonic() < PATIENCE + 60


async def test_a_chat_that_is_gone_ends_the_answer_at_once(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("One")
        await scene.clock.settle()
        scene.platform.leave(CHAT)
        delivery.write(" two")
        await scene.clock.advance(1)
        with pytest.raises(ChatGone):
            delivery.write(" three")
        with pytest.raises(ChatGone):
            await delivery.finish()
    assert scene.clock.monotonic() == 1


async def test_an_edit_of_unknown_outcome_is_made_again(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("One")
        await scene.clock.settle()
        delivery.write(" two")
        scene.platform.unknown_next(carried_out=True)
        await scene.clock.drive(delivery.finish())
    assert scene.platform.kept() == ["One two"]


@pytest.mark.parametrize(("carried_out", "kept"), [(True, ["One", "One"]), (False, ["One"])])
async def test_a_first_message_of_unknown_outcome_is_rather_doubled_than_lost(
    scene: Scene, carried_out: bool, kept: list[str]
) -> None:
    async with scene.deliver() as delivery:
        delivery.write("One")
        scene.platform.unknown_next(carried_out=carried_out)
        await scene.clock.drive(delivery.finish())
    assert scene.platform.kept() == kept


async def test_a_first_message_gets_through_although_nobody_can_look_for_its_double(
    scene: Scene,
) -> None:
    async def tidy() -> None:
        raise StoreBusy("locked")

    async with scene.deliver(tidy=tidy) as delivery:
        delivery.write("One")
        scene.platform.unknown_next(carried_out=False)
        await scene.clock.advance(5)
        await scene.clock.drive(delivery.finish())
    assert scene.platform.kept() == ["One"]


async def test_a_message_that_somebody_deleted_is_sent_anew(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("One")
        await scene.clock.settle()
        scene.platform.remove(scene.platform.refs()[0])
        delivery.write(" two")
        await scene.clock.drive(delivery.finish())
    assert scene.platform.kept() == ["One two"]


# ---------------------------------------------------------------- mistakes of ours


async def test_a_mistake_in_the_painter_comes_out_at_the_end(scene: Scene) -> None:
    async def broken(text: str, messages: Sequence[MessageRef]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with scene.deliver(checkpoint=broken) as delivery:
            delivery.write("One")
            await scene.clock.settle()
    with pytest.raises(ZeroDivisionError):
        async with scene.deliver(checkpoint=broken) as delivery:
            delivery.write("One")
            await delivery.finish()


async def test_a_mistake_in_the_painter_does_not_hide_another(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(text: str, messages: Sequence[MessageRef]) -> None:
        raise ZeroDivisionError

    with pytest.raises(LookupError):
        async with scene.deliver(checkpoint=broken) as delivery:
            delivery.write("One")
            await scene.clock.settle()
            raise LookupError
    assert "painter failed" in caplog.messages


async def test_a_delivery_must_be_entered(scene: Scene) -> None:
    with pytest.raises(RuntimeError):
        await scene.deliver().finish()


async def test_no_text_is_logged(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="bot")
    async with scene.deliver() as delivery:
        scene.platform.refuse_next(5)
        scene.platform.fail_next(OutcomeUnknown("timed out"))
        delivery.write("secret words")
        await scene.clock.drive(delivery.finish())
    assert "rate limited" in caplog.messages
    assert all("secret" not in str(record.__dict__) for record in caplog.records)
