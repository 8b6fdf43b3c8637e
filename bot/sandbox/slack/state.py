"""What exists in the sandbox workspace: people, channels, messages and files.

Nothing here knows HTTP or events; everything a tester may look at is a plain attribute.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
"""A JSON object as Slack sends or takes it."""

GRAVE = "This message was deleted."
"""What stands where a message was that began a thread, as long as there are replies."""
CANVAS = "application/vnd.slack-docs"
"""The type of a canvas, which is a file whose bytes are HTML (github.com/rusq/slackdump/pull/401,
github.com/stablyai/agent-slack/pull/19)."""
PING = re.compile(
    r"<!(?:channel|here|everyone|subteam\^\w+)(?:\|[^>]*)?>|<@[UW]\w+(?:\|[^>]*)?>"
    r"|(?<![A-Za-z0-9])(?<!\.)@(?:channel|here|everyone)(?![A-Za-z0-9])"
)
"""What would notify people. Whether a bare @here does depends on how a text was posted; the
sandbox counts it always, so that a test that allows none is on the safe side."""


@dataclass(slots=True)
class User:
    """A member of the workspace or, with another `team`, of one that shares channels with it."""

    id: str
    name: str
    locale: str = "en-US"
    is_bot: bool = False
    team: str = ""


@dataclass(slots=True)
class Channel:
    """A channel or, when `im_with` names a user, the direct message between them and the bot.

    With `several` it is a direct message of several people, which is private.
    """

    id: str
    name: str
    im_with: str = ""
    members: set[str] = field(default_factory=set)
    archived: bool = False
    private: bool = False
    several: bool = False

    @property
    def kind(self) -> str:
        """The `channel_type` of events from here."""
        if self.im_with or self.several:
            return "im" if self.im_with else "mpim"
        return "group" if self.private else "channel"


@dataclass(slots=True)
class StoredFile:
    """A file, its bytes and how Slack labels it. `seconds` is the playing time of a clip.

    `elsewhere` is the address of a file that does not lie at Slack; `thumb` is a smaller picture
    that Slack has made of it.
    """

    id: str
    name: str
    mime: str
    content: bytes
    owner: str
    subtype: str = ""
    seconds: float | None = None
    length: int | None = None
    elsewhere: str = ""
    thumb: bytes = b""


@dataclass(slots=True)
class Message:
    """One message. `blocks` and `text` are as they were posted; `streamed` is what was appended.

    `stream_mode` is what the stream takes, `markdown_text` or `chunks`; `stopped`: a person has
    stopped it. `posted` is the real time; that in `ts`, which posting gives it, only grows.
    """

    channel: str
    user: str
    ts: str = ""
    text: str = ""
    thread_ts: str = ""
    blocks: list[Json] = field(default_factory=list)
    files: list[StoredFile] = field(default_factory=list)
    tasks: dict[str, Json] = field(default_factory=dict)
    streamed: str = ""
    streaming: bool = False
    stream_until: float = 0.0
    stream_mode: str = ""
    stopped: bool = False
    edits: int = 0
    deleted: bool = False
    ephemeral_for: str = ""
    client_msg_id: str = ""
    attachments: list[Json] = field(default_factory=list)
    posted: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def root(self) -> str:
        """The ts of the thread this message stands in, or would begin."""
        return self.thread_ts or self.ts


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as a person sees it: the words, and what hangs on them.

    `folded` is what opens when somebody wants to read it. `thumbs` are there when it asks whether
    it was good. `pings` is what in it notifies somebody; `thread` is the thread it stands in.
    """

    ts: str
    author: str
    text: str
    buttons: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    folded: tuple[str, ...] = ()
    thumbs: bool = False
    streaming: bool = False
    edited: bool = False
    thread: str = ""
    pings: tuple[str, ...] = ()


def seen(message: Message, author: str) -> Seen:
    """What a person sees of a message: its blocks where it has any, else its text."""
    if message.deleted:
        return Seen(ts=message.ts, author="Slackbot", text=GRAVE)
    words = [message.streamed] if message.streamed else []
    words += [text for block in message.blocks if (text := _block_text(block))]
    if not words:
        words = [message.text]
    text = "\n\n".join(words)
    tasks = tuple(f"{task['title']} ({task['status']})" for task in message.tasks.values())
    cards = (block for block in message.blocks if block["type"] == "task_card")
    folded = tuple(
        "\n".join([str(card["title"]), *_rich_lines(card.get("details", {}))]) for card in cards
    )
    return Seen(
        ts=message.ts,
        author=author,
        text=text,
        buttons=tuple(button["text"]["text"] for button in buttons(message)),
        files=tuple(file.name for file in message.files),
        tasks=tasks,
        folded=folded,
        thumbs=feedback(message) is not None,
        streaming=message.streaming,
        edited=message.edits > 0,
        thread=message.thread_ts,
        pings=tuple(PING.findall("\n".join([text, message.text, *tasks, *folded]))),
    )


def buttons(message: Message) -> list[Json]:
    """The buttons of a message, in the order in which they are drawn."""
    found: list[Json] = []
    for block in message.blocks:
        if block["type"] == "actions":
            found += [e for e in block["elements"] if e["type"] == "button"]
    return found


def feedback(message: Message) -> Json | None:
    """The element that asks whether the message was good."""
    for block in message.blocks:
        if block["type"] == "context_actions":
            for element in block["elements"]:
                if element["type"] == "feedback_buttons":
                    found: Json = element
                    return found
    return None


def _rich_lines(block: Json) -> list[str]:
    sections = [section["elements"] for section in block.get("elements", [])]
    return ["".join(str(each.get("text", "")) for each in elements) for elements in sections]


def _block_text(block: Json) -> str:
    match block["type"]:
        case "markdown":
            return str(block["text"])
        case "section":
            return str(block.get("text", {}).get("text", ""))
        case "rich_text":
            return "\n".join(_rich_lines(block)).strip("\N{WORD JOINER}")
        case _:
            return ""
