"""The sandbox workspace as the Web API methods change it: state, and what follows from it.

What may be an event for the bot goes through `tell`, set by whoever speaks to the bot. Every change
wakes those who wait for one (`wait_for`).
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bot.core.ports import Clock
from bot.sandbox.slack.state import Channel, Json, Message, Seen, StoredFile, User, seen

EPOCH = 1_760_000_000
ALL_SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "chat:write.public",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "mpim:read",
    "users:read",
)


ALL_EVENTS = (
    "agent_session_stopped",
    "app_home_opened",
    "app_mention",
    "channel_id_changed",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
)


class SlackError(Exception):
    """A call that Slack refuses: `code` goes into `error`, `more` beside it."""

    def __init__(self, code: str, **more: str) -> None:
        super().__init__(code)
        self.code = code
        self.more = more


@dataclass(slots=True)
class Session:
    """An agent session of a thread: the status line people see, and the session's state."""

    status: str = ""
    state: str = ""
    title: str = ""
    until: float = 0.0


@dataclass(slots=True)
class Workspace:
    """One team with one app in it: set up as its manifest asks, unless a tester changes that."""

    clock: Clock
    tell: Callable[[Json], None]
    team: str = "T0SANDBOX"
    app: str = "A0CHINWAG"
    bot: User = field(default_factory=lambda: User("U0CHINWAG", "chinwag", is_bot=True))
    bot_token: str = "xoxb-sandbox"
    app_token: str = "xapp-sandbox"
    scopes: set[str] = field(default_factory=lambda: set(ALL_SCOPES))
    events: set[str] = field(default_factory=lambda: set(ALL_EVENTS))
    is_agent: bool = True
    """The app was declared an agent; others have no sessions, and no Stop."""
    escapes: bool = True
    """Mentions in slash commands come as `<@U0ADA|ada>`; else as the name that was typed."""
    mentions_first: bool = False
    """The second event of a post that mentions the bot comes before the first."""
    without_previews: bool = False
    """Nothing is shown below a message that links to others, as where somebody switched it off."""
    refusing_streams: str = ""
    """The error that `chat.startStream` gives; empty: it works."""
    refusing_blocks: set[str] = field(default_factory=set)
    """Types of blocks that are `invalid_blocks` here."""
    hiding_files: bool = False
    """Lead every download to the login page, as where the token may not read the file."""
    files_at: str = ""
    """Where downloads are led to, if not handed over at once: the address of a host."""
    refusing_tasks: bool = False
    """Take no task updates in streams, as where a workspace does not have them."""
    stream_cap: int = 10_600
    """Bytes one stream takes in all, once there are words in it; undocumented at Slack, measured
    between 10.6k and 11.3k."""
    stream_seconds: float = 300.0
    """How long a stream lives."""
    url: str = ""
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    messages: dict[tuple[str, str], Message] = field(default_factory=dict)
    files: dict[str, StoredFile] = field(default_factory=dict)
    sessions: dict[tuple[str, str], Session] = field(default_factory=dict)
    prompts: dict[str, tuple[str, list[Json]]] = field(default_factory=dict)
    """What a direct message offers to say, under its greeting."""
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _change: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.users[self.bot.id] = self.bot

    def install(self, manifest: Json) -> None:
        """Take the app from its manifest: it may do and hears no more than what that asks for."""
        features = manifest["features"]
        self.scopes = set(manifest["oauth_config"]["scopes"]["bot"])
        self.events = set(manifest["settings"]["event_subscriptions"]["bot_events"])
        self.is_agent = "agent_view" in features
        self.escapes = all(command["should_escape"] for command in features["slash_commands"])

    # ------------------------------------------------------------ ids

    def new_ts(self) -> str:
        """A message timestamp, unique and growing."""
        number = next(self._numbers)
        return f"{EPOCH + number}.{number:06d}"

    def new_id(self, prefix: str) -> str:
        """An id such as `U00000012`."""
        return f"{prefix}{next(self._numbers):08d}"

    # ------------------------------------------------------------ looking

    def channel(self, channel: str) -> Channel:
        """A channel the bot may write to; raises as Slack does."""
        found = self.channels.get(channel)
        if found is None or (found.private and not self.is_in(found)):
            raise SlackError("channel_not_found")
        if found.archived:
            raise SlackError("is_archived")
        if not self.is_in(found) and "chat:write.public" not in self.scopes:
            raise SlackError("not_in_channel")
        return found

    def is_in(self, channel: Channel) -> bool:
        """Whether the bot takes part in a conversation."""
        return bool(channel.im_with) or self.bot.id in channel.members

    def message(self, channel: str, ts: str) -> Message:
        """A message that stands; raises `message_not_found`."""
        found = self.messages.get((channel, ts))
        if found is None or found.deleted:
            raise SlackError("message_not_found")
        self._end_old_streams([found])
        return found

    def standing(self, channel: str, thread: str = "") -> list[Message]:
        """The messages of a channel, or of one of its threads, oldest first.

        Of one that is deleted its grave stands, as long as there are replies.
        """
        found = [
            m
            for m in self.messages.values()
            if m.channel == channel and (not thread or m.root == thread)
        ]
        self._end_old_streams(found)
        answered = {m.thread_ts for m in found if not m.deleted}
        return [m for m in found if not m.deleted or m.ts in answered]

    def _end_old_streams(self, messages: Iterable[Message]) -> None:
        """Streams die of age; that is noticed when somebody looks at them."""
        now = self.clock.monotonic()
        for message in messages:
            message.streaming = message.streaming and now < message.stream_until

    def has_thread(self, channel: str, thread: str) -> bool:
        """Whether there is a thread: one whose first message was deleted has to have replies."""
        root = self.messages.get((channel, thread))
        return root is not None and (not root.deleted or bool(self.standing(channel, thread)))

    def look(self, messages: Iterable[Message]) -> list[Seen]:
        """What people see of messages."""
        return [seen(m, self.users[m.user].name) for m in messages]

    def status(self, channel: str, thread: str) -> str:
        """The status line under a thread, e.g. "is thinking…"; it expires after two minutes."""
        session = self.sessions.get((channel, thread))
        if session is None or session.until <= self.clock.monotonic():
            return ""
        return session.status

    # ------------------------------------------------------------ changing

    def post(self, message: Message) -> Message:
        """Add a message, which gets its ts if it has none."""
        message.ts = message.ts or self.new_ts()
        self.messages[message.channel, message.ts] = message
        if message.user == self.bot.id:
            session = self.sessions.get((message.channel, message.root))
            if session is not None:  # Slack clears the status when the app posts
                session.status = ""
        self.changed()
        return message

    def changed(self) -> None:
        """Wake everybody who waits for something to happen."""
        self._change.set()
        self._change = asyncio.Event()

    async def wait_for(self, predicate: Callable[[], bool], timeout: float = 60.0) -> None:  # noqa: ASYNC109 (a tester wants a bound on what never comes)
        """Return as soon as `predicate()` holds; raises `TimeoutError` after `timeout` seconds."""
        async with asyncio.timeout(timeout):
            while not predicate():
                await self._change.wait()
