"""Gives the logging of the test process back as it was."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def logging_restored() -> Iterator[None]:
    """Undo what `configure_logging` does in the block."""
    root, ours = logging.getLogger(), logging.getLogger("bot")
    handlers, levels, hook = root.handlers[:], (root.level, ours.level), sys.excepthook
    try:
        yield
    finally:
        root.handlers[:], sys.excepthook = handlers, hook
        root.setLevel(levels[0])
        ours.setLevel(levels[1])
        logging.captureWarnings(False)
