from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.delivery.partial import HOLD, settle, without_open_marks

LETTERS = re.compile("[a-z1]")
MARKUP = st.text(alphabet="ab *_`[]()|-#\n~<>&\\1.😀", max_size=200)

ANSWER = """# A title

Some **bold words**, `code`, [a link](https://e.example/a_b_c) and *slanted* ones; 5 * 3 = 15.

1. one
2. **two** things

| name | value |
|------|-------|
| a    | 1     |

```py
def f(x):
    return x ** 2

```

- [ ] a task
> a quote
The ~~end~~ & <b>more</b>."""


@given(MARKUP)
def test_what_is_shown_is_a_beginning_of_the_text(text: str) -> None:
    assert text.startswith(settle(text))


def test_what_was_shown_of_a_text_that_is_cut_off_stays() -> None:
    for end in range(len(ANSWER)):
        assert without_open_marks(ANSWER[:end]).startswith(settle(ANSWER[:end]))


def test_of_a_text_that_is_cut_off_no_marks_are_left() -> None:
    assert without_open_marks("so **a ~~b _c `d") == "so a b c d"


@given(MARKUP)
def test_no_word_of_a_text_that_is_cut_off_is_lost(text: str) -> None:
    words = LETTERS.findall(text.rpartition("](")[0] or text)
    assert LETTERS.findall(without_open_marks(text))[: len(words)] == words


@given(MARKUP, MARKUP)
def test_little_is_held_back(text: str, more: str) -> None:
    whole = text + "x" * 300 + more + "y" * 300
    assert len(whole.rstrip()) - len(settle(whole)) <= HOLD


@given(st.integers(0, len(ANSWER)))
def test_no_beginning_of_an_answer_shows_a_raw_marker(at: int) -> None:
    shown = settle(ANSWER[:at])
    last = shown.rpartition("\n")[2]
    if shown.count("```") % 2 or last == "```":
        return  # in code everything is as it is
    for pair in ("**", "~~", "`"):
        assert last.count(pair) % 2 == 0, last
    assert last.count("[a link") == last.count("a_b_c)"), last
    assert last.strip() not in {"#", "-", "1.", "2.", ">", "- [", "- [ ]"}
    assert "| name" not in last


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("from $10 to $20; the **$", "from $10 to $20; the"),
        ("it is $x_1$", "it is $x_1$"),
        ("so\n\n> [!NOTE]", "so"),
        ("so\n\n> [!NOTE] words", "so\n\n> [!NOTE] words"),
        ("so\n\n> [!NOTE]\n", "so\n\n> [!NOTE]"),
        ("it is ***the best**", "it is"),
        ("it is ***the best***", "it is ***the best***"),
        ("a line that ends\\\n", "a line that ends"),
        ("ends\\\nand", "ends\\\nand"),
    ],
)
def test_signs_wait_for_what_they_are(text: str, shown: str) -> None:
    assert settle(text) == shown


def test_a_whole_answer_is_shown_whole() -> None:
    assert settle(ANSWER) == ANSWER
    assert settle(ANSWER + "\n\n") == ANSWER


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("   ", ""),
        ("Hello wor", "Hello wor"),
        ("Hello **wor", "Hello"),
        ("Hello **world*", "Hello"),
        ("Hello **world**", "Hello **world**"),
        ("Hello *", "Hello"),
        ("2 * 3", "2 * 3"),
        ("2 ** 3", "2 ** 3"),
        ("2**10 and x**2 or 2*3", "2**10 and x**2 or 2*3"),
        ("中文*斜", "中文"),
        ("a snake_case_name", "a snake_case_name"),
        (r"well ¯\_(ツ)_/", r"well ¯\_(ツ"),
        ("well >_<", "well >"),
        (r"well ^_^ then ¯\_(ツ)_/¯ and (*^_^*", r"well ^_^ then ¯\_(ツ)_/¯ and (*^_^"),
        (r"an escaped \*star", r"an escaped \*star"),
        ("an escape \\", "an escape"),
        ("some `co", "some"),
        ("some `code` **a", "some `code`"),
        ("in **`src/**/", "in"),
        ("in **`src/**/*.ts`** is", "in **`src/**/*.ts`** is"),
        ("see [th", "see"),
        ("see [this]", "see"),
        ("see [this] one", "see [this] one"),
        ("see [this](ht", "see"),
        ("see ![this](http://e.example/x", "see"),
        (r"see [the docs \[ne", "see"),
        (r"see [the docs \[new\]](http://e.ex", "see"),
        ("see !", "see"),
        ("see!", "see!"),
        ("see [this](http://e.example/a_(b", "see"),
        ("see [this](http://e.example/a_(b)_c)", "see [this](http://e.example/a_(b)_c)"),
        ("see [this](http://e.example/x)", "see [this](http://e.example/x)"),
        ("Fish &am", "Fish"),
        ("Fish & chips", "Fish & chips"),
        ("a <b", "a"),
        ("Text\n#", "Text"),
        ("Text\n# T", "Text\n# T"),
        ("Text\n-", "Text"),
        ("Text\n- **", "Text"),
        ("Text\n12.", "Text"),
        ("Text\n--", "Text"),
        ("**bold\n\nnext one", "**bold\n\nnext one"),
        ("- **bold\n- next", "- **bold\n- next"),
        ("soft **line\nbreak", "soft"),
        ("| a | b", ""),
        ("| a | b |\n", ""),
        ("| a | b |\n|", ""),
        ("| a | b |\n|--", ""),
        ("a | b\n:-", ""),
        ("| a | b |\n|---|---|\n", "| a | b |\n|---|---|"),
        ("| a | b |\n|---|---|\n| c", "| a | b |\n|---|---|"),
        ("| a | b |\n|---|---|\n| c | d |\n", "| a | b |\n|---|---|\n| c | d |"),
        ("- | a | b |\n  ", ""),
        ("- x\n\n  | a | b |\n  ", "- x"),
        ("- x\n\n  | a | b |\n  |--", "- x"),
        ("> | a | b |\n> |--", ""),
        ("> | a |\n> |---|\n", "> | a |\n> |---|"),
        ("Text\n* *", "Text"),
        ("Text\n[^1]:", "Text"),
        ("Text\n[^1]: N", "Text\n[^1]: N"),
        ("Text\n[a]: http://e.ex", "Text"),
        ("| no table\nat all", "| no table\nat all"),
        ("Text\n\nName | Ag", "Text"),
        ("Text\n\nName | Age\n", "Text"),
        ("Text\n\nName | Age\n--- | --", "Text"),
        ("Text\n\nName | Age\n--- | ---\n", "Text\n\nName | Age\n--- | ---"),
        ("Name|", ""),
        ("名称|用途", ""),
        ("name|age\nof all", "name|age\nof all"),
        ("P(A|B) is", "P(A|B) is"),
        ("if |x| < 3 then", "if |x| < 3 then"),
        ("a || b", "a || b"),
        ("pipe it: `ls | wc` or", "pipe it: `ls | wc` or"),
        ("Text\n```", "Text"),
        ("Text\n```py", "Text"),
        ("Text\n```py\n", "Text"),
        ("Text\n```py\n  ", "Text"),
        ("Text\n```py\n **x", "Text\n```py\n **x"),
        ("```py\nx = 1\n``", "```py\nx = 1"),
        ("```py\nx = 1\n~", "```py\nx = 1\n~"),
        ("```py\nx = 1\n\n\ny", "```py\nx = 1\n\n\ny"),
        ("```py\nx = 1\n```", "```py\nx = 1\n```"),
        ("**" + "x" * HOLD, "**" + "x" * HOLD),
        ("*a **b " + "x" * (HOLD - 4), "*a"),
    ],
)
def test_half_of_something_is_held_back(text: str, shown: str) -> None:
    assert settle(text) == shown
