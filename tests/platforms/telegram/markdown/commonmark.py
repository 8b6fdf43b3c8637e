"""CommonMark's own examples, through Telegram's parser.

    python -m tests.platforms.telegram.markdown.commonmark spec.txt

The examples have a licence of their own (CC BY-SA 4.0), so they are not here; the text of the
specification, which has them, is at https://spec.commonmark.org/0.31.2/spec.txt. Each is judged
whole and cut after every seventh character, as the end of an answer and as a preview. Printed are
the texts that Telegram refuses, the examples of which a word is lost, and how many there were;
exits with 1 when anything is refused, or when the file has no examples.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bot.core.delivery.partial import settle
from bot.platforms.telegram.markdown.render import Rendered, pages, render
from bot.sandbox.telegram.errors import BadRequest
from bot.sandbox.telegram.judge import Tdlib
from tests.platforms.telegram.markdown.judging import STEP, judged, words_of_page, words_shown

_EXAMPLE = re.compile(r"^(`{32}) example\n(.*?)^\.\n(.*?)^\1$", re.DOTALL | re.MULTILINE)
_TAB = "\u2192"
"""How the specification writes a tab."""


class Example(NamedTuple):
    """A piece of Markdown, and the HTML that it means."""

    number: int
    markdown: str
    page: str


def examples(specification: str) -> Iterator[Example]:
    """The examples in the text of the specification."""
    found = _EXAMPLE.findall(specification.replace(_TAB, "\t"))
    for number, (_, markdown, page) in enumerate(found, 1):
        yield Example(number, markdown, page)


def moments(markdown: str) -> Iterator[Rendered]:
    """All that a chat may show of a text: whole and cut, as an end and as a preview."""
    cuts = (markdown[:end] for end in range(STEP, len(markdown), STEP))
    for text in (markdown, *cuts):
        yield from pages(render(text))
        yield from pages(render(settle(text), partial=True))


def check(parser: Tdlib, example: Example) -> tuple[int, list[str]]:
    """How many texts of an example were judged, and what Telegram says of those it refuses."""
    count, refusals = 0, list[str]()
    for shown in moments(example.markdown):
        if shown.is_visible:
            count += 1
            try:
                judged(parser, shown)
            except BadRequest as refusal:
                refusals.append(f"{shown.text!r}: {refusal}")
    return count, refusals


def main(specification: str) -> int:
    """Check every example; returns the exit code."""
    parser, found = Tdlib(), list(examples(specification))
    texts = refused = 0
    for example in found:
        count, refusals = check(parser, example)
        texts, refused = texts + count, refused + len(refusals)
        for refusal in refusals:
            print(f"{example.number}: refused: {refusal}")
        if lost := words_of_page(example.page) - words_shown(example.markdown):
            print(f"{example.number}: lost: {', '.join(lost)} of {example.markdown!r}")
    print(f"{len(found)} examples, {texts} texts judged, {refused} refused")
    return 1 if refused or not found else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("python -m tests.platforms.telegram.markdown.commonmark spec.txt")
    sys.exit(main(Path(sys.argv[1]).read_text(encoding="utf-8")))
