"""Drafts: a text shown while it is being written (Bot API 9.3; rich ones 10.1, Stop 10.3).

https://core.telegram.org/bots/api#sendmessagedraft: only in private chats, shown for 30 s, replaced
by the next draft and gone with the next message. The button appears with `can_stop`; pressing it
sends the update `stopped_message_generation`, and the draft disappears unless `keep_on_stop`.
"""

from __future__ import annotations

from bot.sandbox.telegram import rich
from bot.sandbox.telegram.entities import utf16_length
from bot.sandbox.telegram.errors import BadRequest
from bot.sandbox.telegram.judge import Formatted
from bot.sandbox.telegram.messages import MAX_TEXT, topic_of
from bot.sandbox.telegram.params import Params
from bot.sandbox.telegram.state import ChatKind, Draft, Rich
from bot.sandbox.telegram.world import World

DRAFT_SECONDS = 30.0
"""How long a draft is shown."""

THINKING = "Thinking…"
"""What a client shows for an empty draft (Bot API 10.0)."""


def send_message_draft(world: World, params: Params) -> bool:
    """https://core.telegram.org/bots/api#sendmessagedraft; an empty text shows a placeholder."""
    content = world.judge.fix(params.text("text"), params.lenient("entities"))
    if utf16_length(content.text) > MAX_TEXT:
        raise BadRequest("MESSAGE_TOO_LONG")
    return _show(world, params, content, None)


def send_rich_message_draft(world: World, params: Params) -> bool:
    """https://core.telegram.org/bots/api#sendrichmessagedraft."""
    return _show(world, params, Formatted(""), rich.content_of(params))


def _show(world: World, params: Params, content: Formatted, new_rich: Rich | None) -> bool:
    chat = world.writable(params.text("chat_id"))
    if chat.kind is not ChatKind.PRIVATE:
        raise BadRequest("TEXTDRAFT_PEER_INVALID")
    number = params.integer("draft_id")
    if not number:
        raise BadRequest("RANDOM_ID_INVALID")
    if number in chat.stopped_drafts:
        return True
    chat.drafts[topic_of(params, chat)] = Draft(
        id=number,
        text=content.text,
        entities=content.entities,
        rich=new_rich,
        until=world.clock.monotonic() + DRAFT_SECONDS,
        can_stop=params.flag("can_stop"),
        keep_on_stop=params.flag("keep_on_stop"),
    )
    world.changes.tell(chat.id, "draft")
    return True
