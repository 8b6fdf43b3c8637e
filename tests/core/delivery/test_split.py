from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.core.delivery.graphemes import is_boundary
from bot.core.delivery.markdown import open_fence
from bot.core.delivery.split import Measure, pages, take_page

FAMILY = "👨‍👩‍👧"
CLUSTERS = (FAMILY, "🇩🇪", "👍🏽", "e\u0301", "1\ufe0f\u20e3", "한", "क्षि", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "❤️")


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def rendered(text: str) -> int:
    """Like a platform that hides markers and the addresses of links."""
    text = re.sub(r"(?m)^\s*(`{3,}|~{3,}).*$\n?", "", text)
    return utf16(re.sub(r"\[([^]\n]*)\]\([^)\s]*\)", r"\1", text).replace("**", ""))


# ---------------------------------------------------------------- whole documents


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Markdown as models write it, of numbered words, so that none can be lost unseen."""
    numbers = iter(range(1_000_000))
    words = st.sampled_from(
        [
            "w{}",
            "w{}",
            "w{}",
            "**w{}**",
            "[w{}](https://e.example/x)",
            "`w{}`",
            "w{}.",
            "w{}，",
            "w{}。",
        ]
    )

    def sentence(most: int) -> str:
        return " ".join(
            draw(words).format(next(numbers)) for _ in range(draw(st.integers(1, most)))
        )

    def code() -> str:
        marks = draw(st.sampled_from(["```", "~~~", "````"]))
        margin = draw(st.sampled_from(["", "", "   ", "    "]))
        body = [f"{margin}w{next(numbers)} = 1" for _ in range(draw(st.integers(0, 12)))]
        head = f"1. w{next(numbers)}\n" if margin else ""
        return head + "\n".join([f"{margin}{marks}py", *body, f"{margin}{marks}"])

    def table() -> str:
        rows = [f"| w{next(numbers)} | w{next(numbers)} |" for _ in range(draw(st.integers(0, 12)))]
        return "\n".join(["| h | h |", "|---|---|", *rows])

    def items() -> str:
        return "\n".join(f"{n}. {sentence(4)}" for n in range(1, draw(st.integers(2, 8))))

    kinds = st.sampled_from([lambda: sentence(40), lambda: f"## {sentence(3)}", code, table, items])
    blocks = [draw(kinds)() for _ in range(draw(st.integers(1, 8)))]
    return draw(st.sampled_from(["\n\n", "\n"])).join(blocks)


@pytest.mark.unwatched
@settings(max_examples=300)
@given(documents(), st.sampled_from([120, 200, 700]), st.sampled_from([len, utf16, rendered]))
def test_every_word_of_a_document_is_on_one_page_in_its_place(
    text: str, limit: int, measure: Measure
) -> None:
    found = list(pages(text, limit, measure))
    assert re.findall(r"w\d+", " ".join(found)) == re.findall(r"w\d+", text)
    assert all(measure(page) <= limit for page in found)
    assert all(open_fence(page) is None for page in found[:-1])
    for whole in (r"\[w\d+\]\(https://e.example/x\)", r"`w\d+`", r"\*\*w\d+\*\*"):
        assert len(re.findall(whole, "\n".join(found))) == len(re.findall(whole, text))


@settings(max_examples=200)
@given(documents(), st.integers(0, 80))
def test_a_page_begins_with_what_the_reader_has_seen(text: str, seen: int) -> None:
    seen = min(seen, len(text))
    page = take_page(text, 120, least=seen)
    assert page.text.startswith(text[:seen])


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from([*CLUSTERS, "x", "词"]), min_size=1, max_size=200),
    st.integers(30, 50),
)
def test_no_character_is_cut_in_two(clusters: list[str], limit: int) -> None:
    text = "".join(clusters)
    found = list(pages(text, limit, utf16))
    assert "".join(found) == text
    assert all(utf16(page) <= limit for page in found)
    for cluster in CLUSTERS:
        assert sum(page.count(cluster) for page in found) == text.count(cluster)


def test_flags_are_cut_between_flags() -> None:
    flags = "🇩🇪🇫🇷🇮🇹"
    assert [at for at in range(7) if is_boundary(flags, at)] == [0, 2, 4, 6]


def test_a_page_takes_a_handful_of_measurements() -> None:
    calls = 0

    def measure(text: str) -> int:
        nonlocal calls
        calls += 1
        return len(text)

    text = "Some words, and a few more. " * 4000
    found = list(pages(text, 4096, measure))
    assert len(found) == 28
    assert calls <= 4 * len(found)


# ---------------------------------------------------------------- where it is cut


def test_a_text_that_fits_is_one_page_as_it_is() -> None:
    assert list(pages("  hello\n\n```py\nx", 100)) == ["  hello\n\n```py\nx"]


def test_a_blank_text_is_no_page() -> None:
    assert list(pages(" \n\n ", 100)) == []
    assert list(pages("a" + "\n" * 500, 100)) == ["a"]
    assert list(pages(" " * 500 + "a", 100)) == ["a"]


def test_paragraphs_are_kept_together() -> None:
    first, second = "one two three. " * 4, "four five six. " * 4
    assert list(pages(f"{first}\n\n{second}", 100)) == [first.strip(), second]


def test_a_paragraph_is_cut_after_a_sentence() -> None:
    text = "The first sentence is here. The second one is a little longer than that. The third."
    assert list(pages(text, 80)) == [text[:72], "The third."]


def test_a_chinese_paragraph_is_cut_after_a_sentence() -> None:
    text = "第一句话在这里。" * 5
    assert list(pages(text, 36)) == ["第一句话在这里。" * 4, "第一句话在这里。"]


def test_a_sentence_is_cut_after_a_word() -> None:
    assert list(pages("one two three four five six", 15)) == ["one two three", "four five six"]


def test_a_word_longer_than_a_page_is_cut_hard() -> None:
    found = list(pages("x" * 100_000, 4096))
    assert "".join(found) == "x" * 100_000
    assert len(found) == 25


def test_a_code_block_is_closed_and_opened_again_with_its_language() -> None:
    code = "\n".join(f"print({n})" for n in range(12))
    found = list(pages(f"```py\n{code}\n```\nDone.", 100))
    assert all(page.startswith("```py\nprint(") for page in found)
    assert found[0].endswith(")\n```")
    assert found[-1].endswith("```\nDone.")


def test_blank_lines_in_code_stay() -> None:
    code = "def one():\n    pass\n\n\ndef two():\n    pass"
    found = list(pages(f"~~~~py\n{code}\n{code}\n~~~~", 80))
    assert all(page.startswith("~~~~py\n") and page.endswith("\n~~~~") for page in found)
    assert "".join(page[7:-4] for page in found).count("\n\n\ndef two") == 2


def test_code_in_a_nested_list_is_opened_again_at_the_margin() -> None:
    body = "\n".join(f"      line{n}" for n in range(12))
    found = list(pages(f"1. a\n   - b\n      ```sh\n{body}\n      ```\n      c\n2. end", 90))
    assert found[1].startswith("```sh\nline")
    assert found[-1].endswith("\n```\nc\n\n2. end")
    assert re.findall(r"line\d+", "".join(found)) == body.split()


def test_code_in_a_quote_is_opened_again_in_the_quote() -> None:
    body = "\n".join(f"> w{n} = {n}" for n in range(20))
    found = list(pages(f"See:\n\n> ```py\n{body}\n> ```\nend", 90))
    for page in found[1:-1]:
        assert re.fullmatch(r"> ```py\n(> w\d+ = \d+\n)+> ```", page)
    assert found[-1].endswith("> ```\nend")
    assert re.findall(r"w\d+", " ".join(found)) == [f"w{n}" for n in range(20)]


def test_a_long_line_of_code_in_a_quote_goes_on_as_code() -> None:
    words = " ".join(f"w{n}" for n in range(60))
    found = list(pages(f"> ~~~\n> {words}\n> ~~~", 90))
    assert all(re.fullmatch(r"> ~~~\n> w[w\d ]+\n> ~~~", page) for page in found)
    assert re.findall(r"w\d+", " ".join(found)) == words.split()


def test_a_long_line_of_code_in_a_list_goes_on_as_code() -> None:
    words = " ".join(f"w{n}" for n in range(60))
    found = list(pages(f"- so\n  ~~~\n  {words}\n  x\n  ~~~\n  end", 90))
    assert all(re.fullmatch(r"~~~\nw[w\d ]+(\nx)?\n~~~", page) for page in found[1:-1])
    assert found[-1] == "end"


def test_code_in_a_quote_in_a_quote_may_lose_one_of_them() -> None:
    found = list(pages("> > ~~~\n" + "> code\n> > code\n" * 12 + "> > ~~~\n> end", 90))
    assert all(re.fullmatch(r"> > ~~~\n(> (> )?code\n)+> > ~~~(\n> end)?", p) for p in found)


def test_code_in_a_quote_ends_with_the_quote() -> None:
    text = "> ```\n> code\nwords\n" + "and more words\n" * 20
    assert open_fence("> ```\n> code") is not None and open_fence(text) is None
    assert "```" not in "".join(list(pages(text, 90))[1:])
    assert open_fence("```\n> ```") is not None and open_fence("> ```\n> > ```") is not None
    found = list(pages("> ```\n> code\nwords\n```py\n" + "line = 1\n" * 20 + "```", 90))
    assert found[0].startswith("> ```\n> code\nwords") and found[1].startswith("```py\nline")


def test_a_fence_with_an_endless_language_is_not_carried_over() -> None:
    found = list(pages("```" + "x" * 50 + "\n" + "code line\n" * 20 + "```", 100))
    assert found[1].startswith("```\ncode line")


def test_the_head_of_a_table_is_repeated_and_never_cut() -> None:
    rows = [f"| row {n} | cell |" for n in range(12)]
    found = list(pages("\n".join(["| name | text |", "|------|------|", *rows]), 120))
    assert len(found) > 1
    assert all(page.startswith("| name | text |\n|------|------|\n| row") for page in found)


def test_a_head_as_large_as_a_page_is_not_repeated() -> None:
    head = "| " + "long " * 15 + "| text |\n|---|---|\n"
    found = list(pages(head + "| row | cell |\n" * 12, 120))
    assert sum("long" in page for page in found) == 1


def test_a_row_longer_than_a_page_is_cut_in_its_words() -> None:
    text = "| a | b |\n|---|---|\n| " + "word " * 60 + "| x |"
    found = list(pages(text, 100))
    assert " ".join(found).count("word") == 60
    assert all(len(page) <= 100 for page in found)


def test_a_row_is_not_cut_in_its_code_or_bold_words() -> None:
    text = "| a | b |\n| --- | --- |\n" + "| some words | `a b c` and **d e f** |\n" * 9
    for limit in range(50, 110):
        for page in pages(text, limit):
            assert page.count("`") % 2 == 0 and page.count("**") % 2 == 0, page
            assert "| a | b |" not in page or "| a | b |\n| --- | --- |" in page


def test_a_heading_is_not_left_behind() -> None:
    text = "word " * 12 + "\n\n## A heading\n\n" + "more " * 12
    first, second = pages(text, 90)
    assert "heading" not in first
    assert second.startswith("## A heading")


def test_a_link_longer_than_a_page_is_cut_all_the_same() -> None:
    text = f"see [this](https://e.example/{'x' * 200}) now"
    found = list(pages(text, 100))
    assert "".join(found).replace(" ", "") == text.replace(" ", "")
    assert all(len(page) <= 100 for page in found)


def test_a_long_link_goes_to_the_next_page() -> None:
    text = f"{'word' * 10}[this](https://e.example/{'x' * 30})"
    assert list(pages(text, 80)) == ["word" * 10, text[40:]]


def test_a_link_of_several_words_stays_whole() -> None:
    link = "[a few words of a link](https://e.example/x)"
    text = "one two three four five " + link + " and **some bold words in the end** of it"
    found = list(pages(text, 50))
    assert link in "\n".join(found)
    assert "**some bold words in the end**" in "\n".join(found)


def test_pages_of_code_are_as_full_as_they_can_be() -> None:
    found = list(pages("```py\n" + "x = 1\n" * 200 + "```", 398))
    assert all(390 < len(page) <= 398 for page in found[:-1])


def test_a_number_stays_with_its_item() -> None:
    text = "\n".join(f"{n}. item number {n}" for n in range(1, 12))
    found = list(pages(text, 70))
    assert [line for page in found for line in page.splitlines()] == text.splitlines()


@pytest.mark.parametrize("step", ["  ", "   ", "    ", "\t"])
def test_the_rest_of_a_nested_list_moves_to_the_margin(step: str) -> None:
    deep = [f"{step * 2}- deep {n}" for n in range(8)]
    rest = [f"{step}- inner", f"{step * 2}- deep", "- top"]
    text = "\n".join(["- top", f"{step}- inner", *deep, *rest])
    first, second = pages(text, 90)
    assert first.startswith(f"- top\n{step}- inner\n{deep[0]}\n")
    left = [line.strip() for line in deep[first.count("deep") :]]
    assert second.split("\n") == [*left, "- inner", f"{step.expandtabs(4)}- deep", "- top"]


@pytest.mark.parametrize("step", ["  ", "   ", "    ", "\t"])
def test_the_rest_of_a_nested_list_stays_at_its_depth_where_that_can_be_drawn(step: str) -> None:
    deep = [f"{step * 2}- deep {n}" for n in range(12)]
    rest = [f"{step}- inner", f"{step * 2}- deep", "- top"]
    lines = ["- top", f"{step}- inner", *deep, *rest]
    _, second, *_ = found = list(pages("\n".join(lines), 90, around=""))
    assert [line.strip() for line in second.split("\n")[:2]] == ["-", "-"]
    together = [line for page in found for line in page.split("\n")]
    assert [line for line in together if line.strip() != "-"] == lines


def test_the_items_around_a_page_are_said_where_bare_signs_would_be_seen() -> None:
    items = "".join(f"       {n}. words {n}\n" for n in range(1, 9))
    text = f"9. top\n10. top\n    - inner\n{items}    - inner\n11. top"
    first, second = pages(text, 130, around="…")
    left = "".join(f"       {n}. words {n}\n" for n in (6, 7, 8))
    assert second == f"10. …\n    - …\n\n{left}    - inner\n11. top"
    page = MarkdownIt().render(second)
    assert '<li>…\n<ul>\n<li>\n<p>…</p>\n<ol start="6">\n<li>words 6</li>' in page
    assert first + "\n" + second.partition("\n\n")[2] == text


def test_numbers_stay_where_a_page_begins_at_its_depth() -> None:
    items = "".join(f"       {n}. words {n}\n" for n in range(1, 9))
    text = f"9. top\n10. top\n    1. inner\n{items}    2. inner\n11. top"
    _, second, third = pages(text, 90, around="")
    assert second.startswith("10.\n    1.\n       4. words 4\n")
    assert third.startswith("10.\n    1.\n       8. words 8\n    2. inner\n11. top")


@pytest.mark.parametrize(
    "text",
    [
        "> - top\n" + "".join(f">     - inner {n}\n" for n in range(8)),
        "- top\n\n" + "".join(f"  words of it {n}\n\n" for n in range(8)),
        "- top\n  ~~~\n" + "".join(f"  - code {n}\n" for n in range(9)) + "  ~~~",
        "".join("1. top\n" for _ in range(9)) + "   1. inner words\n" * 8,
    ],
    ids=["a quote", "a paragraph", "code", "another number"],
)
def test_a_page_begins_at_the_margin_where_it_cannot_begin_at_its_depth(text: str) -> None:
    assert list(pages(text, 90, around="")) == list(pages(text, 90))


@pytest.mark.parametrize("mark", ["- ", "1. ", "- a\n  - ", "> ", "> - "])
def test_the_head_of_a_table_in_something_stands_before_its_rows(mark: str) -> None:
    quote = "> " if ">" in mark else ""
    margin = quote + " " * (len(mark.split("\n")[-1]) - len(quote))
    rows = "".join(f"{margin}| row {n} | cell |\n" for n in range(12))
    found = list(pages(f"{mark}| name | text |\n{margin}|------|------|\n{rows}", 120))
    assert len(found) > 2
    for page in found[1:]:
        assert page.startswith(f"{quote}| name | text |\n{quote}|------|------|\n{quote}| row")


def test_an_item_that_is_cut_in_its_words_keeps_its_list() -> None:
    text = "- top\n    - " + "word " * 20 + "\n        - deep\n    - inner\n- top"
    assert list(pages(text, 80))[1] == "word " * 7 + "\n  - deep\n- inner\n- top"


def test_numbers_go_on_where_every_item_is_the_first() -> None:
    text = "\n".join(["1. top", *["   1. inner words"] * 14, "1. top", "   more of it", "1. top"])
    first, second = pages(text, 190)
    inner = 14 - first.count("inner")
    numbers = [f"{n}. inner words" for n in range(15 - inner, 15)]
    assert second.split("\n") == [*numbers, "2) top", "   more of it", "3) top"]


def test_what_an_item_holds_moves_with_its_number() -> None:
    items = [f"1. item {n}\n   - one\n   - two" for n in range(1, 13)]
    found = list(pages("\n".join(items), 285))
    rest = [f"{n}. item {n}\n    - one\n    - two" for n in (11, 12)]
    assert found[1:] == ["\n".join(rest)]


def test_a_list_in_a_quote_moves_to_the_margin_of_the_quote() -> None:
    text = "> - top\n" + "".join(f">     - inner {n}\n" for n in range(8)) + "> - top\n\nend"
    first, second = pages(text, 90)
    assert first.endswith("\n>     - inner 4")
    assert second == "> - inner 5\n> - inner 6\n> - inner 7\n> - top\n\nend"


def test_words_cut_in_a_quote_stay_in_it() -> None:
    first, second = pages("> " + "word " * 15 + "\n> > " + "more " * 3, 70)
    assert (first, second) == ("> " + "word " * 12 + "word", "> word word \n> > " + "more " * 3)


def test_an_ordered_list_after_the_rest_of_an_item_stays_a_list() -> None:
    text = "1. " + "word " * 15 + "\n2. next\n    - inner"
    assert list(pages(text, 70))[1] == "word word \n\n2. next\n    - inner"


def test_a_rule_after_the_rest_of_an_item_makes_no_heading_of_it() -> None:
    assert list(pages("- " + "word " * 15 + "\n---\nend", 70))[1] == "word word \n\n---\nend"


def test_a_page_does_not_begin_with_what_would_be_a_marker() -> None:
    for limit in range(20, 60):
        for page in list(pages("It is 5 - 3 or 1. first # one > two or 7 + 4 euros " * 4, limit))[
            1:
        ]:
            assert re.match(r"[-+#>]|1\.", page) is None


def test_a_list_is_cut_between_its_outer_items() -> None:
    text = "- one\n  - a\n  - b\n- two\n  - a\n  - b\n  - c\n- three\n  - a\n  - b\n  - c"
    assert list(pages(text, 50))[1].startswith("- three\n")


def test_indented_code_stays_code() -> None:
    text = "Some words:\n\n" + "".join(f"    line{n}\n" for n in range(12))
    assert all(page.startswith("    line") for page in list(pages(text, 60))[1:])


def test_pages_that_cannot_fit_still_end() -> None:
    found = list(pages("some words here", 5, lambda text: len(text) + 10))
    assert "".join("".join(found).split()) == "somewordshere"


def test_what_is_quoted_deeper_than_anybody_writes_is_kept_as_words() -> None:
    found = list(pages("> " * 60 + "words " * 40, 300))
    assert len(found) > 1 and "".join(found).count("words") == 40


def test_a_page_that_measures_more_for_its_end_is_cut_elsewhere() -> None:
    def measure(text: str) -> int:
        return len(text) + 60 * text.endswith("end.")

    text = "word " * 14 + "the end. " + "more " * 20
    found = list(pages(text, 100, measure))
    assert " ".join(found).split() == text.split()
    assert all(measure(page) <= 100 for page in found)


def test_a_measure_that_jumps_is_asked_no_more_than_is_sensible() -> None:
    calls = 0

    def measure(text: str) -> int:
        nonlocal calls
        calls += 1
        return 10**9 if len(text) > 77_777 else 0

    page = take_page("word " * 20_000, 1000, measure)
    assert 10_000 < page.used <= 77_777
    assert calls < 20


@pytest.mark.parametrize("limit", [40, 64, 100])
def test_carried_lines_never_keep_a_page_from_moving_on(limit: int) -> None:
    text = "```python\n" + "x" * 300 + "\n```"
    found = list(pages(text, limit))
    assert "".join(found).count("x") == 300
    assert all(len(page) <= limit for page in found)


def test_a_page_of_a_deep_list_ends_where_an_outer_item_ends() -> None:
    details = "".join(f"    - detail {number} of it\n" for number in range(4))
    text = "- plan\n" + "".join(f"  - step {number} is this\n{details}" for number in range(12))
    first, *rest = pages(text, 600)
    assert len(first) > 450
    assert all(page.startswith("- step") for page in rest)
