"""What a running server of the sandbox's API knows."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field

from bot.sandbox.openai.backend import Backend
from bot.sandbox.openai.faults import Faults
from bot.sandbox.openai.traffic import Traffic

_MAX_PICTURES = 100


@dataclass(slots=True, kw_only=True)
class ServerState:
    """What all calls of a server share. `origin` is the server's URL without a path.

    `key`: the only key accepted; empty accepts every key, and none. More than `max_in_flight`
    requests at a time are refused with 429; 0 is no limit. `pictures` are served at `/files/NAME`
    for answers that name a URL; old ones are forgotten.
    """

    backend: Backend
    key: str = ""
    max_in_flight: int = 0
    traffic: Traffic = field(default_factory=Traffic)
    faults: Faults = field(default_factory=Faults)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    origin: str = ""
    pictures: dict[str, bytes] = field(default_factory=dict)

    def publish(self, png: bytes) -> str:
        """The URL at which the picture can be fetched from now on."""
        name = f"{uuid.uuid4().hex}.png"
        self.pictures[name] = png
        if len(self.pictures) > _MAX_PICTURES:
            del self.pictures[next(iter(self.pictures))]
        return f"{self.origin}/files/{name}"
