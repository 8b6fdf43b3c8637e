"""Rich messages (Bot API 10.1): Markdown taken as it is, up to 32,768 characters.

They are parsed on Telegram's servers, not by TDLib, so this is a reading of the documentation
(https://core.telegram.org/bots/api#rich-messages): the limits are the documented ones, the
sentences of their refusals are not known.
"""

from __future__ import annotations

from bot.sandbox.telegram import blocks
from bot.sandbox.telegram.entities import utf16_length
from bot.sandbox.telegram.errors import BadRequest
from bot.sandbox.telegram.params import Params
from bot.sandbox.telegram.state import Rich

MAX_TEXT = 32_768
MAX_BLOCKS = 500
MAX_DEPTH = 16
MAX_COLUMNS = 20


def content_of(params: Params) -> Rich:
    """The parameter `rich_message`, judged by the documented limits. Raises `BadRequest`."""
    value = params.parsed("rich_message", "rich message")
    if not isinstance(value, dict):
        raise BadRequest("Object expected as rich message")
    if value.get("html") or value.get("blocks"):
        raise BadRequest("the sandbox takes rich messages as markdown only")
    return from_markdown(str(value.get("markdown") or ""))


def from_markdown(source: str) -> Rich:
    """A rich message written in Markdown. Raises `BadRequest`."""
    parsed = blocks.from_markdown(source)
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
