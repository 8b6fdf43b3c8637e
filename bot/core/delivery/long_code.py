"""Code too long to be read in a chat: its beginning stays in the text, the whole is a file.

What is shown of a text only grows while the text does, so that no page has to be taken back.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from bot.core.delivery.graphemes import boundary_before
from bot.core.delivery.markdown import CodeBlock, code_blocks
from bot.core.types import OutgoingFile

PAGES = 3
"""Code longer than so many pages becomes a file."""
LONGEST_LINE = 1_000
"""The beginning ends with a line; one that is longer than this is cut."""
# fmt: off
EXTENSIONS = {
    "bash": "sh", "c": "c", "c#": "cs", "c++": "cpp", "clojure": "clj", "cpp": "cpp",
    "csharp": "cs", "css": "css", "csv": "csv", "dart": "dart", "diff": "diff",
    "dockerfile": "dockerfile",
    "elixir": "ex", "erlang": "erl", "go": "go", "golang": "go", "graphql": "graphql",
    "groovy": "groovy", "haskell": "hs", "html": "html", "ini": "ini", "java": "java",
    "javascript": "js", "js": "js", "json": "json", "jsonc": "json", "jsx": "jsx", "julia": "jl",
    "kotlin": "kt", "latex": "tex", "less": "less", "lua": "lua", "make": "mk", "makefile": "mk",
    "markdown": "md", "md": "md", "matlab": "m", "mermaid": "mmd", "nginx": "conf", "nim": "nim",
    "nix": "nix", "objective-c": "m", "objectivec": "m", "ocaml": "ml", "patch": "diff",
    "perl": "pl", "php": "php", "powershell": "ps1", "proto": "proto", "protobuf": "proto",
    "ps1": "ps1", "py": "py", "python": "py", "python3": "py", "r": "r", "rb": "rb", "ruby": "rb",
    "rs": "rs", "rust": "rs", "scala": "scala", "scss": "scss", "sh": "sh", "shell": "sh",
    "sql": "sql", "svelte": "svelte", "svg": "svg", "swift": "swift", "terraform": "tf",
    "tex": "tex", "toml": "toml", "ts": "ts", "tsx": "tsx", "typescript": "ts", "vb": "vb",
    "vue": "vue", "xml": "xml", "yaml": "yaml", "yml": "yaml", "zig": "zig", "zsh": "zsh",
}
# fmt: on
"""What a file in a language is called, by the name behind the fence."""

_NAME = re.compile(r"[\w-]{1,60}\.[A-Za-z0-9]{1,10}")

Note: TypeAlias = Callable[[str, int], str]
"""What stands in the text about a file of this name with so many lines."""


@dataclass(frozen=True, slots=True)
class Shortened:
    """A text as it is shown, and the files that hold what is not."""

    text: str
    files: tuple[OutgoingFile, ...] = ()


def shorten(text: str, page: int, note: Note) -> Shortened:
    """Show no more than three pages of any code; `page` is how many characters one takes.

    Code that is still open at the end of the text counts as being written: its file comes when it
    is whole, or with `finish`.
    """
    return _shorten(text, page, note, is_whole=False)


def finish(text: str, page: int, note: Note) -> Shortened:
    """The same for a text that is whole."""
    return _shorten(text, page, note, is_whole=True)


def _shorten(text: str, page: int, note: Note, *, is_whole: bool) -> Shortened:
    limit = PAGES * page
    if len(text) <= limit:
        return Shortened(text)
    shown: list[str] = []
    files: list[OutgoingFile] = []
    at = 0
    for block in code_blocks(text):
        cut = _cut(text, block, limit)
        if cut >= block.end:
            continue
        shown.append(text[at:cut])
        at = len(text)
        # Behind three backticks there may come a word, and they are code.
        is_open = block.after is None or text[block.after - 1] != "\n"
        if is_open and not is_whole:
            break
        code = text[block.start : block.end]
        name = _name(block, {file.name for file in files})
        files.append(OutgoingFile(name=name, mime="text/plain", content=_content(block, code)))
        end_of_line = "" if shown[-1].endswith("\n") else "\n"
        about = note(name, code.count("\n") + (not code.endswith("\n")))
        at = len(text) if block.after is None else block.after
        margin = " " * block.fence.indent
        shown.append(f"{end_of_line}{block.fence.closing}\n\n{margin}{about}\n")
        shown.append("" if text.startswith("\n", at) or at == len(text) else "\n")
    shown.append(text[at:])
    return Shortened("".join(shown), tuple(files))


def _cut(text: str, block: CodeBlock, limit: int) -> int:
    """Where the shown beginning of a block ends: it does not change when the block grows."""
    reach = block.start + limit
    if reach >= block.end:
        return block.end
    line_end = text.find("\n", reach, min(block.end, reach + LONGEST_LINE)) + 1
    if line_end:
        return line_end
    if block.end < reach + LONGEST_LINE:
        return block.end
    return boundary_before(text, reach + LONGEST_LINE)


def _name(block: CodeBlock, taken: set[str]) -> str:
    """The name the model gave it, or one that says the language."""
    info = block.fence.info.strip()
    given = _NAME.search(info)
    if given and given[0] not in taken:
        return given[0]
    language = re.split(r"[\s{:,]", info.lower(), maxsplit=1)[0]
    extension = EXTENSIONS.get(language, "txt")
    number = 1
    while (name := f"code{'' if number == 1 else f'-{number}'}.{extension}") in taken:
        number += 1
    return name


def _content(block: CodeBlock, code: str) -> bytes:
    """The code without the quote and the indentation of the fence."""
    if block.fence.quotes:
        quote = re.compile(rf"^(?:[ ]{{0,3}}>[ ]?){{1,{block.fence.quotes}}}", re.MULTILINE)
        code = quote.sub("", code)
    if block.fence.indent:
        margin = re.compile(rf"^[ \t]{{1,{block.fence.indent}}}", re.MULTILINE)
        code = margin.sub("", code)
    return code.encode("utf-8", "replace")
