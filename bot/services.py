"""Builds the `Services` of a running bot from its configuration: database, API, media."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import tzinfo
from functools import lru_cache

from bot.api.settings import ApiSettings
from bot.config import Config
from bot.core.calibration import Calibrations
from bot.core.chart import Chart
from bot.core.commands import COMMANDS
from bot.core.defaults import Defaults
from bot.core.errands import Errands, cancel
from bot.core.facts import Notebook
from bot.core.formats import Formats, FormatsOf
from bot.core.limits.budget import Budget
from bot.core.limits.calendar import Calendar
from bot.core.ports import Clock, PictureFitter
from bot.core.services import Services
from bot.core.stores import Stores
from bot.core.upkeep import keep_small

PICTURES_AT_ONCE = 2


@asynccontextmanager
async def open_services(
    config: Config, api_settings: ApiSettings, clock: Clock
) -> AsyncGenerator[Services]:
    """Open everything outside that work needs, for the block. Raises `BotError`."""
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
        stack.push_async_callback(cancel, asyncio.create_task(client.prepare()))
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
            calibrations=Calibrations(clock, notebook=notebook, address=api_settings.base_urls[0]),
            formats=_formats(config.quota.zone),
            budget=Budget(
                stores.ledger, quotas=config.quota.quotas(), calendar=calendar, clock=clock
            ),
            defaults=Defaults(
                model=api_settings.model,
                image_model=api_settings.image_model,
                transcription_model=api_settings.transcription_model,
                hidden_models=api_settings.hidden_models,
                streaming=config.telegram.streaming,
                rich="on" if config.telegram.rich else "off",
                **config.chat.values(),
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
    """A few pictures at a time: a small file may be one of hundreds of megabytes, and of a minute.

    So those that take long are not waited for by the others.
    """
    quick, apart = asyncio.Semaphore(PICTURES_AT_ONCE), asyncio.Semaphore(PICTURES_AT_ONCE)

    async def fit(data: bytes) -> tuple[str, bytes]:
        from bot.media.image import fit_picture  # Pillow is loaded with the first picture

        return await fit_picture(data, quick=quick, apart=apart)

    return fit
