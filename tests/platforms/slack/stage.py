"""Slack as a stage of the platform contract: the real adapter before the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr

from bot.core.ports import Clock
from bot.core.queue import TurnQueue
from bot.core.stores import Users
from bot.core.types import IncomingMessage, MessageRef, Sender, UserId
from bot.platforms import slack
from bot.platforms.slack.adapter import SlackPlatform
from bot.platforms.slack.ids import make_chat, make_command, make_message, ts_of
from bot.platforms.slack.manifest import manifest
from bot.sandbox.slack.people import Place
from bot.sandbox.slack.server import SlackSandbox


def platform_for(
    sandbox: SlackSandbox,
    clock: Clock,
    users: Users | None = None,
    turns: TurnQueue | None = None,
) -> SlackPlatform:
    """The adapter, made as the operator's settings make it."""
    settings = slack.SlackSettings(
        bot_token=SecretStr(sandbox.bot_token),
        app_token=SecretStr(sandbox.app_token),
        base_url=sandbox.base_url,
    )
    return slack.connect(settings, clock=clock, users=users, turns=turns)


class SlackStage:
    """One place in Slack, with a question of Ada's in it."""

    def __init__(
        self,
        sandbox: SlackSandbox,
        platform: SlackPlatform,
        place: Place,
        incoming: IncomingMessage,
    ) -> None:
        self.sandbox = sandbox
        self.platform = platform
        self.place = place
        self.incoming = incoming

    async def screen(self) -> list[str]:
        return [seen.text for seen in self.place.answers()]

    async def kept(self) -> list[str]:
        bot = self.sandbox.workspace.bot.name
        return [seen.text for seen in self.place.kept() if seen.author == bot]

    async def buttons(self) -> list[str]:
        return [label for seen in self.place.answers() for label in seen.buttons]

    async def files(self) -> list[str]:
        return [name for seen in self.place.answers() for name in seen.files]

    async def refuse_next(self, seconds: int) -> None:
        self.sandbox.faults.refuse_next(seconds)

    async def drop_next(self) -> None:
        self.sandbox.faults.drop_next()

    async def delete(self, ref: MessageRef) -> None:
        await self.place.delete(ts_of(ref))


@asynccontextmanager
async def slack_stage(
    profile: str, clock: Clock, *, sandbox_clock: Clock | None = None
) -> AsyncIterator[SlackStage]:
    """A stage in a direct message (`dm`), a `thread`, or a `channel` after a slash command."""
    async with SlackSandbox(clock=sandbox_clock) as sandbox:
        sandbox.workspace.install(manifest([]))
        ada = sandbox.person("Ada")
        place = ada.dm
        if profile != "dm":
            place = ada.channel(sandbox.channel("general"))
        question = await place.send("hello" if profile == "dm" else "<@BOT> hello")
        if profile == "thread":
            place = ada.thread(question)
        thread = question.ts if profile == "thread" else ""
        chat = make_chat(sandbox.workspace.team, place.id, thread)
        ref = make_message(chat, question.ts, "")
        incoming = IncomingMessage(
            key="slack:question",
            ref=make_command(chat, "1.1") if profile == "channel" else ref,
            sender=Sender(UserId(ada.id), "Ada"),
            text="hello",
        )
        platform = platform_for(sandbox, clock)
        try:
            yield SlackStage(sandbox, platform, place, incoming)
        finally:
            await platform.close()
