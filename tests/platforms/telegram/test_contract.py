from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.platform_contract import HastyClock, PlatformContract, Stage
from tests.platforms.telegram.stage import group, private, staged, topic


class TestPrivateChat(PlatformContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        async with staged(private, clock=HastyClock()) as stage:
            yield stage


class TestGroup(PlatformContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        async with staged(group, clock=HastyClock()) as stage:
            yield stage


class TestTopic(PlatformContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        async with staged(topic, clock=HastyClock()) as stage:
            yield stage
