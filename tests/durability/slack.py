"""The sandbox Slack as a town: people in direct messages, with redelivery and reconnects."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

from bot.platforms.slack.manifest import manifest
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.server import SlackSandbox
from tests.environment import in_slack


class SlackTown:
    """`Town`."""

    def __init__(self, slack: SlackSandbox) -> None:
        self._slack = slack
        slack.workspace.install(manifest([]))
        self._people: dict[int, Person] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.env = in_slack(slack)

    def person(self, number: int) -> Person:
        """Somebody in the workspace."""
        if number not in self._people:
            self._people[number] = self._slack.person(f"P{number}")
        return self._people[number]

    async def ask(self, person: int, question: str) -> None:
        """Somebody writes to the bot."""
        await self.person(person).dm.send(question)

    def texts(self, person: int) -> Sequence[str]:
        """The bot's messages, oldest first."""
        bot = self._slack.workspace.bot.name
        return [m.text for m in self.person(person).dm.kept() if m.author == bot]

    def at_work(self, person: int) -> bool:
        """Whether something is still streaming, or Slack shows its Stop."""
        dm = self.person(person).dm
        return dm.stoppable() or any(seen.streaming for seen in dm.screen())

    async def press(self, person: int, label: str) -> None:
        """Somebody presses a button."""
        await self.person(person).dm.press(label)

    def disturb(self, dice: random.Random) -> None:
        """Deliver something twice, or break the sockets."""
        sockets, luck = self._slack.sockets, dice.random()
        events = [e for e in sockets.envelopes[-50:] if e.kind == "events_api"]
        if luck < 0.5 and events:
            sockets.resend(dice.choice(events))
        elif luck < 0.8:
            self._tasks.append(asyncio.create_task(sockets.disconnect()))

    async def until(self, condition: Callable[[], bool], within: float) -> None:
        """Wait for something to be seen."""
        await self._slack.wait_for(condition, within)
