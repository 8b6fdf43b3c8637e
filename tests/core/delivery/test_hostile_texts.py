"""Texts that a model in a loop writes, or somebody has it write: nobody else may wait for them."""

from __future__ import annotations

import gc
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from bot.core.delivery.cells import with_cells
from bot.core.delivery.markdown import code_blocks
from bot.core.delivery.partial import settle
from bot.core.delivery.split import pages

LIMIT = 4096
USUAL = "- an item with *some* words\n\nWords of the usual kind.\n\n```\ncode\n```\n\n" * 120
TIMES = 100
"""More than any of these takes of what a usual text does, and little of what they took once: some,
for ever."""
LEAST = 1.0
"""Seconds that any work may take: some find nothing at all to do in a usual text."""
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
    "bold without end": "**a " * 5000,
    "formulas without end": "\\(x" * 5000,
    "formulas without end in a table": "| a |\n|---|\n|" + "\\(a|b" * 8000,
    "a fence far to the right": " " * 6000 + "```\ncode\n",
}


def look_at(text: str) -> None:
    """What is done with a text while it is being written."""
    assert text.startswith(settle(text))
    list(code_blocks(text))
    with_cells(text)


def cut(text: str) -> list[str]:
    return list(pages(text, LIMIT))


def seconds(work: Callable[[str], object], text: str) -> float:
    """How long the processor works at it."""
    began = time.process_time()
    work(text)
    return time.process_time() - began


@contextmanager
def at_once(work: Callable[[str], object]) -> Iterator[None]:
    """Fail when the block takes long beside this work at a usual text; also when it never ends.

    What counts is the time of the processor, so it does not matter what else the machine does; and
    not what the collector of garbage takes for all that the tests before have left.
    """
    limit = max(LEAST, TIMES * min(seconds(work, USUAL) for _ in range(3)))

    def give_up(number: int, frame: object) -> None:
        raise AssertionError(f"it takes more than {limit:.2f} s")

    before = signal.signal(signal.SIGVTALRM, give_up)
    gc.disable()
    signal.setitimer(signal.ITIMER_VIRTUAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
        gc.enable()


@pytest.mark.unwatched
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_being_written_is_looked_at_in_no_time(text: str) -> None:
    with at_once(look_at):
        look_at(text)


@pytest.mark.unwatched
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_it_becomes_few_pages_that_hold_all_of_it(text: str) -> None:
    with at_once(cut):
        found = cut(text)
    assert len(found) <= 2 + 2 * len(text) // LIMIT
    assert all(len(page) <= LIMIT for page in found)
    assert sum(len("".join(page.split())) for page in found) >= len("".join(text.split()))
