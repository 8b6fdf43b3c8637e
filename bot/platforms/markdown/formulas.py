r"""Formulas for where none are drawn: code, and in it Unicode as far as that goes. Pure functions.

A reader of Markdown takes the backslashes of `\(…\)` and `\[…\]` for its own, and people would see
`[ \frac{1}{2} ]`. Models also leave out what belongs around `\begin{align}…\end{align}`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from bot.core.delivery.markdown import MARKER, beside, open_fence, outside_code
from bot.platforms.markdown.formula_marks import BARE, BLOCKS, Formula, growing, replaced

LONG_FORMULA, DEEP_FORMULA = 1000, 100
"""Characters and braces past which a formula stays as it is: the converter descends into each."""
REMEMBERED = 512
"""Formulas that are remembered as they are shown: a growing text has the same ones again."""

_SIGN = re.compile(r"[\\^_={}<>]")
_BARE_BEGUN = re.compile(r"\\b(?:egin\{|oxed\{|[a-z]{0,4}\Z)")
_BARE_SIGN = re.compile(r"\\(?!end)|[\^_=&<>+]")
_WORD = re.compile(
    r"(?<![A-Za-z])(?!(?:cos|exp|lim|ln|log|sin|tan)\b)[A-Za-z]{3}|\s[a-z]{2}\s"
    r"|[^\x00-\x7f\u0370-\u03ff]{3}"
)
_NAME = re.compile(r"[A-Za-z0-9]+(?:\([A-Za-z0-9,]+\))?")
"""As of a triangle, `ABC`, or a function, `Var(X)`."""
_PROSE = re.compile(
    r"\A\s*\)|\(\s*\Z|\]\(|\*\*|~~|`|://"
    r"|\A\|\^|\\[dswDSW](?![A-Za-z])"  # between two patterns of words, as in `^a$|^b$`
    r"|\A[^\\]*(?:[\u4e00-\u9fff]{2}[^\\]*[，。；：、]|[，。；：、][^\\]*[\u4e00-\u9fff]{2})"
)
_BROKEN = re.compile(r"\n[ \t>]*+(?:[-+*] |#|[0-9]+[.)] |-++[ \t]*\n|=++[ \t]*\n|(?<=> )[^ ])")
"""A line in a formula that would begin something else, or is in a quote."""
_MARGIN = re.compile(r"[ ]{0,12}(?:>[ ]{0,4}){0,3}")
_ROOT = re.compile(r"\\sqrt(?:\[(\w)\])?\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")
_NARROW = re.compile(r"\s*(?<!\\)(\\[,:;])\s*")
"""A narrow gap: it would be one of three blanks, as in `x^2 \\, dx`."""
_ROOTS = {"": "√", "3": "∛", "4": "∜"}


@lru_cache(maxsize=REMEMBERED)
def unicode_formula(tex: str) -> str:
    """A formula in Unicode as far as it goes; what it cannot say stays LaTeX."""
    # Loaded for the first formula: they take 5 MB where nothing of Telegram is loaded.
    from telegramify_markdown.latex_escape.helper import LatexToUnicodeHelper

    from bot.platforms.markdown.tex import known

    if len(tex) > LONG_FORMULA or tex.count("{") > DEEP_FORMULA:
        return tex.strip()
    source = _ROOT.sub(_root, _NARROW.sub(r"\1", known(" ".join(tex.split()))))
    shown = str(LatexToUnicodeHelper().convert(source))  # type: ignore[no-untyped-call]  # untyped there
    return shown.strip() or tex.strip()


def _root(found: re.Match[str]) -> str:
    """A root in brackets: a line over many letters is no line in most fonts."""
    index, inner = found[1] or "", _ROOT.sub(_root, found[2])
    sign = _ROOTS.get(index) or f"^{index}√"
    return f"{sign}{inner}" if inner.isalnum() else f"{sign}({inner})"


def as_code(markdown: str) -> str:
    """The text with its formulas as code."""
    return outside_code(markdown, words_as_code) if _may_hold(markdown) else markdown


def words_as_code(words: str) -> str:
    """The same for a text without fenced code."""
    return replaced(words, _code) if _may_hold(words) else words


def in_one_line(markdown: str) -> str:
    """The text with formulas in one line that have lines which Markdown takes for a list or a rule.

    Models break them before a sign, `+ b`, and write a line of `=` alone. Bare ones get dollars.
    """
    if not _may_be_broken(markdown, 0):
        return markdown
    return outside_code(markdown, lambda words: replaced(words, _joined))


def begun_on_lines(markdown: str) -> int:
    """As `begun`, where the last block of a text may hold such a formula."""
    may_be = _may_be_broken(markdown, markdown.rfind("\n\n") + 1)
    return begun(markdown) if may_be else len(markdown)


def _may_be_broken(markdown: str, start: int) -> bool:
    if "\\b" in markdown and _BARE_BEGUN.search(markdown, start):
        return True
    has_display = "$$" in markdown or "\\[" in markdown
    return has_display and _BROKEN.search(markdown, start) is not None


def _joined(formula: Formula) -> str:
    kind, tex, found = formula
    is_on_lines = kind in BARE or (kind in BLOCKS and "\n" in tex)
    if not is_on_lines or not _is_meant(formula):
        return found[0]
    margin = _margin(found)
    dollars = "$" if kind in BARE and margin is None else "$$"
    return f"{dollars}{' '.join(_unquoted(tex, margin).split())}{dollars}"


def begun(markdown: str) -> int:
    """Where a formula begins with which a growing text ends; else the end of the text.

    It may be whole, when what comes next decides whether it is one.
    """
    start = markdown.rfind("\n\n") + 1
    if not _may_hold(markdown[start:]) or open_fence(markdown) is not None:
        return len(markdown)
    at = growing(replaced(markdown[start:].rstrip(), _masked))
    if at is None:
        return len(markdown)
    at += start
    line = markdown.rfind("\n", 0, at) + 1
    marker = MARKER.match(markdown, line)
    return line if marker and marker.end() == at else at


def is_formula(tex: str, after: str = "") -> bool:
    """Whether it is not just what stands between two sums of money, or two variables of a shell.

    `after` begins with what follows its dollar.
    """
    if after[:1] in ("{", "(") and (after[:1] == tex[:1] or tex.endswith("=")):
        return False
    if not tex.strip() or _PROSE.search(tex):
        return False
    tex = tex.replace("\\$", "$")
    return bool(_SIGN.search(tex) or _NAME.fullmatch(tex.strip())) or not _WORD.search(tex)


def is_display(tex: str) -> bool:
    r"""Whether `\[…\]` is a formula, not words or a number in brackets, as in `\[Your Name\]`."""
    return is_formula(tex) and not tex.strip().isalnum()


def _may_hold(text: str) -> bool:
    return "$" in text or "\\(" in text or "\\[" in text or "\\b" in text


def _masked(formula: Formula) -> str:
    """Points in place of what is whole, unless it is a formula that ends the text."""
    kind, _, found = formula
    if kind == "escaped":
        return "\\."
    is_last = kind != "code" and found.end() == len(found.string)
    return found[0] if is_last else "." * len(found[0])


def _code(formula: Formula) -> str:
    """The formula as it stands in the text instead; what is none stays as it is."""
    kind, tex, found = formula
    if not _is_meant(formula):
        return found[0]
    margin = _margin(found) if kind in BLOCKS else None
    shown = unicode_formula(_unquoted(tex, margin))
    if "`" in shown:
        return found[0]
    if "|" not in tex:  # it would divide a cell of a table
        shown = shown.replace("|", "∣")
    lines = [line.strip() for line in shown.split("\n") if line.strip()]
    if margin is None:
        return f"`{'; '.join(lines)}`"
    return f"\n{margin}".join(["```", *lines, "```"])


def _unquoted(tex: str, margin: str | None) -> str:
    """A formula without the signs of the quote that its lines begin with."""
    if not margin or ">" not in margin:
        return tex
    return tex.replace(f"\n{margin}", "\n").replace(f"\n{margin.rstrip()}", "\n")


def _is_meant(formula: Formula) -> bool:
    kind, tex, found = formula
    if kind in ("code", "escaped", "boxed"):
        return kind == "boxed"
    if kind == "environment":
        return _BARE_SIGN.search(tex, len("\\begin")) is not None
    if kind == "square":
        return is_display(tex)
    return is_formula(tex, found.string[found.end() : found.end() + 1])


def _margin(found: re.Match[str]) -> str | None:
    """What stands before a formula that is alone on its lines."""
    before, after = beside(found)
    return before if not after.strip() and _MARGIN.fullmatch(before) else None
