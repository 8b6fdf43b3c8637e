"""The composition root: builds store, client and platforms, and runs them; knows every part."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import tzinfo
from functools import lru_cache
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pydantic import SecretStr

from bot import collector
from bot.api.settings import ApiSettings
from bot.config import AccessSettings, Config, require_platform
from bot.core.access import Gate
from bot.core.chart import Chart
from bot.core.clock import SystemClock
from bot.core.commands import COMMANDS
from bot.core.defaults import Defaults
from bot.core.engine.lanes import Lanes
from bot.core.engine.router import Router
from bot.core.errands import Errands
from bot.core.facts import Notebook
from bot.core.formats import Formats, FormatsOf
from bot.core.gauges import Gauges
from bot.core.limits.budget import Budget
from bot.core.limits.calendar import Calendar
from bot.core.ports import Clock, PictureFitter, Platform, Web
from bot.core.services import Services
from bot.core.stores import Stores
from bot.core.upkeep import keep_small
from bot.errors import PlatformError
from bot.platforms.slack.settings import SlackSettings
from bot.platforms.telegram.settings import TelegramSettings
from bot.store.settings import StorageSettings

if TYPE_CHECKING:
    from bot.web.server import WebServer

log = logging.getLogger(__name__)

DRAIN = 8.0
"""Seconds that running answers are given at the end; `docker stop` kills after ten."""
PUBLISH_AGAIN = 60.0
PICTURES_AT_ONCE = 2


async def run(config: Config) -> None:
    """Serve every configured platform until SIGTERM or SIGINT. Raises `BotError`."""
    require_platform(config)
    clock, stop = SystemClock(), asyncio.Event()
    with _signals(stop):
        async with _services(config, config.api, clock) as services:
            server, connected = _web(config), set[str]()
            platforms = {each.name: each for each in connect_platforms(config, services, server)}
            if server is not None and config.web.metrics:
                _measure(server, services, platforms, connected)
            collector.settle()
            lanes = engine(config, services, platforms)
            async with AsyncExitStack() as stack:
                if server is not None:
                    serving = server.running(lambda: connected == set(platforms))
                    await stack.enter_async_context(serving)
                await attend(lanes, services, platforms, stop, connected)


async def chat(config: Config) -> int:
    """Talk in the terminal; without a key, to a small model on this machine. Raises `BotError`.

    Returns the exit code: 0, or 1 when a question from a pipe could not be answered.
    """
    from bot.platforms import console

    clock, stop = SystemClock(), asyncio.Event()
    async with AsyncExitStack() as stack:
        settings = config.api
        if settings.key is None:
            settings = await stack.enter_async_context(_local_api(settings))
        # Whoever sits before the terminal, or a pipe, wants to know at once what is wrong.
        hasty = config.chat.model_copy(update={"patience": 0.0})
        config = config.model_copy(update={"chat": hasty})
        services = await stack.enter_async_context(_services(config, settings, clock))
        platforms: dict[str, Platform] = {}
        lanes = engine(config, services, platforms)
        terminal = console.connect(wait_until_answered=lanes.answered)
        platforms[terminal.name] = terminal
        await attend(lanes, services, platforms, stop)
    return 0


async def demo(config: Config, port: int, tell: Callable[[str], None]) -> None:
    """Serve a Telegram and a Slack of our own, shown in the browser, until SIGTERM or SIGINT.

    Everything is made up and forgotten at the end; without a key, a small model on this machine
    answers. `tell` is told the address. Raises `BotError`.
    """
    from bot.platforms.slack.manifest import manifest
    from bot.sandbox.demo import ADMINS, serve_demo

    clock, stop = SystemClock(), asyncio.Event()
    async with AsyncExitStack() as stack:
        stack.enter_context(_signals(stop))
        settings = config.api
        if settings.key is None:
            settings = await stack.enter_async_context(_local_api(settings))
        folder = stack.enter_context(TemporaryDirectory(prefix="chinwag-demo-"))
        app = manifest(COMMANDS.commands)
        commands = app["features"]["slash_commands"]
        made_up = await stack.enter_async_context(serve_demo(port, commands))
        telegram, slack = made_up.telegram, made_up.slack
        everything = config.model_copy(
            update={
                "telegram": TelegramSettings(
                    token=SecretStr(telegram.token), base_url=telegram.base_url
                ),
                "slack": SlackSettings(
                    bot_token=SecretStr(slack.bot_token),
                    app_token=SecretStr(slack.app_token),
                    base_url=slack.base_url,
                ),
                "storage": StorageSettings(url=f"sqlite:///{folder}/demo.db"),
                "access": AccessSettings(open=True, admins=ADMINS),
            }
        )
        services = await stack.enter_async_context(_services(everything, settings, clock))
        platforms = {each.name: each for each in connect_platforms(everything, services)}
        tell(made_up.address)
        await attend(engine(everything, services, platforms), services, platforms, stop)


@asynccontextmanager
async def _local_api(settings: ApiSettings) -> AsyncGenerator[ApiSettings]:
    """The settings of the embedded API, which runs inside the block."""
    from bot.sandbox.openai import serve_local
    from bot.sandbox.openai.local import IMAGE_MODEL, SPEECH_MODEL, TEXT_MODEL

    async with serve_local() as url:
        local = {
            "base_urls": (url,),
            "key": SecretStr("local"),
            "model": TEXT_MODEL,
            "image_model": IMAGE_MODEL,
            "transcription_model": SPEECH_MODEL,
        }
        yield settings.model_copy(update=local)


def _web(config: Config) -> WebServer | None:
    """The web server, where a platform posts its events to it, or somebody asks how things are."""
    slack_posts = config.slack.bot_token and config.slack.mode == "http"
    telegram_posts = config.telegram.token and config.telegram.mode == "webhook"
    if not slack_posts and not telegram_posts and not config.web.metrics:
        return None
    from bot.web.server import WebServer

    return WebServer(config.web)


def _measure(
    server: WebServer, services: Services, platforms: Collection[str], connected: Collection[str]
) -> None:
    from bot.web.metrics import PATH, LogCounter, Metrics

    counter = LogCounter()
    logging.getLogger("bot").addHandler(counter)
    metrics = Metrics(
        statistics=services.stores.statistics,
        ledger=services.stores.ledger,
        endpoints=services.api.endpoints,
        connected=lambda: {name: name in connected for name in platforms},
        said=counter.counts,
    )
    server.on_get(PATH, metrics.answer)


def connect_platforms(
    config: Config, services: Services, web: Web | None = None
) -> Sequence[Platform]:
    """The platforms whose token is there. No network yet. Raises `ConfigError`."""
    platforms: list[Platform] = []
    clock, stores = services.clock, services.stores
    if config.telegram.token:
        from bot.platforms import telegram

        platforms.append(telegram.connect(config.telegram, clock=clock, web=web))
    if config.slack.bot_token:
        from bot.platforms import slack

        platforms.append(
            slack.connect(
                config.slack, clock=clock, web=web, users=stores.users, turns=stores.turns
            )
        )
    return platforms


@asynccontextmanager
async def _services(
    config: Config, api_settings: ApiSettings, clock: Clock
) -> AsyncGenerator[Services]:
    from bot import api, store
    from bot.media.audio import AudioPreparer
    from bot.media.documents import ChildReader

    calendar = Calendar(zone=config.quota.zone)
    async with AsyncExitStack() as stack:
        stores: Stores = await stack.enter_async_context(
            store.open_store(config.storage, clock=clock, calendar=calendar)
        )
        notebook = Notebook(stores.facts, clock)
        await notebook.open()
        stack.push_async_callback(notebook.close)
        client = api.connect(api_settings, clock=clock, notebook=notebook)
        stack.push_async_callback(client.close)
        stack.push_async_callback(_end, asyncio.create_task(client.prepare()))
        errands = Errands()
        stack.push_async_callback(errands.close)
        errands.send(keep_small(stores.upkeep, clock))
        yield Services(
            stores=stores,
            api=client,
            audio=AudioPreparer(),
            documents=ChildReader(),
            fit_picture=_picture_fitter(),
            draw_chart=_draw_chart,
            clock=clock,
            count_tokens=api.RememberingCounter(),
            gauges=Gauges(clock, notebook=notebook, address=api_settings.base_urls[0]),
            formats=_formats(config.quota.zone),
            budget=Budget(
                stores.ledger, quotas=config.quota.quotas(), calendar=calendar, clock=clock
            ),
            defaults=Defaults(
                model=api_settings.model,
                image_model=api_settings.image_model,
                transcription_model=api_settings.transcription_model,
                system_prompt=config.chat.system_prompt,
                context_window=config.chat.context_window,
                reasoning=config.chat.reasoning,
                personas=config.chat.named_personas,
                hidden_models=api_settings.hidden_models,
                summary_model=config.chat.summary_model,
                streaming=config.telegram.streaming,
                rich="on" if config.telegram.rich else "off",
                together=config.chat.together,
                patience=config.chat.patience,
            ),
            commands=COMMANDS.commands,
        )


def _formats(zone: tzinfo) -> FormatsOf:
    @lru_cache(maxsize=64)
    def formats(tag: str) -> Formats:
        from bot.formats import BabelFormats  # Babel is loaded with the first figure

        return BabelFormats(tag, zone)

    return formats


async def _draw_chart(chart: Chart) -> bytes:
    from bot.media.chart import draw_chart

    return await draw_chart(chart)


def _picture_fitter() -> PictureFitter:
    """A few pictures at a time: a small file may be one of hundreds of megabytes."""
    places = asyncio.Semaphore(PICTURES_AT_ONCE)

    async def fit(data: bytes) -> tuple[str, bytes]:
        from bot.media.image import fit_picture  # Pillow is loaded with the first picture

        async with places:
            return await fit_picture(data)

    return fit


def engine(config: Config, services: Services, platforms: Mapping[str, Platform]) -> Lanes:
    """The lanes for these platforms; the mapping may still be filled before they run."""
    gate = Gate(
        config.access.access(),
        services.clock,
        lambda chat: platforms[chat.platform].places(chat),
        services.stores.grants,
    )
    router = Router(gate, COMMANDS)
    return Lanes(platforms=platforms, services=services, gate=gate, router=router)


async def attend(
    lanes: Lanes,
    services: Services,
    platforms: Mapping[str, Platform],
    stop: asyncio.Event,
    connected: set[str] | None = None,
) -> None:
    """Intake first, then what runs, then the connections: the order in which nothing is lost.

    `connected` is told which platforms are.
    """
    at = set() if connected is None else connected
    work = asyncio.create_task(lanes.run())
    intake = [asyncio.create_task(_attend(p, lanes, services, at)) for p in platforms.values()]
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({work, stopping, *intake}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        end = services.clock.monotonic() + DRAIN
        await _end(stopping, *intake)  # which takes a while when the database does not answer
        await lanes.drain(max(0.0, end - services.clock.monotonic()))
        await _end(work)
        for platform in platforms.values():
            await platform.close()
    for task in (work, *intake):
        if not task.cancelled():
            task.result()


async def _attend(
    platform: Platform, lanes: Lanes, services: Services, connected: set[str]
) -> None:
    ready = asyncio.Event()

    def is_connected() -> None:
        connected.add(platform.name)
        ready.set()

    publishing = asyncio.create_task(_publish(platform, services, ready))
    try:
        await platform.run(lanes.sink, is_connected)
    finally:
        connected.discard(platform.name)
        await _end(publishing)


async def _publish(platform: Platform, services: Services, ready: asyncio.Event) -> None:
    """Tell the platform the commands once it is connected; a menu is worth a few tries."""
    await ready.wait()
    log.info("connected", extra={"platform": platform.name})
    for _ in range(5):
        try:
            return await platform.publish(services.menu)
        except PlatformError as error:
            log.warning(
                "commands not published",
                extra={"platform": platform.name, "error": repr(error)},
            )
            await services.clock.sleep(PUBLISH_AGAIN)
    return None


async def _end(*tasks: asyncio.Task[object] | asyncio.Task[None]) -> None:
    """Cancel tasks and wait for them; what they raised stays with them."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """The first SIGTERM or SIGINT ends in good order, the second at once."""
    loop = asyncio.get_running_loop()

    def handle(number: int) -> None:
        if stop.is_set():
            os._exit(128 + number)
        log.info("stopping", extra={"signal": signal.Signals(number).name})
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, handle, number)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
