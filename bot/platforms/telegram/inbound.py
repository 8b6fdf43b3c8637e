"""What Telegram tells, as events of the core. Pure: no I/O, no clock.

The JSON is read as it came. python-telegram-bot's `Update.de_json` would make an object of every
field first, which took more of a crowd's first second than anything else.

An update that says nothing to the bot (a new member, another bot's message, a command for
another bot) is None; one that cannot be read raises, and the caller keeps it.
"""

from __future__ import annotations

from bot.core.types import (
    LATE,
    ButtonPress,
    ChatMoved,
    ChatRef,
    Event,
    Forward,
    IncomingMessage,
    MessageRef,
    Quote,
    Sender,
    StopPressed,
    UserId,
)
from bot.platforms.telegram.contents import Raw, attachments_of, words_of
from bot.platforms.telegram.ids import (
    make_chat,
    make_message,
    make_press_key,
    make_update_key,
)
from bot.platforms.telegram.spoken import Me, Spoken, with_addresses

ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "stopped_message_generation")
STAND_INS = frozenset({1087968824, 136817688})
"""@GroupAnonymousBot and @Channel_Bot, which stand for people who write as their group or as a
channel of theirs (`add_message` in the Client.cpp of telegram-bot-api)."""


def parse_update(raw: Raw, me: Me) -> Event | ChatMoved | None:
    """Read one update.

    Raises `KeyError`, `TypeError`, `ValueError`, `AttributeError` or `OverflowError` when it is
    not one.
    """
    key = make_update_key(me.id, int(raw["update_id"]))
    if query := raw.get("callback_query"):
        return _press(query, me)
    if stopped := raw.get("stopped_message_generation"):
        return _stop(stopped, key)
    if edited := raw.get("edited_message"):
        return _message(edited, key, me, edited=True)
    if message := raw.get("message"):
        if moved := _moved(message):
            return moved
        return _message(message, key, me, edited=False)
    return None


def _moved(message: Raw) -> ChatMoved | None:
    """What the two service messages say when a group becomes a supergroup: one in each."""
    here = int(message["chat"]["id"])
    if (now := message.get("migrate_to_chat_id")) is not None:
        return ChatMoved(old=make_chat(here), new=make_chat(int(now)))
    if (was := message.get("migrate_from_chat_id")) is not None:
        return ChatMoved(old=make_chat(int(was)), new=make_chat(here))
    return None


def key_of(raw: Raw, me: Me) -> str:
    """The key of an update that could not be read."""
    return make_update_key(me.id, int(raw.get("update_id", 0)))


def _press(query: Raw, me: Me) -> ButtonPress | None:
    message, value = query.get("message"), query.get("data")
    if not message or not value:
        return None  # a button of an inline message, or a game: none of ours
    return ButtonPress(
        key=make_press_key(me.id, query["id"]),
        ref=_ref(message),
        sender=_sender(query["from"]),
        value=value,
        group=_is_group(message),
    )


def _stop(raw: Raw, key: str) -> StopPressed:
    """Read `MessageGenerationStopped`: chat, message_thread_id, draft_id. A private chat."""
    chat = raw["chat"]
    return StopPressed(
        key=key,
        chat=make_chat(int(chat["id"]), raw.get("message_thread_id")),
        sender=Sender(UserId(str(chat["id"])), _name(chat)),
    )


def _message(message: Raw, key: str, me: Me, *, edited: bool) -> IncomingMessage | None:
    if _type(message) == "channel" or message.get("is_automatic_forward"):
        return None
    if message["chat"].get("is_direct_messages"):
        return None  # letters to a channel, of which the bot is an administrator: none to the bot
    if edited and "location" in message:
        return None  # somebody who shares a live location moves; nobody has written anything
    sender = _author(message)
    if sender is None:
        return None
    attachments = attachments_of(message)
    words = words_of(message)
    if not words and not attachments:
        return None  # a service message: somebody joined, a topic was made …
    spoken = Spoken.of(message, words, me)
    if spoken.to_another:
        return None
    quote = _quote(message, me)
    group = _is_group(message)
    forwards = _forwards(message)
    own = not forwards
    return IncomingMessage(
        key=key,
        ref=_ref(message),
        sender=sender,
        text=spoken.text if own else "",
        attachments=attachments,
        reply_to=quote,
        forwards=forwards,
        group=group,
        addressed=not group or (own and spoken.addressed) or (quote is not None and quote.by_bot),
        edited=edited,
        late=edited and _is_late(message),
        album="" if edited else message.get("media_group_id", ""),
    )


def _is_late(message: Raw) -> bool:
    """Whether what is told as an edit comes a day later, or was made by nobody.

    Bots are told of a first reaction, or of a link's preview, as of an edit (github.com/tdlib/
    telegram-bot-api/issues/388); it has no `edit_date`, which TDLib leaves away from what the apps
    do not show as edited (`hide_edit_date` in its MessagesManager.cpp).
    """
    changed = message.get("edit_date")
    return changed is None or changed - message.get("date", 0) > LATE


def _forwards(message: Raw) -> tuple[Forward, ...]:
    """What is passed on, and whose it is as far as Telegram tells."""
    origin = message.get("forward_origin")
    if origin is None:
        return ()
    return (Forward(author=_said_by(origin) or "somebody", text=with_addresses(message)),)


def _said_by(origin: Raw) -> str:
    """Whose words these are (Bot API, `MessageOrigin`)."""
    match origin["type"]:
        case "user":
            return _name(origin["sender_user"])
        case "hidden_user":
            return str(origin["sender_user_name"])
        case "chat":
            return _title(origin["sender_chat"])
        case "channel":
            return _title(origin["chat"])
    return ""


def _type(message: Raw) -> str:
    """private, group, supergroup or channel."""
    found: str = message["chat"]["type"]
    return found


def _is_group(message: Raw) -> bool:
    return _type(message) != "private"


def _ref(message: Raw) -> MessageRef:
    return make_message(_chat_ref(message), int(message["message_id"]))


def _chat_ref(message: Raw) -> ChatRef:
    """The conversation of a message.

    In a group that is not a forum `message_thread_id` is only the id of the first message of a
    chain of replies, so it counts only where Telegram says that it is a topic.
    """
    topic = message["message_thread_id"] if message.get("is_topic_message") else None
    return make_chat(int(message["chat"]["id"]), topic)


def _author(message: Raw) -> Sender | None:
    """Who wrote; None when it was a bot. Bots would talk to each other for ever."""
    user = message.get("from")
    if user is None:
        return None
    chat = message.get("sender_chat")
    if user["id"] in STAND_INS and chat is not None:
        return Sender(UserId(str(chat["id"])), _title(chat))
    return None if user["is_bot"] else _sender(user)


def _sender(user: Raw) -> Sender:
    return Sender(UserId(str(user["id"])), _name(user), user.get("language_code") or "en")


def _name(person: Raw) -> str:
    return " ".join(filter(None, (person.get("first_name"), person.get("last_name"))))


def _title(chat: Raw) -> str:
    return chat.get("title") or _name(chat)


def _quote(message: Raw, me: Me) -> Quote | None:
    """The message replied to; where a part of it was quoted, that part."""
    quoted = message["quote"]["text"] if "quote" in message else ""
    original = message.get("reply_to_message")
    if original is None or "forum_topic_created" in original:
        # in a topic every message "replies" to the one that opened it
        return _quote_from_elsewhere(message, quoted)
    return Quote(
        ref=make_message(_chat_ref(message), int(original["message_id"])),
        author=_shown_author(original),
        text=quoted or with_addresses(original),
        by_bot=_is_by(me, original),
        attachments=attachments_of(original),
    )


def _is_by(me: Me, message: Raw) -> bool:
    """Whether the bot wrote a message, also as an administrator who stays anonymous.

    As such it is hidden even from itself behind the stand-in of its group, and told from people by
    the buttons under its answers, which people cannot give a message (but through another bot).
    """
    author = message.get("from")
    if author is None or author["id"] not in STAND_INS:
        return author is not None and author["id"] == me.id
    is_group = message.get("sender_chat", {}).get("id") == message["chat"]["id"]
    return is_group and "reply_markup" in message and "via_bot" not in message


def _quote_from_elsewhere(message: Raw, quoted: str) -> Quote | None:
    """A message of another chat or topic, or one that Telegram does not show to the bot.

    Of the former there is all but its text (Bot API, `ExternalReplyInfo`), of which a part may have
    been quoted; of the latter only that part.
    """
    other = message.get("external_reply", {})
    text, files = quoted or words_of(other), attachments_of(other)
    if not text and not files:
        return None
    author = _said_by(other["origin"]) if other else ""
    return Quote(ref=_ref(message), author=author, text=text, attachments=files)


def _shown_author(message: Raw) -> str:
    """Whose name stands over a message: a channel's or a group's, where it wrote as that."""
    if chat := message.get("sender_chat"):
        return _title(chat)
    user = message.get("from")
    return _name(user) if user is not None else ""
