"""Slack as the port `Platform`: puts the parts of this folder together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

from bot.core.capabilities import Capabilities
from bot.core.lru import LruCache
from bot.core.phrases import Phrase
from bot.core.ports import Clock, Draft, EventSink, Platform
from bot.core.queue import TurnQueue
from bot.core.stores import Users
from bot.core.types import (
    Attachment,
    Button,
    ButtonPress,
    ChatMoved,
    ChatRef,
    CommandInfo,
    Event,
    IncomingMessage,
    MessageRef,
    Reply,
)
from bot.errors import ConfigError, PlatformError, StoreError
from bot.platforms.slack.budgets import Urgency
from bot.platforms.slack.calls import Calls
from bot.platforms.slack.capabilities import ChatCapabilities
from bot.platforms.slack.directory import Directory
from bot.platforms.slack.draft import SlackDraft
from bot.platforms.slack.errors import BAD_TOKEN, Refused
from bot.platforms.slack.files import download
from bot.platforms.slack.greeting import Greeting
from bot.platforms.slack.ids import (
    PLATFORM,
    answer_thread,
    is_id,
    make_chat,
    parse_chat,
    thread_of,
)
from bot.platforms.slack.ingress import Ingress
from bot.platforms.slack.posting import Poster
from bot.platforms.slack.render import neutralise
from bot.platforms.slack.replies import Replies
from bot.platforms.slack.response_urls import ResponseUrls
from bot.platforms.slack.sent_messages import SentMessages
from bot.platforms.slack.sockets import FIRST_PAUSE, LAST_PAUSE, Sockets
from bot.platforms.slack.status import Status, Thread, session_title
from bot.platforms.slack.streams import Streams
from bot.platforms.slack.sweeping import sweep
from bot.platforms.slack.webhooks import Webhooks

log = logging.getLogger(__name__)

CHATS = 10_000


class SlackPlatform(Platform):
    """A Slack workspace, through one app. Events come through a socket, or through `intake`."""

    name = PLATFORM

    def __init__(
        self,
        bot_token: str,
        *,
        base_url: str,
        clock: Clock,
        app_token: str = "",
        intake: Webhooks | None = None,
        users: Users | None = None,
        turns: TurnQueue | None = None,
    ) -> None:
        self._base_url = base_url
        self._clock = clock
        self._calls = Calls(bot_token, base_url=base_url, clock=clock)
        self._status = Status(self._calls, clock)
        self._response_urls = ResponseUrls(self._calls)
        self._turns = turns
        self._directory = Directory(self._calls, users, turns)
        self._sent = sent = SentMessages(self._calls)
        self._streams = Streams(self._calls, self._status, sent, self._directory)
        self._poster = Poster(self._calls, self._status, self._response_urls, sent, self._streams)
        self._newest: LruCache[ChatRef, MessageRef] = LruCache(CHATS)
        self._replies = Replies(self._poster, self._newest)
        self._greeting = Greeting(self._calls, self._directory)
        self._ingress = Ingress(
            self._directory,
            clock,
            asked=self._asked,
            opened=self._greeting.opened,
            moved=self._moved,
            stopped=self._stopped,
        )
        self._intake = intake or Sockets(self._calls, app_token, clock=clock)
        self._signed_in = asyncio.Event()
        self._capabilities = ChatCapabilities()
        self._titles: LruCache[Thread, str] = LruCache(CHATS)

    # ------------------------------------------------------------ what a chat can do

    def capabilities(self, chat: ChatRef) -> Capabilities:
        """How it is written here, how commands are called, and whether files can be sent."""
        found = self._capabilities.of(chat)
        place = parse_chat(chat)
        if not (place.direct or place.thread):  # only a slash is heard beside the threads
            found = replace(found, command_mark="/", thread_mark=found.command_mark)
        return found if self._poster.takes_files else replace(found, max_file_out=0)

    def places(self, chat: ChatRef) -> Collection[str]:
        """The conversation's own id, and the channel it lies in, as `C0123`."""
        return (chat.id, parse_chat(chat).channel)

    def lobby(self, chat: ChatRef) -> ChatRef:
        """A thread's channel."""
        place = parse_chat(chat)
        return make_chat(place.team, place.channel, "")

    def is_id(self, text: str) -> bool:
        """Whether this is like `U0123` or `C0123`, or a conversation's own id."""
        return is_id(text)

    # ------------------------------------------------------------ events

    async def run(self, sink: EventSink, ready: Callable[[], None]) -> None:
        """Stay connected until cancelled. Raises `ConfigError` when a token is wrong."""
        await self._sign_in()
        await self._tidy_up()
        await self._intake.run(lambda body: self._ingress.take(body, sink), ready)

    async def _sign_in(self) -> None:
        """Learn who the bot is, and where; else it would not know its own mention."""
        pause = FIRST_PAUSE
        while not self._directory.bot:
            try:
                answer = await self._calls.call("auth.test", {})
            except Refused as refusal:
                if refusal.code in BAD_TOKEN:
                    refused = Phrase(
                        "slack.bot_token is refused ({code}): copy it from the app's page "
                        "“OAuth & Permissions”; it begins with xoxb-",
                        code=refusal.code,
                    )
                    raise ConfigError(refused) from refusal
                raise
            except PlatformError as error:
                wait = error.retry_after or pause
                log.warning("slack not reached", extra={"error": repr(error), "seconds": wait})
                await self._clock.sleep(wait)
                pause = min(LAST_PAUSE, pause * 2)
            else:
                self._directory.bot = str(answer["user_id"])
                self._directory.team = str(answer["team_id"])
                self._signed_in.set()

    async def _tidy_up(self) -> None:
        """Say that nobody is at work where the last answers ended.

        A process that was killed right after one of them has not said so; its turn is over, and
        Slack would show its Stop for an hour.
        """
        if self._turns is None:
            return
        try:
            for ref in await self._turns.ended_last(PLATFORM):
                self._status.release(Thread.of(ref))
        except StoreError as error:
            log.warning("last answers not recalled", extra={"error": repr(error)})

    def _asked(self, message: IncomingMessage, way_back: str) -> None:
        if way_back:
            self._response_urls.heard(message, way_back)
        self._newest.put(message.ref.chat, message.ref)
        self._titles.put(Thread.answering(message.ref), session_title(message.text))

    def _moved(self, moved: ChatMoved) -> None:
        self._calls.move(parse_chat(moved.old).channel, parse_chat(moved.new).channel)

    def _stopped(self, channel: str, thread: str) -> None:
        """Say that the bot is done where nothing is at work: a process died, or was not heard."""
        self._status.release(Thread(channel, thread))

    # ------------------------------------------------------------ messages

    async def send(self, chat: ChatRef, reply: Reply) -> MessageRef:
        """Post a message, and its files after it."""
        return await self._replies.send(chat, reply)

    async def edit(self, ref: MessageRef, reply: Reply) -> None:
        """Replace text and buttons of a message; files follow in its thread."""
        await self._poster.update(ref, reply)
        if reply.files:
            await self._poster.upload(ref.chat, thread_of(ref), reply.files)

    async def delete(self, refs: Sequence[MessageRef]) -> None:
        """Remove messages of the bot."""
        for ref in refs:
            await self._poster.delete(ref)

    def newest(self, chat: ChatRef) -> MessageRef | None:
        """The newest message of the bot in the conversation; files that followed do not count."""
        return self._sent.newest(chat)

    async def sweep(
        self,
        chat: ChatRef,
        *,
        after: Sequence[MessageRef],
        keep: Collection[MessageRef],
        before: Collection[MessageRef] = (),
    ) -> None:
        """Delete what was posted and not written down, unless its files are still to come.

        And say that nobody is at work any more: what was asked may be answered in another thread.
        """
        for thread in set(map(Thread.answering, after)):
            if not self._streams.runs_in(thread):
                self._status.release(thread)
        keep = [*keep, *self._replies.unfinished(chat)]
        await self._signed_in.wait()  # only then it knows its own messages
        bot = self._directory.bot
        found = await sweep(self._calls, self._poster, chat, bot, after, keep, before)
        if found:
            log.warning("lost messages deleted", extra={"chat": chat.id, "messages": found})

    def draft(
        self,
        answering: IncomingMessage,
        *,
        ref: MessageRef | None = None,
        stop: Button | None = None,
    ) -> Draft:
        """An answer that is streamed where the chat has streams, else posted and edited."""
        parts = (self._poster, self._streams, self._capabilities)
        return SlackDraft(*parts, answering, ref=ref, stop=stop)

    # ------------------------------------------------------------ the rest

    def typing(
        self, chat: ChatRef, answering: MessageRef | None = None
    ) -> AbstractAsyncContextManager[None]:
        """Show it under the thread; in a direct message, under the question."""
        place, about = parse_chat(chat), answering or self._newest.get(chat)
        root = answer_thread(about) if about is not None else place.thread
        thread = Thread(place.channel, root)
        return self._status.shown(thread, self._titles.get(thread) or "")

    async def download(self, attachment: Attachment, to: Path) -> None:
        """Fetch a file."""
        await download(self._calls, self._base_url, attachment, to)

    async def publish(self, commands: Sequence[CommandInfo]) -> None:
        """Remember their names; Slack reads them from the app's manifest (`bot manifest`)."""
        self._directory.commands = frozenset(command.name for command in commands)

    async def notice(self, press: Event, text: str) -> None:
        """Say something that only the person who pressed sees; Slack has no toasts."""
        if not isinstance(press, ButtonPress) or not text:
            return
        place = parse_chat(press.ref.chat)
        args = {
            "channel": place.channel,
            "thread_ts": thread_of(press.ref) or None,
            "user": press.sender.id,
            "text": neutralise(text),
        }
        try:
            await self._calls.call(
                "chat.postEphemeral", args, channel=place.channel, urgency=Urgency.TYPING
            )
        except PlatformError as error:
            log.info("notice not shown", extra={"chat": press.ref.chat.id, "error": repr(error)})

    async def close(self) -> None:
        """Close the connections."""
        await self._greeting.close()
        await self._response_urls.close()
        await self._directory.close()
        await asyncio.gather(self._streams.close(), self._status.close())
        await self._calls.close()
