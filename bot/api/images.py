"""Pictures: generations, edits and variations.

A picture is drawn while the request waits, for minutes, and is billed even when the connection is
lost. So a call that may have reached the model is never repeated; only fetching the result is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.api.attempts import Attempts, Call, Try
from bot.api.downloads import Downloads
from bot.api.errors import CallFailed, from_payload
from bot.api.http import Http, HttpRequest, json_object
from bot.api.learnt import Lessons
from bot.api.pictures import mime_of, picture_of
from bot.api.settings import ApiSettings
from bot.api.tokens import estimate_tokens
from bot.api.wire import Json
from bot.core.chat import ImageDelta, ImagePart, ImageRequest, Picture
from bot.errors import ModelErrorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class EditRequest:
    """Redraw `images` as `prompt` says, where the mask (if any) is transparent."""

    model: str
    prompt: str
    images: tuple[ImagePart, ...] = field(repr=False)
    mask: ImagePart | None = field(default=None, repr=False)
    n: int = 1
    size: str = ""
    quality: str = ""
    lane: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariationRequest:
    """Draw `n` variations of a picture."""

    model: str
    image: ImagePart = field(repr=False)
    n: int = 1
    size: str = ""
    lane: str = ""


class Images:
    """Draws pictures."""

    def __init__(
        self,
        settings: ApiSettings,
        *,
        http: Http,
        attempts: Attempts,
        lessons: Lessons,
        downloads: Downloads,
    ) -> None:
        self._seconds = settings.image_timeout
        self._http = http
        self._attempts = attempts
        self._lessons = lessons
        self._downloads = downloads

    async def draw(self, request: ImageRequest) -> Sequence[Picture]:
        """Draw pictures of a prompt. Raises `CallFailed`."""

        def build() -> tuple[Json, HttpRequest]:
            body = {**_common(request.model, request.n, request.size), "prompt": request.prompt}
            body |= _given(quality=request.quality, style=request.style)
            body = self._lessons.of(request.model).adapt(body)
            return body, HttpRequest(path="/images/generations", json=body)

        return await self._call("image", request.model, request.lane, request.prompt, build)

    async def edit(self, request: EditRequest) -> Sequence[Picture]:
        """Redraw pictures. Raises `CallFailed`."""

        def build() -> tuple[Json, HttpRequest]:
            body = {**_common(request.model, request.n, request.size), "prompt": request.prompt}
            body |= _given(quality=request.quality)
            body = self._lessons.of(request.model).adapt(body)
            name = "image" if len(request.images) == 1 else "image[]"
            files = [(name, _file(image)) for image in request.images]
            files += [("mask", _file(request.mask))] if request.mask else []
            return body, HttpRequest(path="/images/edits", form=_form(body), files=files)

        return await self._call("image edit", request.model, request.lane, request.prompt, build)

    async def vary(self, request: VariationRequest) -> Sequence[Picture]:
        """Draw variations. Raises `CallFailed`; UNSUPPORTED where the API has no such endpoint."""

        def build() -> tuple[Json, HttpRequest]:
            body = _common(request.model, request.n, request.size)
            body = self._lessons.of(request.model).adapt(body)
            files = [("image", _file(request.image))]
            return body, HttpRequest(path="/images/variations", form=_form(body), files=files)

        return await self._call("image variation", request.model, request.lane, "", build)

    async def _call(
        self,
        name: str,
        model: str,
        lane: str,
        prompt: str,
        build: Callable[[], tuple[Json, HttpRequest]],
    ) -> Sequence[Picture]:
        sent: Json = {}

        async def ask(one: Try) -> tuple[Json, str]:
            body, message = build()
            sent.clear()
            sent.update(body)
            url = one.endpoint.url
            headers, answer = await self._http.fetch(url, message, seconds=self._seconds)
            found = json_object(headers, answer)
            failure = from_payload(found)
            if failure is not None:
                raise failure
            return found, url

        call = Call(
            name=name,
            model=model,
            lane=lane,
            tokens=estimate_tokens(prompt),
            billed=True,
            learn=lambda failure: self._lessons.learn(model, failure, sent),
        )
        async with self._attempts.succeed(call, ask) as (answer, url):
            pass
        items = answer.get("data")
        pictures = [
            await self._picture(item, url) for item in items or () if isinstance(item, dict)
        ]
        if not pictures:
            raise CallFailed(ModelErrorKind.BAD_ANSWER, "the answer holds no picture", status=200)
        return pictures

    async def _picture(self, item: Json, base_url: str) -> Picture:
        data, url = item.get("b64_json"), item.get("url")
        found: ImageDelta | None = None
        if isinstance(data, str) and data:
            found = picture_of(data)
        elif isinstance(url, str) and url.startswith("data:"):
            found = picture_of(url)
        elif isinstance(url, str) and url:
            found = await self._downloads.picture(url, base_url)
        if found is None:
            raise CallFailed(ModelErrorKind.BAD_ANSWER, "what the API drew is not a picture")
        note = item.get("revised_prompt")
        return Picture(mime=found.mime, data=found.data, note=note if isinstance(note, str) else "")


def _common(model: str, n: int, size: str) -> Json:
    """No `response_format`: newer models refuse it, and both forms of an answer are understood."""
    return {"model": model, **({"n": n} if n != 1 else {}), **_given(size=size)}


def _given(**values: str) -> Json:
    return {name: value for name, value in values.items() if value}


def _form(body: Json) -> dict[str, str]:
    return {name: str(value) for name, value in body.items()}


def _file(image: ImagePart) -> tuple[str, bytes, str]:
    mime = mime_of(image.data) or image.mime
    return f"picture.{mime.rpartition('/')[2]}", image.data, mime
