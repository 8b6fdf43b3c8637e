"""Socket Mode: envelopes over WebSockets, acknowledged one by one, delivered again when not.

Source: docs.slack.dev, "Using Socket Mode" and "Events API: retries": an event that is not
acknowledged within 3 s is sent again at once, after 1 min and after 5 min; slash commands and
interactions are sent once.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout, WSMsgType, web

from bot.core.clock import within
from bot.core.errands import Errands
from bot.core.ports import Clock
from bot.sandbox.slack.state import Json

ACK_SECONDS = 3.0
RETRIES = (0.0, 60.0, 300.0)
"""Seconds to wait before each redelivery, once the time for the ack has passed."""


@dataclass(slots=True)
class Envelope:
    """One thing to tell the bot. Each delivery has an id of its own; acking any of them will do."""

    kind: str
    payload: Json
    attempt: int = 0
    reason: str = ""
    acked: bool = False
    answer: Json | None = None
    sent: bool = False


class Sockets:
    """The open connections of the app and what is on its way to it.

    `deaf` plays a network that swallows everything: the sockets stay open, nothing passes. With
    `webhook`, an address, everything is posted there instead, signed with `secret`.
    """

    def __init__(self, clock: Clock, changed: Callable[[], None]) -> None:
        self.envelopes: list[Envelope] = []
        self._tickets: set[str] = set()
        self.opened = 0
        self.deaf = False
        self.webhook = ""
        self.secret = ""
        self._clock = clock
        self._changed = changed
        self._numbers = itertools.count(1)
        self._delivered: dict[str, Envelope] = {}
        self._open: list[web.WebSocketResponse] = []
        self._errands = Errands()

    @property
    def connected(self) -> int:
        """How many connections are open."""
        return len(self._open)

    @property
    def unacked(self) -> list[Envelope]:
        """What the bot has not acknowledged."""
        return [e for e in self.envelopes if not e.acked]

    def ticket(self) -> str:
        """A ticket for one connection."""
        ticket = f"ticket-{next(self._numbers)}"
        self._tickets.add(ticket)
        return ticket

    def tell(self, kind: str, payload: Json) -> Envelope:
        """Send something to the bot, now or when it connects."""
        envelope = Envelope(kind, payload)
        self.envelopes.append(envelope)
        self._changed()
        self._errands.send(self._deliver(envelope))
        return envelope

    def resend(self, envelope: Envelope) -> None:
        """Deliver an envelope once more, acknowledged or not: Slack sometimes does."""
        if envelope.sent:
            envelope.attempt += 1
            envelope.reason = "timeout"
        self._errands.send(self._send(envelope))

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One connection, from hello to its end."""
        if request.query.get("ticket") not in self._tickets:
            return web.Response(status=401)
        self._tickets.discard(request.query["ticket"])
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        await socket.send_json(
            {
                "type": "hello",
                "num_connections": len(self._open) + 1,
                "debug_info": {"host": "sandbox", "approximate_connection_time": 18060},
                "connection_info": {"app_id": "A0CHINWAG"},
            }
        )
        self._open.append(socket)
        self.opened += 1
        self._changed()
        for envelope in self.unacked:
            if envelope.kind == "events_api":
                self.resend(envelope)
        try:
            async for message in socket:
                if self.deaf:
                    continue
                if message.type is WSMsgType.PING:
                    await socket.pong(message.data)
                elif message.type is WSMsgType.TEXT:
                    self._hear(json.loads(message.data))
        finally:
            self._open.remove(socket)
            self._changed()
        return socket

    async def refresh(self) -> None:
        """Ask the bot to reconnect, as Slack does every few hours."""
        for socket in list(self._open):
            await socket.send_json(
                {"type": "disconnect", "reason": "refresh_requested", "debug_info": {}}
            )

    async def disconnect(self) -> None:
        """Break every connection without a word."""
        for socket in list(self._open):
            await socket.close()

    async def close(self) -> None:
        """End all deliveries and connections."""
        await self._errands.close()
        await self.disconnect()

    # ------------------------------------------------------------ deliveries

    async def _deliver(self, envelope: Envelope) -> None:
        await self._send(envelope)
        if envelope.kind != "events_api":
            return
        for pause in RETRIES:
            await self._clock.sleep(ACK_SECONDS + pause)
            if envelope.acked:
                return
            self.resend(envelope)

    async def _post(self, envelope: Envelope) -> None:
        """Post what a socket would bring; a 2xx within 3 s is the acknowledgement."""
        body, kind = _as_posted(envelope)
        stamp = str(int(time.time()))
        signed = f"v0:{stamp}:{body}".encode()
        digest = hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": kind,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={digest}",
        }
        if envelope.attempt:
            headers["X-Slack-Retry-Num"] = str(envelope.attempt)
            headers["X-Slack-Retry-Reason"] = envelope.reason
        envelope.sent = True
        with suppress(ClientError):  # it comes again, as one that is late
            await within(self._clock, ACK_SECONDS, self._exchange(envelope, body, headers))
        self._changed()

    async def _exchange(self, envelope: Envelope, body: str, headers: dict[str, str]) -> None:
        async with (
            ClientSession(timeout=ClientTimeout()) as session,
            session.post(self.webhook, data=body, headers=headers) as answer,
        ):
            envelope.acked |= answer.ok
            envelope.answer = {"text": await answer.text()}

    async def _send(self, envelope: Envelope) -> None:
        if self.webhook and not self.deaf:
            await self._post(envelope)
            return
        if not self._open or self.deaf:
            return
        number = f"envelope-{next(self._numbers)}"
        self._delivered[number] = envelope
        frame: Json = {
            "envelope_id": number,
            "type": envelope.kind,
            "payload": envelope.payload,
            "accepts_response_payload": envelope.kind != "events_api",
        }
        if envelope.kind == "events_api":
            frame |= {"retry_attempt": envelope.attempt, "retry_reason": envelope.reason}
        envelope.sent = True
        with suppress(ConnectionError):  # it broke: the next one gets it
            await self._open[-1].send_json(frame)

    def _hear(self, frame: Json) -> None:
        envelope = self._delivered.get(str(frame.get("envelope_id")))
        if envelope is not None:
            envelope.acked = True
            envelope.answer = frame.get("payload")
            self._changed()


def _as_posted(envelope: Envelope) -> tuple[str, str]:
    """Body and content type: events as JSON, commands as a form, presses as JSON in a form."""
    form = "application/x-www-form-urlencoded"
    match envelope.kind:
        case "slash_commands":
            return urlencode(envelope.payload), form
        case "interactive":
            return urlencode({"payload": json.dumps(envelope.payload)}), form
        case _:
            return json.dumps(envelope.payload), "application/json; charset=utf-8"
