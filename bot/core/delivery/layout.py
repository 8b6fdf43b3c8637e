"""Where an answer stands: which part of its text is on which sheet, and what stands already.

Memory only: it makes no call, and every mistake in it would show in the chat.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bot.core.delivery.place import START, Place
from bot.core.delivery.split import Page
from bot.core.ports import Draft
from bot.core.types import MessageRef

_BLANK_LINES = re.compile(r"(?:[ \t]*\n)*")


@dataclass(slots=True)
class Full:
    """A message that is full and final: the text from `begin` to `end`, cut as `body`."""

    ref: MessageRef
    text: str
    begin: Place = START
    source: str = ""
    body: str = ""
    end: Place = START


@dataclass(slots=True)
class Open:
    """A message that is being written. `given` is the longest text handed to its draft.

    `page` is the page it is to end as, once that is decided: what is cut stays cut.
    """

    draft: Draft
    given: str = ""
    shown: str = ""
    page: Page | None = None


@dataclass(slots=True)
class Unknown:
    """A message whose text is not known, or not worth keeping: it is written over."""

    ref: MessageRef


Sheet: TypeAlias = Full | Open | Unknown


class Layout:
    """The sheets of one answer in their order: the full ones, the open one, and the old ones.

    `old` are those of an earlier attempt that have not proven yet that they are right.
    """

    def __init__(self, resume: Sequence[MessageRef], *, around: str | None = None) -> None:
        self.full: list[Full] = []
        self.open: Open | None = None
        self.old: deque[Sheet] = deque(Unknown(ref) for ref in resume)
        self._start = Place(around=around)
        self.place = self._start  # where in the text the open sheet begins

    @property
    def sheets(self) -> Sequence[Sheet]:
        """All that stand in the chat, oldest first."""
        return [*self.full, *([self.open] if self.open else []), *self.old]

    def restart(self) -> None:
        """The text is written anew: what stands must prove that it is still right."""
        stands: list[Sheet] = list(self.full)
        if self.open is not None:
            ref = self.open.draft.ref
            if self.open.shown:
                stands.append(self.open)
            elif ref is not None:
                stands.append(Unknown(ref))
        self.old.extendleft(reversed(stands))
        self.full, self.open, self.place = [], None, self._start

    def recognise(self, text: str) -> None:
        """Go on after the sheets that are right as they stand."""
        self._skip_blank_lines(text)
        while self.open is None and self.old:
            match self.old[0]:
                case Full() as full if self._continues(full, text):
                    self.full.append(full)
                    self.place = full.end
                    self._skip_blank_lines(text)
                case Open(page=None) as begun if self.body(text).startswith(begun.given):
                    self.open = begun
                case _:  # also a page that was about to end: its fence may stay open now
                    return
            self.old.popleft()

    def body(self, text: str) -> str:
        """The text of the open sheet and of all that come after it."""
        return self.place.body(text)

    def is_ahead(self, body: str) -> bool:
        """Whether an earlier attempt shows more of the same: it need not change as yet."""
        match self.old[0] if self.old and self.open is None else None:
            case Full(body=shown):
                return shown.startswith(body)
            case Open(given=given, page=None):
                return given.startswith(body)
            case _:
                return False

    def has_ended(self, text: str) -> bool:
        """Whether nothing of the text is left for the open sheet."""
        return not text[self.place.start :].strip()

    def skip(self, text: str, page: Page) -> None:
        """Leave out a page that is blank."""
        self.place = self.place.after(text, page.used, "")

    def end_sheet(self, ref: MessageRef, text: str, page: Page) -> None:
        """The open sheet is full and final, as this page."""
        begin, end = self.place, self.place.after(text, page.used, page.carry)
        source, body = text[begin.start : end.start], begin.body(text)[: page.used]
        self.full.append(Full(ref, page.text, begin, source, body, end))
        self.place, self.open = end, None

    def _continues(self, full: Full, text: str) -> bool:
        return full.begin == self.place and text.startswith(full.source, self.place.start)

    def _skip_blank_lines(self, text: str) -> None:
        """A page does not begin with blank lines, unless in a code block."""
        if not self.place.carry and (self.open is None or not self.open.given):
            blank = _BLANK_LINES.match(text, self.place.start)
            self.place = self.place.moved(text, blank.end()) if blank else self.place


def ref_of(sheet: Sheet) -> MessageRef | None:
    """The message of a sheet, if it has one yet."""
    return sheet.draft.ref if isinstance(sheet, Open) else sheet.ref
