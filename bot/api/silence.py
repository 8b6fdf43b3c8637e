"""Tells a server that is dead behind an open port from one whose model thinks.

A model may think for minutes, and what is given up is paid all the same. But a server that lives
can say at any time which models it has, and that costs nothing. So one for which somebody waits,
and from which nobody has heard anything for a while, is asked that. One that does not even say this
(a load balancer that swallows what it gets, a process that hangs) is left alone: who waits for it
goes on to another server or, where there is none, is told. It is asked again from time to time, so
that nobody has to wait in vain for it to be found alive.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from bot.api.endpoints import Endpoint, Endpoints
from bot.api.failures.errors import CallFailed
from bot.api.http import Http, HttpRequest
from bot.core.errands import Errands
from bot.core.phrases import Phrase
from bot.errors import ModelErrorKind

QUIET = 20.0
"""Seconds without a sign of life after which a server is asked for one. Connections that are idle
for so long are closed: it is asked over a new one."""
SECONDS = 8.0
"""How long it has to give one."""


@dataclass(slots=True, eq=False)
class Wait:
    """Somebody waits for a server, `since` then, until the `limit`, which is moved to end it.

    It is ended only where it `may_end` and there is another server; else the silence is `told`.
    """

    since: float
    limit: asyncio.Timeout
    may_end: bool
    told: Callable[[], None]


@dataclass(slots=True)
class _Watch:
    """Who waits for an endpoint, when it was asked last, and when it will be looked at."""

    waits: set[Wait] = field(default_factory=set)
    asked: float = -inf
    is_asked: bool = False
    timer: asyncio.TimerHandle | None = None


class Silence:
    """Watches the endpoints that are waited for. Times are the event loop's. `close` it."""

    def __init__(self, endpoints: Endpoints, http: Http) -> None:
        self._endpoints = endpoints
        self._http = http
        self._watches: dict[Endpoint, _Watch] = {}
        self._errands = Errands()

    def begin(self, endpoint: Endpoint, wait: Wait) -> None:
        """Somebody waits for an endpoint, until the `end`."""
        watch = self._watch(endpoint)
        watch.waits.add(wait)
        if endpoint.silent:  # it was chosen for want of another
            wait.told()
            self._ask_all_silent()
        elif watch.timer is None:
            self._look(endpoint)

    def end(self, endpoint: Endpoint, wait: Wait) -> None:
        """Nobody waits any more."""
        self._watch(endpoint).waits.discard(wait)

    def found(self, endpoint: Endpoint, failure: CallFailed) -> None:
        """Nothing comes from an endpoint, as somebody found out who waited."""
        if not endpoint.silent:
            self._endpoints.fell_silent(endpoint, failure.detail)
            self._ask(endpoint)

    async def close(self) -> None:
        """Ask nobody any more."""
        await self._errands.close()
        for watch in self._watches.values():
            if watch.timer is not None:
                watch.timer.cancel()

    def _watch(self, endpoint: Endpoint) -> _Watch:
        watch = self._watches.get(endpoint)
        if watch is None:
            watch = self._watches[endpoint] = _Watch()
        return watch

    def _look(self, endpoint: Endpoint) -> None:
        """Ask an endpoint for a sign of life when it is time; look again when it will be."""
        watch, loop = self._watch(endpoint), asyncio.get_running_loop()
        if watch.timer is not None:
            watch.timer.cancel()
            watch.timer = None
        if (due := _due(endpoint, watch)) > loop.time():
            watch.timer = loop.call_at(due, self._look, endpoint) if due < inf else None
        else:
            self._ask(endpoint)

    def _ask(self, endpoint: Endpoint) -> None:
        watch = self._watch(endpoint)
        if not watch.is_asked:
            watch.is_asked = True
            self._errands.send(self._find_out(endpoint, watch))

    def _ask_all_silent(self) -> None:
        for endpoint in list(self._watches):
            if endpoint.silent:
                self._ask(endpoint)

    async def _find_out(self, endpoint: Endpoint, watch: _Watch) -> None:
        loop = asyncio.get_running_loop()
        watch.asked = loop.time()
        try:
            why = await self._why_silent(endpoint.url)
        finally:
            watch.is_asked = False
        if not why:
            endpoint.heard = loop.time()
            self._endpoints.gave_sign(endpoint)
        elif endpoint.heard < watch.asked:
            self._endpoints.fell_silent(endpoint, why)
        self._look(endpoint)
        self._end_waits()

    async def _why_silent(self, url: str) -> str:
        """Why a server gave no sign of life; empty when it did. An error it tells of is one."""
        try:
            async with (
                asyncio.timeout(SECONDS),
                self._http.open(url, HttpRequest(path="/models")),
            ):
                return ""
        except TimeoutError:
            return Phrase("no answer in {seconds} s", seconds=f"{SECONDS:g}")
        except CallFailed as failure:
            return failure.detail if failure.kind is ModelErrorKind.UNREACHABLE else ""

    def _end_waits(self) -> None:
        """Let go on to another server who waits for one that is silent, or tell them."""
        now = asyncio.get_running_loop().time()
        for endpoint, watch in self._watches.items():
            if not endpoint.silent:
                continue
            is_elsewhere = self._endpoints.others([endpoint])
            for wait in list(watch.waits):
                if wait.may_end and is_elsewhere:
                    watch.waits.discard(wait)
                    wait.limit.reschedule(now)
                else:
                    wait.told()


def _due(endpoint: Endpoint, watch: _Watch) -> float:
    """When an endpoint is to be asked; never while nobody waits to know."""
    if watch.is_asked:
        return inf
    if endpoint.silent:
        return watch.asked + endpoint.rest
    since = min((wait.since for wait in watch.waits), default=inf)
    return max(since, endpoint.heard) + QUIET
