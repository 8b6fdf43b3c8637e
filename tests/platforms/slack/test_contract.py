"""The platform contract, in every kind of place that Slack has."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.sandbox.slack.workspace import Workspace
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


class Refusing(PlatformContract):
    """A workspace that has less than others."""

    @pytest.fixture(params=["dm", "thread", "channel"])
    async def stage(self, request: pytest.FixtureRequest) -> AsyncIterator[SlackStage]:
        async with slack_stage(request.param, HastyClock()) as stage:
            self.refuse(stage.sandbox.workspace)
            yield stage

    def refuse(self, workspace: Workspace) -> None:
        raise NotImplementedError


class TestWithoutStreams(Refusing):
    def refuse(self, workspace: Workspace) -> None:
        workspace.refusing_streams = "user_not_found"


class TestWithoutTasksAndThumbs(Refusing):
    def refuse(self, workspace: Workspace) -> None:
        workspace.refusing_tasks = True
        workspace.refusing_blocks = {"context_actions", "task_card"}


class TestAppThatIsNoAgent(Refusing):
    def refuse(self, workspace: Workspace) -> None:
        workspace.is_agent = False
        workspace.events.discard("agent_session_stopped")


class TestWithFewScopes(Refusing):
    def refuse(self, workspace: Workspace) -> None:
        workspace.scopes -= {"assistant:write", "users:read", "channels:history"}
