"""A process that works on a file: what it is told, its limits, and its answer."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bot.errors import MediaError, MediaErrorKind

LARGEST_FILE = 50_000_000
"""Bytes of a file that it may write."""


def carry_out(order: str, work: Callable[[dict[str, Any]], dict[str, object]]) -> None:
    """Do what an order says, within its limits; the answer stands on standard output, also in JSON.

    It is an error if the work raises `MediaError`, or finds no memory.
    """
    wanted = json.loads(order)
    bound(memory=wanted["memory"], seconds=wanted["seconds"])
    try:
        answer = work(wanted)
    except MediaError as error:
        answer = {"error": error.kind.value, "detail": error.detail}
    except MemoryError:
        answer = {"error": MediaErrorKind.TOO_LARGE.value, "detail": "memory"}
    sys.stdout.write(json.dumps(answer))


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
