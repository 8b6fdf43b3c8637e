"""Tags that a sentence speaks of, as in "your <div> is not closed": they are words.

Within a line only a pair of tags formats what is between them.
"""

from __future__ import annotations

from bot.platforms.tags import STRUCTURE, VOID, Tag

_NONE = VOID | {"!--"}


class Reader:
    """Reads the tags of a text, one after the other, each with its place.

    `words` are the places of those that are none; of them, `last` may yet get what they miss.
    """

    def __init__(self) -> None:
        self.words: set[int] = set()
        self.last: set[int] = set()
        self._open: list[tuple[Tag, int]] = []
        self._in_cell = False  # lists and paragraphs in cells of tables can only be HTML
        self._is_empty = False  # nothing stands behind the tag that was opened last

    def read(self, tag: Tag | None, start: int) -> None:
        """Read a tag, or what looks like one and is not HTML."""
        self.last = set()
        if tag is None or tag.name in _NONE:
            self._is_empty = False
        elif tag.name in STRUCTURE and not self._in_cell:
            self.words.add(start)
        elif not tag.closing:
            self._open.append((tag, start))
            self._is_empty = not tag.has_attributes
        else:
            self._close(tag, start)

    def _close(self, tag: Tag, start: int) -> None:
        at = len(self._open) - 1
        while at >= 0 and self._open[at][0].name != tag.name:
            at -= 1
        is_empty = self._is_empty and at == len(self._open) - 1
        self._is_empty = False
        if at < 0 or is_empty:
            self.words.add(start)
        if at >= 0:
            self.words.update(place for _, place in self._open[at + (not is_empty) :])
            del self._open[at:]

    def go_on(self) -> None:
        """Words follow, or the beginning or end of emphasis."""
        self.last = set()
        self._is_empty = False

    def end_line(self, *, in_cell: bool) -> None:
        """What is open here ends with it."""
        places = {place for _, place in self._open}
        self.words |= places
        self.last |= places
        self._open, self._is_empty, self._in_cell = [], False, in_cell
