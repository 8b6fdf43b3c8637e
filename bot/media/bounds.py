"""The limits of a process that works on a file."""

from __future__ import annotations

import os
import resource

LARGEST_FILE = 50_000_000
"""Bytes of a file that it may write."""


def bound(*, memory: int, seconds: int) -> None:
    """Let the system end this process before it harms the bot."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    os.nice(5)
