from __future__ import annotations

import html
import random
import re
from pathlib import Path

import pytest

from bot.core.delivery.partial import settle
from bot.platforms.telegram.markdown.render import (
    MAX_ENTITIES,
    MAX_TEXT,
    Rendered,
    measure,
    pages,
    render,
)
from bot.platforms.telegram.markdown.rich import compose
from bot.sandbox.phone import markup as phone
from bot.sandbox.telegram import blocks
from bot.sandbox.telegram.judge import Tdlib
from tests.platforms.telegram.markdown.judging import (
    STEP,
    judged,
    kinds,
    outside_code,
    while_written,
    words_by_another_parser,
    words_shown,
)
from tests.platforms.telegram.markdown.snippets import SNIPPETS

ANSWERS = sorted((Path(__file__).parents[3] / "data" / "answers").glob("*.md"))


@pytest.fixture(scope="module")
def telegram_parser() -> Tdlib:
    return Tdlib()


# ---------------------------------------------------------------- nothing refused, nothing lost


def test_telegram_takes_every_snippet_whole_and_cut(telegram_parser: Tdlib) -> None:
    for snippet in SNIPPETS:
        for page in pages(render(snippet)):
            assert judged(telegram_parser, page).text, snippet
        for shown in while_written(snippet):
            judged(telegram_parser, shown)
        for end in range(STEP, len(snippet), STEP):
            judged(telegram_parser, render(snippet[:end]))


MARKER = re.compile(r"\*\*|(?<!repr)__(?!repr)|~~|```|\]\(|^#{1,6} |\|\||\|-", re.MULTILINE)


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem)
def test_telegram_takes_every_answer_at_every_moment_and_no_marker_is_left(
    path: Path, telegram_parser: Tdlib
) -> None:
    text = path.read_text()
    whole = render(text)
    for page in pages(whole):
        seen = judged(telegram_parser, page)
        assert seen.text == page.text
    for shown in (whole, *while_written(text)):
        for page in pages(shown):
            judged(telegram_parser, page)
        if path.stem != "unclosed":  # its markers are its words: nothing ever closes them
            assert not MARKER.search(outside_code(shown)), outside_code(shown)


@pytest.mark.parametrize("seed", range(20))
def test_telegram_takes_any_mixture(seed: int, telegram_parser: Tdlib) -> None:
    dice = random.Random(seed)
    for _ in range(25):
        parts = dice.choices(SNIPPETS, k=dice.randint(2, 5))
        text = dice.choice(["\n\n", "\n", " "]).join(parts)
        for page in pages(render(text)):
            judged(telegram_parser, page)
        cut = text[: dice.randint(1, len(text))]
        for page in pages(render(settle(cut), partial=True)):
            if page.is_visible:
                judged(telegram_parser, page)


OTHERWISE = {
    "latex",
    "induction",
    "prices_and_formulas",
    "maths_lecture",
    "pipes_in_cells",  # formulas become what they mean
    "html_mixed",
    "everything_nested",  # `H<sub>2</sub>O` is one word
    "emoji",
    "chinese_with_bold",  # the witness takes some emphasis for asterisks
    "addresses",  # and words in angles for tags
}
"""Answers whose words the witness sees otherwise."""


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem)
def test_no_letter_of_another_script_is_lost_or_moved(path: Path) -> None:
    text = path.read_text()
    letters = re.compile(r"[^\W\d_\u0000-\u02ff\u0370-\u03ff\u1d00-\u2bff]")
    shown = "".join(page.text for page in pages(render(text)))
    assert letters.findall(shown) == letters.findall(re.sub(r"\]\([^)]*\)", "]", text))


@pytest.mark.parametrize(
    "path", [p for p in ANSWERS if p.stem not in OTHERWISE], ids=lambda path: path.stem
)
def test_no_word_of_an_answer_is_lost(path: Path) -> None:
    text = path.read_text()
    lost = words_by_another_parser(text) - words_shown(text)
    # The cross of a task that is done, and what the witness takes for emphasis: a product, a name.
    assert not set(lost) - {"x", "234", "repr"}


# ---------------------------------------------------------------- how things look


@pytest.mark.parametrize(
    ("markdown", "text", "formatted"),
    [
        ("**a** *b* `c` ~~d~~", "a b c d", ["bold", "italic", "code", "strikethrough"]),
        ("||secret|| but a || b", "secret but a || b", ["spoiler"]),
        ("```py\nx = 1\n```", "x = 1", ["pre"]),
        ("> wise\n> words", "wise\nwords", ["blockquote"]),
        ("# Title", "Title", ["bold", "underline"]),
        ("- a\n  - b\n1. c", "• a\n  • b\n1. c", []),
        ("2. B\n5. D\n7) A\n9) C", "2. B\n5. D\n7. A\n9. C", []),
        ("- 6. June\n- 8. July", "• 6. June\n• 8. July", []),
        ("- [ ] a\n- [x] b", "☐ a\n☑ b", []),
        ("x &lt; y &amp;&amp; z &copy;", "x < y && z ©", []),
        ("<b>a</b><br>b <u>c</u>", "a\nb c", ["bold"]),
        ("<div>kept</div>", "kept", []),
        ("your <div> is open, as is <b>", "your <div> is open, as is <b>", []),
        ("between <head> and </head>, or <b></b>", "between <head> and </head>, or <b></b>", []),
        ("$\\sqrt{b^2-4ac}$, $\\sqrt[3]{x}$", "√(b²-4ac), ∛x", ["code", "code"]),
        ("said before:\n---\nand now", "said before:\n\n———\nand now", []),
        ("- <p>: a *paragraph*\n- <T>", "• <p>: a paragraph\n• <T>", ["italic"]),
        ("<p>kept</p>", "kept", []),
        ("<answer>\nIt was.\n</answer>", "<answer>\nIt was.\n</answer>", []),
        ("| a |\n|-|\n| <ul><li>b</li><li>c</li></ul> |", "a\n───────\n• b • c", ["pre"]),
        ("Vec<T> and <your name>", "Vec<T> and <your name>", []),
        ("~5 or $5 to $6", "~5 or $5 to $6", []),
        ("$E=mc^2$ and \\(\\alpha\\)", "E=mc² and α", ["code", "code"]),
        ("so:\n\n    x = 2*3*4\n", "so:\n\nx = 2*3*4", ["pre"]),
        ("$$\na*b*c\n$$", "a*b*c", ["pre"]),
        (r"[docs \[new\]](https://example.com)", "docs [new]", ["text_link"]),
        ("`\\(kept\\)`", "\\(kept\\)", ["code"]),
        ("word[^1]\n\n[^1]: note", "word[1]\n\n[1] note", []),
        ("word[^1], x [^2] in `[^1]`", "word[1], x [2] in [^1]", ["code"]),
        ("so[^note] it[^n]\n\n[^n]: is", "so[note] it[n]\n\n[n] is", []),
        ("any [^a-z], a[^b]c, x[^abc]+, x[^0-9]", "any [^a-z], a[^b]c, x[^abc]+, x[^0-9]", []),
        ("Go on? [Yes][No] [保存][取消]", "Go on? [Yes][No] [保存][取消]", []),
        ("1. ```\n   a\n   ```\n\n   b", "1. a\nb", ["pre"]),
        ("2*3*4 snake_case", "2*3*4 snake_case", []),
        ("x**2 + y**2, f(x)*g(y)*2", "x**2 + y**2, f(x)*g(y)*2", []),
        ("*a*b **c**d **e**2", "ab cd e2", ["bold", "bold", "italic"]),
        ("**注意：**后面", "注意：后面", ["bold"]),
        ("这是**“重点”**内容", "这是“重点”内容", ["bold"]),
        ("**A：**b **第（1）章**c", "A：b 第（1）章c", ["bold", "bold"]),
        ("日本語の**「強調」**です", "日本語の「強調」です", ["bold"]),
        ("한국어 **강조(괄호)**입니다", "한국어 강조(괄호)입니다", ["bold"]),
        ("~~旧价（5元）~~新价", "旧价（5元）新价", ["strikethrough"]),
        ("**Note:**text", "Note:text", ["bold"]),
        ("***注意：***后面", "注意：后面", ["bold", "italic"]),
        ("***Note:***text", "Note:text", ["bold", "italic"]),
        ("中文，*斜体。*后文", "中文，斜体。后文", ["italic"]),
        ("这是*“重点”*内容", "这是“重点”内容", ["italic"]),
        ("**粗体：**后 *斜体：*后", "粗体：后 斜体：后", ["bold", "italic"]),
        ("**一*二。*三：**四", "一二。三：四", ["bold", "italic"]),
        ("`*注意：*后` *a（b）*c", "*注意：*后 a（b）c", ["code", "italic"]),
        ("文件*.txt和*.md", "文件*.txt和*.md", []),
        ("共5*3=15，*3后", "共5*3=15，*3后", []),
        ("\\*注意：\\*后", "*注意：*后", []),
        ("`**注意：**后`", "**注意：**后", ["code"]),
        ("f**(a)**b", "f**(a)**b", []),
    ],
)
def test_markdown_becomes_text_and_entities(markdown: str, text: str, formatted: list[str]) -> None:
    rendered = render(markdown)
    assert rendered.text == text
    assert sorted(kind for kind, _ in kinds(rendered)) == sorted(formatted)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("/relative", ""),
        ("#anchor", ""),
        ("http://", ""),
        ("javascript:alert(1)", ""),
        ("http://localhost:8000/x", " (http://localhost:8000/x)"),
        ("https://a:99999/", " (https://a:99999/)"),
        ("mailto:a@b.c", " (a@b.c)"),
        ("mailto:a@b.c?subject=Hi", " (a@b.c)"),
        ("tel:+4930123", " (+4930123)"),
    ],
)
def test_a_link_that_telegram_refuses_is_words_with_an_address_to_copy(
    url: str, shown: str
) -> None:
    rendered = render(f"before [the **words**]({url}) after")
    assert rendered.text == f"before the words{shown} after"
    assert kinds(rendered) == [("bold", "words")]


def test_an_address_that_is_said_already_is_not_said_again() -> None:
    text = "[http://localhost:1](http://localhost:1), <http://localhost:2>, [a@b.c](mailto:a@b.c)"
    assert render(text).text == "http://localhost:1, http://localhost:2, a@b.c"
    assert render("[localhost:1/x](http://localhost:1/x)").text == "localhost:1/x"


def test_an_address_that_is_no_link_is_said_in_a_table_too() -> None:
    shown = render("| a |\n|---|\n| [Ann](mailto:a@b.c), Map<std::string> |").text
    assert shown.endswith("Ann (a@b.c), Map<std::string>")


def test_a_word_in_angles_keeps_them_though_it_has_a_colon() -> None:
    text = "std::vector<std::string> of /users/<int:id>"
    assert render(text).text == text
    assert (
        html.unescape(phone.from_blocks(blocks.from_markdown(compose(text).markdown)))
        == f"<p>{text}</p>"
    )


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("```py\n    return 1\nx\n```", "    return 1\nx"),
        ("```py\n\n  \n    return 1\n```", "    return 1"),
        ("        if a:\n            b()\n\nso it is", "    if a:\n        b()\n\nso it is"),
        ("> ```\n>   deep\n> ```", "  deep"),
        ("| a |\n|--:|\n| 100 |", "  a\n───\n100"),
        ("\n\n  text\n```\n  x\n```", "text\n  x"),
    ],
)
def test_code_at_the_beginning_keeps_its_indentation(
    markdown: str, text: str, telegram_parser: Tdlib
) -> None:
    assert judged(telegram_parser, render(markdown)).text == text


def test_a_text_that_begins_deep_in_a_list_is_indented(telegram_parser: Tdlib) -> None:
    shown = render("-\n  3.\n     - **deep** 👍\n     - more\n  4. inner\n- top")
    text = "\u00a0\u00a0\u00a0\u00a0• deep 👍\n    • more\n  4. inner\n• top"
    assert judged(telegram_parser, shown).text == text
    assert kinds(shown) == [("bold", "deep")]
    assert not render("-\n  3.", partial=True).is_visible
    assert render("-\n- a").text == "• \n• a"


def test_code_that_goes_on_over_messages_keeps_its_indentation() -> None:
    line = "    return 'ein langer Text, der eine ganze Zeile braucht'"
    for page in pages(render("```py\n" + f"{line}\n" * 200 + "```")):
        assert set(page.text.split("\n")) == {line}


def test_a_good_link_keeps_its_address() -> None:
    rendered = render("see [there](https://example.com/a?b=c&d=e#f)")
    assert [(e.type, e.url) for e in rendered.entities] == [
        ("text_link", "https://example.com/a?b=c&d=e#f")
    ]


PRICES = [
    ("It costs **$5** a month, or **$50** a year.", "It costs $5 a month, or $50 a year."),
    ("- **Price:** $5 (was ~~$10~~)", "• Price: $5 (was $10)"),
    ("*$5*–*$6*, or **$7**, **$8**, **$9**", "$5–$6, or $7, $8, $9"),
    ("**$AAPL** and **$TSLA** fell", "$AAPL and $TSLA fell"),
    ("是**$5**或**$10**", "是$5或$10"),
    ("<div>**$5** or **$10**</div>", "$5 or $10"),
    ("from $HOME/$USER to $5", "from $HOME/$USER to $5"),
]


@pytest.mark.parametrize(("markdown", "text"), PRICES)
def test_marks_between_two_prices_are_formatting(markdown: str, text: str) -> None:
    rendered = render(markdown)
    assert rendered.text == text
    formatted = [kind for kind, _ in kinds(rendered)]
    assert "code" not in formatted
    assert len(formatted) == len(re.findall(r"\*\*|~~|\*", markdown)) // 2


def test_only_the_price_itself_is_bold() -> None:
    rendered = render(PRICES[0][0])
    assert kinds(rendered) == [("bold", "$5"), ("bold", "$50")]


def test_a_formula_beside_prices_or_before_a_letter_stays_one() -> None:
    rendered = render("**$5** for **$x^2$**, the $n$th of $y$为 and $E=mc^2$, 3$n$, 2$\\pi r$.")
    formulas = [words for kind, words in kinds(rendered) if kind == "code"]
    assert formulas == ["x²", "n", "y", "E=mc²", "n", "π r"]


@pytest.mark.parametrize(
    "markdown",
    [
        "USD ($) vs. AUD (A$)",
        "cheap ($), mid ($$), high ($$$), top ($$$$)",
        "$ = cheap, $$ = medium, $$$ = expensive",
        "Joe: $$ – pizza, Ann: $$ – thai, $$ – rice",
        'echo "${HOME}" and "${PATH}", or ${A}${B}',
        "变量$x和$y，环境变量$HOME与$PATH_X",
        "价格是5$，折后4$。",
        "from 5$ to 6$, or 7$",
        "原价~~$15~~，见`$x`和`$y`",
        "it costs $15, see `$HOME` and `$x_y`",
        "In R: df$x_1 or df$y",
        r"Dear \[Your Name\], see \[1\], \(if you like\)",
    ],
)
def test_dollars_and_brackets_of_words_are_shown(markdown: str) -> None:
    text = re.sub(r"\\|~~|`", "", markdown)
    assert render(markdown).text == text
    rich = phone.from_blocks(blocks.from_markdown(compose(markdown).markdown))
    assert html.unescape(re.sub("<[^<>]*>|\u200b", "", rich)) == text


@pytest.mark.parametrize("markdown", [text for text, _ in PRICES[:4]])
def test_prices_are_shown_as_such_while_they_are_written(markdown: str) -> None:
    for end in range(1, len(markdown)):
        shown = render(settle(markdown[:end]), partial=True)
        assert "code" not in [kind for kind, _ in kinds(shown)]
        assert not re.search(r"\*\*|~~", shown.text)


def test_prices_in_a_table_keep_their_dollars_and_no_mark() -> None:
    rendered = render("| A |\n|---|\n| **$5** or **$10** |")
    assert rendered.text.split("\n")[-1] == "$5 or $10"


def test_the_columns_of_a_table_stand_under_each_other() -> None:
    table = "| 名字 | n |\n|:--|--:|\n| 中文 | 1 |\n| ab | 22 |\n| é👍 | 3 |"
    rendered = render(table)
    assert kinds(rendered) == [("pre", rendered.text)]
    assert rendered.text.split("\n") == [
        "名字 │  n",
        "─────┼───",
        "中文 │  1",
        "ab   │ 22",
        "é👍  │  3",
    ]


def test_a_link_in_a_table_stands_below_it() -> None:
    rendered = render("| a |\n|---|\n| [here](https://example.com) |")
    assert rendered.text == "a\n────\nhere\n\nhere"
    assert kinds(rendered)[-1] == ("text_link", "here")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("**bold that " + "goes on " * 60, "bold that " + "goes on " * 60),
        ("text **", "text"),
        ("a `b", "a b"),
        ("**a *b", "a b"),
        ("x ||hid", "x hid"),
        ("value $\\frac{1", "value"),
        ("the **$AAPL** share is", "the $AAPL share is"),
        ("for $n \\ge 1$, we ha", "for n ≥ 1, we ha"),
        ("$$\nx^2\n$$\n", "x²"),
        ("at $90^\\ci", "at"),
        ("from $10-$", "from $10-"),
        ("see [it](https://e.example/a_(b)_c) an", "see it an"),
        ("keys *️⃣ and mo", "keys *️⃣ and mo"),
        ("so a*b or x**2 and **bold that", "so a*b or x**2 and bold that"),
        ("end\n\n* * *\n", "end\n\n———"),
        ("| a |\n|---|\n| [here](https://e.example) |", "a\n────\nhere"),
        ("2 * 3 snake_ca", "2 * 3 snake_ca"),
    ],
)
def test_what_is_still_open_is_shown_as_what_it_will_be(written: str, text: str) -> None:
    assert render(written, partial=True).text == text.strip()


def test_a_text_that_shows_nothing_is_shown_as_it_came() -> None:
    assert render("<!-- -->").text == "<!-- -->"
    assert render("").text == "…"


@pytest.mark.parametrize("blank", ["\u2800\u2800\n\u2800", "\ufffc", "\u030a", "\u200b", "\u3000"])
def test_what_telegram_takes_for_nothing_is_never_sent(blank: str, telegram_parser: Tdlib) -> None:
    assert not judged(telegram_parser, Rendered(blank)).text
    assert not render(blank, partial=True).is_visible
    assert judged(telegram_parser, render(blank)).text == "…"
    drawing = blank + "\u28ff"
    assert judged(telegram_parser, render(drawing, partial=True)).text.endswith("\u28ff")


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\u0085"])
def test_ends_of_lines_of_any_kind_keep_words_apart(end: str, telegram_parser: Tdlib) -> None:
    for partial in (False, True):
        assert judged(telegram_parser, render(f"one{end}two", partial=partial)).text == "one\ntwo"


# ---------------------------------------------------------------- sizes


def test_lengths_are_counted_in_utf16() -> None:
    assert measure("👍" * 2000) == 4000
    assert measure("**中文** " * 50 + "x" * 2000) == 150 + 2000


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_a_short_text_is_never_measured_as_less_than_it_takes(snippet: str) -> None:
    for text in (snippet, f"{snippet}\n\n{snippet}", f"- {snippet}"):
        assert measure(text) >= render(text).length or render(text).text == "…"


def test_too_many_entities_count_as_too_long() -> None:
    assert measure("*a* " * MAX_ENTITIES) <= MAX_TEXT
    assert measure("*a* " * (MAX_ENTITIES + 1)) > MAX_TEXT


@pytest.mark.parametrize("line", ["**bold** and `code` ", "**bold** and `code`\n\n", "word👍 "])
def test_a_long_text_is_cut_into_pages_without_losing_a_word(line: str) -> None:
    rendered = render(line * 700)
    cut = pages(rendered)
    assert all(page.length <= MAX_TEXT and len(page.entities) <= MAX_ENTITIES for page in cut)
    assert "".join("".join(page.text for page in cut).split()) == "".join(rendered.text.split())


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("- **kwargs are " + "many " * 90 + "\n- and *these*", "and these"),
        ("see **https://a.example/x_y**", "https://a.example/x_y"),
        ("see https://a.example/x_(y)_z and so", "https://a.example/x_(y)_z and so"),
        ("see https://a.example/x_(y and", "https://a.example/x_(y and"),
        ("blanks are \\s*$ here", "blanks are \\s*$ here"),
        ("so \\_this is", "so _this is"),
    ],
)
def test_no_marker_is_added_to_what_is_being_written(written: str, shown: str) -> None:
    assert render(written, partial=True).text.endswith(shown)


@pytest.mark.parametrize("address", ["tg://user?id=1", "TG://User?id=1", "tg://USER/?id=1"])
def test_a_model_mentions_nobody_by_a_link(address: str) -> None:
    shown = render(f"ask [Ann]({address})")
    assert "Ann" in shown.text
    assert shown.entities == ()


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("see [the list][1], [more][] x", "see the list, more x"),
        ("see [WHO][1] and [RFC 9110][rfc9110] x", "see WHO and RFC 9110 x"),
        ("see [the list][", "see"),
        ("see [more][]", "see"),
        ("`[a][b]`, x[i][j], [1][2] x", "[a][b], x[i][j], [1][2] x"),
        ("[K][u] = [f], [ERROR][main] x", "[K][u] = [f], [ERROR][main] x"),
        ("a [list][1]\n\n[1]: https://example.com\n", "a list"),
    ],
)
def test_a_link_whose_address_is_still_to_come_has_no_brackets(written: str, shown: str) -> None:
    assert render(settle(written), partial=True).text == shown


@pytest.mark.parametrize(
    ("written", "shown", "links"),
    [
        ("see [the list][1] x\n\n[1]: https://example.com/x", "see the list x", ["the list"]),
        ("see [the list][1] and [that][b] x", "see the list [1] and that [b] x", []),
        ("[RFC 1][rfc] x\n\n[rfc]: https://example.com/x", "RFC 1 x", ["RFC 1"]),
        ("The [List][Site]\n\n[Site]: https://example.com/x", "The List", ["List"]),
        ("so it is [1].\n\n[1]: https://e.com/x", "so it is [1].\n\n[1]: https://e.com/x", []),
        ("Sources:\n\n[a]: https://e.com/x", "Sources:\n\n[a]: https://e.com/x", []),
    ],
)
def test_an_address_that_no_link_on_the_page_has_is_to_be_read(
    written: str, shown: str, links: list[str]
) -> None:
    rendered = render(written)
    assert rendered.text == shown
    assert [shown[e.offset : e.offset + e.length] for e in rendered.entities] == links
