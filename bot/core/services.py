"""Everything outside that work needs, in one object."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.core.calibration import Calibrations
from bot.core.chart import ChartPainter
from bot.core.defaults import Defaults
from bot.core.formats import FormatsOf
from bot.core.limits.budget import Budget
from bot.core.ports import AudioTools, Clock, DocumentReader, ModelApi, PictureFitter, TokenCounter
from bot.core.stores import Stores
from bot.core.types import CommandInfo

LARGE_FILES = 2
"""Large files that are here at a time: in a container they may lie in its memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the composition root puts together, once."""

    stores: Stores
    api: ModelApi
    audio: AudioTools
    fit_picture: PictureFitter
    documents: DocumentReader
    clock: Clock
    count_tokens: TokenCounter
    calibrations: Calibrations
    formats: FormatsOf
    budget: Budget
    draw_chart: ChartPainter
    defaults: Defaults
    commands: Sequence[CommandInfo]
    """All commands, as `/help` and the platforms' menus list them."""
    large_files: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LARGE_FILES))

    @property
    def menu(self) -> Sequence[CommandInfo]:
        """The commands that anybody may use: what a platform's menu shows."""
        return [info for info in self.commands if not info.admin]
