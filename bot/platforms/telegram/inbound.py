"""What Telegram tells, as events of the core. Pure: no I/O, no clock.

An update that says nothing to the bot (a new member, another bot's message, a command for
another bot) is None; one that cannot be read raises, and the caller keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from telegram import (
    CallbackQuery,
    Chat,
    Message,
    MessageOriginChannel,
    MessageOriginChat,
    MessageOriginHiddenUser,
    MessageOriginUser,
    Update,
    User,
)

from bot.core.types import (
    ButtonPress,
    ChatRef,
    Event,
    Forward,
    IncomingMessage,
    MessageId,
    MessageRef,
    Quote,
    Sender,
    StopPressed,
    UserId,
)
from bot.platforms.telegram.attachments import attachments_of, words_of
from bot.platforms.telegram.ids import (
    make_chat,
    make_message,
    make_press_key,
    make_update_key,
)

ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "stopped_message_generation")
STOPPED = "stopped_message_generation"
"""Bot API 10.3, newer than python-telegram-bot 22.8, which keeps it under `api_kwargs`."""
ANONYMOUS_ADMIN = 1087968824
"""@GroupAnonymousBot, which stands for an administrator who writes as the group."""


@dataclass(frozen=True, slots=True)
class Me:
    """The bot's own account; `username` has no @."""

    id: int
    username: str


def parse_update(raw: dict[str, Any], me: Me) -> Event | None:
    """Read one update.

    Raises `KeyError`, `TypeError`, `ValueError` or `AttributeError` when it is not one.
    """
    update = Update.de_json(raw, None)
    key = make_update_key(me.id, update.update_id)
    if update.callback_query is not None:
        return _press(update.callback_query, me)
    if STOPPED in update.api_kwargs:
        return _stop(update.api_kwargs[STOPPED], key)
    if update.edited_message is not None:
        return _message(update.edited_message, key, me, edited=True)
    if update.message is not None:
        return _message(update.message, key, me, edited=False)
    return None


def key_of(raw: dict[str, Any], me: Me) -> str:
    """The key of an update that could not be read."""
    return make_update_key(me.id, int(raw.get("update_id", 0)))


def _press(query: CallbackQuery, me: Me) -> ButtonPress | None:
    message = query.message
    if message is None or not query.data:
        return None  # a button of an inline message, or a game: none of ours
    chat = _chat_ref(message) if isinstance(message, Message) else make_chat(message.chat.id)
    return ButtonPress(
        key=make_press_key(me.id, query.id),
        ref=make_message(chat, message.message_id),
        sender=_sender(query.from_user),
        value=query.data,
        group=message.chat.type != Chat.PRIVATE,
    )


def _stop(raw: dict[str, Any], key: str) -> StopPressed:
    """Read `MessageGenerationStopped`: chat, message_thread_id, draft_id. A private chat."""
    chat = raw["chat"]
    name = " ".join(filter(None, (chat.get("first_name"), chat.get("last_name"))))
    return StopPressed(
        key=key,
        chat=make_chat(int(chat["id"]), raw.get("message_thread_id")),
        sender=Sender(UserId(str(chat["id"])), name),
    )


def _message(message: Message, key: str, me: Me, *, edited: bool) -> IncomingMessage | None:
    sender = _author(message)
    if sender is None or message.is_automatic_forward or message.chat.type == Chat.CHANNEL:
        return None
    attachments = attachments_of(message)
    words = words_of(message)
    if not words and not attachments:
        return None  # a service message: somebody joined, a topic was made …
    spoken = _Spoken.of(message, words, me)
    if spoken.to_another:
        return None
    quote = _quote(message, me)
    group = message.chat.type != Chat.PRIVATE
    own = message.forward_origin is None
    return IncomingMessage(
        key=key,
        ref=make_message(_chat_ref(message), message.message_id),
        sender=sender,
        text=spoken.text if own else "",
        attachments=attachments,
        reply_to=quote,
        forwards=_forwards(message, words),
        group=group,
        addressed=not group or (own and spoken.addressed) or (quote is not None and quote.by_bot),
        edited=edited,
        album="" if edited else message.media_group_id or "",
    )


def _forwards(message: Message, words: str) -> tuple[Forward, ...]:
    """What is passed on, and whose it is as far as Telegram tells."""
    match message.forward_origin:
        case None:
            return ()
        case MessageOriginUser(sender_user=user):
            author = user.full_name
        case MessageOriginHiddenUser(sender_user_name=name):
            author = name
        case MessageOriginChat(sender_chat=chat) | MessageOriginChannel(chat=chat):
            author = chat.title or chat.full_name or ""
        case _:
            author = ""
    return (Forward(author=author or "somebody", text=words),)


def _chat_ref(message: Message) -> ChatRef:
    """The conversation of a message.

    In a group that is not a forum `message_thread_id` is only the id of the first message of a
    chain of replies, so it counts only where Telegram says that it is a topic.
    """
    topic = message.message_thread_id if message.is_topic_message else None
    return make_chat(message.chat.id, topic)


def _author(message: Message) -> Sender | None:
    """Who wrote; None when it was a bot or a channel. Bots would talk to each other for ever."""
    user = message.from_user
    if user is None:
        return None
    if user.id == ANONYMOUS_ADMIN and message.sender_chat is not None:
        chat = message.sender_chat
        return Sender(UserId(str(chat.id)), chat.title or "")
    return None if user.is_bot else _sender(user)


def _sender(user: User) -> Sender:
    return Sender(UserId(str(user.id)), user.full_name, user.language_code or "en")


def _quote(message: Message, me: Me) -> Quote | None:
    """The message replied to; where a part of it was quoted, that part."""
    quoted = message.quote.text if message.quote is not None else ""
    original = message.reply_to_message
    if original is None or original.forum_topic_created is not None:
        # in a topic every message "replies" to the one that opened it
        if message.external_reply is None or not quoted:
            return None
        here = MessageRef(_chat_ref(message), MessageId(str(message.message_id)))
        return Quote(ref=here, author="", text=quoted)
    author = original.from_user
    return Quote(
        ref=make_message(_chat_ref(message), original.message_id),
        author=author.full_name if author is not None else "",
        text=quoted or words_of(original),
        by_bot=author is not None and author.id == me.id,
        attachments=attachments_of(original),
    )


@dataclass(frozen=True, slots=True)
class _Spoken:
    """A text without the bot's name in it."""

    text: str
    addressed: bool = False
    to_another: bool = False
    """A command for another bot."""

    @classmethod
    def of(cls, message: Message, words: str, me: Me) -> _Spoken:
        """Take mentions of the bot and the bot's name behind a command out of the text."""
        entities = message.entities or message.caption_entities
        text = words.encode("utf-16-le")  # offsets count UTF-16 code units
        name = f"@{me.username}".lower()
        addressed = False
        for entity in sorted(entities, key=lambda entity: -entity.offset):
            start, end = entity.offset * 2, (entity.offset + entity.length) * 2
            marked = text[start:end].decode("utf-16-le", "replace")
            if entity.type == entity.BOT_COMMAND and entity.offset == 0:
                command, at, suffix = marked.partition("@")
                if at and f"@{suffix}".lower() != name:
                    return cls(words, to_another=True)
                addressed = True
                text = command.encode("utf-16-le") + text[end:]
            elif (entity.type == entity.MENTION and marked.lower() == name) or (
                entity.type == entity.TEXT_MENTION
                and entity.user is not None
                and entity.user.id == me.id
            ):
                addressed = True
                text = _without(text, start, end)
        return cls(text.decode("utf-16-le", "replace").strip(), addressed)


def _without(text: bytes, start: int, end: int) -> bytes:
    """Cut a mention out, with the space or the comma that set it off."""
    before, after = text[:start].decode("utf-16-le"), text[end:].decode("utf-16-le")
    if not before.strip():
        before, after = "", after.lstrip(" ,:，：")
    elif before[-1].isspace():
        after = after.lstrip(" ")
    return (before + after).encode("utf-16-le")
