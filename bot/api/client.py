"""The client: the port `ModelApi`, composed of a file per endpoint."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Sequence

import httpx

from bot.api.answers import Answers
from bot.api.attempts import Attempts
from bot.api.audio import Transcriptions
from bot.api.catalogue import Catalogue
from bot.api.downloads import Downloads
from bot.api.embeddings import Embeddings
from bot.api.endpoints import Endpoints
from bot.api.http import Http
from bot.api.images import EditRequest, Images, VariationRequest
from bot.api.learnt import Lessons
from bot.api.limits import Limits
from bot.api.settings import ApiSettings
from bot.core.chat import (
    ChatRequest,
    ImageRequest,
    ModelEvent,
    ModelInfo,
    Picture,
    TranscriptionRequest,
    UsageEntry,
)
from bot.core.ports import Clock


class ApiClient:
    """A client of an OpenAI-compatible API. Every method raises `ModelError`. `close` it."""

    def __init__(
        self,
        settings: ApiSettings,
        *,
        clock: Clock,
        dice: random.Random,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = Http(settings, transport)
        self._downloads = Downloads()
        self._limits = Limits(
            clock=clock,
            max_in_flight=settings.max_in_flight,
            requests_per_minute=settings.requests_per_minute,
            tokens_per_minute=settings.tokens_per_minute,
            max_waiting=settings.max_waiting,
        )
        lessons = Lessons(settings)
        attempts = Attempts(
            Endpoints(settings.base_urls, clock),
            self._limits,
            clock=clock,
            dice=dice,
            retries=settings.retries,
            retry_seconds=settings.retry_seconds,
        )
        http, downloads = self._http, self._downloads
        self._answers = Answers(
            settings, http=http, attempts=attempts, lessons=lessons, downloads=downloads
        )
        self._images = Images(
            settings, http=http, attempts=attempts, lessons=lessons, downloads=downloads
        )
        self._transcriptions = Transcriptions(settings, http=http, attempts=attempts, clock=clock)
        self._embeddings = Embeddings(http=http, attempts=attempts, clock=clock)
        self._catalogue = Catalogue(settings, http=http, attempts=attempts, clock=clock)

    @property
    def in_flight(self) -> int:
        """Requests under way."""
        return self._limits.in_flight

    def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        """Ask for an answer, and yield it as it is written; it ends with `Finished`."""
        return self._answers.stream(request)

    async def draw(self, request: ImageRequest) -> Sequence[Picture]:
        """Draw pictures."""
        return await self._images.draw(request)

    async def edit(self, request: EditRequest) -> Sequence[Picture]:
        """Redraw pictures."""
        return await self._images.edit(request)

    async def vary(self, request: VariationRequest) -> Sequence[Picture]:
        """Draw variations of a picture."""
        return await self._images.vary(request)

    async def transcribe(self, request: TranscriptionRequest) -> str:
        """Write down what is said."""
        return await self._transcriptions.transcribe(request)

    async def embed(
        self, model: str, texts: Sequence[str], *, lane: str = ""
    ) -> Sequence[Sequence[float]]:
        """The embedding of each text, in order."""
        return await self._embeddings.embed(model, texts, lane=lane)

    async def models(self) -> Sequence[ModelInfo]:
        """The live model list, sorted by id; may be some minutes old."""
        return await self._catalogue.models()

    def priced(self, entry: UsageEntry) -> UsageEntry:
        """Fill in the cost where the price is known."""
        return self._catalogue.priced(entry)

    async def close(self) -> None:
        """Close all connections; called last, once."""
        await self._limits.close()
        await self._downloads.close()
        await self._http.close()
