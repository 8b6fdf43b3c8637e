"""Telegram as the port `Platform`: what the core may ask of it, and who does it."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from copy import copy
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from telegram import Bot, BotCommand

from bot.core.capabilities import Capabilities
from bot.core.errands import Errands
from bot.core.i18n import LANGUAGES, texts
from bot.core.ports import Clock, Draft, EventSink, Platform
from bot.core.types import (
    Attachment,
    Button,
    ChatRef,
    CommandInfo,
    Event,
    IncomingMessage,
    MessageRef,
    Reply,
    Style,
)
from bot.errors import FileTooLarge, PlatformError
from bot.platforms.telegram.budgets import BOT_CALLS
from bot.platforms.telegram.calls import Caller
from bot.platforms.telegram.capabilities import capabilities_of
from bot.platforms.telegram.draft import TelegramDraft
from bot.platforms.telegram.errors import MAX_FILE_IN, translated
from bot.platforms.telegram.ids import (
    PLATFORM,
    is_id,
    make_chat,
    make_message,
    parse_chat,
    parse_message,
    parse_press_key,
)
from bot.platforms.telegram.methods import Methods
from bot.platforms.telegram.pace import Pacer
from bot.platforms.telegram.polling import POLL_SECONDS, Poller
from bot.platforms.telegram.posting import Poster
from bot.platforms.telegram.receipts import Receipts
from bot.platforms.telegram.request import AiohttpRequest
from bot.platforms.telegram.sweeping import Sweeper
from bot.platforms.telegram.told import Told

if TYPE_CHECKING:
    from bot.platforms.telegram.webhook import Webhook

log = logging.getLogger(__name__)

CONNECTIONS = 64
"""At 30 calls a second far fewer are busy. When hundreds of chats are to be told something in the
same moment, each one more is a handshake more that all of them wait for."""
ANSWER_SECONDS = 20.0
TYPING_SECONDS = 4.5
"""Telegram shows "typing…" for 5 seconds (Bot API, `sendChatAction`)."""
TYPING_DELAY = 0.3
"""Seconds after which it is shown: an answer that begins sooner needs its call for the text."""
MAX_NOTICE = 200
MAX_COMMANDS = 100
MAX_SUMMARY = 256
MAX_FIRST_DRAFT = 1_000_000_000
"""The ids of drafts begin anywhere: Telegram ignores those that were stopped before a restart."""


class TelegramPlatform(Platform):
    """One bot account. Made by `connect`."""

    name = PLATFORM

    def __init__(
        self,
        token: str,
        *,
        base_url: str,
        clock: Clock,
        messages_per_second: int = BOT_CALLS,
        webhook: Webhook | None = None,
    ) -> None:
        self._clock = clock
        self._webhook = webhook
        self._request = AiohttpRequest(
            base_url=base_url, connections=CONNECTIONS, timeout=ANSWER_SECONDS
        )
        self._polling = AiohttpRequest(
            base_url=base_url, connections=2, timeout=POLL_SECONDS + ANSWER_SECONDS
        )
        self._bot = Bot(
            token,
            base_url=f"{base_url}/bot",
            base_file_url=f"{base_url}/file/bot",
            request=self._request,
            get_updates_request=self._polling,
        )
        self._caller = Caller(Pacer(clock, messages_per_second), clock)
        methods = Methods(self._bot)
        # Of several processes that share a database, Telegram posts to each.
        receipts = Receipts(methods, self._caller, clock, alone=webhook is None)
        self._poster = Poster(methods, self._caller, receipts, clock)
        self._told = Told(clock)
        self._sweeper = Sweeper(methods, self._caller, self._told)
        self._draft_ids = count(secrets.randbelow(MAX_FIRST_DRAFT) + 1)
        self._typing: dict[ChatRef, Callable[[], object]] = {}
        """Ends it, by the chats that are shown that the bot types."""
        self._style = Style()
        self._views: dict[Style, TelegramPlatform] = {}

    def __repr__(self) -> str:
        return "TelegramPlatform()"

    def styled(self, style: Style) -> Platform:
        """The same bot, which shows answers in this style where Telegram takes it."""
        if style not in self._views:
            self._views[style] = view = copy(self)
            view._style = style
        return self._views[style]

    def capabilities(self, chat: ChatRef) -> Capabilities:
        """What the chat can do: with drafts and rich messages where these are wanted and taken."""
        return capabilities_of(
            parse_chat(chat),
            drafts=self._style.drafts and self._poster.may_draft(chat),
            rich=self._style.rich and self._poster.may_rich(chat),
            privacy=self._is_in_privacy(),
        )

    def _is_in_privacy(self) -> bool:
        """Whether the bot is known to be in privacy mode."""
        try:
            return self._bot.can_read_all_group_messages is False
        except RuntimeError:  # Telegram has not said yet who the bot is
            return False

    def places(self, chat: ChatRef) -> Collection[str]:
        """A topic is admitted by itself or with its group."""
        return (chat.id, str(parse_chat(chat).chat))

    def lobby(self, chat: ChatRef) -> ChatRef:
        """A topic's group."""
        return make_chat(parse_chat(chat).chat)

    def is_id(self, text: str) -> bool:
        """Whether this is a number, or that of a topic in a group."""
        return is_id(text)

    async def run(self, sink: EventSink, ready: Callable[[], None]) -> None:
        """Poll, or take what Telegram posts, until cancelled."""
        moves, sink = self._caller.moves, self._told.note(sink)
        if self._webhook is None:
            poller = Poller(self._bot, self._polling, self._clock, moves=moves)
            await poller.run(sink, ready)
        else:
            await self._webhook.run(self._bot, self._request, self._clock, moves, sink, ready)

    async def send(self, chat: ChatRef, reply: Reply) -> MessageRef:
        """Post a reply, on several messages when it is too long for one."""
        return await self._poster.send(chat, reply, rich=self._style.rich)

    async def edit(self, ref: MessageRef, reply: Reply) -> None:
        """Replace a message."""
        await self._poster.edit(ref, reply, rich=self._style.rich)

    async def delete(self, refs: Sequence[MessageRef]) -> None:
        """Remove messages of the bot."""
        await self._poster.delete(refs)

    def draft(
        self,
        answering: IncomingMessage,
        *,
        ref: MessageRef | None = None,
        stop: Button | None = None,
    ) -> Draft:
        """A message that is edited as it grows, or one of Telegram's drafts."""
        drafts = self._style.drafts and self._poster.may_draft(answering.ref.chat)
        return TelegramDraft(
            self._poster,
            answering.ref,
            ref=ref,
            seen=partial(self._seen, answering.ref.chat),
            stop=stop,
            rich=self._style.rich,
            draft_id=next(self._draft_ids) if drafts and ref is None else None,
        )

    @asynccontextmanager
    async def typing(
        self, chat: ChatRef, answering: MessageRef | None = None
    ) -> AsyncIterator[None]:
        """Show "typing…" until something is seen of the answer, where the budget allows.

        Then that speaks for itself, and "typing…" would stay for some seconds after its end: an
        edit does not take it away.
        """
        errands = Errands()

        def begin() -> None:
            self._typing[chat] = errands.send(self._type(chat)).cancel

        self._typing[chat] = call_off = self._clock.later(TYPING_DELAY, begin)
        try:
            yield
        finally:
            call_off()
            self._typing.pop(chat, None)
            await errands.close()

    def _seen(self, chat: ChatRef) -> None:
        if end := self._typing.pop(chat, None):
            end()

    async def _type(self, chat: ChatRef) -> None:
        while True:
            with suppress(PlatformError):
                await self._poster.show_typing(chat)
            await self._clock.sleep(TYPING_SECONDS)

    def newest(self, chat: ChatRef) -> MessageRef | None:
        """The newest message of the bot in the chat, or in the group that the topic is of."""
        here = self._caller.moves.chat(chat)
        newest = self._caller.newest(parse_chat(here).chat)
        return None if newest is None else make_message(here, newest)

    async def sweep(
        self,
        chat: ChatRef,
        *,
        after: Sequence[MessageRef],
        keep: Collection[MessageRef],
        before: Collection[MessageRef] = (),
    ) -> None:
        """Delete what was posted and not written down, as far as it can be found."""
        place = self._caller.moves.place(chat)
        here = [ref for ref in after if parse_chat(ref.chat).chat == place.chat]
        if not here:  # they stand in the group as it was before, where nothing can be deleted
            return
        known = {parse_message(ref) for ref in keep} | self._poster.continuations(place)
        newest = max(map(parse_message, here))
        later = [id for id in map(parse_message, before) if id > newest]
        found = await self._sweeper.sweep(place, newest, known, before=min(later, default=None))
        if found:
            log.warning("lost messages deleted", extra={"chat": chat.id, "messages": found})

    async def download(self, attachment: Attachment, to: Path) -> None:
        """Fetch a file by ourselves: its URL contains the token, so nobody else gets it."""
        if not attachment.id:
            raise PlatformError("there is no file to this kind of message")
        if (attachment.size or 0) > MAX_FILE_IN:
            raise FileTooLarge(MAX_FILE_IN)
        file = await self._caller.aside(lambda: self._bot.get_file(attachment.id))
        with translated():
            if (file.file_size or 0) > MAX_FILE_IN:
                raise FileTooLarge(MAX_FILE_IN)
            if not file.file_path:
                raise PlatformError("Telegram does not hand the file over")
            try:
                await self._request.save(file.file_path, to, limit=MAX_FILE_IN)
            except OSError as failure:
                raise PlatformError(f"the file cannot be written: {failure.strerror}") from failure

    async def publish(self, commands: Sequence[CommandInfo]) -> None:
        """Set the menu of commands, in every language we speak."""
        named = [command for command in commands if _fits_the_menu(command.name)][:MAX_COMMANDS]
        for language in LANGUAGES:
            gettext = texts(language).gettext
            menu = [BotCommand(c.name, gettext(c.summary)[:MAX_SUMMARY]) for c in named]
            code = None if language == "en" else language
            await self._caller.aside(partial(self._bot.set_my_commands, menu, language_code=code))

    async def notice(self, press: Event, text: str) -> None:
        """Answer a press; without an answer the button would show a spinner for a while."""
        query = parse_press_key(press.key)
        if query is None:
            return
        answer = partial(self._bot.answer_callback_query, query, text[:MAX_NOTICE] or None)
        try:
            await self._caller.aside(answer)
        except PlatformError as failure:  # a press is answerable for some seconds only
            log.info("press not answered", extra={"error": repr(failure)})

    async def close(self) -> None:
        """Close the connections."""
        await self._polling.shutdown()
        await self._request.shutdown()


def _fits_the_menu(name: str) -> bool:
    """Telegram's menu takes 1 to 32 of a–z, 0–9 and _ (Bot API, `BotCommand`)."""
    return 0 < len(name) <= 32 and name.isascii() and name.replace("_", "a").isalnum()
