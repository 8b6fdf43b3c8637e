"""Our client beside bare aiohttp and the openai SDK, in one run, against one server.

    python -m tests.bench.bench_api [LOAD ...]

The server (`stream_server`) and each client run in a process of their own, over loopback, one
client at a time. Loads: `200` and `800` streams at once, of 200 chunks, one every 40 ms, all begun
within 2 s; `200!` and `800!`, begun in one moment; and `open`: 50 starts a second for 8 s, each
stream 2 s long, so that 100 are in flight. Printed: CPU of the client, for the load and per chunk;
time to the first text (p50, p99); and both beside bare aiohttp's. Other work on the machine shows
in all three: read the ratios.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict, dataclass

from bot import collector

Ask = Callable[[str], Coroutine[None, None, float]]
"""Asks for a stream by its model, reads it to the end, and returns the time of the first text."""
CHUNKS = 200
PACE = 40  # ms
RAMP = 2.0
STARTS, SECONDS = 50, 8


@dataclass(frozen=True, slots=True)
class Figures:
    """What one client took: seconds of CPU, of waiting, and how many chunks came."""

    cpu: float
    p50: float
    p99: float
    chunks: int


@asynccontextmanager
async def ours(url: str) -> AsyncGenerator[Ask]:
    """The client of this project, its limits out of the way."""
    from pydantic import SecretStr

    from bot.api.client import ApiClient
    from bot.api.settings import ApiSettings
    from bot.core.chat import ChatMessage, ChatRequest, Role, TextDelta, TextPart
    from bot.core.clock import SystemClock

    settings = ApiSettings(
        base_urls=(url,),
        key=SecretStr("k"),
        max_in_flight=10_000,
        requests_per_minute=1_000_000,
        tokens_per_minute=1_000_000_000,
    )
    client = ApiClient(settings, clock=SystemClock(), dice=random.Random(1))
    said = (ChatMessage(role=Role.USER, parts=(TextPart("Hi"),)),)

    async def ask(model: str) -> float:
        began, first = time.perf_counter(), 0.0
        async with aclosing(client.stream(ChatRequest(model=model, messages=said))) as events:
            async for event in events:
                if not first and isinstance(event, TextDelta):
                    first = time.perf_counter()
        return first - began

    yield ask
    await client.close()


@asynccontextmanager
async def bare(url: str) -> AsyncGenerator[Ask]:
    """aiohttp alone, and the least code that reads the stream."""
    import aiohttp

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def ask(model: str) -> float:
            began, first = time.perf_counter(), 0.0
            body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "stream": True}
            async with session.post(f"{url}/chat/completions", json=body) as response:
                async for line in response.content:
                    if not line.startswith(b"data: ") or line.startswith(b"data: [DONE]"):
                        continue
                    choices = json.loads(line[6:])["choices"]
                    if choices and choices[0]["delta"].get("content") and not first:
                        first = time.perf_counter()
            return first - began

        yield ask


@asynccontextmanager
async def sdk(url: str) -> AsyncGenerator[Ask]:
    """The openai SDK as it comes."""
    import openai

    async with openai.AsyncOpenAI(base_url=url, api_key="k", max_retries=0) as client:

        async def ask(model: str) -> float:
            began, first = time.perf_counter(), 0.0
            stream = await client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": "Hi"}], stream=True
            )
            async for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content and not first:
                    first = time.perf_counter()
            return first - began

        yield ask


CLIENTS = {"bare aiohttp": bare, "ours": ours, "openai SDK": sdk}


async def measure(client: str, load: str, url: str) -> Figures:
    """Run one load with one client."""
    async with CLIENTS[client](url) as ask:
        await ask("2x1")  # imports and the first connection are not counted
        collector.settle()  # as `bot run` does
        cpu = time.process_time()
        if load == "open":
            chunks, starts, pause = 2_000 // PACE, STARTS * SECONDS, 1 / STARTS
        else:
            chunks, starts = CHUNKS, int(load.rstrip("!"))
            pause = 0.0 if load.endswith("!") else RAMP / starts
        waits = await _start(ask, f"{chunks}x{PACE}", starts, pause)
        cpu = time.process_time() - cpu
    percentiles = statistics.quantiles(waits, n=100)
    return Figures(cpu, percentiles[49], percentiles[98], chunks * starts)


async def _start(ask: Ask, model: str, starts: int, pause: float) -> Sequence[float]:
    """Start so many streams at a fixed rate, whatever becomes of those that run."""
    began = time.perf_counter()
    tasks: list[asyncio.Task[float]] = []
    for number in range(starts):
        if (left := began + number * pause - time.perf_counter()) > 0:
            await asyncio.sleep(left)
        tasks.append(asyncio.create_task(ask(model)))
    return await asyncio.gather(*tasks)


def main(loads: Sequence[str]) -> None:
    """Print a table, a line for each load and client."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.stream_server"], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout
    url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
    print("                     CPU            first text ms      beside bare aiohttp")
    print("load  client           s  µs/chunk      p50     p99    CPU ×   p99 + ms")
    try:
        for load in loads:
            base: Figures | None = None
            for client in CLIENTS:
                command = [sys.executable, "-m", "tests.bench.bench_api", client, load, url]
                done = subprocess.run(command, capture_output=True, text=True, timeout=300)
                if done.returncode:
                    print(f"{load:5} {client:12} failed: {done.stderr.strip().splitlines()[-1]}")
                    continue
                found = Figures(**json.loads(done.stdout))
                base = base or found
                print(
                    f"{load:5} {client:12} {found.cpu:6.2f} {found.cpu / found.chunks * 1e6:9.1f}"
                    f" {found.p50 * 1e3:8.1f} {found.p99 * 1e3:7.1f}"
                    f" {found.cpu / base.cpu:8.2f} {(found.p99 - base.p99) * 1e3:10.1f}",
                    flush=True,
                )
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] in CLIENTS:
        figures = asyncio.run(measure(*sys.argv[1:]))
        print(json.dumps(asdict(figures)))
    else:
        main(sys.argv[1:] or ["200", "800", "open"])
