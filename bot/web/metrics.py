"""`/metrics`: how the bot is doing, for Prometheus.

What the database knows is read at each scrape, and is the same from every bot that shares it. What
this process does itself is counted from its log, in which every phrase is a constant.

Names: https://prometheus.io/docs/practices/naming/.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeAlias

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from bot.core.limits.calendar import Period
from bot.core.limits.ledger import Ledger, Total
from bot.core.ports import EndpointHealth
from bot.core.statistics import Activity, Extent, Statistics, Timing, percentile
from bot.errors import StoreError

log = logging.getLogger(__name__)

PATH = "/metrics"
RECENT = timedelta(minutes=5)
"""Answers that ended since are those whose times are told."""
QUANTILES = (0.5, 0.95)
UNAVAILABLE = 503


class LogCounter(logging.Handler):
    """Counts what the bot's own code says, by phrase and level. Put it on the logger `bot`.

    What a library says there (`bot.….sdk`) is counted under the name of its log: it has ids in its
    phrases, of each connection for one, and every one would be a figure of its own for ever.
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.counts: Counter[tuple[str, str]] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Count one."""
        phrase = record.name if record.name.endswith(".sdk") else str(record.msg)
        self.counts[phrase, record.levelname.lower()] += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Answers `/metrics`.

    `connected` says of each platform whether it is; `endpoints` tells of the API's addresses.
    """

    statistics: Statistics
    ledger: Ledger
    endpoints: Callable[[], Sequence[EndpointHealth]]
    connected: Callable[[], Mapping[str, bool]]
    said: Mapping[tuple[str, str], int]

    async def answer(self, request: web.Request) -> web.Response:
        """The page; 503 while the database does not answer."""
        now = datetime.now(UTC)
        try:
            activity = await self.statistics.activity(now)
            timings = await self.statistics.timings(now - RECENT)
            totals = await self.ledger.totals(None, Period.ALL)
            extent = await self.statistics.extent()
        except StoreError as failure:
            log.warning("no metrics", extra={"error": repr(failure)})
            return web.Response(status=UNAVAILABLE, text="the database does not answer\n")
        families = [
            *_people(activity),
            *_times(timings),
            *_use(totals),
            *_database(extent),
            *_api(self.endpoints()),
            _platforms(self.connected()),
            _log(self.said),
        ]
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Snapshot(families))
        ProcessCollector(registry=registry)
        headers = {"Content-Type": CONTENT_TYPE_PLAIN_0_0_4}
        return web.Response(body=generate_latest(registry), headers=headers)


class _Snapshot(Collector):
    """What was read just now."""

    def __init__(self, families: Collection[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """As it is."""
        return self._families


Kind: TypeAlias = type[GaugeMetricFamily] | type[CounterMetricFamily]
Values: TypeAlias = Mapping[Any, float]
"""The figures of a family, each by the tuple of its labels' values."""


def _family(kind: Kind, name: str, text: str, labels: tuple[str, ...], values: Values) -> Metric:
    family = kind(f"chinwag_{name}", text, labels=labels)
    for which, value in values.items():
        family.add_metric(which, value)
    return family


_gauge, _counter = partial(_family, GaugeMetricFamily), partial(_family, CounterMetricFamily)


def _people(activity: Activity) -> Iterator[Metric]:
    turns = {("waiting",): activity.waiting, ("running",): activity.running}
    yield _gauge("turns", "Turns by state.", ("state",), turns)
    yield _gauge("people", "People who have spoken.", (), {(): activity.people})
    yield _gauge("chats", "Chats with a conversation.", (), {(): activity.chats})


def _times(timings: Sequence[Timing]) -> Iterator[Metric]:
    """Gauges, not a summary: they are of some minutes, and can fall."""
    first = [timing.first_token for timing in timings if timing.first_token is not None]
    whole = [timing.latency for timing in timings]
    for name, text, values in (
        ("first_token_seconds", "Until a model's first token, lately.", first),
        ("answer_seconds", "Until a model's last token, lately.", whole),
    ):
        shares = {(str(share),): percentile(values, share) for share in QUANTILES}
        known = {which: value for which, value in shares.items() if value is not None}
        yield _gauge(name, text, ("quantile",), known)


def _use(totals: Sequence[Total]) -> Iterator[Metric]:
    for name, text, value in (
        ("requests", "Requests to the API.", lambda total: total.requests),
        ("prompt_tokens", "Tokens of questions.", lambda total: total.prompt_tokens),
        ("completion_tokens", "Tokens of answers.", lambda total: total.completion_tokens),
        ("images", "Pictures drawn.", lambda total: total.images),
        ("audio_seconds", "Seconds of audio transcribed.", lambda total: total.seconds),
        ("cost_usd", "Cost of what has a known price.", lambda total: float(total.cost)),
        ("unpriced_requests", "Requests without a known price.", lambda total: total.unpriced),
    ):
        values = {(total.kind.value, total.model): value(total) for total in totals}
        yield _counter(name, text, ("kind", "model"), values)


def _database(extent: Extent) -> Iterator[Metric]:
    free = "Of that, what is free to be written."
    yield _gauge("database_bytes", "Size of the database.", (), {(): extent.size})
    yield _gauge("database_free_bytes", free, (), {(): extent.free})
    purged = {} if extent.purged is None else {(): extent.purged.timestamp()}
    yield _gauge("purged_timestamp_seconds", "When the last purge ended.", (), purged)


def _api(endpoints: Sequence[EndpointHealth]) -> Iterator[Metric]:
    resting = {(each.host,): each.resting for each in endpoints}
    failures = {(each.host,): each.failures for each in endpoints}
    yield _gauge("api_resting", "Whether an address of the API is left alone.", ("host",), resting)
    yield _gauge("api_failures", "Failures of an address in a row.", ("host",), failures)


def _platforms(connected: Mapping[str, bool]) -> Metric:
    values = {(name,): is_connected for name, is_connected in connected.items()}
    return _gauge("connected", "Whether a platform is connected.", ("platform",), values)


def _log(said: Mapping[tuple[str, str], int]) -> Metric:
    labels = ("event", "level")
    return _counter(
        "log_events", "What this process has logged.", labels, dict(sorted(said.items()))
    )
