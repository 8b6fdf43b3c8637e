"""What the work on a turn is given: the turn, the chat it answers in, the services it may use."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from gettext import NullTranslations
from typing import Any, TypeVar

from bot.core.access import Gate
from bot.core.capabilities import Capabilities
from bot.core.delivery.checkpoints import LOOK_AGAIN
from bot.core.delivery.delivery import Delivery
from bot.core.delivery.pace import Backoff
from bot.core.formats import Formats
from bot.core.i18n import texts
from bot.core.limits.ledger import Standing
from bot.core.limits.quota import Amount
from bot.core.manner import Manner, manner
from bot.core.models import UsageEntry
from bot.core.ports import Platform
from bot.core.queue import Turn
from bot.core.sentences import sentence_for_file
from bot.core.services import Services
from bot.core.settings import ChatSettings
from bot.core.stopper import STOP, Stopper
from bot.core.types import (
    Button,
    ButtonPress,
    ButtonRow,
    ChatRef,
    FileId,
    IncomingMessage,
    MessageRef,
    OutgoingFile,
    Person,
    Reply,
    Sender,
)
from bot.errors import (
    FileRefused,
    MessageGone,
    OutcomeUnknown,
    PlatformDown,
    PlatformError,
    RateLimited,
    StoreError,
    TurnWithdrawn,
)

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class TurnContext:
    """One turn while it is being worked on."""

    services: Services
    platform: Platform
    turn: Turn
    sender: Sender
    settings: ChatSettings
    admin: bool = False
    """Whether the sender is one of the operator's admins."""
    stopper: Stopper
    stop_chat: Callable[[ChatRef], Awaitable[bool]]
    """Stop what runs in a chat; False when nothing does. Raises `StoreError`."""
    now: Callable[[ChatRef], ChatRef]
    """The present id of a chat, which may have got another one since the turn began."""
    shown: list[MessageRef] = field(default_factory=list)
    """The messages over which the answer is written: of an earlier attempt, or the line that said
    that the turn waits."""
    gate: Gate
    platforms: Mapping[str, Platform]
    """All platforms that run, by their names."""
    standings: list[Standing] = field(default_factory=list)
    """How far the person was below each limit when the turn first asked for something."""
    reserved: set[FileId] = field(default_factory=set)
    """The recordings for which usage is set aside already."""
    set_aside: list[Amount] = field(default_factory=list)
    """What is set aside for the turn itself."""
    spent: list[UsageEntry] = field(default_factory=list)
    """What was used by work that ended with an exception, so that no `Outcome` says it."""
    written: str = ""
    """The text of the answer at the last checkpoint."""
    stands: Callable[[], None]
    """Called when the turn has a message in the chat."""
    tidy: Callable[[], Awaitable[None]]
    """Delete messages that the turn may have posted in a call whose outcome is unknown."""

    @property
    def chat(self) -> ChatRef:
        """The chat that the turn belongs to, as it is called now."""
        return self.now(self.turn.chat)

    @property
    def group(self) -> bool:
        """Whether several people take part in the chat."""
        event = self.turn.event
        return isinstance(event, IncomingMessage | ButtonPress) and event.group

    @property
    def capabilities(self) -> Capabilities:
        """What the chat can do now."""
        return self.platform.capabilities(self.chat)

    @property
    def may_delete(self) -> bool:
        """Whether the sender may delete what was said here: what a group said belongs to all of it.

        Only the operator's admins delete that.
        """
        return not self.group or self.admin

    def may_use(self, model: str) -> bool:
        """Whether a model is there for this person here; some may be reserved for others."""
        return self.gate.may_use(self.chat, self.sender, model)

    @property
    def person(self) -> Person:
        """Who asked, as limits and sums know them."""
        return Person(self.chat.platform, self.sender.id)

    @property
    def manner(self) -> Manner:
        """How the chat is answered."""
        return manner(self.settings, self.services.defaults)

    @property
    def lane(self) -> str:
        """Whose requests wait together at the API: one chat does not starve another."""
        return f"{self.chat.platform}:{self.chat.id}"

    @property
    def language(self) -> str:
        """The language of the chat, or else of the sender's client, as an IETF tag."""
        return self.settings.language or self.sender.language

    @property
    def texts(self) -> NullTranslations:
        """The catalogue of the language; commands are named as they are written in this chat."""
        return texts(self.language, mark=self.capabilities.command_mark)

    @property
    def formats(self) -> Formats:
        """Numbers, money and time as the language writes them."""
        return self.services.formats(self.language)

    @property
    def log(self) -> dict[str, object]:
        """The fields that every log line of this turn carries."""
        return {
            "platform": self.chat.platform,
            "chat": self.chat.id,
            "turn": self.turn.id,
            "attempt": self.turn.attempt,
        }

    def delivery(self, message: IncomingMessage) -> Delivery:
        """The way to the chat for an answer that is shown while it is being written."""
        return Delivery(
            self.platform,
            message,
            clock=self.services.clock,
            stop=Button(self.texts.gettext("⏹ Stop"), STOP),
            resume=tuple(self.shown),
            placeholder=isinstance(self.turn.event, IncomingMessage) and not self.turn.partial,
            checkpoint=self._checkpoint,
            sure=self._sure,
            paused=self.texts.gettext("⏸ I am being restarted. The answer goes on in a moment."),
            code_note=self._code_note,
            excuse=lambda refusal: sentence_for_file(refusal, self.texts),
            tidy=self.tidy,
        )

    def _code_note(self, name: str, lines: int) -> str:
        text = self.texts.gettext("📎 The code goes on in the file `{name}`: {lines} lines in all.")
        return text.format(name=name, lines=lines)

    def _sure(self) -> bool:
        return self.services.stores.turns.sure(self.turn.id)

    async def _checkpoint(self, text: str, shown: Sequence[MessageRef]) -> None:
        self.shown[:], self.written = shown, text
        if not self.capabilities.vanishes:  # else its message comes at the end, below what stands
            self.stands()  # a line about waiting may take the call of the text that is due
        await self.services.stores.turns.checkpoint(self.turn.id, partial=text, shown=shown)

    async def say(
        self,
        text: str,
        *,
        buttons: Sequence[ButtonRow] = (),
        files: Sequence[OutgoingFile] = (),
        pointing: bool = False,
    ) -> MessageRef:
        """Answer with one message that is complete at once; it says so when files are refused.

        For `pointing` see `Reply`. Raises `PlatformError`.
        """
        event = self.turn.event
        reply = Reply(
            text=text,
            buttons=tuple(buttons),
            files=tuple(files),
            answering=event.ref if isinstance(event, IncomingMessage) else None,
            pointing=pointing,
        )
        try:
            return await self._patiently(lambda: self._put(reply))
        except FileRefused as refusal:
            log.warning("files refused", extra={**self.log, "error": repr(refusal)})
            await self.tidy()  # the words may stand there
            text = f"{text}\n\n{sentence_for_file(refusal, self.texts)}"
            bare = replace(reply, text=text.strip(), files=())
            return await self._patiently(lambda: self._put(bare))

    async def tell(self, text: str) -> MessageRef:
        """Say something in a message of its own, beside the answer. Raises `PlatformError`."""
        return await self._patiently(lambda: self.platform.send(self.chat, Reply(text=text)))

    async def announce(self, text: str) -> None:
        """The same, and write down where it stands: then nobody takes it for a lost message.

        Not beside an answer, which would be written over it. Raises `PlatformError`.
        """
        await self._keep_shown((*self.shown, await self.tell(text)))

    async def guard(self, work: Coroutine[Any, Any, None]) -> bool:
        """Run work that a person may stop; True when it came to its end, False when it was stopped.

        Raises `TurnWithdrawn` when it was because what the turn answers was deleted.
        """
        if await self.stopper.guard(work):
            return True
        try:
            is_withdrawn = await self.services.stores.turns.is_withdrawn(self.turn.id)
        except StoreError as error:
            log.warning("taken for stopped", extra={**self.log, "error": repr(error)})
            return False
        if is_withdrawn:
            raise TurnWithdrawn(f"turn {self.turn.id}")
        return False

    async def take_away(self) -> None:
        """Delete the messages of the turn from the chat, as far as the platform lets us."""
        most = self.capabilities.max_deletions
        try:
            while self.shown:
                await self._patiently(lambda: self.platform.delete(self.shown[:most]))
                del self.shown[:most]
        except PlatformError as error:
            log.warning("not taken away", extra={**self.log, "error": repr(error)})

    @contextmanager
    def charging(self, used: Callable[[], Sequence[UsageEntry]]) -> Iterator[None]:
        """Note what was `used` if the block ends with an exception: there is no `Outcome` then."""
        try:
            yield
        except BaseException:
            self.spent.extend(used())
            raise

    async def change_settings(self, change: Callable[[ChatSettings], ChatSettings]) -> None:
        """Change what the chat has chosen. Raises `StoreError`."""
        lobby = self.platform.lobby(self.chat)
        self.settings = await self.services.stores.settings.change(self.chat, change, lobby)

    async def reload_settings(self) -> None:
        """Look again at what the chat has chosen. Raises `StoreError`."""
        lobby = self.platform.lobby(self.chat)
        self.settings = await self.services.stores.settings.load(self.chat, lobby)

    async def _patiently(self, put: Callable[[], Awaitable[T]]) -> T:
        """Make a call; again after the pause that the platform asks for, and while it is down.

        No call is made while another process may have taken the turn over. After one whose outcome
        is unknown, a message that it may have posted is deleted first.
        """
        backoff = Backoff()
        while True:
            while not self._sure():
                await self.services.clock.sleep(LOOK_AGAIN)
            try:
                return await put()
            except RateLimited as limit:
                await self.services.clock.sleep(limit.retry_after)
            except (PlatformDown, OutcomeUnknown) as error:
                if backoff.is_over:
                    raise
                log.warning("platform down, waiting", extra={**self.log, "error": repr(error)})
                await self.services.clock.sleep(backoff.next())
                if isinstance(error, OutcomeUnknown):
                    await self.tidy()

    async def _put(self, reply: Reply) -> MessageRef:
        if self.shown:
            try:
                await self.platform.edit(self.shown[0], reply)
            except MessageGone:
                del self.shown[0]  # somebody deleted it
                return await self._put(reply)
            if isinstance(self.turn.event, IncomingMessage):
                await self._keep_shown(self.shown)  # a line about waiting may have stood there
            return self.shown[0]
        ref = await self.platform.send(self.chat, reply)
        await self._keep_shown((ref,))
        return ref

    async def _keep_shown(self, shown: Sequence[MessageRef]) -> None:
        """Save where the reply stands, at once: who dies now must not say it a second time."""
        if tuple(shown) == self.turn.shown:
            return
        try:
            await self._checkpoint(self.turn.partial, tuple(shown))
        except StoreError as error:
            log.warning("message not written down", extra={**self.log, "error": repr(error)})
