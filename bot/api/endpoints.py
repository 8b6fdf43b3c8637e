"""The base URLs in order of preference, each with a circuit breaker.

An endpoint that keeps failing is left alone for a while, then tried with a single request; when
that one succeeds the endpoint is back. The primary comes back by itself in this way. When every
endpoint is open, the one that has been left alone longest is asked all the same: the breaker
chooses between endpoints, it never makes a request fail that might have succeeded.

One that says nothing at all is left alone at once, and until it gives a sign of life: else people
would wait for it in vain, one after the other. It may be that it just has no time for signs, so
once in a long while it is tried all the same.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import inf
from urllib.parse import urlsplit

from bot.core.ports import Clock, EndpointHealth

log = logging.getLogger(__name__)

FAILURES = 5
"""Failures in a row that open the breaker."""
FIRST_REST = 10.0
LONGEST_REST = 120.0
SILENCE = 600.0
"""Seconds until one that says nothing is tried all the same."""


@dataclass(slots=True, eq=False)
class Endpoint:
    """One base URL and how it has been doing. Times are of the monotonic clock."""

    url: str
    failures: int = 0
    rest: float = 0.0  # seconds it is left alone; 0 while the breaker is closed
    open_until: float = 0.0
    probing: bool = False
    silent: bool = False  # nothing at all comes from it
    heard: float = -inf  # when anything came, in the event loop's time

    def available(self, now: float) -> bool:
        """Closed, or rested and not being probed already."""
        return self.rest == 0.0 or (now >= self.open_until and not self.probing)


class Endpoints:
    """Chooses the endpoint of each try, and learns from what became of it."""

    def __init__(self, urls: Sequence[str], clock: Clock) -> None:
        self._endpoints = [Endpoint(url) for url in urls]
        self._clock = clock

    def health(self) -> Sequence[EndpointHealth]:
        """How each has been doing, in their order."""
        now = self._clock.monotonic()
        return [
            EndpointHealth(
                host=urlsplit(one.url).hostname or "–",
                failures=one.failures,
                resting=one.silent or (one.rest > 0.0 and now < one.open_until),
                silent=one.silent,
            )
            for one in self._endpoints
        ]

    def choose(self, avoid: Collection[Endpoint] = ()) -> Endpoint:
        """The best endpoint that is not to be avoided; any, when all others are worse."""
        now = self._clock.monotonic()
        ready = [endpoint for endpoint in self._endpoints if endpoint.available(now)]
        fresh = [endpoint for endpoint in ready if endpoint not in avoid]
        found = fresh or ready
        chosen = found[0] if found else self._least_bad(avoid)
        chosen.probing = chosen.rest > 0.0
        return chosen

    def likely(self) -> str:
        """The URL of the next request, most likely; unlike `choose`, this changes nothing."""
        now = self._clock.monotonic()
        ready = [each for each in self._endpoints if each.available(now)]
        sound = (each for each in ready if not each.failures or each.rest)  # it is tried after rest
        found = next(sound, ready[0] if ready else None)
        return (found or self._least_bad()).url

    def others(self, avoid: Collection[Endpoint]) -> bool:
        """Whether an endpoint is ready beside those to avoid."""
        now = self._clock.monotonic()
        return any(e.available(now) and e not in avoid for e in self._endpoints)

    def succeeded(self, endpoint: Endpoint) -> None:
        """The endpoint answered."""
        if endpoint.rest:
            log.info("endpoint is back", extra={"endpoint": endpoint.url})
        endpoint.failures, endpoint.rest = 0, 0.0
        endpoint.probing = endpoint.silent = False

    def failed(self, endpoint: Endpoint, why: str = "") -> None:
        """The endpoint itself failed, not the request.

        What fails when it is left alone already was asked before that, and does not prolong it.
        """
        endpoint.failures += 1
        if endpoint.failures >= FAILURES and (endpoint.probing or not endpoint.rest):
            endpoint.rest = _next_rest(endpoint)
            endpoint.open_until = self._clock.monotonic() + endpoint.rest
            extra = {"endpoint": endpoint.url, "rest": endpoint.rest, "why": why}
            log.warning("endpoint left alone", extra=extra)
        endpoint.probing = False

    def fell_silent(self, endpoint: Endpoint, why: str) -> None:
        """Nothing comes from the endpoint (any more): it is left alone until it gives a sign.

        It should be asked for one after every `rest`.
        """
        endpoint.failures += 1
        endpoint.rest = _next_rest(endpoint)
        if endpoint.probing or not endpoint.silent:
            endpoint.open_until = self._clock.monotonic() + SILENCE
        if not endpoint.silent:
            extra = {"endpoint": endpoint.url, "why": why}
            log.warning("endpoint says nothing, left alone", extra=extra)
        endpoint.silent, endpoint.probing = True, False

    def gave_sign(self, endpoint: Endpoint) -> None:
        """The endpoint lives: one that was silent may be tried, with a single request."""
        if endpoint.silent:
            endpoint.silent = endpoint.probing = False
            endpoint.open_until = self._clock.monotonic()

    def abandoned(self, endpoint: Endpoint) -> None:
        """The try was given up before it could tell anything (cancelled, or the key's limit)."""
        endpoint.probing = False

    def _least_bad(self, avoid: Collection[Endpoint] = ()) -> Endpoint:
        """Which to ask when none is available: rather one that answers, if only with errors."""
        return min(self._endpoints, key=lambda e: (e.silent, e in avoid, e.open_until))


def _next_rest(endpoint: Endpoint) -> float:
    """Twice as long as the last one."""
    return min(LONGEST_REST, endpoint.rest * 2 or FIRST_REST)
