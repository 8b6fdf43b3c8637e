"""An exception as the log shows it: how it came about, without what people may have written.

Python and libraries quote what they cannot take: `ValueError: invalid literal for int(): 'hello'`.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from textwrap import indent

from bot.errors import BotError

QUOTES_NOBODY = (
    BotError,
    AssertionError,
    AttributeError,
    BaseExceptionGroup,
    ImportError,
    IndexError,
    MemoryError,
    NameError,
    RecursionError,
    TypeError,
    ZeroDivisionError,
)
"""Exceptions whose message is about the code."""
LEFT_OUT = "(what it says is logged at the level debug only)"


def format_exception(error: BaseException, *, quoting: bool) -> str:
    """The traceback in Python's form, with those of its causes and of a group's members.

    Without `quoting`, a message that may quote somebody is left out.
    """
    return "\n".join(_lines(error, quoting, set()))


def _lines(error: BaseException, quoting: bool, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    before, link = error.__cause__, "The above exception was the direct cause of this one:"
    if before is None and not error.__suppress_context__:
        before, link = error.__context__, "While the above exception was handled, this one came:"
    if before is not None and id(before) not in seen:
        yield from _lines(before, quoting, seen)
        yield f"\n{link}\n"
    if error.__traceback__ is not None:
        yield "Traceback (most recent call last):"
        yield "".join(traceback.format_tb(error.__traceback__)).rstrip("\n")
    yield _last_line(error, quoting)
    if isinstance(error, BaseExceptionGroup):
        for number, member in enumerate(error.exceptions, start=1):
            yield f"  {number}. of {len(error.exceptions)}:"
            yield indent("\n".join(_lines(member, quoting, seen)), "    ")


def _last_line(error: BaseException, quoting: bool) -> str:
    line = "".join(traceback.format_exception_only(error)).rstrip("\n")
    if quoting or isinstance(error, QUOTES_NOBODY):
        return line
    kind, colon, _ = line.partition(":")
    return f"{kind}{colon} {LEFT_OUT}" if colon else kind
