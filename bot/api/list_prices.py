"""Vendors' list prices and context windows, from the data in `genai-prices`; asks no network.

They stand in where neither the configuration nor the API itself tells. An aggregator's prices may
differ, so the operator can overrule each, or switch the list off.
"""

from __future__ import annotations

import asyncio
import runpy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from bot.core.models import ModelInfo, UsageEntry, UsageKind
from bot.core.single_flight import SingleFlight
from bot.core.unused import leave_out

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo as Listed
    from genai_prices.types import ModelPrice, Provider, TieredPrices

VENDORS = (
    "openai",
    "anthropic",
    "google",
    "x-ai",
    "deepseek",
    "moonshotai",
    "mistral",
    "zai",
    "zhipuai",
    "minimax",
    "cohere",
    "meta",
    "perplexity",
    "voyageai",
    "elevenlabs",
)
"""Those who sell models of their own. What a model costs at a reseller says nothing."""
MODELS = 2_000
"""Models beyond which all are looked up anew: where the API has no list, people may type any name.
"""


@dataclass(frozen=True, slots=True)
class _List:
    """What is kept: the `sellers` who count, and each model's window by its name alone."""

    sellers: DataSnapshot
    windows: Mapping[str, int]


class ListPrices:
    """The list. Loading it takes 0.15 s and 4 MB, so it waits until somebody asks."""

    def __init__(self, base_urls: Sequence[str], *, on: bool) -> None:
        self._base_urls = base_urls
        self._on = on
        self._found: dict[tuple[str, str], tuple[Provider, Listed] | None] = {}
        self._wanted: dict[tuple[str, str], ModelInfo] = {}
        self._loaded = False
        self._loading = SingleFlight(self._load)

    async def load(self, infos: Iterable[ModelInfo] = ()) -> None:
        """Load the list and look models up beside the event loop; what follows takes no time."""
        if not self._on:
            return
        new = {_key(info): info for info in infos if _key(info) not in self._found}
        if new and len(self._found) >= MODELS:
            self._begin_anew()
        while not self._loaded or any(key not in self._found for key in new):
            self._wanted |= new
            await self._loading.run()

    def _begin_anew(self) -> None:
        """Forget what was found; the list's own memory of whom it was asked about, too."""
        from genai_prices.data_snapshot import DataSnapshot

        sellers = self._list.sellers.providers
        self._found = {}
        self._list = replace(self._list, sellers=DataSnapshot(sellers, from_auto_update=False))

    async def _load(self) -> None:
        wanted, self._wanted = self._wanted, {}
        await asyncio.to_thread(lambda: self._list and list(map(self.complete, wanted.values())))
        self._loaded = True

    def complete(self, info: ModelInfo) -> ModelInfo:
        """The same, with what the list knows in place of what is unknown."""
        found = self._find(info)
        if not self._on:
            return info
        window = found[1].context_window if found else None
        if info.context_window is None:
            info = replace(info, context_window=window or self._window(info.id))
        if found is None or info.input_price is not None or info.minute_price is not None:
            return info
        prices = found[1].get_prices(datetime.now(UTC))
        hour = _base(prices.audio_hours)
        return replace(
            info,
            input_price=_base(prices.input_mtok),
            cached_price=_base(prices.cache_read_mtok),
            output_price=_base(prices.output_mtok),
            minute_price=None if hour is None else hour / 60,
        )

    def cost(self, info: ModelInfo, entry: UsageEntry) -> Decimal | None:
        """What a request costs by the list; None where it does not know, which is not zero."""
        found = self._find(info)
        if found is None:
            return None
        provider, model = found
        prices = model.get_prices(datetime.now(UTC))
        if not _covers(prices, entry):
            return None
        from genai_prices import Usage

        for counts in _counts(entry):
            try:
                cost = model.calc_price(Usage(**counts), provider).total_price
            except ValueError:
                continue  # the details do not fit together; the totals do
            return cost or None
        return None

    @cached_property
    def _list(self) -> _List:
        return _read(self._base_urls)

    def _window(self, name: str) -> int | None:
        return self._list.windows.get(_bare(name))

    def _find(self, info: ModelInfo) -> tuple[Provider, Listed] | None:
        if not self._on:
            return None
        key, found = _key(info), self._found  # which another thread may begin anew
        if key not in found:
            found[key] = self._look_up(info.id.lower(), info.owner.lower())
        return found[key]

    def _look_up(self, name: str, owner: str) -> tuple[Provider, Listed] | None:
        """At the API's own host first, then at whoever owns the model, then at every vendor."""
        vendor, slash, bare = name.partition("/")
        for url in self._base_urls:
            if found := self._at(name, url=url):
                return found
        for provider in (*([vendor] if slash else []), *([owner] if owner else []), *VENDORS):
            if provider in VENDORS and (found := self._at(bare or name, provider=provider)):
                return found
        return None

    def _at(self, name: str, **where: str) -> tuple[Provider, Listed] | None:
        provider, url = where.get("provider"), where.get("url")
        try:
            return self._list.sellers.find_provider_model(name, None, provider, url)
        except LookupError:
            return None


def _read(base_urls: Sequence[str]) -> _List:
    """Read the list, and let go of most of it: nine tenths are of resellers."""
    leave_out("genai_prices.update_prices")  # an HTTP client, 1.2 MB, to renew the list
    from genai_prices.data_snapshot import DataSnapshot

    # Not imported, since an imported module stays, and thousands of models with it.
    providers: list[Provider] = runpy.run_module("genai_prices.data")["providers"]
    everybody = DataSnapshot(providers, from_auto_update=False)
    known = {*VENDORS, *(_host(everybody, url) for url in base_urls)}
    sellers = [provider for provider in providers if provider.id in known]
    return _List(DataSnapshot(sellers, from_auto_update=False), _smallest_windows(providers))


def _host(everybody: DataSnapshot, url: str) -> str:
    """Who answers at an address; nobody that the list knows is the empty name."""
    try:
        return everybody.find_provider(None, None, url).id
    except LookupError:
        return ""


def _smallest_windows(providers: Iterable[Provider]) -> dict[str, int]:
    """The smallest window that anybody gives a model, by its name alone."""
    windows: dict[str, int] = {}
    for provider in providers:
        for model in provider.models:
            name = _bare(model.id)
            if model.context_window:
                known = windows.get(name, model.context_window)
                windows[name] = min(known, model.context_window)
    return windows


def _bare(name: str) -> str:
    """A model's name without whose it is, which sellers write in front of it."""
    return name.lower().rpartition("/")[2]


def _key(info: ModelInfo) -> tuple[str, str]:
    return (info.id, info.owner)


def _base(price: Decimal | TieredPrices | None) -> Decimal | None:
    """The price of the first tier; a price of zero is one that the list does not know."""
    if price is not None and not isinstance(price, Decimal):
        price = price.base
    return price or None


def _covers(prices: ModelPrice, entry: UsageEntry) -> bool:
    """Whether the list has a price for everything that the request used."""
    if not (entry.prompt_tokens or entry.completion_tokens):
        return entry.kind is UsageKind.AUDIO and bool(prices.audio_hours and entry.seconds)
    if prices.audio_hours:
        return bool(entry.seconds)
    return bool(
        (prices.input_mtok or not entry.prompt_tokens)
        and (prices.output_mtok or not entry.completion_tokens)
    )


def _counts(entry: UsageEntry) -> Sequence[dict[str, int | float]]:
    """The usage in the list's words: in detail, and in totals alone."""
    totals: dict[str, int | float] = {
        "input_tokens": entry.prompt_tokens,
        "output_tokens": entry.completion_tokens,
    }
    details: dict[str, int | float] = {}
    if entry.cached_tokens:
        details["cache_read_tokens"] = entry.cached_tokens
    if entry.kind is UsageKind.IMAGE:
        details |= {
            "input_image_tokens": entry.media_tokens,
            "output_image_tokens": entry.completion_tokens,
        }
    elif entry.kind is UsageKind.AUDIO:
        if not (entry.prompt_tokens or entry.completion_tokens):
            totals = {}
        if entry.seconds:
            totals["audio_seconds"] = entry.seconds
        details["input_audio_tokens"] = entry.media_tokens
    return ({**totals, **details}, totals)
