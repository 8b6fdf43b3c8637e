"""The live list of models, what is known about them, and what a request costs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from bot.api.attempts import Attempt, Call
from bot.api.failures.bodies import json_of
from bot.api.failures.errors import CallFailed
from bot.api.http import HttpRequest, json_object
from bot.api.list_prices import ListPrices
from bot.api.parts import Parts
from bot.api.protocols.wire import Json, raise_error
from bot.api.purposes import purpose_of
from bot.api.settings import ApiSettings
from bot.core.errands import Errands
from bot.core.models import ModelInfo, UsageEntry, UsageKind
from bot.core.phrases import Phrase
from bot.core.single_flight import SingleFlight
from bot.errors import ModelErrorKind

FRESH = 600.0
"""Seconds for which the list is not asked for again."""
NEW = 60.0
"""Seconds for which it is not asked for again by who looks at it, to choose a model: providers
rename models, and who is told that theirs is unknown looks at once for what there is instead."""
FAILED = 30.0
"""Seconds for which a failure is remembered: every turn asks for the list."""
SECONDS = 15.0
PATIENCE = 3.0
"""Seconds for which an answer waits at most for the first list, and who looks at it for a newer
one; an answer does not wait for that."""
MILLION = Decimal(1_000_000)
DEAREST = Decimal("0.01")
"""US dollars per token beyond which a price is nonsense; the database holds no sums of such."""
_FACTS = (
    "context_window",
    "vision",
    "input_price",
    "cached_price",
    "output_price",
    "image_price",
    "minute_price",
)
"""What the configuration says about a model wins."""
_WINDOWS = ("context_length", "context_window", "max_model_len", "max_context_length")
_GIVEN = {
    "image-generation": "image",
    "embeddings": "embeddings",
    "jina-rerank": "rerank",
    "openai-video": "video",
}
"""What a model answers with, by the endpoint that new-api names first for it."""


class Catalogue:
    """The models of the API. One request at a time; an old list is better than none."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._settings = settings = parts.settings
        self._clock = parts.clock
        self._refreshing = SingleFlight(self._refresh)
        self._errands = Errands()
        self._list_prices = ListPrices(settings.base_urls, on=settings.list_prices)
        self._models: dict[str, ModelInfo] = {}  # as the API and the configuration tell of them
        self._failure: CallFailed | None = None
        self._asked = float("-inf")
        self._until = self._clock.monotonic()

    async def models(self) -> Sequence[ModelInfo]:
        """The list for somebody who looks at it, sorted by id.

        Raises `CallFailed` when there has never been one.
        """
        await self._renew()
        if self._models:
            await self._list_prices.load(self._models.values())
            return tuple(map(self._completed, self._models.values()))
        if self._failure is not None:
            raise self._failure.again()
        return ()

    async def about(self, model: str) -> ModelInfo:
        """What is known about a model, be it listed or not. Raises nothing."""
        await self._renew_beside()
        told = self._told(model)
        await self._list_prices.load([told])
        return self._completed(told)

    async def price(self, entry: UsageEntry) -> UsageEntry:
        """The entry with its cost; the list of prices is loaded beside the event loop."""
        await self._list_prices.load()
        return self.priced(entry)

    def priced(self, entry: UsageEntry) -> UsageEntry:
        """The entry with its cost, where the price is known; an unknown price is not zero."""
        told = self._told(entry.model)
        cost: Decimal | None = None
        if entry.kind is UsageKind.IMAGE and told.image_price is not None:
            cost = told.image_price * entry.images
        elif entry.kind is UsageKind.AUDIO and told.minute_price is not None:
            cost = told.minute_price * Decimal(str(entry.seconds)) / 60
        elif told.input_price is None:
            cost = self._list_prices.cost(told, entry)
        elif entry.prompt_tokens or entry.completion_tokens:
            cost = _token_cost(told, told.input_price, entry)
        return entry if cost is None else replace(entry, cost=cost)

    def _told(self, model: str) -> ModelInfo:
        """What the API and the configuration tell of a model."""
        unlisted = ModelInfo(id=model, purpose=purpose_of(model))
        return self._models.get(model) or _with_settings(unlisted, self._settings)

    def _completed(self, info: ModelInfo) -> ModelInfo:
        return self._parts.lessons.complete(self._list_prices.complete(info))

    async def _renew(self) -> None:
        """Ask for the list when it is not new; a failure is remembered for a while."""
        now = self._clock.monotonic()
        if now >= self._until:
            await self._refreshing.run()
        elif self._failure is None and now >= self._asked + NEW:
            await self._wait_beside()

    async def _renew_beside(self) -> None:
        """Ask for the list when it is old; who wants an answer does not wait for it to come."""
        if self._clock.monotonic() < self._until:
            return
        if not self._models and self._failure is None:
            await self._wait_beside()
        else:
            self._send_for_it()

    async def _wait_beside(self) -> None:
        """Ask for the list, and wait a little for it."""
        self._send_for_it()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._refreshing.run()

    def _send_for_it(self) -> None:
        if not self._errands:
            self._errands.send(self._refreshing.run())

    async def close(self) -> None:
        """Ask for nothing more."""
        await self._errands.close()

    async def _refresh(self) -> None:
        async def ask(attempt: Attempt) -> dict[str, ModelInfo]:
            message = HttpRequest(path="/models")
            url = attempt.endpoint.url
            headers, body = await self._parts.http.fetch(url, message, seconds=SECONDS)
            bare = json_of(body)  # Together sends its list without anything around it
            found = {"data": bare} if isinstance(bare, list) else json_object(headers, body)
            raise_error(found)
            return self._read(found)

        self._asked = self._clock.monotonic()
        call = Call(name="models", model="", lane="", retries=1)
        try:
            async with self._parts.attempts.succeed(call, ask) as models:
                self._models, self._failure = models, None
                self._until = self._clock.monotonic() + FRESH
        except CallFailed as failure:
            self._failure = failure
            self._until = self._clock.monotonic() + FAILED

    def _read(self, body: Json) -> dict[str, ModelInfo]:
        data = body.get("data")
        if data is None and body.get("object") == "list":  # Ollama, before there is a model
            data = []
        if not isinstance(data, list):
            wrong = Phrase("the answer is no list of models")
            raise CallFailed(ModelErrorKind.BAD_ANSWER, wrong)
        infos = {
            item["id"]: _with_settings(_info(item), self._settings)
            for item in data
            if isinstance(item, dict) and isinstance(item.get("id"), str) and item["id"]
        }
        return {name: infos[name] for name in sorted(infos)}


def _info(item: Json) -> ModelInfo:
    """What servers tell beyond OpenAI's fields: OpenRouter, vLLM, Mistral, llama.cpp and others."""
    more = {name: found for name, found in item.items() if isinstance(found, dict)}
    meta, pricing = more.get("meta", {}), more.get("pricing", {})
    design, able = more.get("architecture", {}), more.get("capabilities", {})
    windows = (*map(item.get, _WINDOWS), meta.get("n_ctx"))
    window = next((w for w in windows if isinstance(w, int) and w > 0), None)
    owner = item.get("owned_by")
    kinds = design.get("input_modalities")
    sees = "image" in kinds if isinstance(kinds, list) else able.get("vision")
    return ModelInfo(
        id=item["id"],
        owner=owner if isinstance(owner, str) else "",
        context_window=window,
        vision=sees if isinstance(sees, bool) else None,
        input_price=_per_million(pricing.get("prompt")),
        cached_price=_per_million(pricing.get("input_cache_read")),
        output_price=_per_million(pricing.get("completion")),
        purpose=purpose_of(item["id"], _given(item, design)),
    )


def _given(item: Json, design: Json) -> Sequence[object]:
    """What a model answers with: `text`, `image`; nothing where that is not told."""
    given, ways = design.get("output_modalities"), item.get("supported_endpoint_types")
    if isinstance(given, list):
        return given
    if not isinstance(ways, list):
        return ()
    return [_GIVEN[way] for way in map(str, ways[:1]) if way in _GIVEN]


def _per_million(price: object) -> Decimal | None:
    """A price per token, as OpenRouter writes it, per million tokens."""
    if not isinstance(price, str | int | float) or isinstance(price, bool):
        return None
    try:
        found = Decimal(str(price))
    except InvalidOperation:
        return None
    return found * MILLION if found.is_finite() and 0 <= found <= DEAREST else None


def _with_settings(info: ModelInfo, settings: ApiSettings) -> ModelInfo:
    known = settings.known(info.id)
    said = {name: value for name in _FACTS if (value := getattr(known, name)) is not None}
    return replace(info, **said) if said else info


def _token_cost(prices: ModelInfo, price: Decimal, entry: UsageEntry) -> Decimal | None:
    if prices.output_price is None and entry.completion_tokens:
        return None
    cached = min(entry.cached_tokens, entry.prompt_tokens)
    cached_price = price if prices.cached_price is None else prices.cached_price
    cost = price * (entry.prompt_tokens - cached) + cached_price * cached
    cost += (prices.output_price or Decimal(0)) * entry.completion_tokens
    return cost / MILLION
