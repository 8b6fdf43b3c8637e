"""Sending, editing and deleting messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.sandbox.telegram import markup, rich, wire
from bot.sandbox.telegram.entities import utf16_length
from bot.sandbox.telegram.errors import BadRequest
from bot.sandbox.telegram.judge import Formatted
from bot.sandbox.telegram.params import Params
from bot.sandbox.telegram.state import Chat, ChatKind, Json, Membership, Message, Typing
from bot.sandbox.telegram.world import World

MAX_TEXT = 4096
"""UTF-16 code units of a text after entity parsing."""

MAX_CAPTION = 1024
"""UTF-16 code units of a caption."""

DELETABLE_SECONDS = 2 * 86_400
"""How long after it was sent a bot may delete a message. https://core.telegram.org/bots/api#deletemessage"""

MAX_DELETIONS = 100
"""Messages of one `deleteMessages`. https://core.telegram.org/bots/api#deletemessages."""

TYPING_SECONDS = 5.0
"""How long a chat action is shown. https://core.telegram.org/bots/api#sendchataction."""

_ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)
_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


def send_message(world: World, params: Params) -> Json:
    """https://core.telegram.org/bots/api#sendmessage."""
    content = text_of(world, params)
    keyboard = markup.inline_keyboard(params)
    message = new_message(world, params)
    message.text, message.entities = content.text, content.entities
    message.keyboard = keyboard
    message.link_preview = _has_preview(content, params)
    return posted(world, message)


def send_rich_message(world: World, params: Params) -> Json:
    """https://core.telegram.org/bots/api#sendrichmessage (Bot API 10.1)."""
    content = rich.content_of(params)
    keyboard = markup.inline_keyboard(params)
    message = new_message(world, params)
    message.rich, message.keyboard = content, keyboard
    return posted(world, message)


def edit_message_text(world: World, params: Params) -> Json:
    """https://core.telegram.org/bots/api#editmessagetext; without buttons, the old ones go."""
    new_rich = rich.content_of(params) if params.text("rich_message") else None
    content = text_of(world, params, editing=True) if new_rich is None else Formatted("")
    keyboard = markup.inline_keyboard(params)
    message = editable(world, params)
    if message.media is not None:
        raise BadRequest("there is no text in the message to edit")
    new = replace(message, text=content.text, entities=content.entities, rich=new_rich)
    new.keyboard, new.link_preview = keyboard, _has_preview(content, params)
    return edited(world, message, new)


def edit_message_caption(world: World, params: Params) -> Json:
    """https://core.telegram.org/bots/api#editmessagecaption."""
    content = caption_of(world, params.text("caption"), params.lenient("caption_entities"))
    keyboard = markup.inline_keyboard(params)
    message = editable(world, params)
    if message.media is None:
        raise BadRequest("there is no caption in the message to edit")
    new = replace(message, text=content.text, entities=content.entities, keyboard=keyboard)
    return edited(world, message, new)


def edit_message_reply_markup(world: World, params: Params) -> Json:
    """https://core.telegram.org/bots/api#editmessagereplymarkup."""
    keyboard = markup.inline_keyboard(params)
    message = editable(world, params)
    return edited(world, message, replace(message, keyboard=keyboard))


def delete_message(world: World, params: Params) -> bool:
    """https://core.telegram.org/bots/api#deletemessage; in groups the bot is no administrator."""
    if not params.text("chat_id"):
        raise BadRequest("Chat identifier is not specified")
    if not params.integer("message_id"):
        raise BadRequest("Message identifier is not specified")
    chat = world.writable(params.text("chat_id"))
    message = chat.messages.get(params.integer("message_id"))
    if message is None:
        raise BadRequest("message to delete not found")
    return _delete(world, chat, [message])


def delete_messages(world: World, params: Params) -> bool:
    """https://core.telegram.org/bots/api#deletemessages; all that can be found, or none."""
    if not params.text("chat_id"):
        raise BadRequest("Chat identifier is not specified")
    ids = params.parsed("message_ids", "message identifiers")
    if not isinstance(ids, list) or not ids:
        raise BadRequest("Message identifiers are not specified")
    if len(ids) > MAX_DELETIONS:
        raise BadRequest("Too many message identifiers specified")
    chat = world.writable(params.text("chat_id"))
    found = [chat.messages[id] for id in dict.fromkeys(ids) if id in chat.messages]
    return _delete(world, chat, found)


def _delete(world: World, chat: Chat, messages: Sequence[Message]) -> bool:
    for message in messages:
        _check_deletable(world, chat, message)
    for message in messages:
        del chat.messages[message.id]
    world.changes.tell(chat.id, "deleted")
    return True


def _check_deletable(world: World, chat: Chat, message: Message) -> None:
    """The words are those of `delete_messages` in TDLib's MessagesManager.cpp."""
    if message.author is not world.bot and chat.kind is not ChatKind.PRIVATE:
        raise BadRequest("message can't be deleted")
    if world.now() - message.date >= DELETABLE_SECONDS:
        is_for_all = chat.kind is ChatKind.SUPERGROUP  # elsewhere it could be deleted for one side
        raise BadRequest(f"message can't be deleted{'' if is_for_all else ' for everyone'}")


def send_chat_action(world: World, params: Params) -> bool:
    """https://core.telegram.org/bots/api#sendchataction."""
    action = params.text("action").lower()
    if action not in _ACTIONS:
        raise BadRequest("Wrong parameter action in request")
    chat = world.writable(params.text("chat_id"))
    until = world.clock.monotonic() + TYPING_SECONDS
    chat.typing[topic_of(params, chat)] = Typing(action, until)
    world.changes.tell(chat.id, "typing")
    return True


def get_chat(world: World, params: Params) -> Json:
    """https://core.telegram.org/bots/api#getchat."""
    chat = world.readable(params.text("chat_id"))
    if chat.membership is Membership.STRANGER:
        raise BadRequest("chat not found")
    return wire.chat(chat)


# ------------------------------------------------------------ shared by the sending methods


def text_of(world: World, params: Params, *, editing: bool = False) -> Formatted:
    """The text of a call as it will stand in the chat. Raises `BadRequest`.

    The length of a new message is checked by TDLib, that of an edit by Telegram's servers, which
    answer with a code (https://core.telegram.org/method/messages.editMessage).
    """
    if not params.text("text"):
        raise BadRequest("Message text is empty")
    content = world.judge.fix(params.text("text"), params.lenient("entities"))
    if not content.text:
        raise BadRequest("text must be non-empty")
    if utf16_length(content.text) > MAX_TEXT:
        raise BadRequest("MESSAGE_TOO_LONG" if editing else "Message is too long")
    return content


def caption_of(world: World, text: str, entities: object) -> Formatted:
    """A caption as it will stand in the chat; it may be empty. Raises `BadRequest`."""
    content = world.judge.fix(text, entities)
    if utf16_length(content.text) > MAX_CAPTION:
        raise BadRequest("Message caption is too long")
    return content


def new_message(world: World, params: Params) -> Message:
    """An empty message of the bot, where the call wants it; not posted yet. Raises `Refused`."""
    chat = world.writable(params.text("chat_id"))
    topic = topic_of(params, chat)
    reply_to = _reply_to(params, chat)
    return Message(
        id=chat.next_id(),
        chat=chat.id,
        author=world.bot,
        date=world.now(),
        topic=topic,
        reply_to=reply_to,
    )


def topic_of(params: Params, chat: Chat) -> int | None:
    """The topic a call means; groups that are no forum ignore it. Raises `BadRequest`."""
    topic = params.integer("message_thread_id")
    if not topic or (chat.kind is not ChatKind.PRIVATE and not chat.forum):
        return None
    if topic not in chat.topics:
        raise BadRequest("message thread not found")
    return topic


def _reply_to(params: Params, chat: Chat) -> int | None:
    value = params.parsed("reply_parameters", "reply parameters")
    if not isinstance(value, dict):
        return None
    number = value.get("message_id", 0)
    if not isinstance(number, int):
        raise BadRequest('Can\'t parse reply parameters: Field "message_id" must be an Integer')
    if number in chat.messages:
        return number
    if value.get("allow_sending_without_reply"):
        return None
    raise BadRequest("message to be replied not found")


def editable(world: World, params: Params) -> Message:
    """The message that a call wants to edit."""
    chat = world.writable(params.text("chat_id"))
    message = chat.messages.get(params.integer("message_id"))
    if message is None:
        raise BadRequest("message to edit not found")
    if message.author is not world.bot:
        raise BadRequest("message can't be edited")
    return message


def posted(world: World, message: Message) -> Json:
    """Put a message into its chat: what was being written there is gone."""
    chat = world.chats[message.chat]
    chat.messages[message.id] = message
    chat.drafts.pop(message.topic, None)
    chat.typing.pop(message.topic, None)
    world.changes.tell(chat.id, "message")
    return wire.message(world, message)


def edited(world: World, old: Message, new: Message) -> Json:
    """Put a message in the place of what it was. Raises `BadRequest` when that is the same."""
    if new == old:
        raise BadRequest(_NOT_MODIFIED)
    new.edited = world.now()
    world.chats[new.chat].messages[new.id] = new
    world.changes.tell(new.chat, "edited")
    return wire.message(world, new)


def _has_preview(content: Formatted, params: Params) -> bool:
    """Whether a link of the text is shown with a preview of its page."""
    value = params.parsed("link_preview_options", "link preview options")
    off = value.get("is_disabled") if isinstance(value, dict) else False
    linked = any(entity["type"] in {"url", "text_link"} for entity in content.entities)
    return linked and not off
