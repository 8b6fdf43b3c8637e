"""Pictures: generations, edits and variations.

A picture is drawn while the request waits, for minutes, and is billed even when the connection is
lost. So a call that may have reached the model is never repeated; only fetching the result is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias, TypeVar

from bot.api.answers import Answers
from bot.api.attempts import Attempt, Call
from bot.api.chat_drawing import Basket, draw_in_chat
from bot.api.failures.errors import CallFailed
from bot.api.http import HttpRequest
from bot.api.image_checks import check_drawing, check_variation, spelt, spelt_size
from bot.api.parts import Parts
from bot.api.protocols.pictures import mime_of, picture_of
from bot.api.protocols.usage import NOTHING_USED, Price, detail_of, read_usage
from bot.api.protocols.wire import Json, objects_in
from bot.api.tokens import estimate_tokens
from bot.core.chat import ImageDelta, ImagePart
from bot.core.images import Drawing, ImageRequest, Picture, VariationRequest
from bot.core.models import UsageEntry, UsageKind
from bot.errors import ModelErrorKind

log = logging.getLogger(__name__)

T = TypeVar("T")

File: TypeAlias = tuple[str, bytes, str]
"""A file of a form: its name, its bytes and its type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What is sent: to which endpoint, with which parameters and files."""

    name: str
    path: str
    lane: str
    body: Json
    files: Mapping[str, Sequence[File]] = field(default_factory=dict, repr=False)


class Images:
    """Draws pictures."""

    def __init__(self, parts: Parts, *, answers: Answers, price: Price) -> None:
        self._parts = parts
        self._lessons = parts.lessons
        self._clock = parts.clock
        self._answers = answers
        self._price = price

    async def draw(self, request: ImageRequest, sent: Callable[[], None]) -> Drawing:
        """Draw pictures of a prompt, or redraw those of the request. Raises `CallFailed`.

        `sent` is called when a request goes out.
        """
        takes = self._lessons.words(request.model)
        request = spelt(request, takes)
        await check_drawing(request, takes)
        if self._lessons.draws_in_chat(request.model):
            return await self._draw_in_chat(request, sent)
        try:
            return await self._order(request, sent)
        except CallFailed as failure:
            if not self._lessons.learn_drawing(request.model, failure):
                raise
        return await self._draw_in_chat(request, sent)

    async def _order(self, request: ImageRequest, sent: Callable[[], None]) -> Drawing:
        body = {**_common(request.model, request.n, request.size), "prompt": request.prompt}
        body |= _given(quality=request.quality, style=request.style)
        if not request.images:
            order = _Order(name="image", path="/images/generations", lane=request.lane, body=body)
            return await self._draw(order, sent)
        name = "image" if len(request.images) == 1 else "image[]"
        files = {name: [_file(image) for image in request.images]}
        files |= {"mask": [_file(request.mask)]} if request.mask else {}
        path = "/images/edits"
        order = _Order(name="image edit", path=path, lane=request.lane, body=body, files=files)
        return await self._draw(order, sent)

    async def vary(self, request: VariationRequest, sent: Callable[[], None]) -> Drawing:
        """Draw variations. Raises `CallFailed`; UNSUPPORTED where the API has no such endpoint."""
        takes = self._lessons.words(request.model)
        request = replace(request, size=spelt_size(request.size, takes))
        check_variation(request, takes)
        body = _common(request.model, request.n, request.size)
        files = {"image": [_file(request.image)]}
        path = "/images/variations"
        order = _Order(name="image variation", path=path, lane=request.lane, body=body, files=files)
        return await self._draw(order, sent)

    async def _draw_in_chat(self, request: ImageRequest, sent: Callable[[], None]) -> Drawing:
        """Ask a model that draws as part of a conversation, once for each picture."""
        parts, began = self._parts, self._clock.monotonic()
        if request.mask is not None:
            raise CallFailed(ModelErrorKind.UNSUPPORTED, "this model takes no mask", sent=False)
        basket = Basket(partial(parts.downloads.picture, base_url=parts.settings.base_urls[0]))
        asked = (draw_in_chat(self._answers, request, sent, basket.fetch) for _ in range(request.n))
        drawn = await _all_that_succeed(asked)
        pictures = tuple(picture for each in drawn for picture in each.pictures)
        words = next((each.words for each in drawn if each.words), "")
        used = [each.usage for each in drawn if each.usage is not None]
        entry = UsageEntry(
            kind=UsageKind.IMAGE,
            model=request.model,
            images=len(pictures),
            latency=self._clock.monotonic() - began,
            prompt_tokens=sum(usage.prompt_tokens for usage in used),
            completion_tokens=sum(usage.completion_tokens for usage in used),
            cached_tokens=sum(usage.cached_tokens for usage in used),
            estimated=any(usage.estimated for usage in used),
        )
        return Drawing(pictures=pictures, usage=await self._price(entry), words=words)

    async def _draw(self, order: _Order, sent: Callable[[], None]) -> Drawing:
        model, began = str(order.body["model"]), self._clock.monotonic()
        endpoint = order.path.rpartition("/")[2]

        async def ask(attempt: Attempt) -> tuple[Json, str]:
            url, seconds = attempt.endpoint.url, self._parts.settings.image_timeout
            body = attempt.adapted({**order.body, **order.files})
            message = HttpRequest(path=order.path, json=body)
            if order.files:
                message = _form(order.path, body)
            return await self._parts.http.fetch_json(url, message, seconds=seconds), url

        call = Call(
            name=order.name,
            model=model,
            lane=order.lane,
            tokens=estimate_tokens(str(order.body.get("prompt", ""))),
            billed=True,
            sent=sent,
        )
        try:
            async with self._parts.attempts.succeed(call, ask) as (answer, url):
                self._lessons.learn_offered(url, model, endpoint)
        except CallFailed as failure:
            if order.files and failure.is_not_offered:
                self._lessons.learn_lack(model, failure, endpoint)
            raise
        drawn = answer.get("data") or answer.get("images")  # SiliconFlow
        pictures = await self._pictures(drawn, url)
        used = read_usage(answer.get("usage")) or NOTHING_USED
        entry = UsageEntry(
            kind=UsageKind.IMAGE,
            model=model,
            images=len(pictures),
            latency=self._clock.monotonic() - began,
            prompt_tokens=used.prompt_tokens,
            completion_tokens=used.completion_tokens,
            cached_tokens=used.cached_tokens,
            media_tokens=detail_of(answer.get("usage"), "image_tokens", within="input"),
        )
        return Drawing(pictures=pictures, usage=await self._price(entry))

    async def _pictures(self, data: object, url: str) -> tuple[Picture, ...]:
        """All pictures that can be had; they are paid. Raises `CallFailed` when there is none."""
        items = objects_in(data)
        if not items:
            raise CallFailed(ModelErrorKind.BAD_ANSWER, "the answer holds no picture", status=200)
        return tuple(await _all_that_succeed(self._picture(item, url) for item in items))

    async def _picture(self, item: Json, base_url: str) -> Picture:
        data, url = item.get("b64_json"), item.get("url")
        found: ImageDelta | None = None
        if isinstance(data, str) and data:
            found = picture_of(data)
        elif isinstance(url, str) and url.startswith("data:"):
            found = picture_of(url)
        elif isinstance(url, str) and url:
            found = await self._parts.downloads.picture(url, base_url)
        if found is None and item.get("respect_moderation") is False:  # xAI
            raise CallFailed(ModelErrorKind.REFUSED, "the picture did not pass the moderation")
        if found is None:
            raise CallFailed(ModelErrorKind.BAD_ANSWER, "what the API drew is not a picture")
        note = item.get("revised_prompt")
        return Picture(mime=found.mime, data=found.data, note=note if isinstance(note, str) else "")


async def _all_that_succeed(works: Iterable[Awaitable[T]]) -> Sequence[T]:
    """The results of those that succeed, which are paid. Raises `CallFailed` when none does."""
    results: list[T] = []
    failures: list[BaseException] = []
    for outcome in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(outcome, BaseException):
            failures.append(outcome)
        else:
            results.append(outcome)
    for failure in failures:
        if not (results and isinstance(failure, CallFailed)):
            raise failure
        log.warning("picture lost", extra={"error": failure.detail})
    return results


def _common(model: str, n: int, size: str) -> Json:
    """No `response_format`: newer models refuse it, and both forms of an answer are understood."""
    return {"model": model, **({"n": n} if n != 1 else {}), **_given(size=size)}


def _form(path: str, body: Json) -> HttpRequest:
    """What is in lists are files."""
    files = [(name, file) for name, of in body.items() if isinstance(of, list) for file in of]
    form = {name: str(value) for name, value in body.items() if not isinstance(value, list)}
    return HttpRequest(path=path, form=form, files=files)


def _given(**values: str) -> Json:
    return {name: value for name, value in values.items() if value}


def _file(image: ImagePart) -> File:
    mime = mime_of(image.data) or image.mime
    return f"picture.{mime.rpartition('/')[2]}", image.data, mime
