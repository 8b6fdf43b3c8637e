from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.core.delivery.emphasis import (
    GAP,
    as_meant,
    literally,
    most_signs,
    undecided,
    with_gaps,
)

READER = MarkdownIt("commonmark").enable("strikethrough")
"""An independent reader of Markdown, as strict as most."""


def seen(text: str) -> str:
    """What somebody reads, with `<b>`, `<i>` and `<s>` around what is emphasised."""
    page = str(READER.renderInline(text)).replace(GAP, "")
    return page.replace("strong>", "b>").replace("em>", "i>")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("**注意：**文字", "<b>注意</b>：文字"),
        ("这是**“重点”**内容", "这是“<b>重点</b>”内容"),
        ("和**（一）数学**、", "和<b>（一）数学</b>、"),
        ("**预算（含税）：**给**配件（鼠标）**等", "<b>预算（含税）：</b>给<b>配件（鼠标）</b>等"),
        ("한국어 **강조(괄호)**입니다", "한국어 <b>강조(괄호)</b>입니다"),
        ("日本語の**「強調」**です", "日本語の「<b>強調</b>」です"),
        ("**Note:**text", "<b>Note:</b>text"),
        ("~~旧价（5元）~~新价", "<s>旧价（5元）</s>新价"),
        ("***注意：***后面", "<i><b>注意</b></i>：后面"),
        ("中文，*斜体。*后文", "中文，<i>斜体</i>。后文"),
        ("他*'走吧'*说完*Go!*就走", "他<i>'走吧'</i>说完<i>Go!</i>就走"),
        ("**一*二。*三：**四", "<b>一<i>二</i>。三</b>：四"),
        ("涨了**+5%**左右", "涨了<b>+5%</b>左右"),
        ("`*`和`*`，**注意：**后", "<code>*</code>和<code>*</code>，<b>注意</b>：后"),
        ("使用**`f()`**函数", "使用<b><code>f()</code></b>函数"),
        ("点**[这里](http://a.example)**看", '点<b><a href="http://a.example">这里</a></b>看'),
    ],
)
def test_emphasis_is_seen_by_every_reader(written: str, shown: str) -> None:
    assert "*" in seen(written) or "~" in seen(written)
    assert seen(with_gaps(written)) == shown


def test_emphasis_before_full_width_punctuation_is_seen_by_slack_too() -> None:
    assert with_gaps("说**“好”**，然后**70%→83%**。") == f"说“**好**”，然后**70%→83%{GAP}**。"


@pytest.mark.parametrize(
    "text",
    ["**注意：**文字", "这是**“重点”**内容", "**真的！？**是", "**“好”：**后", "__注意：__后"],
)
def test_what_is_copied_has_no_gap_where_none_is_needed(text: str) -> None:
    assert with_gaps(text) != text
    assert GAP not in with_gaps(text)


@pytest.mark.parametrize(
    "text", ["**「A」和「B」**的", "**《书》（上）**里", "是**（注）重点：**后"]
)
def test_signs_that_belong_together_stay_together(text: str) -> None:
    assert with_gaps(text).replace(GAP, "") == text


@pytest.mark.parametrize(
    "text",
    [
        "**注意：** 后面",
        "**Note:** text, *more*, ~~less~~",
        "`**注意：**后`",
        "```\n**注意：**后\n```",
        "文件*.txt和*.md",
        "普通的**重点**和*斜体*，没有标点",
        "共5*3=15，*3后",
        "价格*(1+税率)*数量",
        "f**(a)**b",
        "**" + "长" * 400 + "：**后",
    ],
)
def test_what_needs_no_help_stays_as_it_is(text: str) -> None:
    assert with_gaps(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "2*3*4",
        "x**2 + y**2",
        "5*n*(n-1)*k",
        "2**10, 2**n",
        "(a+b)**2 = a**2 + 2*a*b + b**2",
        "Leser*innen und Kolleg*innen",
    ],
)
def test_a_product_keeps_its_asterisks(text: str) -> None:
    assert seen(text) != text
    assert seen(literally(text)) == text
    for code in (f"`{text}` and\n```\n{text}\n```", f"so:\n\n    {text}", f"so\n$$\nx\n{text}\n$$"):
        assert literally(code) == code
    assert literally(f"$$\nx\n$$\n{text}") != f"$$\nx\n$$\n{text}"
    assert literally(f"- x\n    - {text}") != f"- x\n    - {text}"


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("use __init__ and obj.__name__, or pkg/__main__.py", 12),
        ("COUNT(*) and SUM(*) of *.txt or (*.md)", 4),
        ("src/**/*.ts, test/**/*.ts and *.{js,ts}", 7),
        ("Accept: */* or text/*, and build/*, /var/log/*", 5),
        ("'*' or '*', and “*” as any", 3),
        ("all files (*.*) of a[*] and b[*].c, or c[:, *] and d[*]", 6),
        ("int a; /* one */ int b; /* two */", 4),
        ("src/**, test/** and src/**", 6),
        ("words as .*foo.* or (.*?), and .* is all", 3),
        (r"in C:\Users\ann\.ssh\_old, not %APPDATA%\.app", 4),
        (r"C:\[x] on \\server\share", 2),
        (r"del C:\Temp\*.txt, C:\Logs\* and C:\old\*", 6),
    ],
)
def test_names_and_paths_keep_their_signs(text: str, more: int) -> None:
    assert seen(text) != text
    assert seen(literally(text)) == text
    assert len(literally(text)) == len(text) + more <= len(text) + most_signs(text)
    for code in (f"`{text}`", f"**`{text}`**", f"***the `{text}`*** is", f"_**`{text}`**_"):
        assert literally(code) == code


@pytest.mark.parametrize(
    "text",
    [
        r"who knows ¯\_(ツ)_/¯ and ¯\_(ツ)_/¯",
        "好的 ^_^ 加油 (•_•) -_- (￣_￣) ^_^",
        "(*^▽^*) 太好了（*￣︶￣*）*_* ok *_*",
    ],
)
def test_a_face_keeps_its_eyes_and_arms(text: str) -> None:
    assert seen(text) != text
    assert seen(literally(text)) == text
    assert len(literally(text)) <= len(text) + most_signs(text)
    assert literally(f"`{text}`") == f"`{text}`"


@pytest.mark.parametrize(
    "text",
    [
        "fn[T](x), cls[T]() and arr[i](j)",
        "window['alert'](1), f(x)[i](j) or a[i][j](k)",
        "__init__ and dict[str, list[int]](f(x)), 2*3*4",
    ],
)
def test_what_is_found_by_an_index_and_called_is_no_link(text: str) -> None:
    assert seen(text) != text
    assert seen(literally(text)) == text
    assert len(literally(text)) <= len(text) + most_signs(text)
    assert literally(f"`{text}`") == f"`{text}`"


def test_a_pattern_behind_an_underscore_keeps_its_sign() -> None:
    text = "test_*.py and bench_*.py"
    assert seen(text) != text
    assert seen(literally(text)) == text


def test_code_that_goes_on_with_a_paragraph_keeps_its_signs() -> None:
    text = "def __init__(self):\n    super().__init__(2*3*4)\n\tself.x = 5*n*m"
    assert seen(text) != re.sub(r"\n\s+", "\n", text)
    assert seen(literally(text)) == re.sub(r"\n\s+", "\n", text)
    for before in ("so:\n\n", "# so\n", "```\nso\n```\n", "---\n", "    so\n", "    so\n" * 80):
        assert literally(f"{before}    x = 2*3*4") == f"{before}    x = 2*3*4"


@pytest.mark.parametrize(
    "text",
    [
        "__strong__ and __all of it__",
        "*it.* and *(all)*",
        "*src/* and **/api/** in **/start**",
        r"\*.txt and C:\\Users\\ann",
        "\"*'Tis so,'* she thought\"",
        r"¯\\\_(ツ)\_/¯ and **_^x^_**, _-a-_",
        r"so \\ \alpha\_1",
        "**bold**2",
        "*a*b",
        "iPhone**15**发布",
        "pre**bold**post",
        "[x](http://a.example/2*3*4)",
        "as said[1](https://a.example/b), there[2](#note), or [so](it)",
    ],
)
def test_what_stands_for_no_sign_gets_no_backslash(text: str) -> None:
    assert literally(text) == text


PIECES = [
    "**",
    "*",
    "~~",
    "注意",
    "word",
    "：",
    "”",
    "“",
    "（",
    "）",
    ":",
    " ",
    "`",
    "5",
    "\n",
    "- ",
]


def _words(text: str) -> str:
    return re.sub(f"[*~{GAP}]", "", text)


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_only_signs_are_added_and_no_more_than_are_counted_with(text: str) -> None:
    assert _words(with_gaps(text)) == _words(text)  # marks may stand elsewhere
    assert literally(text).replace("\\", "") == text
    assert len(as_meant(text)) - len(text) <= most_signs(text)


@pytest.mark.parametrize(
    ("text", "decided"),
    [
        ("说**注意：**", "说"),
        ("- a\n- **注意：**", "- a\n"),
        ("**Note:**", ""),
        ("**bold**", "**bold**"),
        ("2 * 3 *", "2 * 3 *"),
        ("**注意：**后", "**注意：**后"),
        ("```\n**注意：**", "```\n**注意：**"),
        ("**" + "长" * 400 + "：**", "**" + "长" * 400 + "：**"),
    ],
)
def test_what_follows_emphasis_decides_about_its_marks(text: str, decided: str) -> None:
    assert text[: undecided(text)] == decided
