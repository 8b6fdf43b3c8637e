"""The platform contract, in every kind of place that Slack has."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.platform_contract import HastyClock, PlatformContract
from tests.platforms.slack.stage import SlackStage, slack_stage


class TestDirectMessage(PlatformContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[SlackStage]:
        async with slack_stage("dm", HastyClock()) as stage:
            yield stage


class TestThread(PlatformContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[SlackStage]:
        async with slack_stage("thread", HastyClock()) as stage:
            yield stage


class TestChannel(PlatformContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[SlackStage]:
        async with slack_stage("channel", HastyClock()) as stage:
            yield stage


class TestThreadWithoutStreams(PlatformContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[SlackStage]:
        async with slack_stage("thread", HastyClock()) as stage:
            stage.sandbox.workspace.refusing_streams = "user_not_found"
            yield stage
