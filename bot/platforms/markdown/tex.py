r"""LaTeX as the converter of formulas knows it, which shows `\dfrac{a}{b}` as `\dfracab`.

Pure functions.
"""

from __future__ import annotations

import re

_SIZES = ("big", "Big", "bigg", "Bigg")
_NAMES = {
    **dict.fromkeys(("dfrac", "tfrac", "cfrac"), r"\frac"),
    **dict.fromkeys(("boldsymbol", "bm", "pmb"), r"\mathbf"),
    **dict.fromkeys((size + side for size in _SIZES for side in ("", "l", "r", "m")), ""),
    **dict.fromkeys(("ce", "pu", "smash", "middle", "nonumber", "notag", "hline", "hfill"), ""),
    **dict.fromkeys(("rm", "bf", "it", "limits"), ""),
    "degree": "°",
    "fbox": r"\boxed",
    "mathscr": r"\mathcal",
    "ne": r"\neq",
    "nmid": "∤",
    "operatorname": r"\operatorname",
    "overrightarrow": r"\vec",
    "widehat": r"\hat",
    "widetilde": r"\tilde",
    "xlongequal": r"\xrightarrow",
}
"""What a command is called there; nothing, where only what is in its braces is to be seen."""
_LINES = r"(?:align(?:at|ed)?|eqnarray|equation|flalign|gather(?:ed)?|multline|split)\*?"
_NAME = re.compile(
    r"(?<!\\)\\([A-Za-z]+)(?:(?<=operatorname)\*)?(?:\s*(?=\{)|(?<=\\rm|\\bf|\\it)\s)?"
)
_ENVIRONMENT = re.compile(rf"\\(begin|end)\{{{_LINES}\}}")
_BRACED = re.compile(
    r"\\left\\\{\s*\\begin\{(?P<name>array|aligned|matrix)\}(?:\{[^{}]*\})?"
    r"(?P<rows>(?:(?!\\begin).)*?)\\end\{(?P=name)\}\s*\\right\.",
    re.DOTALL,
)
"""Lines behind a brace that has no other half."""
_CASES = re.compile(r"\\begin\{[dr]?cases\*?\}(?P<rows>.*?)\\end\{[dr]?cases\*?\}", re.DOTALL)
_NO_COMMA = re.compile(r"[,，]\s*(?=&)|&(?=\s*(?:[=<>]|\\[gln]eq?(?![a-z])))")
_BELOW = re.compile(r"(\\x[a-z]+)\[([^\[\]]*)\]\{")
_MATRIX = re.compile(
    r"\\begin\{(?P<name>[bBpvV]?matrix|smallmatrix|array)\}.*?\\end\{(?P=name)\}", re.DOTALL
)
_ROW = re.compile(r"\s*\\\\\s*(?!\s*\\end)")
_ROW_GAP = re.compile(r"\\\\(?:\*|\[-?\d[^\[\]]*\])")
_UNSEEN = re.compile(r"\\(?:label|hspace\*?|vspace\*?|phantom)\{[^{}]*\}")
_COLOUR = re.compile(r"\\textcolor\{[^{}]*\}")
_TAG = re.compile(r"\\tag\*?\{([^{}]*)\}")
_SEGMENT = re.compile(r"\\vec\{([A-Z])([A-Z])\}")
_BARE_PAIR = re.compile(r"\\(frac|binom)(?:\s+([A-Za-z0-9])|\s*([0-9]))\s*([A-Za-z0-9])")
_BARE = re.compile(r"\\(math[a-z]+|bar|dot|hat|tilde|vec)\s+([A-Za-z0-9])(?![A-Za-z])")
_INNER = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"
_CHEMISTRY = re.compile(rf"\\ce\s*(?P<inside>{_INNER})")
_CHARGE = re.compile(r"\^(\d*[+-])|(?<=[A-Za-z0-9)\]])([+-])(?=\s|\}\Z)")
_COUNT = re.compile(r"(?<=[A-Za-z)\]])\d+")
_FACTOR = re.compile(
    rf"\\frac{_INNER}{_INNER}(?=\s*(?:[A-Za-z0-9(]|\\(?!right|end|quad|text)[A-Za-z]))"
    rf"|\\(?:sum|prod|i{{0,2}}nt|oint|lim)(?![a-z])(?:\s*[_^](?:{_INNER}|\\[a-z]+|\w)){{1,2}}"
    r"(?=\s*[A-Za-z0-9(\\])"
    r"|(?<=[A-Za-z0-9)}])"
    r"(?=\s*\\(?:arc)?(?:sin|cos|tan|cot|sec|csc|log|ln|lg|exp|max|min)(?![a-z]))"
)
"""What a gap belongs behind: a fraction, what a sum is over, a factor of a function."""


def known(tex: str) -> str:
    """A formula that says the same in the commands which the converter knows.

    The rows of a matrix stand in one line, as what is around them does; and a fraction stands apart
    from what it is multiplied by: `k/m x` is not `k/mx`, nor `n log n` `nlog n`.
    """
    if "\\" not in tex:
        return tex
    tex = _BELOW.sub(r"\1{\2, ", _CHEMISTRY.sub(_chemistry, tex))
    tex = _COLOUR.sub("", _UNSEEN.sub(" ", _TAG.sub(r"\\quad (\1)", tex)))
    tex = _ENVIRONMENT.sub(r"\\\1{aligned}", _ROW_GAP.sub(r"\\\\", tex))
    tex = _CASES.sub(_with_conditions, _BRACED.sub(r"\\begin{cases}\g<rows>\\end{cases}", tex))
    tex = _MATRIX.sub(_in_one_line, tex)
    tex = _NAME.sub(lambda found: _NAMES.get(found[1], found[0]), tex)
    tex = _BARE_PAIR.sub(lambda found: f"\\{found[1]}{{{found[2] or found[3]}}}{{{found[4]}}}", tex)
    tex = _SEGMENT.sub(r"\\vec{\1}\\vec{\2}", _BARE.sub(r"\\\1{\2}", tex))
    return _FACTOR.sub(r"\g<0>\\,", tex).replace(r"\,\,", r"\,")


def _with_conditions(cases: re.Match[str]) -> str:
    """The lines behind a brace: each `&` will be a comma, also where there is one or none."""
    return rf"\begin{{cases}}{_NO_COMMA.sub('', cases['rows'])}\end{{cases}}"


def _chemistry(found: re.Match[str]) -> str:
    """What mhchem writes: `SO4^2-` with its numbers and charges, and with its arrows."""
    inside = _CHARGE.sub(lambda charge: f"^{{{charge[1] or charge[2]}}}", found["inside"])
    inside = inside.replace("<=>", r"\rightleftharpoons ").replace("<->", r"\leftrightarrow ")
    inside = inside.replace("->", r"\to ")
    return _COUNT.sub(r"_{\g<0>}", inside)


def _in_one_line(matrix: re.Match[str]) -> str:
    """A matrix or a vector, but not numbers that are to be added up."""
    is_sum = matrix["name"] == "array" and "&" not in matrix[0]
    return matrix[0] if is_sum else _ROW.sub("; ", matrix[0])
