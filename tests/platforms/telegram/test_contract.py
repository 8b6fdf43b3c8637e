"""The platform contract, in every kind of chat that Telegram has, and in every style."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.core.types import Style
from tests.platform_contract import HastyClock, PlatformContract, Stage
from tests.platforms.telegram.stage import Opener, group, private, staged, topic

RICH_DRAFTS = Style(drafts=True, rich=True)
CHATS: dict[str, tuple[Opener, Style]] = {
    "private": (private, Style()),
    "group": (group, Style()),
    "topic": (topic, Style()),
    "drafts": (private, Style(drafts=True)),
    "rich": (private, Style(rich=True)),
    "rich drafts": (private, RICH_DRAFTS),
    "rich group": (group, RICH_DRAFTS),
}


class TestTelegram(PlatformContract):
    @pytest.fixture(params=CHATS.values(), ids=list(CHATS))
    async def stage(self, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
        opened, style = request.param
        async with staged(opened, clock=HastyClock(), style=style) as stage:
            yield stage


class TestRefusedStyles(PlatformContract):
    """Telegram takes neither: everything arrives as if nobody had asked for them."""

    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        async with staged(private, clock=HastyClock(), style=RICH_DRAFTS) as stage:
            for method in ("sendMessageDraft", "sendRichMessage", "sendRichMessageDraft"):
                stage.telegram.faults.fail_next(404, "Not Found", method=method, times=1000)
            yield stage
