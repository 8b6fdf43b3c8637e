"""Telegram and Slack for the bare loop: a call is a line, a limit a list of times."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp

LENGTH = 4000
BURST = 3
POST, UPDATE = "chat.postMessage", "chat.update"
START, APPEND, STOP = "chat.startStream", "chat.appendStream", "chat.stopStream"


@dataclass(frozen=True, slots=True)
class Call:
    """What a call does: change a message that stands (else post one), to its end (or not)."""

    edit: bool
    is_end: bool


class Wire(Protocol):
    """What the loop needs of a platform."""

    def questions(self) -> AsyncIterator[tuple[str, str]]:
        """Who asks what."""
        ...

    def wait(self, now: float) -> float:
        """Seconds until the platform takes any call."""
        ...

    def wait_in(self, chat: str, calls: Sequence[float], now: float, call: Call) -> float:
        """Seconds until a chat takes a call, after its last three."""
        ...

    def begin(self, chat: str, call: Call) -> None:
        """A call leaves."""
        ...

    def end(self, chat: str, call: Call) -> None:
        """It was answered."""
        ...

    async def send(self, chat: str, text: str) -> str:
        """Post a message; returns its id."""
        ...

    async def edit(self, chat: str, id: str, text: str, *, is_end: bool) -> None:
        """Change it."""
        ...


class Window:
    """At most `count` calls in any `seconds`; 0: as many as you like."""

    def __init__(self, count: int, seconds: float) -> None:
        self.count, self._seconds = count, seconds
        self._under_way = 0
        self._ended: deque[float] = deque()

    def wait(self, now: float, count: int | None = None) -> float:
        """Seconds until there is room, for the first `count` of the calls only."""
        while self._ended and self._ended[0] <= now - self._seconds:
            self._ended.popleft()
        count = self.count if count is None else count
        if not self.count or self._under_way + len(self._ended) < count:
            return 0.0
        return self._ended[0] + self._seconds - now if self._ended else self._seconds

    def begin(self) -> None:
        """A call leaves."""
        self._under_way += 1

    def end(self) -> None:
        """It was answered."""
        self._under_way -= 1
        self._ended.append(time.perf_counter())


def _burst(calls: Sequence[float], now: float) -> float:
    """One call a second, up to three at once."""
    level, at = float(BURST), calls[0] if calls else now
    for call in calls:
        level, at = min(float(BURST), level + call - at) - 1, call
    return max(0.0, 1 - level - (now - at))


class TelegramWire:
    """The Bot API."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        base, token = os.environ["BOT_TELEGRAM__BASE_URL"], os.environ["BOT_TELEGRAM__TOKEN"]
        self._url = f"{base}/bot{token}"
        self._session = session
        self._limited = "BOT_TELEGRAM__MESSAGES_PER_SECOND" not in os.environ
        self._window = Window(30 if self._limited else 0, 1.0)

    async def _call(self, method: str, **args: object) -> Any:  # noqa: ANN401 (JSON)
        async with self._session.post(f"{self._url}/{method}", json=args) as answer:
            answer.raise_for_status()
            return (await answer.json())["result"]

    async def questions(self) -> AsyncIterator[tuple[str, str]]:
        """Long polling."""
        offset = 0
        while True:
            for update in await self._call("getUpdates", offset=offset, timeout=30):
                offset = update["update_id"] + 1
                yield str(update["message"]["chat"]["id"]), update["message"]["text"]

    def wait(self, now: float) -> float:
        """30 calls a second."""
        return self._window.wait(now)

    def wait_in(self, chat: str, calls: Sequence[float], now: float, call: Call) -> float:
        """One a second in a chat, and three at once."""
        return _burst(calls, now) if self._limited else 0.0

    def begin(self, chat: str, call: Call) -> None:
        """A call leaves."""
        self._window.begin()

    def end(self, chat: str, call: Call) -> None:
        """It was answered."""
        self._window.end()

    async def send(self, chat: str, text: str) -> str:
        """`sendMessage`."""
        return str((await self._call("sendMessage", chat_id=chat, text=text))["message_id"])

    async def edit(self, chat: str, id: str, text: str, *, is_end: bool) -> None:
        """`editMessageText`."""
        await self._call("editMessageText", chat_id=chat, message_id=int(id), text=text)


class SlackWire:
    """The Web API and Socket Mode, and how often each method may be called in a minute.

    An answer is streamed while Slack starts streams, else posted and edited. It is shown early only
    while there will be a call for its end; the others are posted when they are whole.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._url = os.environ["BOT_SLACK__BASE_URL"]
        self._session = session
        per_minute = {START: 20, APPEND: 100, STOP: 20, UPDATE: 50}
        self._windows = {method: Window(count, 60.0) for method, count in per_minute.items()}
        self._owed = {STOP: 0, UPDATE: 0}
        self._asked: dict[str, str] = {}
        self._streamed: dict[str, str] = {}

    async def _call(self, method: str, token: str = "BOT_SLACK__BOT_TOKEN", **args: object) -> Any:  # noqa: ANN401 (JSON)
        headers = {"Authorization": f"Bearer {os.environ[token]}"}
        async with self._session.post(self._url + method, json=args, headers=headers) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def questions(self) -> AsyncIterator[tuple[str, str]]:
        """Socket Mode: acknowledge, then look."""
        opened = await self._call("apps.connections.open", "BOT_SLACK__APP_TOKEN")
        async with self._session.ws_connect(opened["url"]) as socket:
            async for frame in socket:
                envelope = frame.json()
                if "envelope_id" in envelope:
                    await socket.send_json({"envelope_id": envelope["envelope_id"]})
                event = envelope.get("payload", {}).get("event", {})
                is_new = event.get("type") == "message" and "subtype" not in event
                if is_new and "text" in event and not event.get("bot_id"):
                    self._asked[event["channel"]] = event["ts"]
                    yield event["channel"], event["text"]

    def wait(self, now: float) -> float:
        """There is no limit for all calls together."""
        return 0.0

    def wait_in(self, chat: str, calls: Sequence[float], now: float, call: Call) -> float:
        """Posts are limited per channel, everything else in the workspace."""
        method = self._method(chat, call, now)
        if method == POST:
            early = 0.0 if call.is_end else self._until_owed(UPDATE, now)
            return max(early, _burst(calls, now))
        if method == UPDATE and not call.is_end:
            return self._until_owed(UPDATE, now)
        return self._windows[method].wait(now)

    def _method(self, chat: str, call: Call, now: float) -> str:
        if chat in self._streamed:
            return STOP if call.is_end else APPEND if call.edit else START
        if call.edit:
            return UPDATE
        waits = (self._windows[START].wait(now), self._until_owed(STOP, now))
        return POST if call.is_end or any(waits) else START

    def _until_owed(self, method: str, now: float) -> float:
        """Seconds until there is one more call than the ends of answers will need."""
        window = self._windows[method]
        return window.wait(now, window.count - self._owed[method])

    def begin(self, chat: str, call: Call) -> None:
        """A call leaves."""
        method = self._method(chat, call, time.perf_counter())
        if method == START:
            self._streamed[chat] = ""
        if not call.edit and not call.is_end:
            self._owed[STOP if method == START else UPDATE] += 1
        if call.edit and call.is_end:
            self._owed[method] -= 1
        if method != POST:
            self._windows[method].begin()

    def end(self, chat: str, call: Call) -> None:
        """It was answered."""
        method = self._method(chat, call, time.perf_counter())
        if chat in self._streamed or call.edit:
            self._windows[method].end()
        if method == STOP:
            del self._streamed[chat]

    async def send(self, chat: str, text: str) -> str:
        """`chat.startStream`, or `chat.postMessage`."""
        if chat in self._streamed:
            self._streamed[chat] = text
            args = {"thread_ts": self._asked[chat], "markdown_text": text}
            return str((await self._call(START, channel=chat, **args))["ts"])
        answer = await self._call(POST, channel=chat, text=text, blocks=_blocks(text))
        return str(answer["ts"])

    async def edit(self, chat: str, id: str, text: str, *, is_end: bool) -> None:
        """`chat.appendStream` or `chat.stopStream`, or `chat.update`."""
        if chat not in self._streamed:
            await self._call(UPDATE, channel=chat, ts=id, text=text, blocks=_blocks(text))
            return
        rest = text[len(self._streamed[chat]) :]
        self._streamed[chat] = text
        await self._call(STOP if is_end else APPEND, channel=chat, ts=id, markdown_text=rest)


def _blocks(text: str) -> Sequence[object]:
    return [{"type": "markdown", "text": text}]
