"""What somebody has seen of an answer stays as it is while the rest is being written.

Each answer is looked at when some of it is there. What a chat shows then must be the beginning of
what it shows in the end: the same words with the same formatting, and no marker of Markdown that
vanishes later. White space and the lines of tables, which grow, are left out.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import TypeAlias

import pytest

from bot.core.delivery.partial import settle
from bot.platforms.slack.render import settled, written
from bot.platforms.telegram.markdown.render import Rendered, render
from bot.platforms.telegram.markdown.rich import compose
from bot.sandbox.desk import markup as desk
from bot.sandbox.phone import markup as phone
from bot.sandbox.telegram import blocks

Seen: TypeAlias = list[tuple[str, frozenset[str]]]
"""The characters that somebody sees, each with its formatting."""

MOMENTS = 25
"""How often an answer is looked at."""
OTHERWISE = {
    "unclosed": "nothing ever closes its markers",
}
"""Answers of which it cannot be known what they will be."""
ANSWERS = [
    path
    for path in sorted((Path(__file__).parent / "data" / "answers").glob("*.md"))
    if path.stem not in OTHERWISE
]
LINES = [
    "*Nature* **55**(2), 251–287, and **⌘ + ⇧ + .** shows **all** of it",
    "Accept: */* and text/*, or build/*, src/**/* and *.d.ts; **/start** begins",
    "all files (*.*), data[*].id, a[:, *] and ${#a[*]}, every */5 * * * * and *so* on",
    "int a; /* one */ int b; /* two */ int *c, **d, and *this* or **that**",
    "*사과**는** 좋아하지만 배**는** 싫어해요.*\n\n**팁:** 문맥을 *잘* 보세요",
    "as fn[T](x), cls[T]() and **arr[i](j)**, so[1](https://a.example/b) [2](#x)",
    "so\n\n\\[\na\n=\n\\frac{b}{c}\n\\]\n\n$$\nx\n+ y\n- z\n$$\n\n- a\n+ b, all of it",
    "9. so\n   1. **a**\n10. b\n   1. x\n   2. y\n11. c\n  1. z\n12. d, all of it",
    "so:\n\n2. **B**\n5. D\n   - x\n9. A\n1. C\n- 6. June\n- 1.5 mm\n* 3 of **them**",
]
"""What is easily taken for something else as long as the next character is not there."""
LINKS = frozenset({"text_link", "a"})
_BLANK = re.compile(r"[\s│┼─]")
_BLOCKS = frozenset({"p", "div", "ul", "ol", "li", "tr", "tbody", "thead", "span", "hr", "br"})


class _Reader(HTMLParser):
    """Reads what stands on a page, and in which elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: Seen = []
        self._open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.append(tag)
        if tag in {"br", "hr"}:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        formats = frozenset(self._open) - _BLOCKS
        self.seen += [(each, formats) for each in data if not _BLANK.match(each)]


def _of_entities(shown: Rendered) -> Seen:
    seen: Seen = []
    at = 0
    spans = [(e.offset, e.offset + e.length, e.type) for e in shown.entities]
    for each in shown.text:
        if not _BLANK.match(each):
            seen.append((each, frozenset(kind for a, b, kind in spans if a <= at < b)))
        at += 2 if each > "\uffff" else 1
    return seen


def classic(text: str, *, is_whole: bool) -> Seen:
    """What a chat in Telegram shows."""
    return _of_entities(render(text) if is_whole else render(settle(text), partial=True))


def rich(text: str, *, is_whole: bool) -> Seen:
    """What it shows in a rich message."""
    message = compose(text) if is_whole else compose(settle(text), partial=True)
    return _Reader(phone.from_blocks(blocks.from_markdown(message.markdown))).seen


def slack(text: str, *, is_whole: bool) -> Seen:
    """What a thread in Slack shows."""
    return _Reader(desk.from_markdown(written(text if is_whole else settled(settle(text))))).seen


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem)
@pytest.mark.parametrize("show", [classic, rich, slack])
def test_what_was_seen_stays(show: Callable[..., Seen], path: Path) -> None:
    text = path.read_text()
    _watch(show, text, sorted(random.Random(path.stem).sample(range(1, len(text)), MOMENTS)))


@pytest.mark.parametrize("text", LINES)
@pytest.mark.parametrize("show", [classic, rich, slack])
def test_what_was_seen_of_a_line_stays_with_each_character(
    show: Callable[..., Seen], text: str
) -> None:
    _watch(show, text, range(1, len(text)))
    given = [""]  # what was shown is not taken back
    for end in range(len(text)):
        given.append(max(given[-1], settle(text[:end]), key=len))
    shown = [written(settled(each)) for each in given]
    assert all(after.startswith(before) for before, after in itertools.pairwise(shown))


def _watch(show: Callable[..., Seen], text: str, ends: Iterable[int]) -> None:
    """See that what is shown of the text at these ends is the beginning of all of it."""
    whole = show(text, is_whole=True)
    for end in ends:
        seen = show(text[:end], is_whole=False)
        number = next(
            (n for n, each in enumerate(seen) if not _stays(each, whole[n : n + 1])), None
        )
        if number is not None:
            was, will_be = _words(seen[number:]), _words(whole[number:])
            raise AssertionError(f"after {text[:end][-40:]!r}: {was} becomes {will_be}")


def _stays(each: tuple[str, frozenset[str]], later: Seen) -> bool:
    """Whether it is the same, but for a link: where one leads to may be said in the end."""
    return bool(later) and each[0] == later[0][0] and each[1] in (later[0][1], later[0][1] - LINKS)


def _words(seen: Seen) -> str:
    return f"{''.join(each for each, _ in seen[:30])!r} {sorted(seen[0][1]) if seen else ''}"
