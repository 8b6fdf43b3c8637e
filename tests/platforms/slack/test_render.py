"""Markdown for Slack, as pure functions."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.delivery.partial import settle
from bot.core.types import Button, Reply
from bot.platforms.slack.blocks import content
from bot.platforms.slack.render import (
    MAX_TEXT,
    measure,
    measure_stream,
    neutralise,
    settled,
    written,
)
from bot.sandbox.desk import markup as desk
from bot.sandbox.slack.blocks import check
from bot.sandbox.slack.state import PING
from tests.core.delivery.test_hostile_texts import at_once

PIECES = ["<", "!", "@", "#", "channel", "here", "everyone", "subteam^S1", ">", "U0ADA", " ", "a"]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
@example("_@channel_")
@example("请@channel")
def test_nothing_pings_however_it_is_put_together(text: str) -> None:
    assert not PING.search(neutralise(text))


@given(st.lists(st.sampled_from(PIECES)).map("".join), st.data())
def test_what_is_settled_stays_as_it_is(text: str, data: st.DataObject) -> None:
    earlier = text[: data.draw(st.integers(0, len(text)))]
    assert written(settled(text)).startswith(written(settled(earlier)))
    assert written(text).startswith(written(settled(text)))


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("one<br>two<br/>\nthree", "<p>one<br />\ntwo<br />\nthree</p>"),
        ("- one<br>two", "<li>one<br />\ntwo</li>"),
        ("| a |\n|---|\n| b<br>c |", "<td>b c</td>"),
        ("<b>bold</b> x<sup>2</sup> <kbd>C</kbd>", "<strong>bold</strong> x^2 <code>C</code>"),
        ("<details>\n<summary>Why</summary>\n\nSo\n</details>", "<strong>Why</strong></p>\n<p>So"),
        (
            "<details><summary>Why</summary>\n\nSo\n\n</details>",
            "<p><strong>Why</strong></p>\n<p>So",
        ),
        (
            "<details>\n<summary><b>Why</b> <i>so</i></summary>\n\nSo",
            "<strong>Why so</strong></p>\n<p>So",
        ),
        ("<summary>**Why**</summary>", "<p><strong>Why</strong></p>"),
        ("<details> and <summary> fold", "<p>&lt;details&gt; and &lt;summary&gt; fold"),
        ("a <!-- no --> b <span style=x>c</span>", "<p>a  b c</p>"),
        ("your <div> or <b> is open", "your &lt;div&gt; or &lt;b&gt; is open"),
        ("vector<std::string> <int:id>", "vector&lt;std::string&gt; &lt;int:id&gt;"),
        ("<https://a.example/b>", '<a href="https://a.example/b"'),
        ("`<br>` is a Promise<void>", "<code>&lt;br&gt;</code> is a Promise&lt;void&gt;"),
        ("```\na<br>\n```", "a&lt;br&gt;"),
    ],
)
def test_tags_are_what_they_mean(text: str, page: str) -> None:
    assert page in desk.from_markdown(written(text))


def test_a_tag_in_code_is_shown_with_both_its_backticks() -> None:
    text = "Put it in a `<b>`, or a `<kbd> x`, then"
    for end in range(len(text)):
        assert "`" not in desk.from_markdown(written(settled(settle(text[:end]))))


TAGS = [
    "<b>",
    "</b>",
    "<br>",
    "<sup>",
    "</sup>",
    "<details>",
    "<summary>",
    "</summary>",
    "<!-- ",
    "-->",
    "`",
    "| ",
    "a ",
    "\n",
]


@given(st.lists(st.sampled_from(TAGS), max_size=12).map("".join), st.data())
def test_tags_that_were_shown_stay_as_they_were(text: str, data: st.DataObject) -> None:
    given, later = settle(text[: data.draw(st.integers(0, len(text)))]), settle(text)
    earlier = written(settled(given))
    assert len(later) < len(given) or written(settled(later)).startswith(earlier)
    assert written(text).startswith(earlier)


@pytest.mark.parametrize(
    "piece",
    [
        "<b>",
        "<b>x</b>`",
        "<!--",
        "<div ",
        "<br>",
        "|<br>",
        "**a ",
        "**a `b (",
        "__init__ ",
        "|-|\\(a",
        "<summary><b>",
        "|\nx\n",
    ],
)
def test_what_has_no_end_takes_no_time(piece: str) -> None:
    with at_once(_write):
        _write(piece * 5000)


def _write(text: str) -> None:
    written(settled(text))


ANSWERS = Path(__file__).parents[2] / "data" / "answers"


@pytest.mark.parametrize("name", ["chinese", "chinese_with_bold", "chinese_trip", "long_bold"])
def test_bold_is_seen_as_such_while_it_is_streamed(name: str) -> None:
    text = (ANSWERS / f"{name}.md").read_text()
    sent = ""
    for end in range(1, len(text) + 1):
        shown = written(settled(settle(text[:end])))
        assert shown.startswith(sent)
        assert "*" not in re.sub(r"<(pre|code).*?</\1>", "", desk.from_markdown(shown), flags=re.S)
        sent = shown
    assert written(text).startswith(sent)


def test_long_bold_that_never_ends_is_none() -> None:
    text = "Use **kwargs for " + "this and that, " * 60
    assert "**kwargs" in desk.from_markdown(written(text))
    assert len(written(text)) <= measure(text)


def test_a_face_of_which_a_half_may_begin_a_mention_is_streamed() -> None:
    text = "I lost >_< again"
    shown = [written(settled(settle(text[:end]))) for end in range(len(text))]
    assert all(written(text).startswith(each) for each in shown)


def test_asterisks_in_words_stay() -> None:
    text = "Leser*innen und Kolleg*innen rechnen 2*3*4."
    assert text in desk.from_markdown(content(Reply(text=text))["blocks"][0]["text"])
    shown = [written(settled(settle(text[:end]))) for end in range(len(text))]
    assert all(after.startswith(before) for before, after in itertools.pairwise(shown))


def test_a_notification_shows_what_was_written() -> None:
    text = "2*3*4 Hörer*innen: **注意：**后面"
    assert content(Reply(text=text))["text"] == text


def test_a_footnote_is_not_taken_for_the_address_of_a_link() -> None:
    text = "So it is[^1].\n\n[^1]: https://example.com/paper"
    page = desk.from_markdown(content(Reply(text=text))["blocks"][0]["text"])
    assert page.count("[1]") == 2 and "paper" in page and "[^" not in page
    assert (
        written("(one[^1]) or two [^2], and three[^note].")
        == "(one[1]) or two [2], and three[note]."
    )
    for same in (
        "`x[^1]`",
        "```\nx[^1]\n- [x] y\n```",
        "the class [^a-z], x[^0-9] or x[^abc]*",
        "x[^a] or a[^bc]d",
        "[Yes][No]",
    ):
        assert written(same) == same


def test_boxes_of_tasks_are_seen_as_such() -> None:
    page = desk.from_markdown(written("- [x] one\n  1. [ ] two\n- [ ](x) three"))
    assert "☑ one" in page and "☐ two" in page and "☐ three" not in page


def test_an_address_that_is_said_at_the_end_is_to_be_read() -> None:
    text = (
        "See the [guide][1], [more][] and `[a][b]`.\n\n```\n[x][1]\n[1]: y\n```\n"
        "[1]: https://example.com/guide\n[more]: https://example.com/more\n"
    )
    page = desk.from_markdown(written(text))
    for seen in ("guide [1], more and", "[a][b]", "[x][1]\n[1]: y<", "[1]", "/guide", "/more"):
        assert seen in page
    shown = [written(settled(settle(text[:end]))) for end in range(len(text))]
    assert all(after.startswith(before) for before, after in itertools.pairwise(shown))


def test_brackets_in_the_words_of_a_link_begin_no_formula() -> None:
    text = "see [the docs \\[new\\]](https://example.com/a_b)"
    assert desk.from_markdown(written(settled(settle(text)))).count("the docs [new]</a>") == 1


@given(st.text())
def test_words_survive(text: str) -> None:
    assert neutralise(text).replace("\N{WORD JOINER}", "") == text.replace("\N{WORD JOINER}", "")


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE html>",
        "mail me@here.example",
        "@dataclass",
        "a < b > c",
        "Map<User>",
        "<!-- x -->",
    ],
)
def test_what_only_looks_like_a_mention_is_left_alone(text: str) -> None:
    assert neutralise(text) == text


@given(st.lists(st.lists(st.text(min_size=1), max_size=40), max_size=60))
def test_any_buttons_are_blocks_that_slack_takes(rows: list[list[str]]) -> None:
    if sum(len(row) for row in rows) > 1_000:
        return
    buttons = tuple(tuple(Button(label, "v") for label in row) for row in rows)
    blocks = content(Reply(text="pick one", buttons=buttons))["blocks"]
    check(blocks)
    drawn = [button for block in blocks[1:] for button in block["elements"]]
    assert len(drawn) == sum(len(row) for row in rows)


def test_a_text_of_full_length_fits_with_all_its_mentions() -> None:
    text = "<!here> " * 1_200
    assert measure(text) <= MAX_TEXT
    check(content(Reply(text=text))["blocks"])
    assert measure("😀") == 2


def test_a_list_of_sources_is_measured_with_what_is_put_into_it() -> None:
    text = "".join(f"[{number}]: https://example.org/{number}\n" for number in range(200))
    shown = written(text)
    assert measure(text) >= len(shown.encode("utf-16-le")) // 2
    assert measure_stream(text) >= len(shown.encode())


def test_the_plain_text_beside_the_blocks_is_short_and_escaped() -> None:
    text = content(Reply(text="<b> & " * 1_000))["text"]
    assert text.startswith("&lt;b&gt; &amp; ")
    assert len(text) <= 1_000
    assert content(Reply(text="& <i> " * 3))["text"] == "&amp; &lt;i&gt; " * 3


@pytest.mark.parametrize("at", range(990, 1_001))
def test_the_plain_text_beside_the_blocks_is_not_cut_inside_an_entity(at: int) -> None:
    text = content(Reply(text="a" * at + "<&" * 9))["text"]
    assert "&" not in text.replace("&lt;", "").replace("&amp;", "")
    assert len(text) <= 1_000
