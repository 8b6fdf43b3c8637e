"""The engine: takes events in, runs one turn at a time per chat, in order, and never loses one.

The database is the truth: a turn is accepted when it is committed, and claimed from the table.
A wake-up here is only a hint, so the table is looked at from time to time without one.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

from bot.core import albums, together
from bot.core.access import Gate, Verdict
from bot.core.albums import Albums, album_of
from bot.core.chores import Chores
from bot.core.commands.revive import offer_revival
from bot.core.overhearing import overhear
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
    StopPressed,
    Unreadable,
)
from bot.core.waiting import WaitingRoom, chat_of
from bot.errors import BotError, ChatGone, PlatformError, QueueFull, StoreError

log = logging.getLogger(__name__)

ATTEMPTS = 3
"""A turn is tried at most so often; then it is dead, and the person is told."""
PAUSES = (0.1, 1.0)
"""Seconds before each further try of a turn that failed: half of all faults pass by themselves."""
CLAIMS = 64
"""Turns claimed together at most."""
LOOK_AFTER = 5.0
"""Seconds after which the table is looked at without a wake-up."""
STORE_RETRY, STORE_PATIENCE = 1.0, 10.0
"""Seconds between tries to write down the end of a turn while the database refuses; they grow."""
LAST_TRIES = 2
"""So often it is tried when the bot is being shut down; what is open then is recovered later."""


def _reason(error: Exception) -> str:
    """Why a turn failed, as the operator is told; what people wrote may stand in other errors."""
    if isinstance(error, BotError):
        return repr(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


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
        self._hints = 0  # turns that may have become ready since the last look
        self._working: dict[int, asyncio.Task[None]] = {}
        self._stoppers: dict[ChatRef, Stopper] = {}
        self._room = WaitingRoom(
            platforms, self._turns, self._clock, together=services.defaults.together
        )
        self._open: dict[ChatRef, set[int]] = {}
        self._tidied: dict[ChatRef, asyncio.Lock] = {}
        self._idle = asyncio.Condition()
        self._chores = Chores(services)
        self._albums = Albums(services.clock)
        self._accepting = True

    # ------------------------------------------------------------ intake

    async def sink(self, event: Event | Unreadable) -> None:
        """Take an event in; it is committed on return. Raises `StoreError`: then it is not."""
        if isinstance(event, Unreadable):
            log.error("event unreadable", extra={"platform": event.platform, "why": event.reason})
            await self._turns.bury(event)
            return
        await self._gate.refresh()
        event = await self._with_its_album(event)
        verdict = self._gate.check(event)
        if verdict is Verdict.IGNORE:
            await overhear(self._services.stores, self._gate, event)
            return
        chat = chat_of(event)
        place = await self._router.place(event, self._services.stores, self._working)
        try:
            accepted = await self._turns.accept(place.event, urgent=place.urgent)
        except QueueFull as full:
            if not full.in_chat:  # nothing more is taken in until there is room
                self._room.keep_outside(event)
                raise
            await self._room.refuse(event)
            return
        self._room.let_in(event)
        if isinstance(event, ButtonPress) and not place.urgent:
            self._room.answer_press(event, 0 if place.quiet else accepted.ahead)
        if not accepted.fresh:
            return
        self._open.setdefault(chat, set()).add(accepted.turn_id)
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
        album = album_of(event)
        is_first = not (album and self._albums.hear(chat, album))  # who waits for all the others
        if is_first and accepted.ahead and isinstance(event, IncomingMessage) and not place.urgent:
            self._room.enter(accepted.turn_id, event)
        self._look()

    async def _with_its_album(self, event: Event) -> Event:
        """Of an album sent to the bot only the caption says so: the rest is for it as well."""
        album, chat = album_of(event), chat_of(event)
        if not isinstance(event, IncomingMessage) or event.addressed or not album:
            return event
        is_ours = self._albums.knows(chat, album) or await self._turns.awaits_album(chat, album)
        return replace(event, addressed=True) if is_ours else event

    # ------------------------------------------------------------ work

    async def run(self) -> None:
        """Claim and work until cancelled; `drain` first, to leave nothing half done."""
        self._turns.listen(self._wake.set)
        recovered = False
        while True:
            self._wake.clear()
            try:
                if not recovered:
                    await self._recover()
                    recovered = True
                while self._accepting and await self._claim():
                    pass
            except StoreError as error:
                log.error("cannot claim", extra={"error": repr(error)})
            await self._wait()

    async def _claim(self) -> bool:
        """Claim as many turns as may have become ready; False when there are no more.

        Claims that are made together share a commit. Raises `StoreError`.
        """
        count = min(max(1, self._hints), CLAIMS)
        self._hints -= min(count, self._hints)
        claims = (self._turns.claim(self._owner) for _ in range(count))
        results = await asyncio.gather(*claims, return_exceptions=True)
        for turn in results:
            if isinstance(turn, Turn):
                self._working[turn.id] = asyncio.create_task(self._work(turn))
        for error in results:
            if isinstance(error, BaseException):
                raise error
        if None in results:
            self._hints = 0
            return False
        self._hints = max(self._hints, 2 * count)
        return True

    async def _recover(self) -> None:
        count = await self._turns.recover(self._owner)
        if count:
            log.warning("turns recovered", extra={"turns": count})

    def _look(self) -> None:
        """A turn may have become ready."""
        self._hints += 1
        self._wake.set()

    async def _wait(self) -> None:
        wake = asyncio.ensure_future(self._wake.wait())
        look = asyncio.ensure_future(self._clock.sleep(LOOK_AFTER))
        try:
            await asyncio.wait({wake, look}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            wake.cancel()
            look.cancel()

    async def _work(self, turn: Turn) -> None:
        over, others = True, list[int]()
        try:
            over = await self._attempt(turn, others)
        finally:
            del self._working[turn.id]
            self._look()
            if over:
                await self._close(turn.chat, turn.id, *others)

    async def _attempt(self, turn: Turn, others: list[int]) -> bool:
        """Work on a turn, and write down what became of it; True when the turn is over.

        `others` is filled with the turns that end with it.
        """
        fields = {"platform": turn.chat.platform, "chat": turn.chat.id, "turn": turn.id}
        noting = asyncio.create_task(self._note(turn))
        ctx: TurnContext | None = None
        try:
            if not self._router.is_words(turn.event):
                await noting  # a command may be about those who have spoken
            ctx = await self._context(turn, others)
            if turn.attempt > ATTEMPTS:
                await self._give_up(ctx, interrupted=True)
                return await self._fail(turn, "interrupted too often", dead=True)
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
            dead = await self._fail_or_retry(turn, ctx, error)
            others.clear()  # they wait by themselves
            return dead
        finally:
            await noting
        stood = self._stood(turn)
        await self._persist(lambda: self._turns.finish(turn.id, outcome, stood=stood))
        log.info("turn done", extra={**fields, "attempt": turn.attempt})
        self._chores.after(turn, outcome)
        return True

    async def _note(self, turn: Turn) -> None:
        """Remember who spoke; the answer does not wait for it."""
        sender = turn.event.sender
        try:
            await self._services.stores.users.seen(turn.chat.platform, sender)
        except StoreError as error:
            log.warning("person not noted", extra={"turn": turn.id, "error": repr(error)})

    def _stood(self, turn: Turn) -> MessageRef | None:
        """The newest message of the bot in the chat, for whoever comes after."""
        return self._platforms[turn.chat.platform].newest(turn.chat)

    async def _context(self, turn: Turn, others: list[int]) -> TurnContext:
        first, event, stores = turn, turn.event, self._services.stores
        settings = await stores.settings.load(turn.chat)
        shown = list(turn.shown)
        line = await self._room.leave(turn.chat, turn.id)
        if line is not None and not shown:
            shown.append(line)
        await self._tidy(turn, shown)
        chosen = settings.together or ("on" if self._services.defaults.together else "off")
        if isinstance(event, IncomingMessage) and not turn.urgent and turn.attempt <= ATTEMPTS:
            turn = await self._gather(turn, event, others, shown, words=chosen == "on")
        if not isinstance(event, IncomingMessage | StopPressed):
            # What a button does is shown in the message that bears it.
            shown = list(turn.shown) or [event.ref]
        style = style_of(settings, self._services.defaults)
        return TurnContext(
            services=self._services,
            platform=self._platforms[turn.chat.platform].styled(style),
            turn=turn,
            sender=event.sender,
            settings=settings,
            admin=self._gate.is_admin(turn.chat, event.sender),
            gate=self._gate,
            platforms=self._platforms,
            stop_chat=self.stop_chat,
            shown=shown,
            stands=lambda: None if turn.urgent else self._room.stands(turn.chat),
            tidy=lambda: self._tidy_again(first, shown),
        )

    async def _tidy_again(self, turn: Turn, shown: Sequence[MessageRef]) -> None:
        """Look for what was posted without an answer; beside another turn's posts it is let be."""
        if not turn.urgent or turn.chat not in self._stoppers:
            await self._sweep(turn, shown)

    async def _gather(
        self,
        turn: Turn,
        lead: IncomingMessage,
        others: list[int],
        shown: list[MessageRef],
        *,
        words: bool,
    ) -> Turn:
        """Take in what is answered with this message: its album, or short `words` in a row.

        The lines that said that they wait are written over or deleted with the rest.
        """
        row: Sequence[Turn] = ()
        if lead.album:
            await self._albums.whole(turn.chat, lead.album)
            row = albums.row(lead, await self._turns.following(turn.id))
        elif words:
            row = together.row(lead, await self._turns.following(turn.id))
        if not row:
            return turn
        for other in row:
            others.append(other.id)
            line = await self._room.leave(turn.chat, other.id)
            # Each message once: what the answer does not need of them is deleted at its end.
            shown[:] = dict.fromkeys((*shown, *other.shown, *([line] if line else [])))
        await self._turns.join(turn.id, others, shown)
        as_one = albums.as_one if lead.album else together.as_one
        return replace(turn, event=as_one(lead, row))

    async def _tidy(self, turn: Turn, shown: Sequence[MessageRef]) -> None:
        """Take away what an attempt before this one may have posted without writing it down.

        A process may die between a post and its commit: then there is a message in the chat that
        nobody knows. In a chat it is looked for once, before the first turn that an earlier process
        left behind does anything; and before every further attempt of a turn.
        """
        chat = turn.chat
        is_ours = turn.id in self._open.get(chat, ())
        if chat in self._stoppers or (is_ours and (turn.urgent or turn.attempt == 1)):
            return
        if not is_ours and chat in self._tidied:
            async with self._tidied[chat]:
                return
        async with self._tidied.setdefault(chat, asyncio.Lock()):
            await self._sweep(turn, shown)

    async def _sweep(self, turn: Turn, shown: Sequence[MessageRef]) -> None:
        chat, event = turn.chat, turn.event
        asked = event.ref if isinstance(event, IncomingMessage) else None
        after = [ref for ref in (turn.stood, asked) if ref is not None]
        if after:
            keep = {*await self._turns.known(turn.id), *shown}
            await self._platforms[chat.platform].sweep(chat, after=after, keep=keep)

    async def _handle(self, ctx: TurnContext) -> Outcome:
        if ctx.turn.urgent:
            return await self._router.handle(ctx)
        self._stoppers[ctx.chat] = ctx.stopper
        try:
            return await self._router.handle(ctx)
        finally:
            del self._stoppers[ctx.chat]
            self._room.answered(ctx.chat)

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
        attempt = 0
        while True:
            attempt += 1
            try:
                return await write()
            except StoreError as error:
                log.error("database refuses", extra={"attempt": attempt, "error": repr(error)})
                if not self._accepting and attempt >= LAST_TRIES:
                    return None  # the turn counts as running, and is recovered at the next start
                await self._clock.sleep(min(STORE_RETRY * attempt, STORE_PATIENCE))

    async def _fail(self, turn: Turn, reason: str, *, dead: bool) -> bool:
        stood = self._stood(turn)
        await self._persist(lambda: self._turns.fail(turn.id, reason, dead=dead, stood=stood))
        return dead

    async def _fail_or_retry(self, turn: Turn, ctx: TurnContext | None, error: Exception) -> bool:
        dead = turn.attempt >= ATTEMPTS
        if dead:
            try:
                last = ctx or await self._context(replace(turn, attempt=ATTEMPTS + 1), [])
                await self._give_up(last, interrupted=False)
            except (StoreError, PlatformError) as second:
                log.error("failure not shown", extra={"turn": turn.id, "error": repr(second)})
        elif self._accepting:
            await self._clock.sleep(PAUSES[turn.attempt - 1])
        return await self._fail(turn, _reason(error), dead=dead)

    async def _give_up(self, ctx: TurnContext, *, interrupted: bool) -> None:
        """Say that it did not work, and offer to try again; what was written stays."""
        event, _ = ctx.turn.event, ctx.texts.gettext
        text = _("⚠️ Something went wrong here, and I have noted it. Please ask again.")
        if interrupted:
            text = _("⏸ This answer was interrupted, three times over.")
        if isinstance(event, ButtonPress) and ctx.turn.partial:  # it asked for an answer
            event = IncomingMessage(
                key=event.key, ref=event.ref, sender=event.sender, text="", group=event.group
            )
        if not isinstance(event, IncomingMessage):
            if ctx.turn.urgent:
                await ctx.platform.notice(event, text)
            else:
                await ctx.tell(text)
            return
        delivery = ctx.delivery(event)
        async with delivery:
            delivery.rewrite(ctx.written or ctx.turn.partial)
            await delivery.finish(mark=text, buttons=await offer_revival(ctx), failed=True)

    # ------------------------------------------------------------ ends of the engine

    async def _close(self, chat: ChatRef, *turn_ids: int) -> None:
        """Turns of this chat are over; those of an earlier process were never counted."""
        left = self._open.pop(chat, set()) - set(turn_ids)
        if left:
            self._open[chat] = left
        else:
            self._room.forget(chat)
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
        await self._room.close()
