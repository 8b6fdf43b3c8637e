"""What a person does in Slack, and what they see. A tester speaks through these.

ada = slack.person("Ada")
await ada.dm.send("hello")
general = ada.channel(slack.channel("general"))
question = await general.send("<@BOT> what is this?")
await ada.thread(question).send("and why?")
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.sandbox.slack import chat, events, objects
from bot.sandbox.slack.sockets import Envelope, Sockets
from bot.sandbox.slack.state import (
    Channel,
    Json,
    Message,
    Seen,
    StoredFile,
    User,
    buttons,
    feedback,
)
from bot.sandbox.slack.workspace import Session, Workspace

TOKEN = re.compile(r"(<(?:[@#!][\w^]+(?:\|[^<>]*)?|(?:https?|mailto):[^<>]*)>)")
"""A mention or a link in a message as Slack stores it; other angle brackets are escaped."""
_ADDRESS = re.compile(r"https?://(?:&amp;|[!-%'-;=?-{}~])*[A-Za-z0-9/]")
BOT = "<@BOT>"
"""Stands for a mention of the bot in what a person writes."""


class Place:
    """A channel, a direct message, or one thread of either, as one person sees it."""

    def __init__(
        self, workspace: Workspace, sockets: Sockets, user: User, channel: Channel, thread: str = ""
    ) -> None:
        self._workspace = workspace
        self._sockets = sockets
        self._user = user
        self._channel = channel
        self._thread = thread

    @property
    def id(self) -> str:
        """The channel's id."""
        return self._channel.id

    # ------------------------------------------------------------ doing

    async def send(self, text: str) -> Message:
        """Write a message; `<@BOT>` mentions the bot."""
        return self._post(text, [])

    async def share(self, message: Message, text: str = "") -> Message:
        """Forward a message, with words of one's own or without."""
        return self._post(text, [], attached=[objects.shared_json(self._workspace, message)])

    async def paste(self, rows: Sequence[Sequence[str]], text: str = "") -> Message:
        """Paste a piece of a spreadsheet, with words above it or without."""
        return self._post(text, [], attached=[objects.table_json(rows)])

    async def upload(
        self,
        name: str,
        content: bytes,
        mime: str,
        *,
        text: str = "",
        subtype: str = "",
        seconds: float | None = None,
    ) -> Message:
        """Send a file, with words if any. `subtype` is `slack_audio` for a recorded clip."""
        file = StoredFile(
            self._workspace.new_id("F"), name, mime, content, self._user.id, subtype, seconds
        )
        self._workspace.files[file.id] = file
        return self._post(text, [file])

    async def link(self, name: str, address: str, text: str) -> Message:
        """Link a document that lies elsewhere, with an app there that tells Slack of it.

        Slack takes it for a file (github.com/vercel/eve/issues/855).
        """
        number = self._workspace.new_id("F")
        file = StoredFile(number, name, "image/png", b"", self._user.id, elsewhere=address)
        self._workspace.files[file.id] = file
        return self._post(text, [file])

    async def record(self, content: bytes, *, seconds: float, mime: str = "audio/mp4") -> Message:
        """Send a voice clip, as Slack labels it; older clients call the type `video/mp4`."""
        return await self.upload(
            "audio_message.m4a", content, mime, subtype="slack_audio", seconds=seconds
        )

    async def slash(self, line: str) -> Envelope:
        """Use a slash command: `/allow <@U0ADA>`. Slack takes none in threads."""
        if self._thread:
            raise ValueError("Slack does not take slash commands in threads")
        command, _, text = line.partition(" ")
        payload = events.slash(
            self._workspace,
            command=command,
            text=text,
            user=self._user.id,
            channel=self._channel.id,
        )
        return self._sockets.tell("slash_commands", payload)

    async def press(self, label: str) -> Envelope:
        """Press the newest button with this label. Raises `LookupError` when there is none."""
        for message in reversed(self.messages()):
            for number, button in enumerate(buttons(message)):
                if button["text"]["text"] == label:
                    return await self.press_at(message.ts, number)
        raise LookupError(f"no button {label!r} here")

    async def press_at(self, ts: str, number: int) -> Envelope:
        """Press a button of a message, counted from 0. Raises `LookupError`."""
        message = self._message(ts)
        button = buttons(message)[number]
        payload = events.press(self._workspace, message, button, self._user.id)
        return self._sockets.tell("interactive", payload)

    async def rate(self, *, good: bool) -> Envelope:
        """Press a thumb under the newest message that has them. Raises `LookupError`."""
        for message in reversed(self.messages()):
            if feedback(message):
                return await self.rate_at(message.ts, good=good)
        raise LookupError("no thumbs here")

    async def rate_at(self, ts: str, *, good: bool) -> Envelope:
        """Press a thumb under a message. Raises `LookupError`."""
        message = self._message(ts)
        element = feedback(message)
        if element is None:
            raise LookupError("no thumbs here")
        thumb = element["positive_button" if good else "negative_button"]
        pressed = thumb | {"action_id": element["action_id"]}
        payload = events.press(self._workspace, message, pressed, self._user.id, "feedback_buttons")
        return self._sockets.tell("interactive", payload)

    async def stop(self) -> None:
        """Press Slack's own Stop, which is there while a session is processing.

        Slack ends the streams of the thread itself and leaves the rest to the bot.
        """
        for channel, thread in self._processing():
            running = [m for m in self._workspace.standing(channel, thread) if m.streaming]
            for message in running:
                message.streaming = False
                message.stopped = True
            event = events.stopped(
                self._workspace, channel, thread, [m.ts for m in running], self._user.id
            )
            self._workspace.tell(event)
            self._workspace.changed()
            return
        raise LookupError("there is no Stop button here: nothing is being worked on")

    async def edit(self, message: Message, text: str) -> None:
        """Change a message of one's own."""
        before = objects.message_json(self._workspace, message)
        message.text = self._with_mention(text)
        message.edits += 1
        if self._workspace.is_in(self._channel):
            self._workspace.tell(events.edited(self._workspace, message, before))
        self._tell_of_mention(message)
        self._workspace.changed()

    async def edit_at(self, ts: str, text: str) -> None:
        """Change a message of one's own; the same words change nothing. Raises `LookupError`."""
        message = self._own(ts)
        if self._with_mention(text) != message.text:
            await self.edit(message, text)

    async def delete(self, ts: str) -> None:
        """Delete a message, be it one's own or, as an admin may, the bot's."""
        chat.remove(self._workspace, self._workspace.message(self._channel.id, ts))

    async def delete_at(self, ts: str) -> None:
        """Delete a message of one's own. Raises `LookupError`."""
        chat.remove(self._workspace, self._own(ts))

    # ------------------------------------------------------------ seeing

    def messages(self) -> list[Message]:
        """The messages that this person sees, oldest first, as Slack keeps them."""
        found = self._workspace.standing(self._channel.id, self._thread)
        return [m for m in found if m.ephemeral_for in {"", self._user.id}]

    def screen(self) -> list[Seen]:
        """What is there now, oldest first; threads of a channel are shown open."""
        return self._workspace.look(self.messages())

    def kept(self) -> list[Seen]:
        """What will still be there tomorrow."""
        lasting = [m for m in self.messages() if not m.ephemeral_for]
        return [replace(seen, streaming=False) for seen in self._workspace.look(lasting)]

    def answers(self) -> list[Seen]:
        """What the bot has said here, oldest first."""
        return [seen for seen in self.screen() if seen.author == self._workspace.bot.name]

    def status(self) -> str:
        """The line under a thread that says what the bot is doing; empty when there is none."""
        lines = (self._workspace.status(*place) for place in self._sessions())
        return next(filter(None, lines), "")

    def stoppable(self) -> bool:
        """Whether Slack shows that the bot is at work here, with its own Stop."""
        return bool(self._processing())

    def titles(self) -> list[str]:
        """The titles of the sessions here."""
        return [session.title for session in self._sessions().values()]

    def _processing(self) -> list[tuple[str, str]]:
        if "agent_session_stopped" not in self._workspace.events:
            return []  # Slack draws no Stop for an app that would not hear of it
        return [at for at, each in self._sessions().items() if each.state == "processing"]

    def _sessions(self) -> dict[tuple[str, str], Session]:
        """The sessions here, by channel and thread."""
        return {
            (channel, thread): session
            for (channel, thread), session in self._workspace.sessions.items()
            if channel == self._channel.id and self._thread in {"", thread}
        }

    def _message(self, ts: str) -> Message:
        return {message.ts: message for message in self.messages()}[ts]

    def _own(self, ts: str) -> Message:
        message = self._message(ts)
        if message.user != self._user.id or message.deleted:
            raise LookupError("that is no message of one's own")
        return message

    def _post(
        self, text: str, files: list[StoredFile], *, attached: Sequence[Json] = ()
    ) -> Message:
        message = Message(
            channel=self._channel.id,
            user=self._user.id,
            text=self._with_mention(text),
            thread_ts=self._thread,
            files=files,
            attachments=list(attached),
            client_msg_id=self._workspace.new_id("client-"),
        )
        self._workspace.post(message)
        if self._workspace.mentions_first:
            self._tell_of_mention(message)
        if self._workspace.is_in(self._channel):
            self._workspace.tell(events.posted(self._workspace, message))
        if not self._workspace.mentions_first:
            self._tell_of_mention(message)
        self._preview(message)
        return message

    def _preview(self, message: Message) -> None:
        """Show below a message which others it links to, of those that its author may read."""
        workspace = self._workspace
        if "/archives/" not in message.text or workspace.without_previews:
            return
        linked = [
            other
            for other in workspace.messages.values()
            if objects.permalink(other) in message.text
            and self._user.id in workspace.channels[other.channel].members
        ]
        before = objects.message_json(workspace, message)
        message.attachments += [objects.preview_json(workspace, other) for other in linked]
        if linked and workspace.is_in(self._channel):
            workspace.tell(events.changed(workspace, message, before))
        workspace.changed()

    def _tell_of_mention(self, message: Message) -> None:
        is_direct = self._channel.kind in {"im", "mpim"}  # whether one comes here is not known
        if not is_direct and f"<@{self._workspace.bot.id}>" in message.text:
            self._workspace.tell(events.mention(self._workspace, message))

    def _with_mention(self, text: str) -> str:
        """The text as Slack stores it: `&`, `<`, `>` escaped, and addresses made links.

        Source: docs.slack.dev, "Formatting message text". Mentions and links stay as they are.
        """
        parts = TOKEN.split(text)
        escaped = (html.escape(part, quote=False) for part in parts[::2])
        parts[::2] = [_ADDRESS.sub(r"<\g<0>>", part) for part in escaped]
        return "".join(parts).replace(BOT, f"<@{self._workspace.bot.id}>")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the workspace: their direct message with the bot, and the channels."""

    workspace: Workspace
    sockets: Sockets
    user: User
    direct: Channel

    @property
    def id(self) -> str:
        """The user id, `U…`."""
        return self.user.id

    @property
    def dm(self) -> Place:
        """The direct message with the bot."""
        return Place(self.workspace, self.sockets, self.user, self.direct)

    def channel(self, channel: Channel) -> Place:
        """Join a channel."""
        channel.members.add(self.user.id)
        return Place(self.workspace, self.sockets, self.user, channel)

    def thread(self, message: Message) -> Place:
        """The thread of a message."""
        channel = self.workspace.channels[message.channel]
        return Place(self.workspace, self.sockets, self.user, channel, message.root)

    def offered(self) -> tuple[str, list[str]]:
        """The greeting over the empty direct message, and the prompts that can be picked."""
        title, prompts = self.workspace.prompts.get(self.direct.id, ("", []))
        return title, [prompt["title"] for prompt in prompts]

    async def pick(self, title: str) -> Message:
        """Pick a prompt: its message is sent in one's name. Raises `LookupError`."""
        _, prompts = self.workspace.prompts.get(self.direct.id, ("", []))
        for prompt in prompts:
            if prompt["title"] == title:
                return await self.dm.send(prompt["message"])
        raise LookupError(f"no prompt {title!r}")

    async def open(self, tab: str = "messages") -> None:
        """Open a tab of the bot; that of its messages before writing for the first time."""
        event = events.home_opened(self.workspace, self.user.id, self.direct.id, tab)
        self.workspace.tell(event)
