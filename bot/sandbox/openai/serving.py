"""Puts a server and its models together: scripted for tests, local for people without a key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.core.clock import SystemClock
from bot.core.ports import Clock
from bot.sandbox.openai.faults import Faults
from bot.sandbox.openai.scripted import Script, ScriptedBackend
from bot.sandbox.openai.server import ServerOptions, serve
from bot.sandbox.openai.traffic import Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedApi:
    """A running scripted API: where it is, what it says, what goes wrong, what it saw."""

    url: str
    script: Script
    faults: Faults
    traffic: Traffic


@asynccontextmanager
async def serve_scripted(
    *, port: int = 0, key: str = "", max_in_flight: int = 0, clock: Clock | None = None
) -> AsyncIterator[ScriptedApi]:
    """Serve a scripted model. See `ServerOptions` for the arguments."""
    clock = clock or SystemClock()
    options = ServerOptions(port=port, key=key, max_in_flight=max_in_flight, clock=clock)
    script = Script()
    async with serve(ScriptedBackend(script, clock), options) as url:
        yield ScriptedApi(url=url, script=script, faults=options.faults, traffic=options.traffic)
