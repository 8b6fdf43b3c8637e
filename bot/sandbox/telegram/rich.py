"""Rich messages (Bot API 10.1): Markdown or HTML taken as it is, up to 32,768 characters.

They are parsed on Telegram's servers, not by TDLib, so this is a reading of the documentation
(https://core.telegram.org/bots/api#rich-messages): the limits are the documented ones, the
sentences of their refusals are not known.
"""

from __future__ import annotations

from bot.sandbox.telegram import blocks
from bot.sandbox.telegram.entities import utf16_length
from bot.sandbox.telegram.errors import BadRequest
from bot.sandbox.telegram.params import Params
from bot.sandbox.telegram.state import Json, Rich

MAX_TEXT = 32_768
MAX_BLOCKS = 500
MAX_DEPTH = 16
MAX_COLUMNS = 20


def content_of(params: Params) -> Rich:
    """The parameter `rich_message`, judged by the documented limits. Raises `BadRequest`."""
    value = params.parsed("rich_message", "rich message")
    if not isinstance(value, dict):
        raise BadRequest("Object expected as rich message")
    given = [kind for kind in ("markdown", "html", "blocks") if value.get(kind)]
    if not given:
        raise BadRequest("Rich message must be non-empty")
    if len(given) > 1:
        raise BadRequest("exactly one of the fields html, markdown, or blocks must be used")
    if given == ["blocks"]:
        raise BadRequest("the sandbox takes rich messages as markdown or html only")
    source = str(value[given[0]])
    return from_markdown(source) if given == ["markdown"] else _from_html(source)


def from_markdown(source: str) -> Rich:
    """A rich message written in Markdown. Raises `BadRequest`."""
    return _checked(source, blocks.from_markdown(source))


def _from_html(source: str) -> Rich:
    return _checked(source, blocks.from_html(source))


def _checked(source: str, parsed: tuple[Json, ...]) -> Rich:
    text = "\n".join(filter(None, map(blocks.words, parsed)))
    if not text.strip():
        raise BadRequest("Rich message must be non-empty")
    if utf16_length(text) > MAX_TEXT:
        raise BadRequest("Message is too long")
    if sum(map(blocks.count, parsed)) > MAX_BLOCKS:
        raise BadRequest("RICH_MESSAGE_BLOCKS_TOO_MUCH")
    if max(map(blocks.depth, parsed)) > MAX_DEPTH:
        raise BadRequest("RICH_MESSAGE_DEPTH_INVALID")
    if max(map(blocks.columns, parsed)) > MAX_COLUMNS:
        raise BadRequest("RICH_MESSAGE_TABLE_COLUMNS_TOO_MUCH")
    return Rich(source, parsed, text)
