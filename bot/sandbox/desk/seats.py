"""Who sits at the desk, and what is on it then, as JSON for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.sandbox.desk import markup
from bot.sandbox.pages import page
from bot.sandbox.pages.page import Json
from bot.sandbox.slack.people import Person, Place
from bot.sandbox.slack.state import Channel, Message, StoredFile, feedback


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat(page.Seat):
    """One person in the workspace, and the channels that they see."""

    person: Person
    channels: Sequence[Channel]

    def rooms(self) -> Mapping[str, Place]:
        """The channels and, last, the direct message with the bot, by their ids."""
        places = [*map(self.person.channel, self.channels), self.person.dm]
        return {place.id: place for place in places}

    def place(self, room: str, thread: str) -> Place:
        """A room or, where `thread` is the ts of its root, a thread. Raises `LookupError`."""
        place = self.rooms()[room]
        if not thread:
            return place
        return self.person.thread(self.person.workspace.messages[room, thread])

    def file(self, file: str) -> StoredFile:
        """A file that this person can see. Raises `LookupError`."""
        messages = [message for place in self.rooms().values() for message in place.messages()]
        files = (each for message in messages if not message.deleted for each in message.files)
        return {each.id: each for each in files}[file]


def picture(seat: Seat) -> Json:
    """What the page draws: the rooms with their messages, oldest first."""
    workspace = seat.person.workspace
    others = (user.name for user in workspace.users.values() if user.id != seat.person.id)
    return {
        "bot": workspace.bot.name,
        "person": seat.title,
        "mentioned": list(others),
        "rooms": [_room(seat, place) for place in seat.rooms().values()],
    }


def _room(seat: Seat, place: Place) -> Json:
    channel = seat.person.workspace.channels[place.id]
    messages = place.messages()
    threads: dict[str, list[Message]] = {message.ts: [] for message in messages}
    for message in messages:
        if message.thread_ts in threads:
            threads[message.thread_ts].append(message)
    title, prompts = seat.person.offered() if channel.im_with and not messages else ("", [])
    return {
        "id": channel.id,
        "name": channel.name,
        "direct": bool(channel.im_with),
        "greeting": title,
        "prompts": prompts,
        "messages": [_message(seat, each, threads[each.ts]) for each in messages],
    }


def _message(seat: Seat, message: Message, thread: Sequence[Message]) -> Json:
    workspace = seat.person.workspace
    return {
        "ts": message.ts,
        "thread": message.thread_ts,
        "at": int(message.posted.timestamp() * 1000),
        "author": "Slackbot" if message.deleted else workspace.users[message.user].name,
        "byBot": message.user == workspace.bot.id and not message.deleted,
        "mine": message.user == seat.person.id and not message.deleted,
        "deleted": message.deleted,
        "edited": message.edits > 0,
        "onlyYou": bool(message.ephemeral_for),
        "replies": sum(not each.ephemeral_for for each in thread),
        "work": None if message.thread_ts else _work(seat, message, thread),
        **_content(seat, message),
    }


def _content(seat: Seat, message: Message) -> Json:
    """What can be read, pressed and changed; nothing of a message that is deleted."""
    if message.deleted:
        return {"html": "", "text": "", "buttons": [], "thumbs": False, "files": []}
    workspace = seat.person.workspace
    names = {user.id: user.name for user in workspace.users.values()}
    rows = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    return {
        "html": _html(message, names),
        "text": markup.typed(message.text, names) if message.user == seat.person.id else "",
        "buttons": [[each["text"]["text"] for each in row] for row in rows],
        "thumbs": feedback(message) is not None,
        "files": [_file(seat, file) for file in message.files],
    }


def _work(seat: Seat, root: Message, thread: Sequence[Message]) -> Json | None:
    """That the bot is at work in a thread, as Slack shows it there; None when it is not."""
    place = seat.person.thread(root)
    if not (place.stoppable() or place.status()):
        return None
    return {
        "status": place.status(),
        "writes": any(message.streaming for message in thread),
        "stop": place.stoppable(),
    }


def _html(message: Message, names: Mapping[str, str]) -> str:
    html = markup.from_tasks(list(message.tasks.values()))
    html += markup.from_markdown(message.streamed) if message.streamed else ""
    html += markup.from_blocks(message.blocks)
    return html or (markup.from_mrkdwn(message.text, names) if message.text else "")


def _file(seat: Seat, file: StoredFile) -> Json:
    return {
        "name": file.name,
        "kind": "document" if "svg" in file.mime else file.mime.partition("/")[0],
        "url": f"/slack/file/{seat.name}/{file.id}",
    }
