"""Telegram's errors in the terms of the core; the one place that reads their wording.

The Bot API has no error codes beyond the HTTP status: the description is all there is
(https://core.telegram.org/bots/api#making-requests). The phrases below are TDLib's and the Bot
API server's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from telegram import error

from bot.errors import (
    ChatGone,
    FilesForbidden,
    FileTooLarge,
    MessageGone,
    OutcomeUnknown,
    PlatformDown,
    PlatformError,
    RateLimited,
)
from bot.platforms.telegram.moves import GroupMoved
from bot.platforms.telegram.request import NotSent

MAX_FILE_IN = 20 * 1024 * 1024
"""What Telegram's own apps call 20 MB, and the server hands over (`MAX_DOWNLOAD_FILE_SIZE` in the
Client.h of telegram-bot-api)."""
MAX_FILE_OUT = 50_000_000

_MESSAGE_GONE = (
    "message to edit not found",
    "message can't be edited",
    "message not found",
    "message_id_invalid",
    "message_author_required",
    "message identifier is not specified",
    "message to be edited not found",
)
_CHAT_GONE = (
    "chat not found",
    "peer_id_invalid",
    "chat_write_forbidden",
    "chat_send_plain_forbidden",
    "chat_guest_send_forbidden",
    "chat_admin_required",
    "chat_forbidden",
    "chat_restricted",
    "channel_private",
    "user_banned_in_channel",
    "allow_payment_required",
    "not enough rights",
    "have no rights",
    "have no write access",
    "can't access the chat",
    "need administrator rights",
    "group chat was deactivated",
    "user_deactivated",
    "topic_closed",
    "topic_deleted",
    "message thread not found",
)
"""Codes of https://core.telegram.org/method/messages.sendMessage are passed on as they are
(`process_send_message_fail_error` in TDLib's MessagesManager.cpp): Telegram restricts the group,
only its members may comment, each message in it costs money …"""
_FILES_FORBIDDEN = re.compile(
    r"not enough rights to send (?!(text )?messages)|chat_send_(?!plain_)\w+_forbidden"
)
"""What TDLib says of each kind of content a member may not send, `can_send_message_content` in
MessageContent.cpp, and what the server says (https://core.telegram.org/method/messages.sendMedia)."""


class PhotoRefused(PlatformError):
    """Telegram does not take this picture as a photo: its sides or its pixels are too many."""


class StyleRefused(PlatformError):
    """Telegram does not take a draft or a rich message here; `unknown`: it does not know them."""

    def __init__(self, text: str, *, unknown: bool) -> None:
        super().__init__(text)
        self.unknown = unknown


def refusal_of_style(failure: error.TelegramError) -> StyleRefused | None:
    """What it means when a draft or a rich message fails; None when it is about something else.

    A server that does not know a method says "Not Found", which PTB takes for a wrong token.
    """
    if isinstance(failure, error.EndPointNotFound | error.InvalidToken):
        return StyleRefused(failure.message, unknown=True)
    if not isinstance(failure, error.BadRequest) or is_unchanged(failure):
        return None
    is_ordinary = type(translate(failure)) in (PlatformError, FilesForbidden)
    return StyleRefused(failure.message, unknown=False) if is_ordinary else None


def is_unchanged(failure: error.BadRequest) -> bool:
    """The message to edit says this already."""
    return "message is not modified" in failure.message.lower()


def is_not_ours(failure: error.BadRequest) -> bool:
    """The message to edit is there, and is somebody else's."""
    return "message can't be edited" in failure.message.lower()


def is_media(failure: error.BadRequest) -> bool:
    """The message to edit is a photo or a file: its words are a caption."""
    return "there is no text in the message" in failure.message.lower()


def is_formatting(failure: error.BadRequest) -> bool:
    """The text could be sent, but not with these entities (`ENTITY_BOUNDS_INVALID` and others)."""
    return "entit" in failure.message.lower()


def is_missing(failure: error.BadRequest) -> bool:
    """The message to delete is gone."""
    return "message to delete not found" in failure.message.lower()


def is_unanswerable(failure: error.BadRequest) -> bool:
    """The message to answer is gone (`on_send_message_fail` in TDLib's MessagesManager.cpp)."""
    low = failure.message.lower()
    return "reply_message_id_invalid" in low or "message to be replied not found" in low


def is_staying(failure: error.BadRequest) -> bool:
    """The message to delete stays: it is older than two days (Bot API, `deleteMessage`)."""
    return "message can't be deleted" in failure.message.lower()


def seconds_of(failure: error.RetryAfter) -> float:
    """How long a 429 asks to wait; PTB tells it as an int or, as an option, a timedelta."""
    after = failure.retry_after
    return after.total_seconds() if isinstance(after, timedelta) else float(after)


def translate(failure: error.TelegramError) -> PlatformError:
    """The error of the core that says the same."""
    text = failure.message
    low = text.lower()
    if isinstance(failure, error.RetryAfter):
        return RateLimited(seconds_of(failure))
    if _FILES_FORBIDDEN.search(low):
        return FilesForbidden(text)
    if isinstance(failure, error.ChatMigrated):
        return GroupMoved(text, now=failure.new_chat_id)
    if isinstance(failure, error.Forbidden):
        return ChatGone(text)
    if "request entity too large" in low:
        return FileTooLarge(MAX_FILE_OUT)
    if isinstance(failure, error.BadRequest):
        if "file is too big" in low:
            return FileTooLarge(MAX_FILE_IN)
        if "photo_" in low or "image_process" in low:
            return PhotoRefused(text)
        if any(phrase in low for phrase in _MESSAGE_GONE):
            return MessageGone(text)
        if any(phrase in low for phrase in _CHAT_GONE):
            return ChatGone(text)
        return PlatformError(text)
    if isinstance(failure, NotSent):
        return PlatformDown(text)
    if isinstance(failure, error.NetworkError):
        return OutcomeUnknown(text)
    return PlatformError(text)


@contextmanager
def translated() -> Iterator[None]:
    """Turn what PTB raises inside the block into errors of the core."""
    try:
        yield
    except error.TelegramError as failure:
        raise translate(failure) from failure
