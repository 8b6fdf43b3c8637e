"""The engine: takes events in, runs one turn at a time per chat, in order, and never loses one.

The database is the truth: a turn is accepted when it is committed, and claimed from the table.
A wake-up here is only a hint, so the table is looked at from time to time without one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from bot.core.access import Gate, Verdict
from bot.core.chores import Chores
from bot.core.i18n import texts
from bot.core.ports import Platform
from bot.core.router import Router
from bot.core.stores import Outcome, Turn
from bot.core.turn import Services, Stopper, TurnContext, style_of
from bot.core.types import (
    ButtonPress,
    ChatRef,
    Event,
    IncomingMessage,
    MessageRef,
    Reply,
    Sender,
    StopPressed,
    Unreadable,
)
from bot.errors import ChatGone, PlatformError, QueueFull, StoreError

log = logging.getLogger(__name__)

ATTEMPTS = 3
"""A turn is tried at most so often; then it is dead, and the person is told."""
LOOK_AFTER = 5.0
"""Seconds after which the table is looked at without a wake-up."""
STORE_RETRY = 1.0
"""Seconds between tries to write down the end of a turn while the database refuses."""
STORE_TRIES = 30


def chat_of(event: Event) -> ChatRef:
    """The chat in which an event happened."""
    return event.chat if isinstance(event, StopPressed) else event.ref.chat


def _waits(ahead: int, sender: Sender) -> str:
    """How many messages are answered first, in words."""
    say = texts(sender.language).ngettext(
        "⏳ {ahead} message before yours", "⏳ {ahead} messages before yours", ahead
    )
    return say.format(ahead=ahead)


class Lanes:
    """Runs turns. `sink` is what the platforms feed, `run` is the engine, `drain` its end."""

    def __init__(
        self,
        *,
        platforms: Mapping[str, Platform],
        services: Services,
        gate: Gate,
        router: Router,
        owner: str,
    ) -> None:
        self._platforms = platforms
        self._services = services
        self._turns = services.stores.turns
        self._clock = services.clock
        self._gate = gate
        self._router = router
        self._owner = owner
        self._wake = asyncio.Event()
        self._working: dict[int, asyncio.Task[None]] = {}
        self._stoppers: dict[ChatRef, Stopper] = {}
        self._waiting: dict[ChatRef, dict[int, Sender]] = {}
        self._standing: set[ChatRef] = set()
        self._telling: dict[ChatRef, asyncio.Lock] = {}
        self._notices: dict[int, asyncio.Task[MessageRef | None]] = {}
        self._toasts: set[asyncio.Task[None]] = set()
        self._open: dict[ChatRef, int] = {}
        self._idle = asyncio.Condition()
        self._chores = Chores(services)
        self._accepting = True

    # ------------------------------------------------------------ intake

    async def sink(self, event: Event | Unreadable) -> None:
        """Take an event in; it is committed on return. Raises `StoreError`: then it is not."""
        if isinstance(event, Unreadable):
            log.error("event unreadable", extra={"platform": event.platform, "why": event.reason})
            await self._turns.bury(event)
            return
        await self._gate.refresh()
        verdict = self._gate.check(event)
        if verdict is Verdict.IGNORE:
            return
        chat = chat_of(event)
        place = await self._router.place(event, self._services.stores)
        try:
            accepted = await self._turns.accept(place.event, urgent=place.urgent)
        except QueueFull as full:
            if not full.in_chat:
                raise  # nothing more is taken in until there is room
            await self._refuse(event)
            return
        if isinstance(event, ButtonPress) and not place.urgent:
            self._answer_press(event, accepted.ahead)
        if not accepted.fresh:
            return
        self._open[chat] = self._open.get(chat, 0) + 1
        log.info(
            "accepted",
            extra={
                "platform": chat.platform,
                "chat": chat.id,
                "turn": accepted.turn_id,
                "ahead": accepted.ahead,
                "event": type(event).__name__,
            },
        )
        if accepted.ahead and isinstance(event, IncomingMessage) and not place.urgent:
            self._waiting.setdefault(chat, {})[accepted.turn_id] = event.sender
            if chat in self._standing:
                self._announce(chat)
        self._wake.set()

    def _stands(self, turn: Turn) -> None:
        """The running turn has something in the chat: what waits may be told below it."""
        chat = turn.chat
        if chat not in self._standing and not turn.urgent:
            self._standing.add(chat)
            self._announce(chat)

    def _announce(self, chat: ChatRef) -> None:
        """Tell everybody who waits in a chat and has not been told; the lock keeps their order."""
        lock = self._telling.setdefault(chat, asyncio.Lock())
        for turn_id, sender in self._waiting.pop(chat, {}).items():
            notice = self._tell_waiting(turn_id, chat, sender, lock)
            self._notices[turn_id] = asyncio.create_task(notice)

    async def _tell_waiting(
        self, turn_id: int, chat: ChatRef, sender: Sender, lock: asyncio.Lock
    ) -> MessageRef | None:
        """Say that a message waits; the answer will take this line's place."""
        async with lock:
            try:
                ahead = await self._turns.ahead(turn_id)
                if not ahead:
                    return None  # its turn has come meanwhile
                reply = Reply(text=_waits(ahead, sender))
                ref = await self._platforms[chat.platform].send(chat, reply)
                await self._turns.announce(turn_id, ref)
            except (PlatformError, StoreError) as error:
                log.info("waiting not shown", extra={"chat": chat.id, "error": repr(error)})
                return None
            return ref

    def _answer_press(self, press: ButtonPress, ahead: int) -> None:
        """Tell somebody whose press waits in the lane that it is known; nobody waits for that."""
        text = _waits(ahead, press.sender) if ahead else ""
        notice = self._platforms[press.ref.chat.platform].notice(press, text)
        task = asyncio.create_task(notice)
        self._toasts.add(task)
        task.add_done_callback(self._toasts.discard)

    async def _refuse(self, event: Event) -> None:
        chat, _ = chat_of(event), texts(event.sender.language).gettext
        text = _("Too many of your messages are waiting already. Please send this one again later.")
        platform = self._platforms[chat.platform]
        if isinstance(event, ButtonPress):
            await platform.notice(event, text)
            return
        try:
            await platform.send(chat, Reply(text=text))
        except PlatformError as error:
            log.warning("refusal not shown", extra={"chat": chat.id, "error": repr(error)})

    # ------------------------------------------------------------ work

    async def run(self) -> None:
        """Claim and work until cancelled; `drain` first, to leave nothing half done."""
        recovered = False
        while True:
            self._wake.clear()
            try:
                if not recovered:
                    await self._recover()
                    recovered = True
                while self._accepting and (turn := await self._turns.claim(self._owner)):
                    self._working[turn.id] = asyncio.create_task(self._work(turn))
            except StoreError as error:
                log.error("cannot claim", extra={"error": repr(error)})
            await self._wait()

    async def _recover(self) -> None:
        count = await self._turns.recover(self._owner)
        if count:
            log.warning("turns recovered", extra={"turns": count})

    async def _wait(self) -> None:
        wake = asyncio.ensure_future(self._wake.wait())
        look = asyncio.ensure_future(self._clock.sleep(LOOK_AFTER))
        try:
            await asyncio.wait({wake, look}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            wake.cancel()
            look.cancel()

    async def _work(self, turn: Turn) -> None:
        over = True
        try:
            over = await self._attempt(turn)
        finally:
            del self._working[turn.id]
            self._wake.set()
            if over:
                await self._close(turn.chat)

    async def _attempt(self, turn: Turn) -> bool:
        """Work on a turn, and write down what became of it; True when the turn is over."""
        fields = {"platform": turn.chat.platform, "chat": turn.chat.id, "turn": turn.id}
        try:
            ctx = await self._context(turn)
            if turn.attempt > ATTEMPTS:
                await self._give_up(ctx)
                return await self._fail(turn, "too many attempts", dead=True)
            outcome = await self._handle(ctx)
        except asyncio.CancelledError:
            await asyncio.shield(self._persist(lambda: self._turns.release(turn.id)))
            raise
        except ChatGone as error:
            log.info("chat gone", extra={**fields, "error": repr(error)})
            return await self._fail(turn, "the chat is gone", dead=True)
        except Exception as error:
            # The one place where a bug ends: said once, with all there is to know, and the bot
            # lives. The turn is tried again, since half of such faults pass by themselves.
            log.exception("turn failed", extra={**fields, "attempt": turn.attempt})
            return await self._fail_or_retry(turn, error)
        await self._persist(lambda: self._turns.finish(turn.id, outcome))
        log.info("turn done", extra={**fields, "attempt": turn.attempt})
        self._chores.after(turn, outcome)
        return True

    async def _context(self, turn: Turn) -> TurnContext:
        event, stores = turn.event, self._services.stores
        await stores.users.seen(turn.chat.platform, event.sender)
        shown = list(turn.shown)
        self._waiting.get(turn.chat, {}).pop(turn.id, None)
        notice = self._notices.pop(turn.id, None)
        if notice is not None and (ref := await notice) is not None and not shown:
            shown.append(ref)
        if not isinstance(event, IncomingMessage | StopPressed):
            # What a button does is shown in the message that bears it.
            shown = list(turn.shown) or [event.ref]
        settings = await stores.settings.load(turn.chat)
        style = style_of(settings, self._services.defaults)
        return TurnContext(
            services=self._services,
            platform=self._platforms[turn.chat.platform].styled(style),
            turn=turn,
            sender=event.sender,
            settings=settings,
            admin=self._gate.is_admin(turn.chat, event.sender),
            gate=self._gate,
            stop_chat=self.stop_chat,
            shown=shown,
            stands=lambda: self._stands(turn),
        )

    async def _handle(self, ctx: TurnContext) -> Outcome:
        if ctx.turn.urgent:
            return await self._router.handle(ctx)
        self._stoppers[ctx.chat] = ctx.stopper
        try:
            return await self._router.handle(ctx)
        finally:
            del self._stoppers[ctx.chat]
            self._standing.discard(ctx.chat)

    def stop_chat(self, chat: ChatRef) -> bool:
        """Stop the answer being written in a chat; False when none is."""
        stopper = self._stoppers.get(chat)
        if stopper is None or stopper.stopped:
            return False
        stopper.stop()
        return True

    # ------------------------------------------------------------ ends of a turn

    async def _persist(self, write: Callable[[], Awaitable[None]]) -> None:
        """Write down what has happened already: the database is asked until it agrees."""
        for attempt in range(1, STORE_TRIES + 1):
            try:
                return await write()
            except StoreError as error:
                log.error("database refuses", extra={"attempt": attempt, "error": repr(error)})
                await self._clock.sleep(STORE_RETRY * min(attempt, 10))
        return None  # the turn still counts as running, and is recovered at the next start

    async def _fail(self, turn: Turn, reason: str, *, dead: bool) -> bool:
        await self._persist(lambda: self._turns.fail(turn.id, reason, dead=dead))
        return dead

    async def _fail_or_retry(self, turn: Turn, error: Exception) -> bool:
        dead = turn.attempt >= ATTEMPTS
        if dead:
            try:
                await self._give_up(await self._context(turn))
            except (StoreError, PlatformError) as second:
                log.error("failure not shown", extra={"turn": turn.id, "error": repr(second)})
        return await self._fail(turn, repr(error), dead=dead)

    async def _give_up(self, ctx: TurnContext) -> None:
        """Say that it did not work; what was written of the answer stays."""
        event = ctx.turn.event
        text = ctx.texts.gettext(
            "⚠️ Something went wrong here, and I have noted it. Please ask again."
        )
        if not isinstance(event, IncomingMessage):
            if ctx.turn.urgent:
                await ctx.platform.notice(event, text)
            else:
                await ctx.tell(text)
            return
        delivery = ctx.delivery(event)
        async with delivery:
            delivery.rewrite(ctx.turn.partial)
            await delivery.finish(mark=text)

    # ------------------------------------------------------------ ends of the engine

    async def _close(self, chat: ChatRef) -> None:
        """Count one turn of the chat less; turns of an earlier process were never counted."""
        left = self._open.pop(chat, 0) - 1
        if left > 0:
            self._open[chat] = left
        else:
            self._telling.pop(chat, None)
            self._waiting.pop(chat, None)
        async with self._idle:
            self._idle.notify_all()

    async def answered(self, chat: ChatRef) -> None:
        """Return when nothing of this chat waits or runs any more."""
        async with self._idle:
            await self._idle.wait_for(lambda: chat not in self._open)

    async def drain(self, grace: float) -> None:
        """Claim nothing more, give what runs `grace` seconds, and hand back the rest."""
        self._accepting = False
        working = set(self._working.values())
        if working:
            log.info("draining", extra={"turns": len(working), "seconds": grace})
            await asyncio.wait(working, timeout=grace)
        left = {task for task in working if not task.done()}
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
        await self._chores.close()
        telling = [*self._notices.values(), *self._toasts]
        for teller in telling:
            teller.cancel()
        if telling:
            await asyncio.wait(telling)
