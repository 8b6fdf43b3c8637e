r"""Formulas for where none are drawn: code, and in it Unicode as far as that goes. Pure functions.

A reader of Markdown takes the backslashes of `\(…\)` and `\[…\]` for its own, and people would see
`[ \frac{1}{2} ]`. Models also leave out what belongs around `\begin{align}…\end{align}`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from bot.core.delivery.markdown import MARKER, beside, open_fence, outside_code

HELD = 400
"""An open formula longer than this is none."""
LONG_FORMULA, DEEP_FORMULA = 1000, 100
"""Characters and braces past which a formula stays as it is: the converter descends into each."""
REMEMBERED = 512
"""Formulas that are remembered as they are shown: a growing text has the same ones again."""

_NAMES = r"(?:align(?:at|ed)?|array|cases|equation|gather(?:ed)?|multline|split|[bBpvV]?matrix)\*?"
_LINE_END = r"\n(?![ \t>]*\n)"
BARE = (
    rf"begin\{{(?P<kind>{_NAMES})\}}(?:[^\n]|{_LINE_END}){{1,1000}}?\\end\{{(?P=kind)\}}"
    r"|boxed\{(?:[^{}\n]|\{(?:[^{}\n]|\{(?:[^{}\n]|\{[^{}\n]*\})*\})*\}){1,300}\}"
)
"""What is a formula without dollars or brackets around it, behind its backslash."""
ROWS = rf"\\begin\{{{_NAMES}\}}(?:[^$`\n]|{_LINE_END}){{1,1000}}?\\end\{{{_NAMES}\}}"
"""What has lines also in a formula within a line, as a matrix."""

# A dollar that more than a line's worth of words follows begins a variable, as in `$PATH`; one
# before a number begins a price, unless a sign or a letter follows that is of no price.
OPEN_FORMULA = re.compile(
    rf"(?:\\\(.*|\\\[.*|\\begin\{{{_NAMES}\}}.*|\\boxed\{{(?!\}}).*"
    r"|\\b[a-z]{0,4}(?:\{[A-Za-z]{0,9}\*?)?"  # one that may begin so
    rf"|\$(?=[^\s\d$]|\d*\\)[^$\n]{{0,120}}\\begin\{{{_NAMES}\}}[^$]*\$?"
    r"|\$\$.*|\$(?=[^\s\d$])(?:(?!\*\*|~~)(?:\\\$|[^$\n])){0,120}\$?"
    r"|\$(?=[^\s\d$][^$\n]{0,120}\\)(?:\\\$|[^$\n]){0,300}\$?"
    r"|\$[\d.,]*(?:\$|(?:\(|[ ]?[\\^{=+]|[ ][-×*<>](?:[ ]|\Z)|[ac-jln-su-z](?!\w))"
    r"(?:\\\$|[^$\n]){0,300}\$?)?)\Z",
    re.DOTALL,
)
"""The beginning of a formula at the end of a growing text."""
SCRIPT = r"[_^](?:\w|\\[a-z]{1,20}|\{[^{}$\n]{1,20}\})"
"""A formula that is a part of a word, as in `H$_2$O`."""
_FORMULA = re.compile(  # a pattern that begins with signs is quick
    r"[`\\$](?:"
    r"(?<=`)(?<!``)(?P<ticks>`*)(?!`)[^\n]+?(?<!`)`(?P=ticks)(?!`)"  # code
    rf"|(?<=\\)\((?P<inline>(?:[^\\\n]|\\[^()\[\]\n]|{_LINE_END}){{1,4000}}?)\\\)"
    rf"|(?<=\\)\[(?P<display>(?:[^\\\n]|\\[^\[\]\n]|\\?{_LINE_END}){{1,4000}}?)\\\]"
    r"(?![^\[\]\n]*\]\()"  # else it is in the words of a link
    rf"|(?<=\\)(?P<bare>{BARE})"
    r"|(?<=\\)(?:[^b(\[]|\[(?=(?:[^\[\]\n]|\\\]){0,300}\]\())"
    rf"|(?<=\$)(?<!\$\$)\$(?P<dollars>(?:[^$\n]|{_LINE_END}){{1,4000}}?)\$\$(?![A-Za-z0-9$])"
    r"|(?<=\$)(?<![A-Za-z0-9$]\$)"
    rf"(?P<single>(?=[^\s$])(?>\\\$|{ROWS}|[^$\n`]){{1,300}}?(?<=[^\s\\]))"
    r"\$(?:(?=t(?:h\b|\Z))|(?![A-Za-z0-9${]))"
    rf"|(?<=\$)(?P<script>{SCRIPT})\$)"
)
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
    return _FORMULA.sub(_code, words) if _may_hold(words) else words


def in_one_line(markdown: str) -> str:
    """The text with formulas in one line that have lines which Markdown takes for a list or a rule.

    Models break them before a sign, `+ b`, and write a line of `=` alone. Bare ones get dollars.
    """
    if not _may_be_broken(markdown, 0):
        return markdown
    return outside_code(markdown, lambda words: _FORMULA.sub(_joined, words))


def begun_on_lines(markdown: str) -> int:
    """As `begun`, where the last block of a text may hold such a formula."""
    may_be = _may_be_broken(markdown, markdown.rfind("\n\n") + 1)
    return begun(markdown) if may_be else len(markdown)


def _may_be_broken(markdown: str, start: int) -> bool:
    if "\\b" in markdown and _BARE_BEGUN.search(markdown, start):
        return True
    has_display = "$$" in markdown or "\\[" in markdown
    return has_display and _BROKEN.search(markdown, start) is not None


def _joined(found: re.Match[str]) -> str:
    tex = _tex(found) if _is_block(found) else None
    if tex is None or not (found["bare"] or "\n" in tex) or not _is_meant(found, tex):
        return found[0]
    margin = _margin(found)
    marks = "$" if found["bare"] and margin is None else "$$"
    return f"{marks}{' '.join(_unquoted(tex, margin).split())}{marks}"


def begun(markdown: str) -> int:
    """Where a formula begins with which a growing text ends; else the end of the text.

    It may be whole, when what comes next decides whether it is one.
    """
    start = markdown.rfind("\n\n") + 1
    if not _may_hold(markdown[start:]) or open_fence(markdown) is not None:
        return len(markdown)
    block = markdown[start:].rstrip()
    found = OPEN_FORMULA.search(_FORMULA.sub(_masked, block))
    if found is None or len(block) - found.start() >= HELD:
        return len(markdown)
    at = start + found.start()
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


def _masked(found: re.Match[str]) -> str:
    """Dots in place of what is whole, unless it ends the text."""
    if _tex(found) is None and found["ticks"] is None:
        return "\\."
    is_last = found.end() == len(found.string) and found["ticks"] is None
    return found[0] if is_last else "." * len(found[0])


def _code(found: re.Match[str]) -> str:
    """The formula as it stands in the text instead; what is none stays as it is."""
    tex = _tex(found)
    if tex is None or not _is_meant(found, tex):
        return found[0]
    margin = _margin(found) if _is_block(found) else None
    shown = unicode_formula(_unquoted(tex, margin))
    if "`" in shown:
        return found[0]
    if "|" not in tex:  # it would divide a cell of a table
        shown = shown.replace("|", "∣")
    lines = [line.strip() for line in shown.split("\n") if line.strip()]
    if margin is None:
        return f"`{'; '.join(lines)}`"
    return f"\n{margin}".join(["```", *lines, "```"])


def _is_block(found: re.Match[str]) -> bool:
    """Whether it may stand alone on its lines."""
    return bool(found["display"] or found["dollars"] or found["bare"])


def _tex(found: re.Match[str]) -> str | None:
    return (
        found["inline"]
        or found["display"]
        or found["dollars"]
        or found["single"]
        or found["script"]
        or (found["bare"] and f"\\{found['bare']}")
    )


def _unquoted(tex: str, margin: str | None) -> str:
    """A formula without the signs of the quote that its lines begin with."""
    if not margin or ">" not in margin:
        return tex
    return tex.replace(f"\n{margin}", "\n").replace(f"\n{margin.rstrip()}", "\n")


def _is_meant(found: re.Match[str], tex: str) -> bool:
    if found["bare"]:
        return found["kind"] is None or _BARE_SIGN.search(tex, len("\\begin")) is not None
    if found["display"]:
        return is_display(tex)
    return is_formula(tex, found.string[found.end() : found.end() + 1])


def _margin(found: re.Match[str]) -> str | None:
    """What stands before a formula that is alone on its lines."""
    before, after = beside(found)
    return before if not after.strip() and _MARGIN.fullmatch(before) else None
