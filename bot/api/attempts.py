"""Attempts a call until it succeeds or another attempt is pointless: the one place that retries."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from bot.api.endpoints import Endpoint, Endpoints
from bot.api.failures.errors import CallFailed
from bot.api.failures.retry import backoff
from bot.api.learning.lessons import Lessons
from bot.api.limits import Limits, Slot
from bot.api.silence import Silence, Wait
from bot.core.phrases import Phrase
from bot.core.ports import Clock
from bot.errors import ModelErrorKind

log = logging.getLogger(__name__)

T = TypeVar("T")

LESSONS = 8
"""How often one call may be adapted to what its model refuses."""

LONG = 5.0
"""Seconds that a server may ask to wait; for longer another is asked, if there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is to be done. `tokens` is the estimate for the limit per minute.

    A call that is `billed` whatever becomes of it is not repeated once it may have reached the
    model. `until`, in the event loop's time, is when nobody waits for it any more, in whichever
    attempt. `sent` is called when an attempt goes out, and `unheard` when it is waited for though
    nothing at all comes from the server.
    """

    name: str
    model: str
    lane: str
    tokens: int = 0
    billed: bool = False
    retries: int | None = None
    until: float | None = None
    sent: Callable[[], None] = lambda: None
    unheard: Callable[[], None] = lambda: None


@dataclass(slots=True)
class Attempt:
    """One attempt at a call; `held` is closed when the call is over, or the attempt has failed."""

    endpoint: Endpoint
    slot: Slot
    held: AsyncExitStack
    model: str
    lessons: Lessons
    payload: Mapping[str, Any] = field(default_factory=dict)
    """What is sent, if it was adapted: from a refusal of it something can be learnt."""

    def adapted(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The payload as the model takes it here, which is then sent."""
        self.payload = found = self.lessons.of(self.endpoint.url, self.model).adapt(payload)
        return found

    def learn(self, failure: CallFailed) -> bool:
        """Learn from a refusal; True when the next attempt will be a different one."""
        return bool(self.payload) and self.lessons.learn(self.model, failure, self.payload)

    def hear(self) -> None:
        """Something came from the endpoint."""
        self.endpoint.heard = asyncio.get_running_loop().time()


@dataclass(slots=True)
class Progress:
    """How far a call is: `waited` is seconds between its attempts."""

    begun: bool = False
    failed: int = 0
    lessons: int = 0
    waited: float = 0.0


@dataclass(frozen=True, slots=True)
class Attempts:
    """Attempts calls at the endpoints, within the limits."""

    endpoints: Endpoints
    limits: Limits
    lessons: Lessons
    silence: Silence
    _: KW_ONLY
    clock: Clock
    dice: random.Random
    retries: int
    retry_seconds: float

    @asynccontextmanager
    async def succeed(
        self, call: Call, work: Callable[[Attempt], Awaitable[T]]
    ) -> AsyncGenerator[T]:
        """The result of the first attempt that succeeds to do the `work`. Raises `CallFailed`.

        What the attempt holds (its slot, its connection) is held until the block ends.
        """
        progress = Progress()
        try:
            async with asyncio.timeout_at(call.until):
                outcome, held = await self._repeat(call, work, progress)
        except TimeoutError as error:
            kind = ModelErrorKind.TIMEOUT if progress.begun else ModelErrorKind.BUSY
            raise CallFailed(kind, Phrase("no answer in the time for all tries")) from error
        async with held:
            yield outcome

    async def _repeat(
        self, call: Call, work: Callable[[Attempt], Awaitable[T]], progress: Progress
    ) -> tuple[T, AsyncExitStack]:
        """Try until it succeeds; returns the result, and what is held for it."""
        avoid: list[Endpoint] = []
        while True:
            async with AsyncExitStack() as held:
                slot = await held.enter_async_context(self.limits.slot(call.lane, call.tokens))
                endpoint = self.endpoints.choose(avoid)
                attempt = Attempt(endpoint, slot, held, call.model, self.lessons)
                progress.begun = True
                call.sent()
                outcome = await self._attempt(call, work, attempt, progress)
                if not isinstance(outcome, CallFailed):
                    return outcome, held.pop_all()
            if progress.lessons < LESSONS and attempt.learn(outcome):
                progress.lessons += 1
                continue
            progress.failed += 1
            is_another = self.endpoints.others([*avoid, endpoint])
            avoid = self._next_avoid(outcome, endpoint, avoid, progress.failed)
            asked = None if is_another and endpoint in avoid else outcome.retry_after
            delay = self._delay(call, outcome, progress, asked)
            self._log(call, outcome, endpoint, progress.failed, delay)
            if delay is None:
                raise outcome
            await self.clock.sleep(delay)
            progress.waited += delay

    async def _attempt(
        self,
        call: Call,
        work: Callable[[Attempt], Awaitable[T]],
        attempt: Attempt,
        progress: Progress,
    ) -> T | CallFailed:
        judged, endpoint = False, attempt.endpoint
        try:
            result = await self._watched(call, work, attempt, progress)
            judged = True
        except CallFailed as failure:
            judged = True
            failure.url = endpoint.url
            self._judge(endpoint, failure)
            return failure
        finally:
            if not judged:  # cancelled
                self.endpoints.abandoned(endpoint)
        attempt.hear()
        self.endpoints.succeeded(endpoint)
        self.limits.succeeded()
        return result

    async def _watched(
        self,
        call: Call,
        work: Callable[[Attempt], Awaitable[T]],
        attempt: Attempt,
        progress: Progress,
    ) -> T:
        """The work's result; it is given up when the server is dead and another may be asked."""
        loop = asyncio.get_running_loop()
        began, may_end = loop.time(), not call.billed and progress.failed < self._retries_of(call)
        try:
            async with asyncio.timeout(None) as limit:
                wait = Wait(began, limit, may_end, call.unheard)
                self.silence.begin(attempt.endpoint, wait)
                try:
                    return await work(attempt)
                finally:
                    self.silence.end(attempt.endpoint, wait)
        except TimeoutError as error:
            late = Phrase("no answer in {seconds} s", seconds=f"{loop.time() - began:.0f}")
            raise CallFailed(ModelErrorKind.UNREACHABLE, late, silent=True) from error

    def _judge(self, endpoint: Endpoint, failure: CallFailed) -> None:
        if failure.status is not None:
            self.endpoints.gave_sign(endpoint)
        if failure.kind is ModelErrorKind.RATE_LIMITED:
            if failure.is_about_us:
                self.limits.refused()
            self.endpoints.abandoned(endpoint)
        elif failure.silent:
            self.silence.found(endpoint, failure)
        elif failure.endpoint_fault:
            self.endpoints.failed(endpoint, failure.detail)
        else:
            self.endpoints.succeeded(endpoint)  # it answered, if only to refuse

    def _next_avoid(
        self, failure: CallFailed, endpoint: Endpoint, avoid: list[Endpoint], tries: int
    ) -> list[Endpoint]:
        """Which endpoints the next attempt keeps away from.

        A server fault gets a second attempt at the same endpoint; an endpoint that is unreachable,
        silent, not an API at all, or asks to wait for long, does not.
        """
        is_another = self.endpoints.others([*avoid, endpoint])
        if is_another and failure.temporary and (failure.retry_after or 0.0) > LONG:
            return [*avoid, endpoint]
        if not failure.endpoint_fault:
            return avoid
        if failure.kind is ModelErrorKind.SERVER and tries == 1:
            return avoid
        return [*avoid, endpoint] if is_another else [endpoint]

    def _delay(
        self, call: Call, failure: CallFailed, progress: Progress, asked: float | None
    ) -> float | None:
        """Seconds until the next attempt; None when there is none.

        `asked` is how long whoever is asked next wants to be left alone. A server that loads its
        model is asked until it has, as long as the call may wait.
        """
        tries, waited = progress.failed, progress.waited
        retries = self._retries_of(call)
        patient = failure.loading and call.retries is None and retries > 0
        if not failure.temporary or (tries > retries and not patient):
            return None
        reached = failure.sent and failure.kind is not ModelErrorKind.RATE_LIMITED
        if reached and (call.billed or (failure.kind is ModelErrorKind.TIMEOUT and tries > 1)):
            return None  # what took too long twice would be paid for a third time
        if (failure.silent or not failure.sent) and tries == 1:
            return 0.0
        delay = backoff(tries, asked, self.dice)
        return delay if waited + delay <= self.retry_seconds else None

    def _retries_of(self, call: Call) -> int:
        return self.retries if call.retries is None else min(self.retries, call.retries)

    def _log(
        self, call: Call, failure: CallFailed, endpoint: Endpoint, tries: int, delay: float | None
    ) -> None:
        extra = {
            "call": call.name,
            "model": call.model,
            "lane": call.lane,
            "endpoint": urlsplit(endpoint.url).netloc,
            "tries": tries,
            "kind": failure.kind.value,
            "status": failure.status,
            "request_id": failure.request_id,
        }
        if delay is None:
            log.warning("call failed", extra=extra)
        else:
            log.info("call is tried again", extra={**extra, "delay": round(delay, 3)})
