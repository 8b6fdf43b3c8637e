from __future__ import annotations

import pytest

from bot.platforms.markdown.formulas import unicode_formula


@pytest.mark.parametrize(
    ("tex", "shown"),
    [
        (r"P(A \mid B) = \dfrac{P(A \cap B)}{P(B)}", "P(A ∣ B) = (P(A ∩ B))/(P(B))"),
        (r"\tfrac12 + \frac ab + \binom nk", "½ + a/b + C(n,k)"),
        (r"\cfrac{a}{\dfrac{b}{c}}", "a/(b/c)"),
        (r"\frac{k}{m}x = \frac{a}{b}\frac{c}{d} + \frac{\pi}{4} r^2", "k/m x = a/b c/d + π/4 r²"),
        (r"\left(\frac{a}{b}\right)^2 \ne \frac{a}{b} + c \nmid d", "(a/b)² ≠ a/b + c ∤ d"),
        (r"\bigl( x \bigr) \Big| y \biggr\}", "( x ) | y }"),
        (r"\left\{ x \in \mathbb Z \,\middle|\, x^2 < 10 \right\}", "{ x ∈ ℤ | x² < 10 }"),
        (r"\ce{2H2 + O2 -> 2H2O} \quad \pu{5 mol}", "2H₂ + O₂ → 2H₂O \u2003 5 mol"),
        (
            r"\ce{CH3COOH <=> CH3COO- + H+}, \ce{SO4^2- + Fe^{3+} <-> O3}",
            "CH₃COOH ⇌ CH₃COO⁻ + H⁺, SO₄²⁻ + Fe³⁺ ↔ O₃",
        ),
        (r"E = mc^2 \label{eq} \tag{1}", "E = mc² \u2003 (1)"),
        (r"\textcolor{red}{x} \fbox{a} \boldsymbol{\alpha}", "x [a] 𝛂"),
        (r"\overrightarrow{AB} + \vec v", "A⃗B⃗ + v⃗"),
        (r"A = \begin{pmatrix} 1 & 2 \\[2pt] 3 & 4 \\ \end{pmatrix}", "A = (1  2; 3  4)"),
        (r"\begin{array}{r} 12 \\ + 34 \\ \hline 46 \end{array}", "12\n+ 34\n46"),
        (r"v = \begin{pmatrix} 1 \\ 2 \end{pmatrix}", "v = (1; 2)"),
        (r"\begin{align*} a &= b \\[4pt] c &= d \end{align*}", "a = b\nc = d"),
        (r"\sqrt{x} \alpha_1", "√x α₁"),
        (
            r"f(x) = \begin{cases} x, & x \ge 0 \\ -x, & x < 0 \end{cases}",
            "f(x) = ⎧ x, x ≥ 0\n⎩ -x, x < 0",
        ),
        (r"\begin{cases} x+y&=1 \\ x-y&=3 \end{cases}", "⎧ x+y=1\n⎩ x-y=3"),
        (r"\left\{\begin{array}{l} x=1 \\ y=2 \end{array}\right.", "⎧ x=1\n⎩ y=2"),
        (
            r"\sum_{k=1}^{\infty}\frac{1}{k^2} = \sum\limits_{i=1}^{n}x_i",
            "∑_(k=1)^∞ 1/k² = ∑ᵢ₌₁ⁿ xᵢ",
        ),
        (r"O(n\log n) + 2\sin x\cos x - \frac{1}{2}\sin x", "O(n log n) + 2 sin x cos x - ½ sin x"),
        (r"\operatorname*{argmax}_{x} \int f\,{\rm d}x", "argmaxₓ ∫ f dx"),
        (r"A \xrightarrow[\Delta]{MnO_2} B \xlongequal{点燃} C", "A →(Δ, MnO₂) B →(点燃) C"),
    ],
)
def test_a_formula_is_seen_as_it_is_meant(tex: str, shown: str) -> None:
    assert unicode_formula(tex) == shown


@pytest.mark.parametrize("piece", [r"\frac{", r"\begin{matrix}", r"\textcolor{", "{{", r"\frac{a}"])
def test_a_formula_that_never_ends_is_shown(piece: str) -> None:
    assert unicode_formula(piece * 50)
