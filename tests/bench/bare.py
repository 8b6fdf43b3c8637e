"""The yardstick: a bot that is nothing but a loop with an ideal pacer.

    python -m tests.bench.bare telegram|slack

aiohttp on both sides; no database, no formatting, no settings, no errors that are not in the
benchmark. What it does is what a bot can do at best on this machine at this moment.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass, field

import aiohttp

from tests.bench.bare_wires import LENGTH, Call, SlackWire, TelegramWire, Wire

PREVIEW = 1.0
"""Seconds between two previews of an answer, where the limits allow."""


@dataclass(slots=True, eq=False)
class Talk:
    """An answer on its way: all its `text`, and what the chat shows of the message being written.

    `start` is where the open message begins, `id` what it is called once it stands.
    """

    chat: str
    text: str = ""
    ended: bool = False
    start: int = 0
    id: str = ""
    shown: str = ""
    shown_at: float = 0.0
    busy: bool = False
    calls: list[float] = field(default_factory=list)

    @property
    def page(self) -> str:
        """What the open message should say now."""
        return self.text[self.start : self.start + LENGTH]

    @property
    def is_full(self) -> bool:
        """The open message takes no more."""
        return len(self.text) - self.start > LENGTH

    def rank(self) -> tuple[int, float]:
        """Ends first, then first texts, then the most outdated preview."""
        if self.ended or self.is_full:
            return (0, self.shown_at)
        return (2, self.shown_at) if self.id else (1, 0.0)


class Bot:
    """Asks the model for everybody, and brings what it says to the chats."""

    def __init__(self, session: aiohttp.ClientSession, wire: Wire, api: str) -> None:
        self._session = session
        self._wire = wire
        self._api = api
        self._talks: list[Talk] = []
        self._wake = asyncio.Event()
        self._tasks = asyncio.TaskGroup()

    async def run(self) -> None:
        """Serve until killed."""
        async with self._tasks:
            self._tasks.create_task(self._pace())
            async for chat, question in self._wire.questions():
                talk = Talk(chat)
                self._talks.append(talk)
                self._tasks.create_task(self._listen(talk, question))

    async def _listen(self, talk: Talk, question: str) -> None:
        """Read the model's stream; what breaks off is asked for again."""
        body = {
            "model": "bench-model",
            "messages": [{"role": "user", "content": question}],
            "stream": True,
        }
        while not talk.ended:
            said = ""
            try:
                async with self._session.post(f"{self._api}/chat/completions", json=body) as answer:
                    async for line in answer.content:
                        if line == b"data: [DONE]\n":
                            talk.ended = True
                        elif line.startswith(b"data: "):
                            choices = json.loads(line[6:])["choices"]
                            said += choices[0]["delta"].get("content", "") if choices else ""
                            if len(said) > len(talk.text):
                                talk.text = said
                        if talk.ended or not talk.id:
                            self._wake.set()
            except aiohttp.ClientError:
                continue
        self._wake.set()

    async def _pace(self) -> None:
        """Make the most urgent call that the limits allow, again and again."""
        while True:
            self._wake.clear()
            wait = self._next_call()
            if wait > 0:
                try:
                    async with asyncio.timeout(wait):
                        await self._wake.wait()
                except TimeoutError:
                    continue

    def _next_call(self) -> float:
        """Make a call; returns the seconds until the next look."""
        now, wait = time.perf_counter(), 3600.0
        if (blocked := self._wire.wait(now)) > 0:
            return blocked
        for talk in sorted((t for t in self._talks if not t.busy), key=Talk.rank):
            page, is_end = talk.page, talk.ended or talk.is_full
            if not page:
                continue
            if page == talk.shown:
                wait = min(wait, PREVIEW)
                continue
            due = 0.0 if is_end or not talk.id else talk.shown_at + PREVIEW - now
            call = Call(bool(talk.id), is_end)
            due = max(due, self._wire.wait_in(talk.chat, talk.calls, now, call))
            if due <= 0:
                talk.busy = True
                self._wire.begin(talk.chat, call)
                self._tasks.create_task(self._show(talk, page, now, call))
                return 0.0
            wait = min(wait, due)
        return wait

    async def _show(self, talk: Talk, page: str, now: float, call: Call) -> None:
        if call.edit:
            await self._wire.edit(talk.chat, talk.id, page, is_end=call.is_end)
        else:
            talk.id = await self._wire.send(talk.chat, page)
        self._wire.end(talk.chat, call)
        talk.busy, talk.shown, talk.shown_at = False, page, now
        talk.calls.append(time.perf_counter())
        if talk.is_full and len(page) == LENGTH:
            talk.start, talk.id, talk.shown = talk.start + LENGTH, "", ""
        elif talk.ended and talk.page == page:
            self._talks.remove(talk)
        self._wake.set()


async def main(platform: str) -> None:
    """Serve a platform, as the environment says."""
    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as api,
        aiohttp.ClientSession(timeout=timeout, connector=connector) as session,
    ):
        wire: Wire = TelegramWire(session) if platform == "telegram" else SlackWire(session)
        await Bot(api, wire, json.loads(os.environ["BOT_API__BASE_URLS"])[0]).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
