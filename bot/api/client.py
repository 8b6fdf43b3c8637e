"""The client: the port `ModelApi`, composed of a file per endpoint."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Callable, Sequence

from bot.api.answers import Answers
from bot.api.attempts import Attempts
from bot.api.catalogue import Catalogue
from bot.api.downloads import Downloads
from bot.api.embeddings import Embedded, Embeddings
from bot.api.endpoints import Endpoints
from bot.api.http import Http
from bot.api.images import Images
from bot.api.learning.lessons import Lessons
from bot.api.limits import Limits
from bot.api.parts import Parts
from bot.api.settings import ApiSettings
from bot.api.silence import Silence
from bot.api.transcriptions import Transcriptions
from bot.core.chat import ChatRequest, ModelEvent
from bot.core.facts import Notebook
from bot.core.images import Drawing, ImageRequest, VariationRequest
from bot.core.models import ModelInfo, UsageEntry
from bot.core.ports import Clock, EndpointHealth
from bot.core.recordings import Transcript, TranscriptionRequest


class ApiClient:
    """A client of an OpenAI-compatible API. Every method raises `ModelError`. `close` it.

    What it learns of models goes into the `notebook`, if there is one.
    """

    def __init__(
        self,
        settings: ApiSettings,
        *,
        clock: Clock,
        dice: random.Random,
        notebook: Notebook | None = None,
    ) -> None:
        self._http = Http(settings)
        self._downloads = Downloads(self._http.proxy)
        self._limits = Limits(
            clock=clock,
            max_in_flight=settings.max_in_flight,
            requests_per_minute=settings.requests_per_minute,
            tokens_per_minute=settings.tokens_per_minute,
            max_waiting=settings.max_waiting,
        )
        self._endpoints = Endpoints(settings.base_urls, clock)
        lessons = Lessons(settings, clock=clock, likely=self._endpoints.likely, notebook=notebook)
        self._silence = Silence(self._endpoints, self._http)
        attempts = Attempts(
            self._endpoints,
            self._limits,
            lessons,
            self._silence,
            clock=clock,
            dice=dice,
            retries=settings.retries,
            retry_seconds=settings.retry_seconds,
        )
        parts = Parts(
            settings=settings,
            http=self._http,
            attempts=attempts,
            lessons=lessons,
            downloads=self._downloads,
            clock=clock,
        )
        self._answers = Answers(parts)
        self._catalogue = Catalogue(parts)
        price = self._catalogue.price
        self._images = Images(parts, answers=self._answers, price=price)
        self._transcriptions = Transcriptions(parts, price=price)
        self._embeddings = Embeddings(parts, price=price)

    async def prepare(self) -> None:
        """Do what the first request would have to wait for; no network."""
        await self._http.prepare()

    @property
    def in_flight(self) -> int:
        """Requests under way."""
        return self._limits.in_flight

    def stream(
        self,
        request: ChatRequest,
        *,
        sent: Callable[[], None] = lambda: None,
        unheard: Callable[[], None] = lambda: None,
    ) -> AsyncGenerator[ModelEvent, None]:
        """Ask for an answer, and yield it as it is written; it ends with `Finished`."""
        return self._answers.stream(request, sent=sent, unheard=unheard)

    async def draw(
        self, request: ImageRequest, *, sent: Callable[[], None] = lambda: None
    ) -> Drawing:
        """Draw pictures of a prompt, or redraw those that the request brings."""
        return await self._images.draw(request, sent)

    async def vary(
        self, request: VariationRequest, *, sent: Callable[[], None] = lambda: None
    ) -> Drawing:
        """Draw variations of a picture."""
        return await self._images.vary(request, sent)

    async def transcribe(
        self,
        request: TranscriptionRequest,
        *,
        sent: Callable[[], None] = lambda: None,
        unheard: Callable[[], None] = lambda: None,
    ) -> Transcript:
        """Write down what is said."""
        return await self._transcriptions.transcribe(request, sent=sent, unheard=unheard)

    async def embed(self, model: str, texts: Sequence[str]) -> Embedded:
        """Turn texts into vectors, in as few calls as they fit into."""
        return await self._embeddings.embed(model, texts)

    async def models(self) -> Sequence[ModelInfo]:
        """The live model list, sorted by id; may be some minutes old."""
        return await self._catalogue.models()

    async def about(self, model: str) -> ModelInfo:
        """What is known about a model, be it listed or not. Raises nothing."""
        return await self._catalogue.about(model)

    def endpoints(self) -> Sequence[EndpointHealth]:
        """The addresses it is asked at and how they are doing; from memory."""
        return self._endpoints.health()

    def priced(self, entry: UsageEntry) -> UsageEntry:
        """Fill in the cost where the price is known."""
        return self._catalogue.priced(entry)

    async def close(self) -> None:
        """Close all connections; called last, once."""
        await self._catalogue.close()
        await self._silence.close()
        await self._limits.close()
        await self._downloads.close()
        await self._http.close()
