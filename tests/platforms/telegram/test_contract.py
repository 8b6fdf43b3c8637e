from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.core.types import Style
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


class TestDrafts(PlatformContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        async with staged(private, clock=HastyClock(), style=Style(drafts=True)) as stage:
            yield stage


class TestRich(PlatformContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        async with staged(private, clock=HastyClock(), style=Style(rich=True)) as stage:
            yield stage


class TestRichDrafts(PlatformContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        style = Style(drafts=True, rich=True)
        async with staged(private, clock=HastyClock(), style=style) as stage:
            yield stage


class TestRichGroup(PlatformContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        style = Style(drafts=True, rich=True)
        async with staged(group, clock=HastyClock(), style=style) as stage:
            yield stage


class TestRefusedDrafts(PlatformContract):
    """Telegram takes neither: everything arrives as if nobody had asked for them."""

    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        style = Style(drafts=True, rich=True)
        async with staged(private, clock=HastyClock(), style=style) as stage:
            for method in ("sendMessageDraft", "sendRichMessage", "sendRichMessageDraft"):
                stage.telegram.faults.fail_next(404, "Not Found", method=method, times=1000)
            yield stage
