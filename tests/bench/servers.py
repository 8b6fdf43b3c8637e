"""The process beside the bot: the platform, the model and the people.

    python -m tests.bench.servers PLATFORM LIMITS ANSWER CHATS

Writes a line of JSON with the addresses; then one when the bot has connected. When it reads a line,
it asks one question, so that what is loaded once is loaded, and writes what became of it; when it
reads another line, everybody asks.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterable, Mapping

from tests.bench.answers import ANSWERS
from tests.bench.model import Model, serving
from tests.bench.people import Place, Watch, opened

PATIENCE = 420.0
"""Seconds after which an answer counts as lost."""
AFTERMATH = 1.0
"""Seconds after the last answer in which nothing may change any more."""


async def main(platform: str, limits: str, answer: str, chats: int) -> None:
    """Serve until everybody has been answered."""
    async with opened(platform, limits) as place, serving(ANSWERS[answer]) as model:
        say({"address": place.address, "model": model.url})
        await place.connected()
        say({"connected": time.perf_counter()})
        for numbers in (range(chats, chats + 1), range(chats)):
            await asyncio.to_thread(sys.stdin.readline)
            say(await measure(place, model, ANSWERS[answer].text, numbers))
        await asyncio.to_thread(sys.stdin.readline)


async def measure(
    place: Place, model: Model, expected: str, numbers: Iterable[int]
) -> Mapping[str, object]:
    """The people of these chats ask at once; returns the seconds that each waited."""
    watch = Watch(numbers, expected)
    looking = asyncio.create_task(place.look(watch.see))
    await asyncio.sleep(0)
    for number, chat in watch.chats.items():
        chat.asked = time.perf_counter()
        await place.ask(number, _question(number))
    await watch.all_whole(PATIENCE)
    await asyncio.sleep(AFTERMATH)
    looking.cancel()
    pairs = [(chat, model.heard.get(_question(n))) for n, chat in watch.chats.items()]
    done = [(chat, heard) for chat, heard in pairs if chat.whole and heard is not None]
    return {
        "exact": len(done),
        "refused": place.refused,
        "first": [chat.first - chat.asked for chat, _ in done],
        "after_token": [chat.first - heard.first for chat, heard in done],
        "whole": [chat.whole - heard.last for chat, heard in done],
    }


def _question(number: int) -> str:
    return f"question {number}."


def say(line: Mapping[str, object]) -> None:
    """Write a line to whoever measures."""
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
