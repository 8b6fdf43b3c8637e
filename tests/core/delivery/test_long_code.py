from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.delivery.long_code import LONGEST_LINE, PAGES, Shortened, finish, shorten
from bot.core.delivery.markdown import code_blocks, open_fence
from bot.sandbox.openai.scripted import Answer
from tests.house import QUICK, open_house

PAGE = 100
LIMIT = PAGES * PAGE


def note(name: str, lines: int) -> str:
    return f"[{name}: {lines}]"


def lines_of_code(count: int, indent: str = "") -> str:
    return "".join(f"{indent}line {number:03}\n" for number in range(count))


def whole(text: str) -> Shortened:
    return finish(text, PAGE, note)


def test_what_is_short_stays_as_it_is() -> None:
    text = f"Look:\n\n```py\n{lines_of_code(20)}```\n\n" + "and more words " * 50
    assert whole(text) == Shortened(text) == shorten(text, PAGE, note)
    endless = "```\n" + "x" * (LIMIT + LONGEST_LINE - 1)
    assert whole(endless) == Shortened(endless) == shorten(endless, PAGE, note)


def test_long_code_begins_in_the_text_and_is_whole_in_a_file() -> None:
    code = lines_of_code(100)
    [file] = whole(f"Look:\n\n```python\n{code}```\n\nDone.").files
    assert (file.name, file.mime, file.content.decode()) == ("code.py", "text/plain", code)
    shown = whole(f"Look:\n\n```python\n{code}```\n\nDone.").text
    assert shown.startswith("Look:\n\n```python\nline 000\n")
    assert shown.endswith("line 033\n```\n\n[code.py: 100]\n\nDone.")


def test_code_without_an_end_is_whole_when_the_text_is() -> None:
    text = f"```rust\n{lines_of_code(100)}fn main"
    assert whole(text).text.endswith("line 033\n```\n\n[code.rs: 101]\n")
    assert open_fence(whole(text).text) is None
    assert shorten(text, PAGE, note) == Shortened(f"```rust\n{lines_of_code(34)}")


def test_the_file_of_code_in_a_quote_is_without_the_quote() -> None:
    code = lines_of_code(100)
    quoted = "".join(f"> {line}\n" for line in code.splitlines())
    shown = whole(f"> ```go\n{quoted}> ```\n\nDone.")
    assert [file.content.decode() for file in shown.files] == [code]
    assert shown.text.endswith("\n> ```\n\n[code.go: 100]\n\nDone.")


def test_every_long_block_has_a_file_of_its_own() -> None:
    block = f"```go\n{lines_of_code(50)}```\n"
    found = whole(f"{block}\nand\n\n{block}\n```go\nshort\n```\n{block}")
    assert [file.name for file in found.files] == ["code.go", "code-2.go", "code-3.go"]
    assert "\nand\n" in found.text and "```go\nshort\n```\n" in found.text


@pytest.mark.parametrize(
    ("info", "name"),
    [
        ("", "code.txt"),
        ("C++", "code.cpp"),
        ("klingon", "code.txt"),
        ("python title=app.py", "app.py"),
        ("server.js", "server.js"),
        ("py:../../etc/passwd.py", "passwd.py"),
        ("ts {1,3}", "code.ts"),
        ("bash\t-e", "code.sh"),
    ],
)
def test_the_file_is_named_by_its_language_or_by_the_model(info: str, name: str) -> None:
    assert whole(f"```{info}\n{lines_of_code(100)}```").files[0].name == name


def test_a_block_in_a_list_loses_its_indentation_in_the_file() -> None:
    text = f"1. so:\n\n   ```py\n{lines_of_code(100, '   ')}       deeper\n   ```\n2. next"
    found = whole(text)
    assert found.files[0].content.decode() == lines_of_code(100) + "    deeper\n"
    assert found.text.endswith("line 025\n   ```\n\n   [code.py: 101]\n\n2. next")


def test_a_line_without_an_end_is_cut_between_two_characters() -> None:
    found = whole("```\n" + "👩‍👩‍👧" * 1000 + "\n```")
    shown = found.text.removeprefix("```\n").removesuffix("\n```\n\n[code.txt: 1]\n")
    assert LIMIT + LONGEST_LINE - 5 <= len(shown) <= LIMIT + LONGEST_LINE
    assert shown == "👩‍👩‍👧" * (len(shown) // 5)


BLOCKS = st.lists(
    st.one_of(
        st.just("words and words\n\n"),
        st.builds(
            "{0}{1}{2}\n{3}{0}{1}\n{4}".format,
            st.sampled_from(["", "  ", "    "]),
            st.sampled_from(["```", "````", "~~~"]),
            st.sampled_from(["", "py", "c++ main.cpp"]),
            st.integers(0, 60).map(lines_of_code),
            st.sampled_from(["", "\n", "``\n", "```py\n", "x" * 1400]),
        ),
    ),
    max_size=5,
)


@pytest.mark.unwatched
@given(blocks=BLOCKS, step=st.integers(1, 40))
@settings(max_examples=150)
def test_what_is_shown_only_grows_and_no_code_is_lost(blocks: list[str], step: int) -> None:
    text = "".join(blocks)
    before = ""
    for end in range(0, len(text) + step, step):
        shown = shorten(text[:end], PAGE, note).text
        assert shown.startswith(before.rstrip("`~ \n"))
        before = shown
    found = whole(text)
    assert found.text.startswith(before.rstrip("`~ \n"))
    kept = found.text + "".join(file.content.decode() for file in found.files)
    for block in code_blocks(text):
        for line in text[block.start : block.end].split():
            assert line in kept


async def test_an_answer_with_long_code_ends_with_a_file(tmp_path: Path) -> None:
    async with open_house(tmp_path, capabilities=replace(QUICK, max_text=200)) as house:
        code = lines_of_code(200)
        house.api.script.answer(Answer(text=f"Look:\n\n```py\n{code}```\n\nDone.", chunk=200))
        kept = await house.say("write me a long program")
        assert [file.name for file in house.platform.files()] == ["code.py"]
        assert house.platform.files()[0].content.decode() == code
        assert "`code.py`: 200 lines in all." in kept[-1] and kept[-1].endswith("Done.")
        assert len(kept) <= PAGES + 2
        assert house.platform.buttons() == ["🔁 Regenerate"]
        await house.say("thanks")
        assert ("assistant", f"Look:\n\n```py\n{code}```\n\nDone.") in house.asked()


@pytest.mark.parametrize("forbidden", [False, True])
async def test_where_no_files_can_be_sent_code_stays_on_pages(
    tmp_path: Path, forbidden: bool
) -> None:
    capabilities = replace(QUICK, max_text=200, max_file_out=1_000_000 if forbidden else 0)
    async with open_house(tmp_path, capabilities=capabilities) as house:
        house.platform.takes_files = not forbidden
        house.api.script.answer(f"```py\n{lines_of_code(200)}```")
        kept = await house.say("write me a long program")
        assert "line 199" in kept[-1] and house.platform.files() == []
