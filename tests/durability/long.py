"""The long kill test.

    python -m tests.durability.long [failpoints] [random] [terminate] [webhook] [slack] [postgres]

Real `bot run` processes over the sandbox servers. Prints what was demanded and what was found:
nothing lost, nothing answered twice, nothing out of order, no message left over that is no answer.
Takes some minutes; exits with 1 when anything is wrong. The log of each bot is kept where it says.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import sqlalchemy as sa

from bot.core.queue import TurnState
from bot.sandbox import telegram as telegram_sandbox
from bot.sandbox.openai import ScriptedApi, serve_scripted
from bot.sandbox.slack.server import SlackSandbox
from bot.store import StorageSettings
from bot.store.database import connected
from bot.store.schema import turns
from tests.durability.scenes import (
    PEOPLE,
    Scene,
    die_at,
    kill_at_random,
    lose_the_database,
    make_folder,
    make_template,
    terminate_under_load,
)
from tests.durability.slack import SlackTown
from tests.durability.telegram import TelegramTown
from tests.durability.town import Town, Verdict, reply
from tests.environment import free_port
from tests.processes import Launcher, launching
from tests.store.firewall import Firewall, firewall
from tests.store.postgres import running_server

Opener: TypeAlias = Callable[[AsyncExitStack], Awaitable[Town]]

HIGHEST = 400
"""No scene has so many failpoints."""


async def telegram_town(stack: AsyncExitStack) -> Town:
    """A Telegram of its own."""
    served = telegram_sandbox.serve(judge=False)
    return TelegramTown(await stack.enter_async_context(served))


async def webhook_town(stack: AsyncExitStack) -> Town:
    """A Telegram that posts what happens to the bot."""
    served = telegram_sandbox.serve(judge=False)
    telegram = await stack.enter_async_context(served)
    telegram.local, port = True, free_port()
    town = TelegramTown(telegram)
    town.env |= {
        "BOT_TELEGRAM__MODE": "webhook",
        "BOT_TELEGRAM__WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram",
        "BOT_WEB__PORT": str(port),
    }
    return town


async def slack_town(stack: AsyncExitStack) -> Town:
    """A Slack of its own."""
    return SlackTown(await stack.enter_async_context(SlackSandbox()))


class Series:
    """Runs scenes one after the other, each with its own platform, and adds up what they find."""

    def __init__(self, launcher: Launcher, template: Path) -> None:
        self._launcher = launcher
        self._template = template
        self._number = 0
        self.good = True

    @asynccontextmanager
    async def scene(self, town: Opener, *, words: int, pace: float) -> AsyncGenerator[Scene]:
        """A new town, a new database, and a model that says so many words."""
        self._number += 1
        folder = make_folder(self._template, f"scene-{self._number}")
        async with AsyncExitStack() as stack:
            api: ScriptedApi = await stack.enter_async_context(serve_scripted(key="sk-sandbox"))
            api.script.answer_with(reply(words, pace))
            yield Scene(town=await town(stack), api=api, launcher=self._launcher, folder=folder)

    def say(self, name: str, verdict: Verdict, questions: int, kills: int, began: float) -> None:
        """One line of the table."""
        self.good = self.good and verdict.good
        print(
            f"{name:<38}{questions:>6}{kills:>7}{len(verdict.lost):>6}{len(verdict.twice):>7}"
            f"{len(verdict.disorder):>10}{len(verdict.orphans):>10}{len(verdict.history):>9}"
            f"{time.monotonic() - began:>8.0f} s",
            flush=True,
        )
        if not verdict.good:
            print(f"    {verdict}", flush=True)

    async def failpoints(self, name: str, town: Opener, words: int, pace: float) -> None:
        """Die at every failpoint of a scene, one after the other, until none is left."""
        began, whole, number = time.monotonic(), Verdict(), 0
        for number in range(1, HIGHEST):
            async with self.scene(town, words=words, pace=pace) as scene:
                verdict, died = await die_at(scene, number)
            whole.add(verdict, f"failpoint {number}: ")
            if not died:
                break
        self.say(name, whole, 3 * number, number - 1, began)

    async def random_kills(self, name: str, town: Opener, *, seeds: Sequence[int]) -> None:
        """Twenty people ask ten questions each, and the bot dies twenty times in a minute."""
        for seed in seeds:
            began = time.monotonic()
            async with self.scene(town, words=40, pace=0.02) as scene:
                verdict = await kill_at_random(
                    scene, seed=seed, people=20, each=10, kills=20, seconds=60
                )
            self.say(f"{name}, seed {seed}", verdict, 200, 20, began)

    async def cut_off(
        self, name: str, how: Callable[[Firewall], AbstractContextManager[None]]
    ) -> None:
        """One of two bots on a PostgreSQL loses only its way there, while it answers."""
        began = time.monotonic()
        with running_server() as server:
            async with (
                firewall(server) as wall,
                self.scene(webhook_town, words=700, pace=0.25) as scene,
            ):
                scene.town.env["BOT_STORAGE__URL"] = wall.server.url()
                port = free_port()
                other = {
                    "BOT_STORAGE__URL": server.url(),
                    "BOT_TELEGRAM__WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram",
                    "BOT_WEB__PORT": str(port),
                }

                async def is_over() -> bool:
                    async with connected(StorageSettings(url=server.url())) as database:
                        return not await database.scalar(_OPEN_TURNS)

                verdict = await lose_the_database(scene, how(wall), is_over, other)
        self.say(name, verdict, PEOPLE, 0, began)


_OPEN_TURNS = sa.select(sa.func.count()).where(
    turns.c.state.in_([TurnState.WAITING.value, TurnState.RUNNING.value, TurnState.JOINED.value])
)


async def main() -> int:
    """Run what the command line asks for; everything when it names nothing."""
    wanted = sys.argv[1:] or ["failpoints", "random", "terminate", "webhook", "slack", "postgres"]
    folder = Path(tempfile.mkdtemp(prefix="chinwag-durability-"))
    print(f"databases and logs: {folder}")
    head = ("asked", "kills", "lost", "twice", "disorder", "orphans", "history")
    print(" " * 38 + "{:>6}{:>7}{:>6}{:>7}{:>10}{:>10}{:>9}".format(*head), flush=True)
    with launching() as address:
        series = Series(Launcher(address), await make_template(folder))
        if "failpoints" in wanted:
            await series.failpoints("Telegram, every failpoint", telegram_town, 30, 0.01)
            await series.failpoints("… of answers at once", telegram_town, 0, 0.0)
        if "random" in wanted:
            await series.random_kills("Telegram, random kills", telegram_town, seeds=(1, 2, 3))
        if "terminate" in wanted:
            began = time.monotonic()
            async with series.scene(telegram_town, words=40, pace=0.05) as scene:
                verdict = await terminate_under_load(
                    scene, seed=1, people=20, each=10, times=5, seconds=30, grace=10
                )
            series.say("Telegram, SIGTERM under load", verdict, 200, 5, began)
        if "webhook" in wanted:
            await series.failpoints("Telegram posts, failpoints", webhook_town, 30, 0.01)
            await series.random_kills("Telegram posts, random kills", webhook_town, seeds=(1,))
        if "slack" in wanted:
            await series.failpoints("Slack, every failpoint", slack_town, 30, 0.01)
            await series.random_kills("Slack, random kills", slack_town, seeds=(1, 2))
        if "postgres" in wanted:
            await series.cut_off("PostgreSQL, silent for one of two bots", Firewall.shut)
            await series.cut_off("… refuses one of two bots", Firewall.cut)
    return 0 if series.good else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
