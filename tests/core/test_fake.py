from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.core.fake import FAKE_CAPABILITIES, FakePlatform, ManualClock
from bot.core.ports import Streaming
from bot.core.types import IncomingMessage, MessageRef
from tests.platform_contract import PlatformContract, Stage


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
        bare = replace(
            FAKE_CAPABILITIES, streaming=Streaming.NONE, max_buttons=0, max_file_out=0, typing=False
        )
        yield FakeStage(FakePlatform(bare, clock=ManualClock()))
