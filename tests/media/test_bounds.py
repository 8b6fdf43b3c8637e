"""The limits of the processes that work on files, on systems of several kinds."""

from __future__ import annotations

import subprocess
import sys

import pytest

BOUND = """
import os, resource, signal
from bot.media.bounds import bound

{before}
bound(memory=10**9, seconds=5)
{after}
print("alive")
"""
LESS_ALLOWED = """
for limit in (resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_AS):
    resource.setrlimit(limit, (4, 4) if limit == resource.RLIMIT_CPU else (8 * 10**8, 8 * 10**8))
"""
AS_IN_MACOS = """
real = resource.setrlimit

def setrlimit(limit, values):
    if limit == resource.RLIMIT_AS:
        raise ValueError("current limit exceeds maximum limit")
    real(limit, values)

resource.setrlimit = setrlimit
"""
SIGNALLED = """
for number in (signal.SIGTERM, signal.SIGINT):
    os.kill(os.getpid(), number)
"""
BOUNDED = """
assert resource.getrlimit(resource.RLIMIT_CPU)[1] <= 5
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [("", SIGNALLED), (LESS_ALLOWED, BOUNDED), (AS_IN_MACOS, BOUNDED)],
    ids=["the bot is told to end", "less is allowed", "a limit is unknown"],
)
def test_the_work_goes_on(before: str, after: str) -> None:
    child = [sys.executable, "-c", BOUND.format(before=before, after=after)]
    done = subprocess.run(child, capture_output=True, text=True, check=False)
    assert done.stdout == "alive\n", done.stderr
