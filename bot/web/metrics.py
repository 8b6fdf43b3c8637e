"""`/metrics`: how the bot is doing, for Prometheus.

What the database knows is read at each scrape, and is the same from every bot that shares it. What
this process does itself is counted from its log, in which every phrase is a constant.

Names: https://prometheus.io/docs/practices/naming/.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

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


class Metrics:
    """Answers `/metrics`.

    `connected` says of each platform whether it is; `endpoints` tells of the API's addresses.
    """

    def __init__(
        self,
        *,
        statistics: Statistics,
        ledger: Ledger,
        endpoints: Callable[[], Sequence[EndpointHealth]],
        connected: Callable[[], Mapping[str, bool]],
        said: Mapping[tuple[str, str], int],
    ) -> None:
        self._statistics = statistics
        self._ledger = ledger
        self._endpoints = endpoints
        self._connected = connected
        self._said = said

    async def answer(self, request: web.Request) -> web.Response:
        """The page; 503 while the database does not answer."""
        now = datetime.now(UTC)
        try:
            activity = await self._statistics.activity(now)
            timings = await self._statistics.timings(now - RECENT)
            totals = await self._ledger.totals(None, Period.ALL)
            extent = await self._statistics.extent()
        except StoreError as failure:
            log.warning("no metrics", extra={"error": repr(failure)})
            return web.Response(status=UNAVAILABLE, text="the database does not answer\n")
        families = [
            *_people(activity),
            *_times(timings),
            *_use(totals),
            *_database(extent),
            *_api(self._endpoints()),
            _platforms(self._connected()),
            _log(self._said),
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


def _people(activity: Activity) -> Iterator[Metric]:
    turns = GaugeMetricFamily("chinwag_turns", "Turns by state.", labels=("state",))
    turns.add_metric(("waiting",), activity.waiting)
    turns.add_metric(("running",), activity.running)
    yield turns
    yield GaugeMetricFamily("chinwag_people", "People who have spoken.", value=activity.people)
    yield GaugeMetricFamily("chinwag_chats", "Chats with a conversation.", value=activity.chats)


def _times(timings: Sequence[Timing]) -> Iterator[Metric]:
    """Gauges, not a summary: they are of some minutes, and can fall."""
    first = [timing.first_token for timing in timings if timing.first_token is not None]
    whole = [timing.latency for timing in timings]
    for name, text, values in (
        ("chinwag_first_token_seconds", "Until a model's first token, lately.", first),
        ("chinwag_answer_seconds", "Until a model's last token, lately.", whole),
    ):
        family = GaugeMetricFamily(name, text, labels=("quantile",))
        for share in QUANTILES:
            if (value := percentile(values, share)) is not None:
                family.add_metric((str(share),), value)
        yield family


def _use(totals: Sequence[Total]) -> Iterator[Metric]:
    labels = ("kind", "model")
    for name, text, value in (
        ("requests", "Requests to the API.", lambda total: total.requests),
        ("prompt_tokens", "Tokens of questions.", lambda total: total.prompt_tokens),
        ("completion_tokens", "Tokens of answers.", lambda total: total.completion_tokens),
        ("images", "Pictures drawn.", lambda total: total.images),
        ("audio_seconds", "Seconds of audio transcribed.", lambda total: total.seconds),
        ("cost_usd", "Cost of what has a known price.", lambda total: float(total.cost)),
        ("unpriced_requests", "Requests without a known price.", lambda total: total.unpriced),
    ):
        family = CounterMetricFamily(f"chinwag_{name}", text, labels=labels)
        for total in totals:
            family.add_metric((total.kind.value, total.model), value(total))
        yield family


def _database(extent: Extent) -> Iterator[Metric]:
    for name, text, size in (
        ("chinwag_database_bytes", "Size of the database.", extent.size),
        ("chinwag_database_free_bytes", "Of that, what is free to be written.", extent.free),
    ):
        yield GaugeMetricFamily(name, text, value=size)
    purged = GaugeMetricFamily("chinwag_purged_timestamp_seconds", "When the last purge ended.")
    if extent.purged is not None:
        purged.add_metric((), extent.purged.timestamp())
    yield purged


def _api(endpoints: Sequence[EndpointHealth]) -> Iterator[Metric]:
    resting = GaugeMetricFamily(
        "chinwag_api_resting", "Whether an address of the API is left alone.", labels=("host",)
    )
    failures = GaugeMetricFamily(
        "chinwag_api_failures", "Failures of an address in a row.", labels=("host",)
    )
    for endpoint in endpoints:
        resting.add_metric((endpoint.host,), endpoint.resting)
        failures.add_metric((endpoint.host,), endpoint.failures)
    yield resting
    yield failures


def _platforms(connected: Mapping[str, bool]) -> Metric:
    family = GaugeMetricFamily(
        "chinwag_connected", "Whether a platform is connected.", labels=("platform",)
    )
    for name, is_connected in connected.items():
        family.add_metric((name,), is_connected)
    return family


def _log(said: Mapping[tuple[str, str], int]) -> Metric:
    family = CounterMetricFamily(
        "chinwag_log_events", "What this process has logged.", labels=("event", "level")
    )
    for (event, level), count in sorted(said.items()):
        family.add_metric((event, level), count)
    return family
