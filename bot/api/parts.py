"""What the clients of all endpoints are made of, and share."""

from __future__ import annotations

from dataclasses import dataclass

from bot.api.attempts import Attempts
from bot.api.downloads import Downloads
from bot.api.http import Http
from bot.api.learning.lessons import Lessons
from bot.api.settings import ApiSettings
from bot.core.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of one client."""

    settings: ApiSettings
    http: Http
    attempts: Attempts
    lessons: Lessons
    downloads: Downloads
    clock: Clock
