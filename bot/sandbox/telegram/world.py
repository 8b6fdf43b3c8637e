"""Everything a stand-in for Telegram knows: what the methods of the Bot API read and change."""

from __future__ import annotations

import itertools
import time

from bot.core.clock import SystemClock
from bot.core.ports import Clock
from bot.sandbox.faults import Faults
from bot.sandbox.telegram.calls import CallLog
from bot.sandbox.telegram.changes import Changes
from bot.sandbox.telegram.errors import BadRequest, Refused
from bot.sandbox.telegram.files import FileStore
from bot.sandbox.telegram.judge import Judge, Lenient, Tdlib
from bot.sandbox.telegram.limits import Limits
from bot.sandbox.telegram.state import Chat, ChatKind, Membership, Press, User
from bot.sandbox.telegram.update_queue import UpdateQueue
from bot.sandbox.telegram.webhook import Webhook

DOWNLOAD = "download"
"""The name under which fetching a file meets a fault."""


class World:
    """One bot's Telegram. `base_url` is set while it is served (see `serve`).

    `privacy` is the bot's group privacy mode. `judge=False` replaces Telegram's own text parser by
    one that believes everything, for benchmarks. Raises `ConfigError` when the parser is missing.
    """

    def __init__(
        self,
        *,
        username: str,
        name: str,
        clock: Clock | None,
        judge: bool,
    ) -> None:
        self.token = "1000:sandbox"
        self.base_url = ""
        self.privacy = True
        self.local = False
        """Whether this is a Bot API server of one's own, which posts also without HTTPS."""
        self.clock: Clock = clock or SystemClock()
        self.judge: Judge = Tdlib() if judge else Lenient()
        self.bot = User(id=1000, name=name, username=username, is_bot=True)
        self.limits = Limits(self.clock)
        self.faults = Faults(only_by_name=("getupdates", DOWNLOAD))
        self.calls = CallLog()
        self.changes = Changes(self.clock)
        self.updates = UpdateQueue(self.clock, self.changes)
        self.webhook = Webhook(self.updates, self.clock, self.changes, now=self.now)
        self.files = FileStore()
        self.commands: dict[str, dict[str, str]] = {}  # by language, else ""
        self.chats: dict[int, Chat] = {}
        self.presses: dict[str, Press] = {}
        self._ids = itertools.count(1)
        self._started = self.clock.monotonic()
        self._epoch = time.time()

    def new_group(self, title: str, kind: ChatKind, *, forum: bool = False) -> Chat:
        """A group with the bot in it, and nothing said yet."""
        number = (0 if kind is ChatKind.GROUP else -1_001_000_000_000) - self.number()
        self.chats[number] = Chat(id=number, kind=kind, title=title, forum=forum)
        return self.chats[number]

    def number(self) -> int:
        """A number never given before."""
        return next(self._ids)

    def now(self) -> int:
        """Unix time by the sandbox's clock."""
        return int(self._epoch + self.clock.monotonic() - self._started)

    def let_pass(self, seconds: float) -> None:
        """Make all that was said older. Limits and whatever waits go by the clock, as before."""
        self._epoch += seconds

    def writable(self, chat_id: str) -> Chat:
        """The chat with this id, if the bot may write there. Raises `Refused`."""
        chat = self.readable(chat_id)
        if chat.became is not None:
            words = "group chat was upgraded to a supergroup chat"
            raise Refused(400, words, {"migrate_to_chat_id": chat.became})
        if chat.membership is Membership.BLOCKED:
            raise Refused(403, "bot was blocked by the user")
        if chat.membership is Membership.STRANGER:
            raise Refused(403, "bot can't initiate conversation with a user")
        if chat.membership is Membership.KICKED:
            raise Refused(403, "bot was kicked from the supergroup chat")
        return chat

    def readable(self, chat_id: str) -> Chat:
        """The chat with this id. Raises `BadRequest`."""
        if not chat_id:
            raise BadRequest("chat_id is empty")
        try:
            return self.chats[int(chat_id)]
        except (KeyError, ValueError):
            raise BadRequest("chat not found") from None
