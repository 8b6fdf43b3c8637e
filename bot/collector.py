"""Python's garbage collector, told what a service is."""

from __future__ import annotations

import gc

YOUNG = 20_000
MIDDLE = 20
OLD = 50
"""When to look for garbage: Python's own numbers are for scripts. An answer being written is some
hundred objects that live for a minute; with hundreds of answers the collector would look through
all of them several times a second, and nothing moves meanwhile (75 ms, measured)."""


def settle() -> None:
    """The start is over: what is there now stays, and what comes is looked through less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
