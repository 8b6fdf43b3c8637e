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

    def begin(self, call: Call) -> None:
        """A call leaves."""
        ...

    def end(self, call: Call) -> None:
        """It was answered."""
        ...

    async def send(self, chat: str, text: str) -> str:
        """Post a message; returns its id."""
        ...

    async def edit(self, chat: str, id: str, text: str) -> None:
        """Change it."""
        ...


class Window:
    """At most `count` calls in any `seconds`; 0: as many as you like."""

    def __init__(self, count: int, seconds: float) -> None:
        self._count, self._seconds = count, seconds
        self._under_way = 0
        self._ended: deque[float] = deque()

    def wait(self, now: float, count: int | None = None) -> float:
        """Seconds until there is room, for the first `count` of the calls only."""
        while self._ended and self._ended[0] <= now - self._seconds:
            self._ended.popleft()
        count = self._count if count is None else count
        if not self._count or self._under_way + len(self._ended) < count:
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

    def begin(self, call: Call) -> None:
        """A call leaves."""
        self._window.begin()

    def end(self, call: Call) -> None:
        """It was answered."""
        self._window.end()

    async def send(self, chat: str, text: str) -> str:
        """`sendMessage`."""
        return str((await self._call("sendMessage", chat_id=chat, text=text))["message_id"])

    async def edit(self, chat: str, id: str, text: str) -> None:
        """`editMessageText`."""
        await self._call("editMessageText", chat_id=chat, message_id=int(id), text=text)


class SlackWire:
    """The Web API and Socket Mode. Posts and edits only: streams are 20 a minute in a workspace.

    A message is posted early only while there will be an edit for its end: 50 a minute are all.
    """

    EDITS = 50

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._url = os.environ["BOT_SLACK__BASE_URL"]
        self._session = session
        self._edits = Window(self.EDITS, 60.0)
        self._early = 0

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
                    yield event["channel"], event["text"]

    def wait(self, now: float) -> float:
        """There is no limit for all calls together."""
        return 0.0

    def wait_in(self, chat: str, calls: Sequence[float], now: float, call: Call) -> float:
        """Posts are limited per channel, edits in the workspace."""
        if call.is_end:
            return self._edits.wait(now) if call.edit else _burst(calls, now)
        if call.edit:
            return self._edits.wait(now, self.EDITS - self._early)
        return _burst(calls, now) if self._early < self.EDITS * 0.8 else 1.0

    def begin(self, call: Call) -> None:
        """A call leaves."""
        if call.edit:
            self._edits.begin()
        if call.edit and call.is_end:
            self._early -= 1
        elif not call.edit and not call.is_end:
            self._early += 1

    def end(self, call: Call) -> None:
        """It was answered."""
        if call.edit:
            self._edits.end()

    async def send(self, chat: str, text: str) -> str:
        """`chat.postMessage`."""
        blocks = [{"type": "markdown", "text": text}]
        answer = await self._call("chat.postMessage", channel=chat, text=text, blocks=blocks)
        return str(answer["ts"])

    async def edit(self, chat: str, id: str, text: str) -> None:
        """`chat.update`."""
        blocks = [{"type": "markdown", "text": text}]
        await self._call("chat.update", channel=chat, ts=id, text=text, blocks=blocks)
