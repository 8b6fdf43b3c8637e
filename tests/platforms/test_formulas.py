"""Formulas where none are drawn, and prices that are none."""

from __future__ import annotations

import pytest

from bot.core.delivery.partial import settle
from bot.platforms.markdown.formulas import as_code, begun, in_one_line
from bot.platforms.telegram.markdown.parser import events_of
from bot.platforms.telegram.markdown.render import render
from bot.platforms.telegram.markdown.rich import compose
from tests.core.delivery.test_hostile_texts import at_once
from tests.platforms.dollars import FORMULAS, NO_FORMULAS


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (r"so \( \frac{a}{b} \), or $x_1^2$.", "so `a/b`, or `x₁²`."),
        ("12 × 5:\n\\[ 12 \\times 5 = 60 \\]\nDone", "12 × 5:\n```\n12 × 5 = 60\n```\nDone"),
        ("1. so\n   $$\n   y_1\n   $$\n2. b", "1. so\n   ```\n   y₁\n   ```\n2. b"),
        ("> \\[\n> x^2\n> \\]\n> so", "> ```\n> x²\n> ```\n> so"),
        (r"2. Then: \[ x = 1 \]", "2. Then: `x = 1`"),
        (r"\[ \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} \].", "`(1  2; 3  4)`."),
        (r"$P = \$1{,}000$ and $3 \times 4 = 12$", "`P = $1,000` and `3 × 4 = 12`"),
        ("| $a \\mid b$ |", "| `a ∣ b` |"),
        (r"$\int_0^1 x^2 \, dx$", "`∫₀¹ x² dx`"),
        ("设$x$为$y^2$。", "设`x`为`y²`。"),
        ("在$ABC$中，$O(n log n)$。", "在`ABC`中，`O(n log n)`。"),
        ("\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}", "```\na = b\nc = d\n```"),
        (r"so A = \begin{pmatrix} 1 \\ 2 \end{pmatrix}: \boxed{x^{2}}", "so A = `(1; 2)`: `[x²]`"),
        ("so $A = \\begin{pmatrix}\n1 \\\\\n2\n\\end{pmatrix}$, $x$", "so `A = (1; 2)`, `x`"),
    ],
)
def test_a_formula_is_code(written: str, shown: str) -> None:
    assert as_code(written) == shown


@pytest.mark.parametrize(
    "lines", ["a\n=\nb", "a\n+ b\n- c", "a\n\\times\n# b", "a =\n1. b", "a\n---\n= b"]
)
@pytest.mark.parametrize("margin", ["", "   ", "> "])
def test_a_formula_on_many_lines_is_one(lines: str, margin: str) -> None:
    for opening, closing in (("\\[", "\\]"), ("$$", "$$")):
        text = "\n".join((opening, *lines.split("\n"), closing)).replace("\n", f"\n{margin}")
        begin = "1. so\n   " if margin == "   " else margin
        rendered = render(f"{begin}{text}\n\nend")
        shown = " ".join(lines.replace("\\times", "×").split())
        assert [e.type for e in rendered.entities if e.type != "blockquote"] == ["pre"]
        assert rendered.text.split("\n")[-3] == shown
        page = compose(f"{begin}{text}").markdown
        assert f"$${' '.join(lines.split())}$$" in page
        assert render(f"{begin}{text[:-3]}", partial=True).text in ("", "1. so")


@pytest.mark.parametrize(
    "text",
    [
        "$$\na\n+ b",
        "the cost is $$ for it\n- one\n- two, and $$ for that",
        "```\n$$\n+ a\n$$\n```",
    ],
)
def test_lines_that_are_in_no_formula_stay(text: str) -> None:
    assert in_one_line(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "from $5 to $6, $10-$20, **$15** or *$99/year*, (about 4$) and $5k",
        "$HOME/bin:$PATH, ${USER}, $$$ and US$5, $AAPL",
        r"`\(group\)` and `$x$`",
        "```sh\necho $x$y \\[ -f a \\]\n```",
        r"[docs \[new\]](https://example.com)",
        r"it costs \$5, and \$6 then",
        'echo "${HOME}" and "${PATH}", ${A}${B} or $(CC)/$(LD)',
        "cheap ($), mid ($$), high ($$$), or from $20 to 30$",
        "Price: $$ (moderate), or $$ (a Thai)",
        "- [Joe](https://joe.example/a_b) – $$\n- [Ann](https://ann.example/) – $$\n- **Li** – $$",
        "| Joe | $$ | Pizza |\n| Ann | $$ | Thai |",
        r"\begin{align} and \end{align}, `\begin{cases}` = `\end{cases}`, \begin{center} & \end{x}",
        r"Dear \[Your Name\], see \[1\] and x\[i\] \(if there is one\)",
    ],
)
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert as_code(text) == text


@pytest.mark.parametrize("text", NO_FORMULAS)
def test_dollars_of_sums_variables_and_patterns_stay(text: str) -> None:
    assert as_code(text) == text
    rendered = render(text)
    assert not {e.type for e in rendered.entities} & {"code", "pre"}
    assert rendered.text.count("$") == text.count("$")
    assert not any("Math" in str(payload) for payload, _ in events_of(compose(text).markdown))


@pytest.mark.parametrize("text", FORMULAS)
def test_dollars_of_formulas_are_not_seen(text: str) -> None:
    assert "$" not in as_code(text)
    assert "$" not in render(text).text
    meant = [payload for payload, _ in events_of(compose(text).markdown) if "Math" in str(payload)]
    assert 2 * len(meant) == text.replace("$$", "$").count("$")


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        (r"so \( \frac{a", r"\( \frac{a"),
        ("so $3 \\times", "$3 \\times"),
        ("so $x$", "$x$"),
        (r"so \beg", r"\beg"),
        ("so\n\\begin{cases} x \\\\", "\\begin{cases} x \\\\"),
        (r"**\boxed{\frac{1}", r"\boxed{\frac{1}"),
        (r"so \begin{center} and", ""),
        (r"in \boxed{} and then", ""),
        (r"\boxed{x = \frac{-b}{\sqrt{b^{2} - c}}} and", ""),
        ("so $A = \\begin{cases}\n1", "$A = \\begin{cases}\n1"),
        ("so:\n- $x", "- $x"),
        ("```\n$x", ""),
        ("it costs $5 and", ""),
        ("so $x$ is", ""),
    ],
)
def test_a_formula_waits_until_it_is_whole(text: str, rest: str) -> None:
    assert text[begun(text) :] == rest


@pytest.mark.parametrize(
    "piece",
    [
        *("\\(x", "\\[", "\\(\n", "$$x", "$x ", "$x\\", "`a", "$", "\\[\\\n", "$\\sqrt{"),
        *("\\begin{cases}", "\\boxed{", "\\boxed{{", "\\begin{cases}\n", "$\\begin{cases}\n"),
    ],
)
def test_what_is_never_closed_takes_no_time(piece: str) -> None:
    with at_once(_look_for_formulas):
        _look_for_formulas(piece * 5000)


def test_a_formula_without_dollars_is_drawn_in_a_rich_message() -> None:
    text = "so:\n\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}\nor \\boxed{42}"
    page = compose(text).markdown
    assert "$$\\begin{align} a &= b \\\\ c &= d \\end{align}$$" in page
    assert "or $\\boxed{42}$" in page
    assert [e.type for e in render(text).entities] == ["pre", "code"]
    assert render(text[:-5], partial=True).text.endswith("or")


MATRIX = "\\begin{pmatrix}\n1 & 2 \\\\\n3 & 4\n\\end{pmatrix}"


def test_a_matrix_in_a_formula_within_a_line_gets_no_dollars_of_its_own() -> None:
    text = f"so $A = {MATRIX}$ is it"
    assert compose(text).markdown == text
    assert render(text).text == "so A = (1  2; 3  4) is it"
    assert render(text, partial=True).text == "so A = (1  2; 3  4) is it"


def test_the_matrices_of_a_long_formula_get_no_dollars_of_their_own() -> None:
    text = f"$${' + '.join([MATRIX] * 40)}$$"
    assert compose(text).markdown == " ".join(text.split())


def _look_for_formulas(text: str) -> None:
    as_code(text)
    begun(settle(text))
