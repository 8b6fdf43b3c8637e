"""The platform contract, in every kind of place that Slack has."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.sandbox.slack.workspace import Workspace
from tests.platform_contract import HastyClock, PlatformContract
from tests.platforms.slack.stage import SlackStage, slack_stage


class TestSlack(PlatformContract):
    @pytest.fixture(params=["dm", "thread", "channel"])
    async def stage(self, request: pytest.FixtureRequest) -> AsyncIterator[SlackStage]:
        async with slack_stage(request.param, HastyClock()) as stage:
            self.refuse(stage.sandbox.workspace)
            yield stage

    def refuse(self, workspace: Workspace) -> None:
        """What a workspace has less than others."""


class TestWithoutStreams(TestSlack):
    def refuse(self, workspace: Workspace) -> None:
        workspace.refusing_streams = "user_not_found"


class TestWithoutTasksAndThumbs(TestSlack):
    def refuse(self, workspace: Workspace) -> None:
        workspace.refusing_tasks = True
        workspace.refusing_blocks = {"context_actions", "task_card"}


class TestAppThatIsNoAgent(TestSlack):
    def refuse(self, workspace: Workspace) -> None:
        workspace.is_agent = False
        workspace.events.discard("agent_session_stopped")


class TestWithFewScopes(TestSlack):
    def refuse(self, workspace: Workspace) -> None:
        workspace.scopes -= {"assistant:write", "users:read", "channels:history"}
