"""The composition root: builds store, client and platforms, and runs them; knows every part."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pydantic import SecretStr

from bot import collector
from bot.api.settings import ApiSettings
from bot.config import AccessSettings, Config
from bot.core.access import Gate
from bot.core.clock import SystemClock
from bot.core.commands import COMMANDS
from bot.core.engine.lanes import Lanes
from bot.core.engine.router import Router
from bot.core.ports import Platform, Web
from bot.core.services import Services
from bot.platforms.slack.settings import SlackSettings
from bot.platforms.telegram.settings import TelegramSettings
from bot.services import open_services
from bot.serving import serve, stopped_by_signals
from bot.store.settings import StorageSettings

if TYPE_CHECKING:
    from bot.web.server import WebServer


async def run(config: Config) -> None:
    """Serve every configured platform until SIGTERM or SIGINT. Raises `BotError`."""
    clock, stop = SystemClock(), asyncio.Event()
    with stopped_by_signals(stop):
        async with open_services(config, config.api, clock) as services:
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
                await serve(lanes, services, platforms, stop, connected)


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
        services = await stack.enter_async_context(open_services(config, settings, clock))
        platforms: dict[str, Platform] = {}
        lanes = engine(config, services, platforms)
        terminal = console.connect(wait_until_answered=lanes.answered)
        platforms[terminal.name] = terminal
        await serve(lanes, services, platforms, stop, set())
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
        stack.enter_context(stopped_by_signals(stop))
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
        services = await stack.enter_async_context(open_services(everything, settings, clock))
        platforms = {each.name: each for each in connect_platforms(everything, services)}
        tell(made_up.address)
        lanes = engine(everything, services, platforms)
        await serve(lanes, services, platforms, stop, set())


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
