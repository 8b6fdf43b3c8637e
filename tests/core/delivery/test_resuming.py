from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack

import pytest

from bot.core.capabilities import Streaming
from bot.core.delivery import delivery as module
from bot.core.delivery.checkpoints import EVERY, LOOK_AGAIN
from bot.core.types import MessageRef
from bot.errors import (
    MessageGone,
    PlatformDown,
    StoreBusy,
    TurnLost,
)
from tests.core.delivery.scene import Scene

# ---------------------------------------------------------------- cancelled, resumed


async def test_what_is_shown_stays_when_the_block_is_left_by_an_error(scene: Scene) -> None:
    with pytest.raises(LookupError):
        async with scene.deliver() as delivery:
            delivery.write("One")
            await scene.clock.settle()
            raise LookupError
    assert scene.platform.kept() == ["One"]


async def test_a_cancelled_writer_does_not_break_the_call_under_way(scene: Scene) -> None:
    told: list[tuple[str, Sequence[MessageRef]]] = []

    async def remember(text: str, messages: Sequence[MessageRef]) -> None:
        told.append((text, messages))

    async def write() -> None:
        async with scene.deliver(checkpoint=remember) as delivery:
            delivery.write("One")
            await delivery.finish()

    writer = asyncio.create_task(write())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    writer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writer
    assert set(told) == {("One", tuple(scene.platform.refs()))}
    assert scene.platform.kept() == ["One"]


async def end_twice(scene: Scene) -> None:
    """Interrupt an end that has to wait, and bring another one to the chat."""
    async with scene.deliver() as delivery:
        delivery.write("One")
        await scene.clock.settle()
        scene.platform.refuse_next(60)
        ending = asyncio.create_task(delivery.finish(mark="done"))
        await scene.clock.advance(1)
        ending.cancel()
        await scene.clock.drive(delivery.finish(mark="interrupted"))


async def test_an_end_that_was_interrupted_can_be_another_one(scene: Scene) -> None:
    await end_twice(scene)
    assert scene.platform.kept() == ["One\n\ninterrupted"]


async def test_an_end_refused_on_a_native_draft_can_be_another_one() -> None:
    scene = Scene(Streaming.NATIVE)
    await end_twice(scene)
    assert scene.platform.screen() == ["One\n\ninterrupted"]


async def test_leaving_while_blocked_does_not_wait(scene: Scene) -> None:
    scene.platform.refuse_next(3600)
    async with scene.deliver() as delivery:
        delivery.write("One")
        await scene.clock.settle()
    assert scene.clock.monotonic() == 0


async def test_an_answer_goes_on_in_the_messages_of_an_earlier_attempt(scene: Scene) -> None:
    async with scene.deliver() as first:
        first.write("word " * 25 + "and an ending that was never")
        await scene.clock.advance(5)
    standing = scene.platform.refs()
    async with scene.deliver(resume=standing) as delivery:
        delivery.status("Thinking…")  # there is a text already
        await scene.clock.advance(5)
        delivery.write("word " * 25 + "and an ending.")
        refs = await scene.clock.drive(delivery.finish())
    assert refs == tuple(standing) == tuple(scene.platform.refs())
    assert " ".join(scene.platform.kept()) == "word " * 25 + "and an ending."
    assert scene.platform.buttons() == []


async def test_a_message_of_an_earlier_attempt_that_is_gone_is_sent_anew(scene: Scene) -> None:
    async with scene.deliver() as first:
        first.write("One")
        await scene.clock.settle()
    standing = scene.platform.refs()
    scene.platform.remove(standing[0])
    async with scene.deliver(resume=standing) as delivery:
        delivery.write("One two")
        await scene.clock.drive(delivery.finish())
    assert scene.platform.kept() == ["One two"]


async def test_what_stands_stays_when_the_bot_ends_again_before_it_has_shown_more(
    scene: Scene,
) -> None:
    async with scene.deliver() as first:
        first.write("One")
        await scene.clock.settle()
    scene.platform.fail_next(PlatformDown("no connection"))
    with pytest.raises(asyncio.CancelledError):
        async with scene.deliver(resume=scene.platform.refs(), paused="⏸") as delivery:
            delivery.write("One two")
            await scene.clock.settle()
            raise asyncio.CancelledError
    assert scene.platform.kept() == ["One"]


async def test_a_platform_that_fails_when_the_bot_ends_makes_no_failure_of_it(
    scene: Scene,
) -> None:
    with pytest.raises(asyncio.CancelledError):
        async with scene.deliver(paused="⏸") as delivery:
            delivery.write("One")
            await scene.clock.settle()
            scene.platform.fail_next(PlatformDown("no connection"))
            raise asyncio.CancelledError
    assert scene.platform.kept() == ["One"]


@pytest.mark.parametrize("is_calling", [True, False])
async def test_a_platform_that_does_not_answer_when_the_bot_ends_holds_up_nothing(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    is_calling: bool,
) -> None:
    monkeypatch.setattr(module, "LAST_CALL", 0.01)
    monkeypatch.setattr(module, "PARTING", 0.02)
    told: list[tuple[str, Sequence[MessageRef]]] = []

    async def remember(text: str, messages: Sequence[MessageRef]) -> None:
        told.append((text, messages))

    with pytest.raises(asyncio.CancelledError), ExitStack() as silence:
        async with scene.deliver(checkpoint=remember, paused="⏸") as delivery:
            delivery.write("One")
            await scene.clock.settle()
            if is_calling:
                silence.enter_context(scene.platform.held())
            delivery.write(" two")
            await scene.clock.advance(1)
            delivery.write(" three")
            silence.enter_context(scene.platform.held())
            raise asyncio.CancelledError
    assert told[-1] == ("One two three", tuple(scene.platform.refs()))
    assert scene.platform.kept() == ["One" if is_calling else "One two"]
    assert "painter failed" not in caplog.messages


async def test_a_native_draft_that_differs_and_is_gone_is_sent_anew() -> None:
    scene = Scene(Streaming.NATIVE)
    async with scene.deliver() as delivery:
        delivery.write("One two")
        await scene.clock.settle()
        delivery.rewrite("Three")
        scene.platform.remove(scene.platform.refs()[0])
        scene.platform.fail_next(MessageGone("deleted"))
        await scene.clock.drive(delivery.finish())
    assert scene.platform.kept() == ["Three"]


# ---------------------------------------------------------------- checkpoints


async def test_a_new_message_is_saved_at_once_and_text_now_and_then() -> None:
    scene = Scene()
    told: list[tuple[float, str, int]] = []

    async def remember(text: str, messages: Sequence[MessageRef]) -> None:
        told.append((scene.clock.monotonic(), text.strip(), len(messages)))

    async with scene.deliver(checkpoint=remember) as delivery:
        for number in range(10):
            delivery.write(f"w{number} ")
            await scene.clock.advance(1)
        delivery.write("word " * 20)
        await delivery.finish()
    assert told[:2] == [(0, "w0", 1), (EVERY, "w0 w1 w2 w3", 1)]
    assert len(told) == 5
    _, _, messages = told.pop()
    assert messages == 2


async def test_of_a_draft_that_is_no_message_the_text_is_saved_now_and_then() -> None:
    scene = Scene(Streaming.NATIVE, ephemeral=True, vanishes=30.0)
    told: list[tuple[float, str]] = []

    async def remember(text: str, messages: Sequence[MessageRef]) -> None:
        assert not messages
        told.append((scene.clock.monotonic(), text.strip()))

    async with scene.deliver(checkpoint=remember) as delivery:
        for number in range(6):
            delivery.write(f"w{number} ")
            await scene.clock.advance(1)
    assert told == [(0, "w0"), (EVERY, "w0 w1 w2 w3")]


async def test_the_first_text_is_shown_before_anything_is_saved(scene: Scene) -> None:
    shown: list[list[str]] = []

    async def remember(text: str, messages: Sequence[MessageRef]) -> None:
        shown.append(scene.platform.kept())

    async with scene.deliver(checkpoint=remember) as delivery:
        await scene.clock.advance(2 * EVERY)  # the model thinks
        delivery.write("One")
        await delivery.finish()
    assert shown[0] == ["One"]


async def test_a_checkpoint_that_fails_stops_nothing(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    async def remember(text: str, messages: Sequence[MessageRef]) -> None:
        raise StoreBusy("locked")

    async with scene.deliver(checkpoint=remember) as delivery:
        delivery.write("One")
        await delivery.finish()
    assert scene.platform.kept() == ["One"]
    assert "checkpoint failed" in caplog.messages


@pytest.mark.parametrize("end", ["finish", "cancel"])
async def test_an_answer_that_another_process_writes_is_left_alone(scene: Scene, end: str) -> None:
    lost = False

    async def remember(text: str, messages: Sequence[MessageRef]) -> None:
        if lost:
            raise TurnLost("turn 1")

    async def write() -> None:
        nonlocal lost
        async with scene.deliver(checkpoint=remember, paused="⏸") as delivery:
            delivery.write("One")
            await scene.clock.settle()
            lost = True
            if end == "cancel":
                raise asyncio.CancelledError
            await scene.clock.advance(EVERY)
            delivery.write(" two")
            await scene.clock.advance(EVERY)
            delivery.write(" three")
            await delivery.finish()

    with pytest.raises(TurnLost):
        await write()
    assert scene.platform.kept() == ["One"]


async def test_who_wakes_up_with_nothing_new_to_say_ends_no_answer_of_another(
    scene: Scene,
) -> None:
    lost = False

    async def remember(text: str, messages: Sequence[MessageRef]) -> None:
        if lost:
            raise TurnLost("turn 1")

    async def write() -> None:
        nonlocal lost
        async with scene.deliver(checkpoint=remember, sure=lambda: not lost) as delivery:
            delivery.write("One")
            await scene.clock.settle()
            lost = True
            await scene.clock.advance(EVERY)
            await delivery.finish(mark="the end")

    with pytest.raises(TurnLost):
        await write()
    assert scene.platform.kept() == ["One"]


async def test_an_answer_that_may_be_anothers_waits_and_goes_on_with_all_there_is(
    scene: Scene,
) -> None:
    sure = False
    async with scene.deliver(sure=lambda: sure) as delivery:
        delivery.write("One")
        await scene.clock.settle()
        delivery.write(" two")
        await scene.clock.advance(60)
        assert scene.platform.screen() == []
        sure = True
        await scene.clock.advance(LOOK_AGAIN)
        assert scene.platform.screen() == ["One two"]
        sure = False
        delivery.write(" three")
        ending = asyncio.create_task(delivery.finish())
        await scene.clock.advance(60)
        assert scene.platform.screen() == ["One two"]
        sure = True
        await scene.clock.advance(LOOK_AGAIN)
        await ending
    assert scene.platform.kept() == ["One two three"]


async def test_a_bot_that_ends_says_nothing_under_an_answer_that_may_be_anothers(
    scene: Scene,
) -> None:
    sure = True

    async def write() -> None:
        nonlocal sure
        async with scene.deliver(sure=lambda: sure, paused="⏸") as delivery:
            delivery.write("One")
            await scene.clock.settle()
            sure = False
            delivery.write(" two")
            await scene.clock.settle()
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await write()
    assert scene.platform.kept() == ["One"]
