"""What Slack tells, as events of the core. Pure: the directory answers from memory.

The team in every id is that in which the app is installed: in a channel that is shared with others
(Slack Connect) events and presses name whichever it likes.

In a channel the bot is spoken to by a mention, in its threads by everybody: a thread that was
begun by mentioning it, or by the bot itself, needs no mention again, unless a message there begins
with somebody else's. In any other thread each question mentions it.
"""

from __future__ import annotations

import re

from bot.core.types import (
    LATE,
    ButtonPress,
    ChatMoved,
    ChatRef,
    Event,
    IncomingMessage,
    Quote,
    StopPressed,
    Withdrawal,
)
from bot.platforms.slack.calls import Json
from bot.platforms.slack.contents import (
    attachments_of,
    forwards_of,
    mentioned_in,
    plain,
    quoted,
    said_in,
    stubs_in,
)
from bot.platforms.slack.directory import Directory, Needs
from bot.platforms.slack.ids import (
    make_chat,
    make_command,
    make_key,
    make_message,
    mentions,
    parse_chat,
)
from bot.platforms.slack.manifest import OWN_COMMAND

_SPOKEN = frozenset({None, "file_share", "thread_broadcast", "me_message"})
"""Subtypes of `message` that a person wrote; the rest are joins, topics, bots and the like."""
_ABOUT_FILES = re.compile(r"(?:\A|>\s*)[!！](?:transcribe|write|image|draw)(?![a-z])")
"""Commands that may be about the files of the message under which they are written."""
_GRAVE = "tombstone"
"""The subtype of what stands where a message was that began a thread."""
_PRESSED = frozenset({"button", "feedback_buttons"})


def conversation_of(body: Json) -> str:
    """The channel an event happened in; empty when in none. Never raises."""
    event = body.get("event") if isinstance(body.get("event"), dict) else {}
    channel = body.get("channel")
    found = event.get("channel") if event else body.get("channel_id")
    if isinstance(channel, dict):
        found = channel.get("id")
    return found if isinstance(found, str) else ""


def way_back(body: Json) -> str:
    """Where a slash command can be answered although the bot is not there; else empty."""
    return str(body.get("response_url") or "") if "command" in body else ""


def opened_messages(body: Json) -> tuple[str, str] | None:
    """The direct message and the user, when somebody has opened the bot's messages."""
    event = body.get("event")
    if not isinstance(event, dict) or event.get("type") != "app_home_opened":
        return None
    channel, user = event.get("channel"), event.get("user")
    if event.get("tab") != "messages" or not isinstance(channel, str) or not isinstance(user, str):
        return None
    return channel, user


def changed_message(body: Json) -> tuple[str, Json] | None:
    """The channel of a message that was changed, and what it is by now; of a deleted one, a grave.

    Never raises.
    """
    event = body.get("event")
    if not isinstance(event, dict):
        return None
    channel, now = event.get("channel"), event.get("message")
    if event.get("subtype") == "message_deleted":
        now = {"subtype": _GRAVE, "ts": event.get("deleted_ts")}
    elif event.get("subtype") != "message_changed":
        return None
    return (channel, now) if isinstance(channel, str) and isinstance(now, dict) else None


def stopped_session(body: Json) -> tuple[str, str]:
    """The channel and the thread in which somebody has pressed Slack's own Stop."""
    event = body["event"]
    return str(event["channel"]), str(event.get("thread_ts") or "")


def needs_of(body: Json, bot: str, team: str) -> Needs:
    """What to look up before `read`. Nothing for what nobody says to the `bot` of the `team`."""
    if "command" in body:
        return Needs(people=frozenset({str(body["user_id"])}))
    if body.get("type") == "block_actions":
        return Needs(people=frozenset({str(body["user"]["id"])}))
    event = body.get("event", {})
    message = event.get("message", event)
    if not _is_spoken(event, message, bot):
        return Needs()
    text, channel, ts = said_in(message), str(event["channel"]), str(message["ts"])
    people = frozenset({str(message["user"])} | mentioned_in(text) - {bot})
    files = stubs_in(message)
    thread = (channel, str(message.get("thread_ts") or ts))
    root = thread if thread[1] != ts and _ABOUT_FILES.search(text) else None
    if _is_direct(event):
        return Needs(people=people, files=files, root=root)
    begins, first = thread[1] == ts, make_key(team, *thread)
    if mentions(text, bot):
        begun, joined = (thread, None) if begins else (None, thread)
        return Needs(people=people, files=files, begun=begun, root=root, joined=joined, first=first)
    if begins:
        return Needs()  # not said to the bot: nobody asks who said it
    return Needs(people=people, files=files, thread=thread, first=first, root=root)


def read(body: Json, directory: Directory) -> Event | ChatMoved | Withdrawal | None:
    """The event of the core; None for what asks for nothing.

    Raises `KeyError`, `TypeError`, `ValueError`, `AttributeError` on what Slack does not send.
    """
    if "command" in body:
        return _command(body, directory)
    match body.get("type"):
        case "block_actions":
            return _press(body, directory)
        case "event_callback":
            return _event(body, directory)
        case _:
            return None


def _event(body: Json, directory: Directory) -> Event | ChatMoved | Withdrawal | None:
    event, team = body["event"], directory.team
    match event["type"]:
        case "message" | "app_mention":
            return _withdrawal(team, event, directory) or _message(team, event, directory)
        case "agent_session_stopped":
            return StopPressed(
                key=make_key(team, event["channel"], body["event_id"]),
                chat=make_chat(team, event["channel"], event.get("thread_ts") or ""),
                sender=directory.sender(event["user"]),
            )
        case "channel_id_changed":  # a private channel is shared with another workspace
            old, new = (str(event[f"{which}_channel_id"]) for which in ("old", "new"))
            return ChatMoved(
                old=make_chat(team, old, ""), new=make_chat(team, new, ""), threads=True
            )
        case _:
            return None


def _withdrawal(team: str, event: Json, directory: Directory) -> Withdrawal | None:
    """The end of what a person wrote. If there are replies, a tombstone stands in its place."""
    now, before = event.get("message", {}), event.get("previous_message", {})
    is_grave = event.get("subtype") == "message_changed" and now.get("subtype") == _GRAVE
    if not is_grave and event.get("subtype") != "message_deleted":
        return None
    if before.get("bot_id") or before.get("user") in {directory.bot, "USLACKBOT"}:
        return None
    channel, ts = str(event["channel"]), str(now["ts"] if is_grave else event["deleted_ts"])
    root = str(before.get("thread_ts") or ts)
    return Withdrawal(
        key=make_key(team, channel, ts),
        ref=make_message(make_chat(team, channel, root), ts, root if root != ts else ""),
        age=float(event.get("event_ts") or event["ts"]) - float(ts),
    )


def _message(team: str, event: Json, directory: Directory) -> IncomingMessage | None:
    edited = event.get("subtype") == "message_changed"
    message = event["message"] if edited else event
    if not _is_spoken(event, message, directory.bot):
        return None
    channel, ts = str(event["channel"]), str(message["ts"])
    direct = _is_direct(event)
    text = said_in(message)
    root = str(message.get("thread_ts") or ts)
    chat = make_chat(team, channel, root)
    changed = str(message["edited"]["ts"]) if edited else ""
    what = f"{ts}:{changed}" if edited else ts
    addressed = direct or mentions(text, directory.bot) or _goes_on(channel, root, text, directory)
    may_quote = addressed and root != ts
    return IncomingMessage(
        key=make_key(team, channel, what),
        ref=make_message(chat, ts, root if root != ts else ""),
        sender=directory.sender(str(message["user"])),
        text=plain(text, directory),
        attachments=attachments_of(message, directory),
        reply_to=_about(text, chat, channel, root, directory) if may_quote else None,
        forwards=tuple(forwards_of(message, directory)),
        group=not direct,
        addressed=addressed,
        edited=edited,
        late=edited and float(changed) - float(ts) > LATE,
        gesture=_gesture(team, message),
    )


def _about(
    text: str, chat: ChatRef, channel: str, thread: str, directory: Directory
) -> Quote | None:
    """The message that began the thread, where what is written below may be about it.

    Commands for files are about its files. In a channel, to mention somebody below a message is
    Slack's way to ask them about it; a direct message is one conversation anyway.
    """
    root, is_command = directory.root(channel, thread), _ABOUT_FILES.search(text) is not None
    files = attachments_of(root, directory)
    is_told = bool(files) if is_command else bool(root) and not parse_chat(chat).direct
    if not is_told or root.get("subtype") == _GRAVE:
        return None
    author, words = quoted(root, directory)
    return Quote(
        ref=make_message(chat, thread, ""),
        author=author,
        text="" if is_command else words,
        by_bot=root.get("user") == directory.bot,
        attachments=files,
        opening=not is_command,
    )


def _gesture(team: str, message: Json) -> str:
    """What the person's app calls the message: one sent twice by a bad connection has one name."""
    name = str(message.get("client_msg_id") or "")
    return name and f"{team}:{name}"


def _is_spoken(event: Json, message: Json, bot: str) -> bool:
    """Whether a person wrote this, or rewrote it."""
    if message.get("bot_id") or message.get("user") in {None, bot, "USLACKBOT"}:
        return False
    if event.get("type") == "app_mention" and "edited" in event:
        return False  # it comes as `message_changed` too, which tells what it was before
    if event.get("subtype") != "message_changed":
        return event.get("subtype") in _SPOKEN and event.get("type") in {"message", "app_mention"}
    before = said_in(event.get("previous_message", {}))
    return "edited" in message and said_in(message) != before  # else a preview or a reply count


def _is_direct(event: Json) -> bool:
    return event.get("channel_type") == "im" or str(event["channel"]).startswith("D")


def _goes_on(channel: str, root: str, text: str, directory: Directory) -> bool:
    return directory.is_ours(channel, root) and not text.lstrip().startswith("<@")


def _command(body: Json, directory: Directory) -> IncomingMessage:
    team, channel = directory.team, str(body["channel_id"])
    chat = make_chat(team, channel, "")
    command, rest = str(body["command"]), str(body.get("text") or "").strip()
    line = _own_command(rest, directory) if command == OWN_COMMAND else f"{command} {rest}"
    return IncomingMessage(
        key=make_key(team, channel, str(body["trigger_id"])),
        ref=make_command(chat, str(body["trigger_id"])),
        sender=directory.sender(str(body["user_id"])),
        text=plain(line.strip(), directory),
        group=not channel.startswith("D"),
    )


def _own_command(text: str, directory: Directory) -> str:
    """What `/chinwag …` means: one of our commands by its name, or else a question."""
    if not text:
        return "/help"
    bare = text.lstrip("/!／！")
    name = [*bare.split(maxsplit=1), ""][0].lower()
    return "/" + bare if name in directory.commands else text


def _press(body: Json, directory: Directory) -> ButtonPress | None:
    container, action = body["container"], body["actions"][0]
    if container["type"] != "message" or action["type"] not in _PRESSED:
        return None
    team, channel = directory.team, str(body["channel"]["id"])
    ts = str(container["message_ts"])
    thread = str(container.get("thread_ts") or "")
    if thread == ts:  # the root of a thread stands in the channel
        thread = ""
    chat = make_chat(team, channel, thread)
    return ButtonPress(
        key=make_key(team, channel, str(body["trigger_id"])),
        ref=make_message(chat, ts, thread),
        sender=directory.sender(str(body["user"]["id"])),
        value=str(action.get("value") or ""),
        group=not channel.startswith("D"),
    )
