"""How long people wait for an answer, and what it costs, with many chats at once.

    python -m tests.bench.bench_answer [CHATS ...]

A real `bot run` process between the sandbox Telegram and the scripted API, over loopback. Every
chat asks at the same moment; the model says 150 pieces of 8 characters at 25 a second. Printed:
first text after the first token, whole text after the last, CPU of the bot per answer, memory.
The sandboxes share a core with what measures them, so the delays are upper bounds.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.sandbox import telegram as telegram_sandbox
from bot.sandbox.openai import ScriptedApi, serve_scripted
from bot.sandbox.openai.backend import Question
from bot.sandbox.openai.scripted import Answer
from bot.sandbox.telegram.screen import Screen
from bot.sandbox.telegram.telegram import Telegram
from tests.bench.bench_start import cpu_seconds, megabytes
from tests.running import started

TEXT = "".join(f"piece{n:03}" for n in range(150))
PACE = 1 / 25


class Stopwatch:
    """When the API began and ended each answer, by the question."""

    def __init__(self, api: ScriptedApi) -> None:
        self._api = api
        self.first: dict[str, float] = {}
        api.script.answer_with(self._answer)

    def _answer(self, question: Question) -> Answer:
        self.first[question.last_text] = time.perf_counter()
        return Answer(text=TEXT, chunk=8, pace=PACE)

    async def last(self, asked: str) -> float:
        """Wait for the end of the answer to a question; returns when it was."""

        def over() -> bool:
            return any(
                not exchange.open and asked in str(exchange.json.get("messages"))
                for exchange in self._api.traffic.to("/chat/completions")
            )

        await self._api.traffic.until(lambda _: over(), seconds=120)
        return time.perf_counter()


async def one_chat(telegram: Telegram, watch: Stopwatch, number: int) -> tuple[float, float]:
    """Ask, and look; returns the delays of the first and of the whole text, in seconds."""
    chat = telegram.person(id=2000 + number, name=f"P{number}").private()
    asked = f"question {number}."
    last = asyncio.create_task(watch.last(asked))
    chat.send(asked)
    await chat.wait_for(lambda screen: bool(screen.answers), within=120)
    seen = time.perf_counter() - watch.first[asked]

    def whole(screen: Screen) -> bool:
        return bool(screen.answers) and screen.answers[-1].text == TEXT

    await chat.wait_for(whole, within=120)
    complete = time.perf_counter()
    return seen, complete - await last


@asynccontextmanager
async def sandboxes() -> AsyncGenerator[tuple[Telegram, ScriptedApi]]:
    """Both servers, without limits and without the parser of Telegram."""
    async with telegram_sandbox.serve(judge=False) as telegram, serve_scripted() as api:
        yield telegram, api


async def measure(chats: int) -> None:
    """Print a line for so many chats at once."""
    with tempfile.TemporaryDirectory() as folder:
        async with sandboxes() as (telegram, api):
            watch = Stopwatch(api)
            async with started(telegram, api, Path(folder)) as bot:
                idle, before = megabytes(bot.pid), cpu_seconds(bot.pid)
                jobs = [one_chat(telegram, watch, number) for number in range(chats)]
                delays = await asyncio.gather(*jobs)
                cpu, busy = cpu_seconds(bot.pid) - before, megabytes(bot.pid)
    first, whole = zip(*delays, strict=True)
    print(
        f"{chats:5}   {_p(first, 50):6.3f} {_p(first, 95):6.3f}    "
        f"{_p(whole, 50):6.3f} {_p(whole, 95):6.3f}    {cpu / chats:6.3f}    "
        f"{idle:5.1f} {busy:5.1f}"
    )


def _p(values: tuple[float, ...], percent: int) -> float:
    return statistics.quantiles((*values, *values), n=100)[percent - 1]


def main(counts: list[int]) -> None:
    """Print a table, a line for each number of chats."""
    print("        first text s     whole text s     CPU s     memory MB")
    print("chats     p50    p95       p50    p95   /answer   idle  busy")
    for count in counts:
        asyncio.run(measure(count))


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [1, 20, 50, 200])
