"""Who is who, and which threads are the bot's: asked once, then answered from memory.

Events name people only by their id. A name that is not learnt in time stays unknown for that event:
an acknowledgement must not wait (Slack gives 3 s). It is learnt for the next one: a look-up goes on
when nobody waits for it any more, and all that need the same thing share it. Whose thread it is
must be known before a message there is read, so that is asked for until Slack has answered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from bot.core import types
from bot.core.clock import heard_within
from bot.core.errands import Errands
from bot.core.lru import LruCache
from bot.core.ports import Clock
from bot.core.queue import TurnQueue
from bot.core.stores import Users
from bot.core.types import Sender, UserId
from bot.errors import ChatGone, MessageGone, PlatformError, StoreError
from bot.platforms.slack.budgets import Urgency
from bot.platforms.slack.calls import Calls, Json
from bot.platforms.slack.errors import Refused
from bot.platforms.slack.ids import PLATFORM, mentions

log = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds from its arrival that an event waits for what is not known yet."""
ASK_AGAIN = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds between the times that Slack is asked whose thread it is, while it gives no answer."""
STUB = "check_file_info"
"""What a file is called that is from another workspace: only its id is told."""
PEOPLE = 10_000
THREADS = 10_000
ROOTS = FILES = 500


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody; `team` is the workspace that they belong to, empty when it is not known."""

    name: str
    language: str = "en"
    team: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What must be known before an event can be read: `people` and `files`, by ids, and threads.

    Threads are told by channel and ts. Of `thread` it must be known whether it is the bot's; the
    key of the message that it began with is `first`. The thread `begun` is the bot's, since this
    event begins it by speaking to the bot. Of `root` the first message must be known, since a
    command is about it; of `joined`, too, if that was not said to the bot.
    """

    people: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    thread: tuple[str, str] | None = None
    first: str = ""
    begun: tuple[str, str] | None = None
    root: tuple[str, str] | None = None
    joined: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class LookUp:
    """The look-ups for one event, which waits `until` that time of the `clock` for them.

    `tasks` are all of them; `whose` is the one that asks whether a thread is the bot's, if there is
    one. `suffices` tells whether enough is known to read the event.
    """

    clock: Clock
    until: float
    tasks: Collection[asyncio.Task[None]]
    whose: Collection[asyncio.Task[None]]
    suffices: Callable[[], bool]

    async def soon(self) -> bool:
        """Wait for as long as the event may; True when it can be read. Never raises."""
        if self.tasks:
            left = self.until - self.clock.monotonic()
            await heard_within(self.clock, left, lambda: asyncio.wait(self.tasks))
            if late := sum(not task.done() for task in self.tasks):
                log.info("not learnt in time", extra={"look_ups": late})
        return self.suffices()

    async def at_last(self) -> bool:
        """Wait until it is known whose thread it is; False if Slack does not say. Never raises."""
        if self.whose:
            await asyncio.wait(self.whose)
        return self.suffices()


class Directory:
    """What the bot knows of people, files and threads.

    `bot` is its own user id, `team` the id of its workspace, and `commands` are the names of its
    commands; they are known once it is connected. Slack need not be asked for the names of `users`,
    who have spoken to the bot before, nor whose thread it is that began with one of the `turns`.
    """

    def __init__(
        self, calls: Calls, users: Users | None = None, turns: TurnQueue | None = None
    ) -> None:
        self.bot = self.team = ""
        self.commands: frozenset[str] = frozenset()
        self._calls = calls
        self._users = users
        self._turns = turns
        self._errands = Errands()
        self._under_way: WeakValueDictionary[object, asyncio.Task[None]] = WeakValueDictionary()
        self._people: LruCache[str, Person] = LruCache(PEOPLE)
        self._threads: LruCache[tuple[str, str], bool] = LruCache(THREADS)
        self._roots: LruCache[tuple[str, str], Json] = LruCache(ROOTS)
        self._joined: LruCache[tuple[str, str], bool] = LruCache(ROOTS)
        self._files: LruCache[str, Json] = LruCache(FILES)

    # ------------------------------------------------------------ from memory

    def sender(self, user: str) -> Sender:
        """Somebody, by the name they have here where it is known."""
        person = self._people.get(user) or Person(user)
        return Sender(UserId(user), person.name, person.language)

    def team_of(self, user: str) -> str:
        """The other workspace that somebody belongs to; empty when it is ours, or not known."""
        person = self._people.get(user)
        return "" if person is None or person.team == self.team else person.team

    def file(self, file: str) -> Json:
        """What Slack tells of a file of which an event does not; empty when it is not known."""
        return self._files.get(file) or {}

    def is_ours(self, channel: str, thread: str) -> bool:
        """Whether the thread was begun by the bot, or by speaking to it."""
        return bool(self._threads.get((channel, thread)))

    def root(self, channel: str, thread: str) -> Json:
        """The message that a thread began with; empty when it is not known."""
        return self._roots.get((channel, thread)) or {}

    def hear(self, channel: str, message: Json) -> None:
        """A message has changed: that is what a thread began with, where that is known."""
        thread = (channel, str(message.get("ts")))
        if self._roots.get(thread):
            self._roots.put(thread, message)

    # ------------------------------------------------------------ from Slack

    def begin(self, needs: Needs) -> LookUp:
        """Begin to look up what is not known yet."""
        if needs.begun is not None:
            self._threads.put(needs.begun, True)
        tasks = [
            self._share(user, self._learn_person(user))
            for user in needs.people
            if not self._people.get(user)
        ]
        tasks += [
            self._share(file, self._learn_file(file))
            for file in needs.files
            if not self._files.get(file)
        ]
        whose = list[asyncio.Task[None]]()
        if needs.thread is not None and self._threads.get(needs.thread) is None:
            whose.append(self._share(needs.thread, self._learn_whose(*needs.thread, needs.first)))
        if needs.root is not None and not self._roots.get(needs.root):
            tasks.append(self._share((*needs.root, "root"), self._learn_root(*needs.root)))
        if needs.joined is not None and not self._has_joined(needs.joined):
            learning = self._learn_joined(*needs.joined, needs.first)
            tasks.append(self._share((*needs.joined, "joined"), learning))
        return LookUp(
            clock=self._calls.clock,
            until=self._calls.clock.monotonic() + PATIENCE,
            tasks=[*tasks, *whose],
            whose=whose,
            suffices=lambda: needs.thread is None or self._threads.get(needs.thread) is not None,
        )

    async def look_again(self, channel: str, message: Json) -> Json:
        """What a message is by now; empty when Slack does not say."""
        ts = str(message["ts"])
        thread = str(message.get("thread_ts") or ts)
        args = {"channel": channel, "ts": thread, "oldest": ts, "inclusive": "true", "limit": "2"}
        try:
            answer = await self._calls.call("conversations.replies", args)
        except PlatformError as error:
            log.info("message not looked up", extra={"error": repr(error)})
            return {}
        found: list[Json] = answer.get("messages", [])  # the first of a thread is always there
        return next((each for each in found if each.get("ts") == ts), {})

    def _share(self, what: object, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """The look-up that is under way, or else this one."""
        task = self._under_way.get(what)
        if task is None or task.done():
            task = self._under_way[what] = self._errands.send(work)
        else:
            work.close()
        return task

    async def close(self) -> None:
        """Ask for no name any more."""
        await self._errands.close()

    async def _learn_person(self, user: str) -> None:
        known = await self._recall(user)
        if known is None:
            await self._ask_for(user, Urgency.PREVIEW)
        else:
            self._people.put(user, known)
            # They may be called otherwise by now, but nobody waits for that.
            self._errands.send(self._ask_for(user, Urgency.TYPING))

    async def _recall(self, user: str) -> Person | None:
        """Somebody by the name under which they spoke here before; an id is none."""
        if self._users is None:
            return None
        try:
            found = await self._users.find(types.Person(PLATFORM, UserId(user)))
        except StoreError as error:
            log.warning("name not recalled", extra={"error": repr(error)})
            return None
        if found is None or found.name == user:
            return None
        return Person(found.name, found.language)

    async def _ask_for(self, user: str, urgency: Urgency) -> None:
        try:
            answer = await self._calls.call(
                "users.info", {"user": user, "include_locale": "true"}, urgency=urgency
            )
        except Refused:
            # No scope, or not ours to know: do not ask again.
            self._people.put(user, self._people.get(user) or Person(user))
            return
        except PlatformError as error:
            log.info("name not learnt", extra={"error": repr(error)})
            return
        found = answer.get("user", {})
        profile = found.get("profile", {})
        name = profile.get("display_name") or profile.get("real_name") or found.get("name") or user
        language, team = str(found.get("locale") or "en"), str(found.get("team_id") or "")
        teams = found.get("enterprise_user", {}).get("teams", ())  # in an Enterprise Grid
        theirs = team if team.startswith("T") and self.team not in teams else ""
        self._people.put(user, Person(str(name), language, theirs))

    async def _learn_file(self, file: str) -> None:
        try:
            answer = await self._calls.call("files.info", {"file": file}, urgency=Urgency.PREVIEW)
        except PlatformError as error:
            log.info("file not looked up", extra={"error": repr(error)})
        else:
            self._files.put(file, answer.get("file", {}))

    async def _learn_whose(self, channel: str, thread: str, first: str) -> None:
        """Look whether a thread began with a question here; else Slack is asked."""
        if await self._was_taken_in(first):
            self._threads.put((channel, thread), True)
        else:
            await self._learn_thread(channel, thread)

    def _has_joined(self, thread: tuple[str, str]) -> bool:
        """Whether a thread is the bot's, or its first message was asked for by a mention before.

        What was learnt of it earlier may have changed, and another process have been told.
        """
        return bool(self._threads.get(thread) or self._joined.get(thread))

    async def _learn_joined(self, channel: str, thread: str, first: str) -> None:
        """Look what a thread began with in which the bot is mentioned later, and who wrote it."""
        await self._learn_whose(channel, thread, first)
        self._joined.put((channel, thread), bool(self.root(channel, thread)))
        author = str(self.root(channel, thread).get("user") or "")
        if author and not self._people.get(author):
            await self._learn_person(author)
        await self._learn_files_of(channel, thread)

    async def _learn_root(self, channel: str, thread: str) -> None:
        """Look what a thread began with."""
        await self._learn_thread(channel, thread)
        await self._learn_files_of(channel, thread)

    async def _learn_files_of(self, channel: str, thread: str) -> None:
        """Look up the files of the message that a thread began with, if Slack tells ids only."""
        for file in self.root(channel, thread).get("files") or ():
            if file.get("file_access") == STUB and not self._files.get(file["id"]):
                await self._learn_file(file["id"])

    async def _was_taken_in(self, key: str) -> bool:
        if self._turns is None:
            return False
        try:
            return await self._turns.knows(PLATFORM, key)
        except StoreError as error:
            log.warning("thread not recalled", extra={"error": repr(error)})
            return False

    async def _learn_thread(self, channel: str, thread: str) -> None:
        """Ask for the message that a thread began with, until Slack says something."""
        for pause in ASK_AGAIN:
            try:
                ours = await self._ask_whose(channel, thread)
            except PlatformError as error:
                log.info("thread not looked up", extra={"error": repr(error)})
                wait = error.retry_after or pause
                await self._calls.clock.sleep(wait)
            else:
                if self._threads.get((channel, thread)) is None:
                    self._threads.put((channel, thread), ours)
                return
        log.warning("thread not looked up", extra={"tries": len(ASK_AGAIN)})

    async def _ask_whose(self, channel: str, thread: str) -> bool:
        """Whether a thread is the bot's. Raises `PlatformError` while Slack does not say."""
        args = {"channel": channel, "ts": thread, "limit": "1"}
        try:
            answer = await self._calls.call("conversations.replies", args)
        except (Refused, ChatGone, MessageGone):
            return False
        root: Json = next(iter(answer.get("messages", [])), {})
        self._roots.put((channel, thread), root)
        return mentions(str(root.get("text", "")), self.bot) or root.get("user") == self.bot
