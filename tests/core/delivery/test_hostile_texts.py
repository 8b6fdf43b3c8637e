"""Texts that a model in a loop writes, or somebody has it write: nobody else may wait for them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.core.delivery.markdown import code_blocks
from bot.core.delivery.partial import settle
from bot.core.delivery.split import pages

LIMIT = 4096
SECONDS = 2.0
"""Many times what any of these takes, and little of what they took once: some, for ever."""
HOSTILE = {
    "quotes in quotes": "> " * 40 + "x",
    "blanks": " " * 6000 + "x!",
    "blanks in a table": "| a |\n|" + " " * 6000 + "-x",
    "tags": "<b>" * 6000,
    "blank lines in code": "```\n" + "\n" * 20_000,
    "marks on one letter": "e" + "\u0301" * 9000,
    "joiners": "\u200d" * 9000,
    "a fence without end": "`" * 3000,
    "waves without end": "~" * 3000,
    "a fence in quotes": "> " * 3000 + "```\ncode\n" * 3,
    "items in items": "- " * 3000 + "x",
    "tabs in a list": "- a\n" * 1200 + "\t" * 6000 + "x",
    "tabs before items": "".join("\t" * min(n, 100) + "- a\n" for n in range(400)),
    "a fence far to the right": " " * 6000 + "```\ncode\n",
}


@contextmanager
def at_once() -> Iterator[None]:
    """Fail when the block takes long; also when it would never end."""

    def give_up(number: int, frame: object) -> None:
        raise AssertionError(f"it takes more than {SECONDS:g} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_being_written_is_looked_at_in_no_time(text: str) -> None:
    with at_once():
        assert text.startswith(settle(text))
        list(code_blocks(text))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_it_becomes_few_pages_that_hold_all_of_it(text: str) -> None:
    with at_once():
        cut = list(pages(text, LIMIT))
    assert len(cut) <= 2 + 2 * len(text) // LIMIT
    assert all(len(page) <= LIMIT for page in cut)
    assert sum(len("".join(page.split())) for page in cut) >= len("".join(text.split()))
