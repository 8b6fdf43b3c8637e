from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.core.delivery.inner_fences import with_inner_fences
from bot.core.delivery.partial import settle
from bot.sandbox.openai.scripted import Answer
from tests.house import open_house

README = """\
# It

Install it:

```bash
pip install it
```

1. Use it:
   ```
   import it
   ```

Done."""
ANSWER = f"Here it is:\n\n```markdown\n{README}\n```\n\nCopy **it**."


def blocks(text: str) -> list[tuple[str, str]]:
    """The fenced code that a reader of Markdown sees: what it is, and the code."""
    tokens = MarkdownIt("commonmark").parse(text)
    return [(token.info, token.content) for token in tokens if token.type == "fence"]


@pytest.mark.parametrize("name", ["markdown", "md", "markdown title=README.md"])
@pytest.mark.parametrize("margin", ["", "  "])
def test_code_in_markdown_in_a_fence_does_not_end_it(name: str, margin: str) -> None:
    answer = ANSWER.replace("```markdown", f"```{name}").replace("\n", f"\n{margin}")
    assert len(blocks(answer)) != 1
    assert blocks(with_inner_fences(answer, is_whole=True)) == [(name, README + "\n")]


@pytest.mark.parametrize(
    "text",
    [
        "````markdown\n```sh\nx\n```\n````\n",
        "```python\n'''\n```markdown\n'''\n```\n",
        "> ```markdown\n> x\n> ```\n",
        "```mermaid\nx\n```\n",
        "```sh\nx\n```\n\nand ```markdown",
    ],
)
def test_other_fences_stay_as_they_are(text: str) -> None:
    assert with_inner_fences(text, is_whole=True) == text


PIECES = [
    "```markdown",
    "```md",
    "```py",
    "```",
    "````",
    "~~~",
    "    ```",
    "  ",
    "x",
    "\n",
    "\n",
    "\n",
]


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
@settings(max_examples=200)
def test_what_was_shown_stays(text: str) -> None:
    whole = with_inner_fences(text, is_whole=True)
    for end in range(len(text)):
        shown = settle(with_inner_fences(text[:end], is_whole=False))
        assert whole.startswith(shown)


async def test_a_file_of_markdown_is_shown_in_one_piece_while_it_is_written(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.api.script.answer(Answer(text=ANSWER, chunk=5))
        [kept] = await house.say("write me a README")
        assert blocks(kept) == [("markdown", README + "\n")]
        assert kept.endswith("\n\nCopy **it**.")
        await house.say("thanks")
        assert ("assistant", ANSWER) in house.asked()
