"""How strict a server of the sandbox is about the limits of its platform."""

from __future__ import annotations

from enum import Enum


class Mode(Enum):
    """Set at any time."""

    OFF = "off"
    ON = "on"
    HARD = "hard"  # the wait doubles with every call made while blocked
