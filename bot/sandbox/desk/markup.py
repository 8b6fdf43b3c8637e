"""What stands in messages of Slack as HTML: Markdown, Slack's own notation, and blocks.

Everything that somebody wrote is escaped; only the tags written here reach the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape, unescape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from bot.sandbox.pages import links
from bot.sandbox.slack.people import TOKEN
from bot.sandbox.slack.state import Json

_TOKEN = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_CODE = re.compile(r"\n?```\n?(.+?)\n?```\n?|`([^`\n]+)`", re.DOTALL)
REMEMBERED = 2_000
"""Texts whose HTML is kept: while an answer grows, all the others are drawn with it."""


@lru_cache(maxsize=REMEMBERED)
def from_markdown(text: str) -> str:
    """A `markdown` block: CommonMark with tables; lines stay lines, and pictures are links."""
    return str(_parser().render(text))


def from_mrkdwn(text: str, names: Mapping[str, str]) -> str:
    """Words as Slack stores them: escaped, with mentions and links in angle brackets.

    `names` are those of people, by their ids.
    """
    parts = TOKEN.split(text)
    parts[::2] = [_CODE.sub(_code, escape(unescape(part))) for part in parts[::2]]
    parts[1::2] = [_token(part, names) for part in parts[1::2]]
    return f'<div class="plain">{"".join(parts)}</div>'


def typed(text: str, names: Mapping[str, str]) -> str:
    """The same words as somebody would type them."""

    def words(found: re.Match[str]) -> str:
        kind, target, label = found.groups()
        if kind == "@":
            return f"@{names.get(target, target)}"
        return found[0] if kind or label else target

    return unescape(_TOKEN.sub(words, text))


def from_blocks(blocks: Sequence[Json]) -> str:
    """All that can be read in the bot's blocks; buttons and thumbs are not read but pressed."""
    return "".join(map(_block, blocks))


def from_tasks(tasks: Sequence[Json]) -> str:
    """What the bot does and has done, as a stream tells it."""
    items = (
        f'<li class="{escape(task["status"])}">{escape(str(task["title"]))}</li>' for task in tasks
    )
    return f'<ul class="tasks">{"".join(items)}</ul>' if tasks else ""


def _block(block: Json) -> str:
    match block["type"]:
        case "markdown":
            return from_markdown(str(block["text"]))
        case "task_card":
            inner = _rich_text(block.get("details", {}))
            return f"<details><summary>{escape(str(block['title']))}</summary>{inner}</details>"
        case "rich_text":
            return _rich_text(block)
        case _:
            return ""


def _rich_text(block: Json) -> str:
    sections = (section["elements"] for section in block.get("elements", ()))
    texts = ("".join(str(each.get("text", "")) for each in section) for section in sections)
    return "".join(f'<div class="plain">{escape(text)}</div>' for text in texts)


def _code(found: re.Match[str]) -> str:
    return f"<pre>{found[1]}</pre>" if found[1] else f"<code>{found[2]}</code>"


def _token(token: str, names: Mapping[str, str]) -> str:
    found = _TOKEN.fullmatch(token)
    if found is None:
        return escape(token)
    kind, target, label = (unescape(each or "") for each in found.groups())
    match kind:
        case "@":
            return f'<span class="mention">@{escape(label or names.get(target, target))}</span>'
        case "#" | "!":
            sign = "#" if kind == "#" else "@"
            return f'<span class="mention">{sign}{escape(label or target)}</span>'
        case _:
            return f"{links.opening(target)}{escape(label or target)}</a>"


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True})
    parser.enable(["table", "strikethrough"]).disable("image")
    parser.add_render_rule("link_open", _link)
    parser.add_render_rule("fence", _fence)
    return parser


def _link(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    return links.opening(str(tokens[index].attrs["href"]))


def _fence(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    code, language = tokens[index].content.rstrip("\n"), tokens[index].info.strip()
    return f'<pre data-language="{escape(language)}">{escape(code)}</pre>'
