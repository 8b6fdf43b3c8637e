"""Markdown as language models write it, made up by Hypothesis.

Every word in a text is its own, `w1`, `w2` and so on, so that one that is lost, doubled or out of
its place is found; `é`, Chinese letters and emoji of many characters stand between them.
"""

from __future__ import annotations

import itertools
import re

from hypothesis import strategies as st

WORD = "\0"
"""Stands for a word until all are numbered."""
ODD = ("中文", "é", "👩‍👩‍👧", "🇩🇪", "عربي", "क्षि", "1 < 2", "a & b", "5 % 3")


def words_of(text: str) -> list[str]:
    """The numbered words, in order."""
    return re.findall(r"w\d+", text)


def _numbered(text: str) -> str:
    numbers = itertools.count(1)
    return re.sub(WORD, lambda _: f"w{next(numbers)}", text)


def _between_words(text: str) -> str:
    """Emphasis begins and ends with a word: who writes `**_x_**` gets what Markdown makes of it."""
    return f"{WORD} {text} {WORD}"


_plain = st.lists(st.sampled_from([WORD, WORD, WORD, *ODD]), min_size=1, max_size=6).map(" ".join)
_inline = st.recursive(
    st.one_of(
        _plain,
        _plain,
        st.just(f"`{WORD} = {WORD}`"),
        st.just(f"``{WORD} ` {WORD}``"),
        st.just(f"[{WORD} {WORD}](https://example.com/a_b?c=d)"),
    ),
    lambda inner: st.one_of(
        inner.map(_between_words).map("**{}**".format),
        inner.map(_between_words).map("__{}__".format),
        inner.map(_between_words).map("_{}_".format),
        _plain.map(_between_words).map("~~{}~~".format),
        st.lists(inner, min_size=2, max_size=3).map(f" {WORD} ".join),
    ),
    max_leaves=4,
)
_line = st.lists(_inline, min_size=1, max_size=3).map(" ".join).map(_between_words)
_paragraph = st.lists(_line, min_size=1, max_size=3).map("\n".join)
_heading = st.builds("{} {}".format, st.sampled_from(["#", "##", "###", "######"]), _line)
_code_line = st.builds(
    "{}{} {}".format,
    st.sampled_from(["", "    ", "\t"]),
    st.just(WORD),
    st.sampled_from(["= 1", "** 2", "# no heading", "| x |", "[a](b)", "`", "<tag>"]),
)
_fence = st.builds(
    "```{}\n{}\n```".format,
    st.sampled_from(["", "python", "c++", "rust"]),
    st.lists(_code_line, min_size=1, max_size=8).map("\n".join),
)
_quote = _paragraph.map(lambda text: "\n".join(f"> {line}" for line in text.split("\n")))
_cell = st.one_of(_plain, st.just(f"**{WORD}**"), st.just(f"`{WORD}`"), st.just(""))


@st.composite
def _table(draw: st.DrawFn) -> str:
    width = draw(st.integers(1, 4))
    rules = [draw(st.sampled_from(["---", ":-:", "--:"])) for _ in range(width)]
    head = [f"{WORD} {column}" for column in range(width)]
    rows = [[draw(_cell) for _ in range(width)] for _ in range(draw(st.integers(1, 4)))]
    lines = [head, rules, *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


@st.composite
def _list(draw: st.DrawFn, depth: int = 0) -> str:
    marker = draw(st.sampled_from(["-", "*", "1.", "- [ ]", "- [x]"]))
    loose = draw(st.booleans()) and marker != "- [x]"
    items = []
    for number in range(draw(st.integers(1, 3))):
        sign = f"{number + 1}." if marker == "1." else marker
        indent = " " * (3 if marker == "1." else 2)
        item = f"{sign} {draw(_line)}"
        if depth < 2 and draw(st.integers(0, 3)) == 0:
            inner = draw(_list(depth + 1))
            item += "\n" + "\n".join(indent + line for line in inner.split("\n"))
        elif draw(st.integers(0, 5)) == 0:
            inner = draw(_fence)
            item += "\n\n" + "\n".join(indent + line for line in inner.split("\n"))
        items.append(item)
    return ("\n\n" if loose else "\n").join(items)


_block = st.one_of(
    _paragraph, _paragraph, _heading, _list(), _list(), _fence, _quote, _table(), st.just("---")
)


_piece = st.sampled_from(
    [
        *[WORD] * 6,
        f"{WORD}.",
        f"{WORD}，中文。",
        f"**{WORD} {WORD}**",
        f"_{WORD}_",
        f"`{WORD}`",
        f"[{WORD}](https://example.com/a_b)",
    ]
)
_words = st.lists(_piece, min_size=1, max_size=8).map(" ".join).map(f"{WORD} {{}}".format)
_two_lines = st.builds("{}\n{}".format, _words, _words)
_code = st.lists(_code_line, min_size=1, max_size=5).map("\n".join).map("```\n{}\n```".format)


@st.composite
def _nest(draw: st.DrawFn, step: str, depth: int = 1) -> str:
    """A list as deep as four levels, each indented by one step more than the one around it."""
    sign = draw(st.sampled_from(["-", "*", "1.", "1)", "0.", "- [ ]"]))
    gap = "\n\n" if draw(st.integers(0, 4)) == 0 else "\n"
    margin = step if sign[0] in "-*" or step != "  " else "   "
    items = []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        mark = sign.replace("1", str(number)).replace("0", "1")  # or 1. and 1. and 1.
        item = f"{mark} {draw(st.one_of(_words, _words, _two_lines))}"
        if depth < 4 and draw(st.integers(0, 2)) > 0:
            item += gap + draw(_nest(step, depth + 1))
        kind = draw(st.integers(0, 11))
        if kind < 3:
            item += "\n\n" + draw((_words, _code, _two_lines.map(_in_quote))[kind])
            item += "\n" if kind == 0 else ""
        items.append(item.replace("\n", "\n" + margin).replace(f"\n{margin}\n", "\n\n"))
    return gap.join(items)


def _in_quote(text: str) -> str:
    return "> " + text.replace("\n", "\n> ")


_nested = st.sampled_from(["  ", "   ", "    ", "\t"]).flatmap(_nest)
_other = st.one_of(_two_lines, _nested.map(_in_quote), _code, _code.map(_in_quote), _table())
nested_texts = (
    st.lists(st.one_of(_nested, _nested, _nested, _other), min_size=1, max_size=3)
    .map("\n\n".join)
    .map(_numbered)
)
"""Texts of lists in lists, also in quotes, with paragraphs, code and quotes in their items."""
markdown_texts = st.lists(_block, min_size=1, max_size=6).map("\n\n".join).map(_numbered)
"""Whole texts in which every marker is closed."""
