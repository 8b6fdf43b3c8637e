"""Dollars: those around formulas, and those of prices, which would be taken for them."""

from __future__ import annotations

import re

from bot.platforms.markdown.formula_marks import MARKS
from bot.platforms.markdown.formulas import is_display, is_formula
from bot.platforms.telegram.markdown.parser import events_of, started

PASSES = 12
"""How often prices are looked for: with each backslash the parser pairs the other dollars anew, so
that each time about half of the prices that stand in a row are found."""

_TEX = re.compile(
    r"\\\(((?:[^\\]|\\[^()])+?)\\\)|\\\[((?:[^\\]|\\[^\[\]])+?)\\\](?![^\[\]\n]*\]\()"
)
"""Brackets with backslashes in the words of a link are brackets."""
_EMPHASISED = re.compile(r"(?<![\\^])(?:\*\*|__|~~)\$\Z")
_WORD_BEGINS = re.compile(r"(?<![\\^])[*_~(\[{\"/:;,.=<>+&@–—-]\$\Z")
"""A dollar before which no formula ends, when a letter stands after it."""
_GOES_ON = re.compile(
    r"""(?<!\d\$)[/",;:，：；。、]|(?<=\d\$)[^A-Za-z_\\^{(|\u0370-\u03ff]""",
)
"""What follows a price that ends with its dollar, as in `5$/6$`; no formula begins with it."""
_SCRIPT = re.compile(MARKS["script"].whole)


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
    is_meant = is_formula(inline) if block is None else is_display(block)
    if "\n\n" in match[0] or not is_meant:
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
            at
            for payload, place in events_of(markdown)
            if isinstance(payload, dict) and is_price(source, payload, place)
            for at in range(place["start"], place["start"] + 1 + ("DisplayMath" in payload))
        ]
        if not prices:
            break
        edges = zip([0, *prices], [*prices, len(source)], strict=True)
        markdown = b"\\".join(source[start:end] for start, end in edges).decode()
    return markdown


def is_price(source: bytes, payload: dict[str, str], place: dict[str, int]) -> bool:
    """Whether what Markdown takes for a formula lies between two prices, as in `$10-$20`.

    Its closing dollar stands before a digit then (pandoc's rule), or begins a word: `**$AAPL**`.
    """
    tex = payload.get("InlineMath") or payload.get("DisplayMath")
    if not place or tex is None:
        return False
    start, end = place["start"], place["end"]
    before = source[max(0, start - 1) : start].decode(errors="ignore")
    following = source[end : end + 4].decode(errors="ignore")
    after = following[:1]
    is_longer = after == "$" and following[1:2] != "$"  # than the dollars before it
    if after.isdigit() or is_longer or not is_formula(tex, after):
        return True
    formula = source[start:end].decode()
    if _SCRIPT.fullmatch(formula):
        return False
    begins_word = after.isascii() and after.isalpha()
    if before.isalnum() and (begins_word or _GOES_ON.match(f"{before}${tex}", 2)):
        return True
    if "DisplayMath" in payload:
        return begins_word
    if _EMPHASISED.search(formula):
        return True
    is_wide = not formula[-2].isascii() and after.isascii()
    return after.isalpha() and (is_wide or _WORD_BEGINS.search(formula) is not None)
