"""The whole bot in one process: platform in memory, real database, real client, scripted API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import TypedDict, Unpack

from bot import api as api_room
from bot.api.settings import ApiSettings, ModelSettings
from bot.config import ChatDefaults
from bot.core.access import Access, Gate
from bot.core.calibration import Calibrations
from bot.core.capabilities import Capabilities
from bot.core.clock import SystemClock
from bot.core.commands import COMMANDS
from bot.core.commands.table import CommandTable
from bot.core.defaults import Defaults
from bot.core.engine.lanes import Lanes
from bot.core.engine.router import Router
from bot.core.facts import Notebook
from bot.core.fakes.platform import ANN, CHAT, FAKE_CAPABILITIES, FakePlatform
from bot.core.limits.budget import Budget, Quotas
from bot.core.limits.calendar import UTC_CALENDAR, Calendar
from bot.core.ports import Clock, Platform
from bot.core.services import Services
from bot.core.types import ChatRef, Event, Happening, IncomingMessage, Sender
from bot.formats import BabelFormats
from bot.media.audio import AudioPreparer
from bot.media.chart import draw_chart
from bot.media.documents import ChildReader
from bot.media.image import fit_picture
from bot.sandbox.openai import ScriptedApi, serve_scripted
from bot.store import StorageSettings, open_store
from tests.patience import PATIENCE, until

QUICK = replace(FAKE_CAPABILITIES, update_interval=0.01)
DEFAULTS = Defaults(
    model="gpt-4o-mini",
    image_model="gpt-image-1",
    transcription_model="whisper-1",
    **ChatDefaults(
        system_prompt="Be brief.",
        patience=0.0,  # most tests want to see an error at once
        together=False,  # most tests look at one message and its answer
    ).values(),
)
TOGETHER = replace(DEFAULTS, together=True)
SLOW = "slow answer " * 20
"""An answer that is held long before its end."""


@dataclass(kw_only=True)
class House:
    """A running bot. What people do goes in by `say` and friends; `screen` is what they see."""

    platform: FakePlatform
    api: ScriptedApi
    lanes: Lanes
    services: Services

    async def happen(self, *events: Happening) -> None:
        """Something happens, and is taken in; what comes of it goes on."""
        for event in events:
            await self.lanes.sink(event)

    async def tell(self, event: Event, chat: ChatRef = CHAT) -> list[str]:
        """Something happens; returns what stands in the chat when all is done."""
        await self.happen(event)
        return await self.answered(chat)

    async def titled(self, *titles: str, chat: ChatRef = CHAT) -> None:
        """Wait until the conversations have these titles, the latest first."""

        async def are_titled() -> bool:
            listed = await self.services.stores.archive.listed(chat)
            return tuple(each.title for each in listed) == titles

        await until(are_titled)

    async def answered(self, chat: ChatRef = CHAT) -> list[str]:
        """Wait for all that comes of what has happened; returns what stands in the chat then."""
        async with asyncio.timeout(PATIENCE):
            await self.lanes.answered(chat)
        return self.platform.kept(chat)

    async def write(
        self, *texts: str, chat: ChatRef = CHAT, sender: Sender = ANN, group: bool = False
    ) -> list[IncomingMessage]:
        """Somebody writes one message after the other, and waits for nothing."""
        message = partial(self.platform.message, chat=chat, sender=sender, group=group)
        messages = [message(text) for text in texts]
        await self.happen(*messages)
        return messages

    @asynccontextmanager
    async def answering(
        self, question: str | Event = "first", *, shows: str = "slow"
    ) -> AsyncGenerator[None]:
        """A question is being answered, as far as is shown, while the block runs."""
        with self.api.held():
            message = self.platform.message(question) if isinstance(question, str) else question
            await self.happen(message)
            await self.sees(shows)
            yield

    async def say(self, text: str, *, chat: ChatRef = CHAT, sender: Sender = ANN) -> list[str]:
        """Somebody writes, and waits for what comes of it."""
        return await self.tell(self.platform.message(text, chat=chat, sender=sender), chat)

    async def press(self, label: str, *, sender: Sender = ANN) -> list[str]:
        """Somebody presses a button, and waits for what comes of it."""
        return await self.tell(self.platform.press(label, sender=sender))

    async def sees(self, word: str, chat: ChatRef = CHAT) -> None:
        """Wait until a text that holds this word stands in the chat."""
        await until(lambda: any(word in text for text in self.platform.screen(chat)))

    async def vanishes(self, word: str) -> None:
        """Wait until no text in the chat holds this word."""
        await until(lambda: not any(word in text for text in self.platform.screen()))

    def asked(self, number: int = -1) -> list[tuple[str, object]]:
        """What the model was asked in a request: role and content of each message."""
        body = self.api.traffic.to("/chat/completions")[number].json
        messages = body["messages"]
        assert isinstance(messages, list)
        return [(message["role"], message["content"]) for message in messages]

    def asked_for(self, words: str) -> list[tuple[str, object]]:
        """The same of the first request that ends with these words: chores may have come after."""
        requests = range(len(self.api.traffic.to("/chat/completions")))
        return next(a for a in map(self.asked, requests) if str(a[-1][1]).endswith(words))


class Options(TypedDict, total=False):
    """What may be different from house to house."""

    access: Access
    defaults: Defaults
    quotas: Quotas
    calendar: Calendar
    prices: dict[str, ModelSettings] | None
    retries: int
    remember_answers: float
    first_event_timeout: float
    part_seconds: float
    list_prices: bool
    commands: CommandTable
    storage: StorageSettings
    waiting_per_chat: int
    waiting_in_all: int
    lease: float
    clock: Clock
    api: ScriptedApi


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A running bot behind any platform."""

    api: ScriptedApi
    lanes: Lanes
    services: Services


@asynccontextmanager
async def open_engine(
    folder: Path,
    platform: Platform,
    *,
    access: Access = Access(open=True),  # noqa: B008 - frozen
    defaults: Defaults = DEFAULTS,
    quotas: Quotas = Quotas(),  # noqa: B008 - frozen
    calendar: Calendar = UTC_CALENDAR,
    prices: dict[str, ModelSettings] | None = None,
    retries: int = 0,
    remember_answers: float = 0.0,
    first_event_timeout: float = PATIENCE,
    part_seconds: float = 600,  # of a recording that is heard in parts
    list_prices: bool = False,  # else a model's window and price are known by its name
    commands: CommandTable = COMMANDS,
    storage: StorageSettings | None = None,
    waiting_per_chat: int = 5,
    waiting_in_all: int = 1000,
    lease: float = 10 * PATIENCE,  # else what one bot did not hear of the other is noticed so
    clock: Clock = SystemClock(),  # noqa: B008 - it has no state
    api: ScriptedApi | None = None,  # else one of its own
) -> AsyncGenerator[Engine]:
    """Run the bot behind a platform over a database in `folder`, or another one."""
    async with nullcontext(api) if api else serve_scripted() as api:
        settings = ApiSettings(
            base_urls=(api.url,),
            retries=retries,
            remember_answers=remember_answers,
            first_event_timeout=first_event_timeout,
            list_prices=list_prices,
            models=prices or {},
        )
        in_folder = StorageSettings(url=f"sqlite:///{folder}/house.db", busy_timeout=0.2)
        storage = storage or in_folder
        async with open_store(
            storage,
            waiting_per_chat=waiting_per_chat,
            waiting_in_all=waiting_in_all,
            lease=lease,
            clock=clock,
            calendar=calendar,
        ) as stores:
            notebook = Notebook(stores.facts, clock)
            await notebook.open()
            client = api_room.connect(settings, clock=clock, notebook=notebook)
            services = Services(
                stores=stores,
                api=client,
                audio=AudioPreparer(longest=part_seconds),
                documents=ChildReader(),
                fit_picture=fit_picture,
                draw_chart=draw_chart,
                clock=clock,
                count_tokens=api_room.RememberingCounter(),
                calibrations=Calibrations(clock, notebook=notebook, address=api.url),
                formats=lambda tag: BabelFormats(tag, UTC),
                budget=Budget(stores.ledger, quotas=quotas, calendar=calendar, clock=clock),
                defaults=defaults,
                commands=commands.commands,
            )
            gate = Gate(access, clock, platform.places, stores.grants)
            lanes = Lanes(
                platforms={platform.name: platform},
                services=services,
                gate=gate,
                router=Router(gate, commands),
            )
            engine = asyncio.create_task(lanes.run())
            try:
                yield Engine(api=api, lanes=lanes, services=services)
            finally:
                await lanes.drain(0.1)
                engine.cancel()
                await asyncio.wait({engine})
                await client.close()
                await notebook.close()


@asynccontextmanager
async def open_house(
    folder: Path,
    *,
    platform: FakePlatform | None = None,
    capabilities: Capabilities = QUICK,
    **options: Unpack[Options],
) -> AsyncGenerator[House]:
    """Run the bot over a database in `folder`; opened again there, it goes on where it was."""
    platform = platform or FakePlatform(capabilities, clock=SystemClock())
    platform.strict = False  # what waits is told beside the answer: the wire keeps the order
    async with open_engine(folder, platform, **options) as engine:
        yield House(platform=platform, api=engine.api, lanes=engine.lanes, services=engine.services)
