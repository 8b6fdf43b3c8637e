"""Tags of HTML that are meant literally, as in "your <div> is not closed": they are words.

Within a line only a pair of tags formats what is between them. So a tag is a word that has no other
half on its line, that has nothing between it and its other half (`<b></b>`), or that formats no
words within a line, as `<div>`.
"""

from __future__ import annotations

from bot.platforms.markdown.tags import STRUCTURE, VOID, Tag

_ALONE = VOID | {"!--"}
"""Tags that need no other half."""


class LiteralTags:
    """Finds the tags that are words, among those of a text that it is given one after the other.

    What stands between two tags, and each end of a line, must be told as well.
    """

    def __init__(self) -> None:
        self._literal: set[int] = set()  # places of tags that are words
        self._undecided: set[int] = set()  # those of them whose other half may come yet
        self._open: list[tuple[Tag, int]] = []
        self._in_cell = False  # lists and paragraphs in cells of tables can only be HTML
        self._is_empty = False  # nothing stands behind the tag that was opened last

    def read(self, tag: Tag | None, place: int) -> None:
        """Read a tag; None is what looks like one and is not HTML."""
        self._undecided = set()
        if tag is None or tag.name in _ALONE:
            self._is_empty = False
        elif tag.name in STRUCTURE and not self._in_cell:
            self._literal.add(place)
        elif not tag.closing:
            self._open.append((tag, place))
            self._is_empty = not tag.has_attributes
        else:
            self._close(tag, place)

    def _close(self, tag: Tag, place: int) -> None:
        at = len(self._open) - 1
        while at >= 0 and self._open[at][0].name != tag.name:
            at -= 1
        is_empty = self._is_empty and at == len(self._open) - 1
        self._is_empty = False
        if at < 0 or is_empty:
            self._literal.add(place)
        if at >= 0:
            self._literal.update(each for _, each in self._open[at + (not is_empty) :])
            del self._open[at:]

    def pass_by(self) -> None:
        """Words follow, or the beginning or end of emphasis."""
        self._undecided = set()
        self._is_empty = False

    def end_line(self, *, in_cell: bool) -> None:
        """A line ends, and with it what is open; the next one is in a cell of a table, or not."""
        places = {place for _, place in self._open}
        self._literal |= places
        self._undecided |= places
        self._open, self._is_empty, self._in_cell = [], False, in_cell

    def found(self, *, partial: bool) -> frozenset[int]:
        """The places of the tags that are words; of a `partial` text, of those that surely are."""
        return frozenset(self._literal - self._undecided if partial else self._literal)
