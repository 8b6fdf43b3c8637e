"""Formulas: where they stand, what they say, and the prices that look like them."""

from __future__ import annotations

import re

from bot.platforms.telegram.elements import events_of, started

PASSES = 12
"""How often prices are looked for: each time half of those that stand in a row are found."""

_TEX = re.compile(
    r"\\\(((?:[^\\]|\\[^()])+?)\\\)|\\\[((?:[^\\]|\\[^\[\]])+?)\\\](?![^\[\]\n]*\]\()"
)
"""Brackets with backslashes in the words of a link are brackets."""
_EMPHASISED = re.compile(r"(?<![\\^])(?:\*\*|__|~~)\$\Z")
_WORD_BEGINS = re.compile(r"(?<![\\^])[*_~(\[{\"/:;,.=<>+&–—-]\$\Z")
"""A dollar before which no formula ends, when a letter stands after it."""


def with_dollars(markdown: str) -> str:
    r"""Formulas in `\(…\)` and `\[…\]`, which Markdown does not know, as `$…$` and `$$…$$`."""
    if not ("\\(" in markdown or "\\[" in markdown):
        return markdown
    source, pieces, at = markdown.encode(), [], 0
    for payload, place in events_of(markdown):
        if isinstance(payload, dict) and ("Code" in payload or started(payload) == "CodeBlock"):
            if place["start"] < at:
                continue
            pieces.append(_TEX.sub(_dollar, source[at : place["start"]].decode()))
            pieces.append(source[place["start"] : place["end"]].decode())
            at = place["end"]
    return "".join(pieces) + _TEX.sub(_dollar, source[at:].decode())


def _dollar(match: re.Match[str]) -> str:
    inline, block = match.groups()
    if "\n\n" in match[0]:
        return match[0]
    return f"${inline.strip()}$" if inline is not None else f"$${block.strip()}$$"


def with_prices(markdown: str) -> str:
    """The text with a backslash before each dollar that would begin a formula and is a price.

    Without it, all that stands between two prices would be a formula, and no Markdown.
    """
    if markdown.count("$") < 2:
        return markdown
    for _ in range(PASSES):
        source = markdown.encode()
        prices = [
            place["start"]
            for payload, place in events_of(markdown)
            if isinstance(payload, dict) and "InlineMath" in payload and is_price(source, place)
        ]
        if not prices:
            break
        edges = zip([0, *prices], [*prices, len(source)], strict=True)
        markdown = b"\\".join(source[start:end] for start, end in edges).decode()
    return markdown


def is_price(source: bytes, place: dict[str, int]) -> bool:
    """Whether what Markdown takes for a formula lies between two prices, as in `$10-$20`.

    Its closing dollar stands before a digit then (pandoc's rule), or begins a word: `**$AAPL**`.
    """
    if not place:
        return False
    formula = source[place["start"] : place["end"]].decode()
    after = source[place["end"] : place["end"] + 4].decode(errors="ignore")[:1]
    if after.isdigit() or _EMPHASISED.search(formula):
        return True
    return after.isalpha() and _WORD_BEGINS.search(formula) is not None
