"""State as the JSON objects of the Bot API (https://core.telegram.org/bots/api#available-types)."""

from __future__ import annotations

from bot.sandbox.telegram import markup
from bot.sandbox.telegram.state import Chat, ChatKind, Json, Media, Message, StoredFile, User
from bot.sandbox.telegram.world import World


def user(who: User) -> Json:
    """A `User`."""
    shown: Json = {"id": who.id, "is_bot": who.is_bot, "first_name": who.name}
    if who.username:
        shown["username"] = who.username
    if who.language:
        shown["language_code"] = who.language
    return shown


def chat(which: Chat) -> Json:
    """A `Chat`."""
    shown: Json = {"id": which.id, "type": which.kind.value}
    if which.kind is ChatKind.PRIVATE and which.person is not None:
        shown["first_name"] = which.person.name
        if which.person.username:
            shown["username"] = which.person.username
    else:
        shown["title"] = which.title
        if which.forum:
            shown["is_forum"] = True
    return shown


def message(world: World, what: Message, *, with_reply: bool = True) -> Json:
    """A `Message`, with what it replies to; in a topic that is at least the topic's beginning."""
    where = world.chats[what.chat]
    shown: Json = {
        "message_id": what.id,
        "from": user(what.author),
        "chat": chat(where),
        "date": what.date,
    }
    _add_thread(shown, what, where)
    if what.topic_created:
        shown["forum_topic_created"] = {"name": what.topic_created, "icon_color": 7322096}
    if what.became is not None:
        shown["migrate_to_chat_id"] = what.became
    if what.was is not None:
        shown["migrate_from_chat_id"] = what.was
    if what.edited is not None:
        shown["edit_date"] = what.edited
    if what.album:
        shown["media_group_id"] = what.album
    _add_content(shown, what)
    if what.keyboard:
        shown["reply_markup"] = markup.to_json(what.keyboard)
    answered = where.messages.get(what.reply_to or what.topic or 0)
    if with_reply and answered is not None and answered is not what:
        shown["reply_to_message"] = message(world, answered, with_reply=False)
    return shown


def _add_thread(shown: Json, what: Message, where: Chat) -> None:
    """A topic's id; outside of forums a reply in a group carries the id of what it replies to."""
    if what.topic is not None:
        shown["message_thread_id"] = what.topic
        shown["is_topic_message"] = True
    elif where.kind is ChatKind.SUPERGROUP and not where.forum and what.reply_to is not None:
        shown["message_thread_id"] = what.reply_to


def _add_content(shown: Json, what: Message) -> None:
    if what.rich is not None:
        shown["rich_message"] = {"blocks": list(what.rich.blocks)}
        return
    if what.media is not None:
        shown[what.media.kind] = media(what.media)
    text, entities = ("caption", "caption_entities") if what.media else ("text", "entities")
    if what.text:
        shown[text] = what.text
    if what.entities:
        shown[entities] = [dict(entity) for entity in what.entities]


def media(what: Media) -> object:
    """A photo (a list of sizes), `Voice`, `Audio`, `Document` or `Sticker`."""
    shown = _file(what.file)
    if what.kind == "photo":
        small = {
            **shown,
            "file_id": f"{what.file.id}s",
            "file_unique_id": f"{what.file.unique_id}s",
        }
        size = {"width": what.width, "height": what.height}
        return [small | {"width": 90, "height": 90, "file_size": 1000}, shown | size]
    if what.kind == "sticker":
        sticker = {"width": what.width, "height": what.height, "emoji": what.emoji}
        kind = {"type": "regular", "is_animated": False, "is_video": False}
        return shown | sticker | kind
    shown["mime_type"] = what.file.mime
    if what.kind in {"voice", "audio", "video"}:
        shown["duration"] = what.seconds
    if what.kind == "video":
        shown |= {"width": what.width, "height": what.height}
    if what.kind != "voice":
        shown["file_name"] = what.file.name
    return shown


def _file(which: StoredFile) -> Json:
    return {"file_id": which.id, "file_unique_id": which.unique_id, "file_size": which.size}
