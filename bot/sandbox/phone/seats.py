"""Who sits at the phone, and what the screen shows then, as JSON for the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.sandbox.pages import page
from bot.sandbox.pages.page import Json
from bot.sandbox.phone import markup
from bot.sandbox.telegram.blocks import from_markdown
from bot.sandbox.telegram.screen import Shown, ShownDraft
from bot.sandbox.telegram.view import ChatView


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat(page.Seat):
    """One chat on one person's phone."""

    view: ChatView


def picture(seat: Seat, menu: Mapping[str, str]) -> Json:
    """What the page draws: messages oldest first, the draft, who is typing, the commands."""
    screen = seat.view.screen()
    return {
        "title": seat.title,
        "messages": [_message(seat, message) for message in screen.messages],
        "draft": _draft(screen.draft) if screen.draft else None,
        "typing": screen.typing,
        "menu": [{"name": name, "summary": summary} for name, summary in menu.items()],
    }


def may_delete(seat: Seat, message: Shown) -> bool:
    """One's own messages and, where nobody else is, those of the bot."""
    return _is_mine(seat, message) or seat.view.id > 0


def _is_mine(seat: Seat, message: Shown) -> bool:
    return message.author == seat.view.user.name and not message.by_bot


def _message(seat: Seat, message: Shown) -> Json:
    return {
        "id": message.id,
        "at": message.date * 1000,
        "author": message.author,
        "byBot": message.by_bot,
        "mine": _is_mine(seat, message),
        "deletable": may_delete(seat, message),
        "html": _html(message.text, message),
        "rich": bool(message.rich),
        "text": message.text,
        "buttons": message.buttons,
        "replyTo": message.reply_to,
        "edited": message.edited,
        "file": _file(seat, message),
    }


def _file(seat: Seat, message: Shown) -> Json | None:
    if message.file is None:
        return None
    return {
        "kind": message.file.kind,
        "name": message.file.name,
        # Another file in the same message has another address: browsers keep what they have shown.
        "url": f"/file/{seat.name}/{message.id}?{hash(message.file.content)}",
    }


def _draft(draft: ShownDraft) -> Json:
    return {
        "html": _html(draft.text, draft),
        "rich": bool(draft.rich),
        "stop": draft.stop,
    }


def _html(text: str, shown: Shown | ShownDraft) -> str:
    if shown.rich:
        return markup.from_blocks(from_markdown(shown.rich))
    return markup.from_entities(text, shown.entities)
