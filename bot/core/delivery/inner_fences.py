"""Markdown in a code fence with code of its own, all of it in three backticks.

    ```markdown
    Install it:
    ```bash
    pip install it
    ```
    Done.
    ```

The third line of backticks would end the outer fence, and from there on words would be code and
code words. Pure functions.
"""

from __future__ import annotations

from bot.core.delivery.markdown import Fence, fence_after, fence_in

_MARKS = "```"
_NAMES = frozenset({"markdown", "md"})


def with_inner_fences(text: str, *, is_whole: bool) -> str:
    """The text with four backticks around Markdown in a fence, whatever there may be in it.

    While a text is being written, its last line may go on: what it ends is left open.
    """
    if "```m" not in text:
        return text
    lines = text.split("\n")
    decided = len(lines) if is_whole else len(lines) - 1
    outer: Fence | None = None
    inner: Fence | None = None
    for number, line in enumerate(lines):
        if outer is None:
            outer = fence_in(line)
            if outer is not None and _is_markdown(outer):
                lines[number] = _longer(line)
        elif not _is_markdown(outer):
            outer = fence_after(outer, line)
        elif inner is not None:
            inner = None if line.strip() == inner.marks else inner
        elif not _ends(outer, line):
            inner = fence_in(line)
        elif number < decided:
            outer, lines[number] = None, _longer(line)
    return "\n".join(lines)


def _is_markdown(fence: Fence) -> bool:
    name = fence.info.strip().partition(" ")[0]
    return name in _NAMES and fence.marks == _MARKS and not fence.quotes


def _ends(fence: Fence, line: str) -> bool:
    """Whether a line ends a fence: deeper in it are those of code in a list."""
    margin = len(line) - len(line.lstrip(" "))
    return margin <= fence.indent and fence_after(fence, line) is None


def _longer(line: str) -> str:
    return line.replace(_MARKS, _MARKS + "`", 1)
