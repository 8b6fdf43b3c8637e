from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.capabilities import Streaming
from bot.core.fakes.platform import CHAT, FAKE_CAPABILITIES, FakePlatform, ManualClock
from bot.core.types import (
    Attachment,
    Button,
    ChatId,
    ChatRef,
    FileId,
    FileKind,
    Happening,
    IncomingMessage,
    MessageRef,
    Reply,
)
from bot.errors import FileTooLarge, PlatformError, RateLimited, StoreBusy
from tests.platform_contract import NOTE, PlatformContract, Stage


class FakeStage:
    """The fake platform is its own stage."""

    def __init__(self, platform: FakePlatform) -> None:
        self.platform = platform
        self.incoming: IncomingMessage = platform.message("hello")

    async def screen(self) -> list[str]:
        return self.platform.screen()

    async def kept(self) -> list[str]:
        return self.platform.kept()

    async def buttons(self) -> list[str]:
        return self.platform.buttons()

    async def files(self) -> list[str]:
        return [file.name for file in self.platform.files()]

    async def refuse_next(self, seconds: int) -> None:
        self.platform.refuse_next(seconds)

    async def drop_next(self) -> None:
        self.platform.unknown_next(carried_out=True)

    async def delete(self, ref: MessageRef) -> None:
        self.platform.remove(ref)


class TestEditedMessages(PlatformContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        yield FakeStage(FakePlatform(clock=ManualClock()))


class TestNativeStreams(PlatformContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        native = replace(FAKE_CAPABILITIES, streaming=Streaming.NATIVE, stop_button=True)
        yield FakeStage(FakePlatform(native, clock=ManualClock()))


class TestNativePreviews(PlatformContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        native = replace(FAKE_CAPABILITIES, streaming=Streaming.NATIVE, stop_button=True)
        yield FakeStage(FakePlatform(native, clock=ManualClock(), ephemeral=True))


class TestWholeMessagesOnly(PlatformContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        bare = replace(FAKE_CAPABILITIES, streaming=Streaming.NONE, max_buttons=0, max_file_out=0)
        yield FakeStage(FakePlatform(bare, clock=ManualClock()))


# ---------------------------------------------------------------- a person's side


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def platform(clock: ManualClock) -> FakePlatform:
    return FakePlatform(clock=clock)


async def test_what_people_do_is_handed_over_until_the_database_takes_it(
    platform: FakePlatform, clock: ManualClock
) -> None:
    taken: list[Happening] = []
    refusals = [StoreBusy("locked"), StoreBusy("locked")]

    async def sink(event: Happening) -> None:
        if refusals:
            raise refusals.pop()
        taken.append(event)

    ready = asyncio.Event()
    running = asyncio.create_task(platform.run(sink, ready.set))
    await clock.settle()
    assert ready.is_set()
    said = platform.say("hello")
    await clock.advance(10)
    ref = await platform.send(CHAT, Reply(text="pick", buttons=((Button("Yes", "y"),),)))
    pressed = platform.press("Yes")
    stopped = platform.press_stop()
    await clock.settle()
    running.cancel()
    assert taken == [said, pressed, stopped]
    assert (pressed.ref, pressed.value) == (ref, "y")
    assert len({said.key, pressed.key, stopped.key}) == 3


async def test_chats_do_not_mix(platform: FakePlatform) -> None:
    other = ChatRef("fake", ChatId("2"))
    reply = Reply(text="pick", buttons=((Button("Yes", "y"),),), files=(NOTE,))
    await platform.send(other, reply)
    assert (platform.kept(), platform.buttons(), platform.files()) == ([], [], [])
    assert (platform.kept(other), platform.buttons(other)) == (["pick"], ["Yes"])
    assert platform.files(other) == [NOTE]


async def test_a_button_that_is_not_there_cannot_be_pressed(platform: FakePlatform) -> None:
    with pytest.raises(LookupError):
        platform.press("Yes")


async def test_files_are_fetched(platform: FakePlatform, tmp_path: Path) -> None:
    file = Attachment(id=FileId("1"), kind=FileKind.VOICE, mime="audio/ogg")
    with pytest.raises(PlatformError):
        await platform.download(file, tmp_path / "voice.ogg")
    platform.contents[file.id] = b"OggS"
    await platform.download(file, tmp_path / "voice.ogg")
    assert (tmp_path / "voice.ogg").read_bytes() == b"OggS"
    platform.contents[file.id] = bytes(FAKE_CAPABILITIES.max_file_in + 1)
    with pytest.raises(FileTooLarge):
        await platform.download(file, tmp_path / "voice.ogg")


async def test_typing_notices_and_the_end_are_remembered(platform: FakePlatform) -> None:
    async with platform.typing(CHAT):
        assert platform.typing_now == 1
    await platform.notice(platform.say("hello"), "done")
    await platform.close()
    assert (platform.typing_now, platform.typings) == (0, [CHAT])
    assert platform.notices == ["done"]
    assert platform.closed


# ---------------------------------------------------------------- what the platform refuses


async def test_a_limit_is_kept_by_the_clock(platform: FakePlatform, clock: ManualClock) -> None:
    platform.limit(2, 10)
    await platform.send(CHAT, Reply(text="one"))
    await clock.advance(4)
    await platform.send(CHAT, Reply(text="two"))
    with pytest.raises(RateLimited) as refusal:
        await platform.send(CHAT, Reply(text="three"))
    assert refusal.value.retry_after == 6
    await clock.advance(6)
    await platform.send(CHAT, Reply(text="three"))
    assert platform.kept() == ["one", "two", "three"]
    assert (platform.refusals, platform.offences) == (1, 0)


async def test_a_call_before_the_pause_is_over_is_an_offence(
    platform: FakePlatform, clock: ManualClock
) -> None:
    platform.refuse_next(10)
    with pytest.raises(RateLimited):
        await platform.send(CHAT, Reply(text="one"))
    await clock.advance(9)
    await platform.send(CHAT, Reply(text="one"))
    assert platform.offences == 1


async def test_two_calls_at_once_in_a_chat_are_a_mistake(platform: FakePlatform) -> None:
    with pytest.raises(ValueError, match="two calls at once"):
        await asyncio.gather(
            platform.send(CHAT, Reply(text="one")), platform.send(CHAT, Reply(text="two"))
        )


async def test_calls_of_several_who_write_follow_each_other(platform: FakePlatform) -> None:
    platform.strict = False
    numbers = [str(number) for number in range(5)]
    with platform.held():
        sending = [asyncio.create_task(platform.send(CHAT, Reply(text=n))) for n in numbers]
        await asyncio.sleep(0)
        assert (platform.calls, platform.kept()) == (5, [])
    await asyncio.gather(*sending)
    assert (platform.calls, platform.kept()) == (0, numbers)


@pytest.mark.parametrize("text", ["", " \n", "x" * 4001])
async def test_texts_that_no_platform_takes_are_refused(platform: FakePlatform, text: str) -> None:
    with pytest.raises(PlatformError):
        await platform.send(CHAT, Reply(text=text))


async def test_a_native_draft_can_only_grow(clock: ManualClock) -> None:
    native = replace(FAKE_CAPABILITIES, streaming=Streaming.NATIVE)
    platform = FakePlatform(native, clock=clock)
    draft = platform.draft(platform.message())
    await draft.show("one")
    with pytest.raises(ValueError, match="does not begin with"):
        await draft.show("two")


# ---------------------------------------------------------------- the clock


async def test_sleepers_wake_in_the_order_in_which_they_are_due(clock: ManualClock) -> None:
    woken: list[tuple[str, float]] = []

    async def sleep(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.monotonic()))

    async with asyncio.TaskGroup() as group:
        for name, seconds in (("late", 3), ("early", 1), ("twin", 1), ("at once", 0)):
            group.create_task(sleep(name, seconds))
        await clock.advance(2)
        assert woken == [("at once", 0), ("early", 1), ("twin", 1)]
        assert clock.monotonic() == 2
        await clock.advance(2)
    assert woken[-1] == ("late", 3)


async def test_a_sleeper_that_was_cancelled_is_forgotten(clock: ManualClock) -> None:
    sleepers = [asyncio.create_task(clock.sleep(seconds)) for seconds in (1, 1, 2)]
    await clock.settle()
    sleepers[1].cancel()
    sleepers[2].cancel()
    await clock.advance(3)
    assert [sleeper.cancelled() for sleeper in sleepers] == [False, True, True]


async def test_work_can_be_driven_to_its_end(clock: ManualClock) -> None:
    async def work() -> str:
        await clock.sleep(3600)
        await asyncio.sleep(0)
        return "done"

    assert await clock.drive(work()) == "done"
    assert clock.monotonic() == 3600


async def test_driven_work_may_fail(clock: ManualClock) -> None:
    async def work() -> None:
        await clock.sleep(1)
        raise LookupError

    with pytest.raises(LookupError):
        await clock.drive(work())
