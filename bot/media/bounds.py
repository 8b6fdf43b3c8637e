"""The limits of a process that works on a file."""

from __future__ import annotations

import os
import resource
import signal
from contextlib import suppress

LARGEST_FILE = 50_000_000
"""Bytes of a file that it may write."""


def bound(*, memory: int, seconds: int) -> None:
    """Let the system end this process before it harms the bot, and nobody but the bot before that.

    A limit that the system does not know (macOS has none of addresses) is left out.
    """
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: LARGEST_FILE,
    }
    for limit, most in limits.items():
        _, allowed = resource.getrlimit(limit)
        least = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
        with suppress(ValueError, OSError):
            resource.setrlimit(limit, (least, least))
    os.nice(5)
    # systemd and a terminal tell every process that the bot ends, which still finishes its work.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
