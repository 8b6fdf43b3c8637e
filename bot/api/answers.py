"""Conversations with a model: one stream of events, whichever protocol the model speaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass

from bot.api.answer_cache import AnswerCache
from bot.api.attempts import Attempt, Call
from bot.api.cadence import Cadence
from bot.api.failures.errors import CallFailed
from bot.api.http import HttpRequest
from bot.api.parts import Parts
from bot.api.protocols import chat_completions, completions, responses
from bot.api.protocols.chat_completions import ChatReader
from bot.api.protocols.wire import Json, PictureLink, Reader, WireEvent
from bot.api.settings import Protocol
from bot.api.streaming import AnswerStream
from bot.api.tokens import Calibration, Estimate, estimate_tokens
from bot.core.chat import (
    MESSAGE_TOKENS,
    PICTURE_TOKENS,
    ChatRequest,
    Finished,
    ImagePart,
    ModelEvent,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from bot.errors import ModelErrorKind

Kind = ModelErrorKind

_CUTS = frozenset({Kind.SERVER, Kind.RATE_LIMITED, Kind.UNREACHABLE, Kind.BAD_ANSWER})
"""What, in the middle of an answer, means that it is cut."""


@dataclass(frozen=True, slots=True)
class _Deadlines:
    """Seconds to the `first` event and `between` two; `until`, in the event loop's time, in all."""

    first: float
    between: float
    until: float


@dataclass(frozen=True, slots=True)
class _Opened:
    """An answer of which the `first` events are there; `estimate` are the tokens of its request."""

    request: ChatRequest
    estimate: int
    attempt: Attempt
    reader: Reader
    answer: AnswerStream
    first: list[WireEvent]

    @property
    def url(self) -> str:
        """The base URL at which it was asked for."""
        return self.attempt.endpoint.url


class Answers:
    """Streams answers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lessons = parts.lessons
        self._cadence = Cadence(parts.clock)
        self._calibration = Calibration()
        seconds = parts.settings.remember_answers
        self._cache = AnswerCache(parts.clock, seconds=seconds)

    def stream(
        self,
        request: ChatRequest,
        *,
        billed: bool = False,
        sent: Callable[[], None] = lambda: None,
        unheard: Callable[[], None] = lambda: None,
    ) -> AsyncGenerator[ModelEvent, None]:
        """The answer as it is written. Raises `CallFailed`.

        One that is `billed` whatever becomes of it is not tried again once it may have reached
        the model, and waited for like a picture. `sent` is called when the request goes out, and
        `unheard` when it is waited for though nothing at all comes from the server.
        """
        key = self._cache.key(request)
        asked = self._ask(request, billed=billed, sent=sent, unheard=unheard)
        return asked if key is None else self._remembered(key, request, asked)

    async def _remembered(
        self, key: bytes, request: ChatRequest, asked: AsyncGenerator[ModelEvent, None]
    ) -> AsyncGenerator[ModelEvent, None]:
        """The answer from memory, or else the one that is `asked` for."""
        said: list[ModelEvent] = []
        async with aclosing(asked):
            known = None if request.fresh else self._cache.get(key)
            if known is not None:
                for event in known:
                    yield event
                return
            async for event in asked:
                said.append(event)
                yield event
        self._cache.put(key, said)

    async def _ask(
        self,
        request: ChatRequest,
        *,
        billed: bool,
        sent: Callable[[], None],
        unheard: Callable[[], None],
    ) -> AsyncGenerator[ModelEvent, None]:
        estimate, deadlines = estimate_request(request), self._deadlines(billed=billed)

        async def open_answer(attempt: Attempt) -> _Opened:
            lesson = self._lessons.of(attempt.endpoint.url, request.model)
            protocol = self._lessons.protocol(request.model, lesson)
            path, payload, reader = _spoken(request, protocol, thinks_first=lesson.thinks_first)
            body = attempt.adapted(payload)
            message = HttpRequest(path=path, json=body, accept="text/event-stream")
            seconds = deadlines.first
            if not body["stream"]:  # it comes in one piece, when all of it is written
                seconds = max(seconds, self._parts.settings.image_timeout)
            answer, first = await self._open(message, reader, attempt, seconds)
            return _Opened(request, estimate, attempt, reader, answer, first)

        call = Call(
            name="chat",
            model=request.model,
            lane=request.lane,
            tokens=self._calibration.corrected(request.model, estimate),
            billed=billed,
            until=deadlines.until,
            sent=sent,
            unheard=unheard,
        )
        async with (
            self._parts.attempts.succeed(call, open_answer) as opened,
            aclosing(self._batches(opened, deadlines)) as batches,
        ):
            async for batch in batches:
                for event in batch:
                    yield event
        self._learn(opened)

    def _learn(self, opened: _Opened) -> None:
        """Learn from a whole answer where its reasoning begins, unless it is the subject.

        And that more pictures are taken than was told before.
        """
        request, reader = opened.request, opened.reader
        lessons, url, model = self._lessons, opened.url, request.model
        first = reader.thinks_first if isinstance(reader, ChatReader) else None
        if first is not None and not any("think>" in each.text for each in request.messages):
            lessons.learn_thinking(url, model, first=first)
        if lessons.of(url, model).pictures is not None:
            parts = (part for message in request.messages for part in message.parts)
            shown = sum(isinstance(part, ImagePart) for part in parts)
            lessons.learn_taken(url, model, pictures=shown)

    def _deadlines(self, *, billed: bool) -> _Deadlines:
        settings = self._parts.settings
        until = asyncio.get_running_loop().time() + settings.total_timeout
        if billed:
            return _Deadlines(settings.image_timeout, settings.image_timeout, until)
        return _Deadlines(settings.first_event_timeout, settings.idle_timeout, until)

    async def _open(
        self, message: HttpRequest, reader: Reader, attempt: Attempt, seconds: float
    ) -> tuple[AnswerStream, list[WireEvent]]:
        """Send the request and wait for the first events: earlier failures move on unseen.

        A server that gives signs of life is waited for as for a picture: it knows that the model
        thinks, or when the request has its turn, and to ask another would be paid for as well.
        OpenRouter sends them so that nobody gives up (https://openrouter.ai/docs, "Streaming"), and
        DeepSeek ends by itself what waits for too long (https://api-docs.deepseek.com, "Rate
        Limit").
        """
        patient = max(seconds, self._parts.settings.image_timeout)
        began = asyncio.get_running_loop().time()

        def alive() -> None:
            attempt.hear()
            deadline.reschedule(began + patient)

        try:
            async with asyncio.timeout(seconds) as deadline:
                opening = self._parts.http.open(attempt.endpoint.url, message)
                response = await attempt.held.enter_async_context(opening)
                attempt.hear()
                answer = AnswerStream(response, reader)
                first = await answer.first(alive)
                return answer, first
        except TimeoutError as error:
            waited = asyncio.get_running_loop().time() - began
            raise CallFailed(Kind.TIMEOUT, f"no answer in {waited:.0f} s") from error

    async def _batches(
        self, opened: _Opened, deadlines: _Deadlines
    ) -> AsyncGenerator[list[ModelEvent], None]:
        """The events as they come. What is known at the end is told before a cut is raised."""
        answer, failure = opened.answer, None
        said = Estimate()
        said.add(_words(opened.first))
        yield await self._fetched(opened.first, opened)
        try:
            idle, until = deadlines.between, deadlines.until
            with self._cadence.reading() as pause:
                while (
                    events := await answer.more(idle=idle, until=until, pause=pause)
                ) is not None:
                    opened.attempt.hear()
                    said.add(_words(events))
                    yield await self._fetched(events, opened)
        except CallFailed as error:
            failure = error
        ending = opened.reader.end()
        said.add(_words(ending))
        ending = self._with_usage(opened, ending, said.tokens)
        yield await self._fetched(ending, opened)
        if failure is not None:
            # Once somebody has seen the beginning of an answer, most of what ends it is a cut.
            kind = Kind.CUT if failure.kind in _CUTS else failure.kind
            raise failure.again(kind, request_id=answer.request_id) from failure
        self._lessons.learn_end(opened.url, opened.request.model, told=answer.complete)
        if not answer.complete:
            raise CallFailed(
                Kind.CUT, "the stream ended before the answer did", request_id=answer.request_id
            )
        await answer.farewell()

    async def _fetched(self, events: list[WireEvent], opened: _Opened) -> list[ModelEvent]:
        """The events with the pictures themselves in place of links to them."""
        return [
            await self._parts.downloads.picture_or_link(event.url, opened.url)
            if isinstance(event, PictureLink)
            else event
            for event in events
        ]

    def _with_usage(self, opened: _Opened, ending: list[WireEvent], tokens: int) -> list[WireEvent]:
        """The ending with a usage in it: the reported one, or else an estimate.

        `tokens` are those that the answer seems to have.
        """
        model, slot = opened.request.model, opened.attempt.slot
        reported = next((event for event in ending if isinstance(event, Usage)), None)
        if reported is not None:
            self._calibration.learn(model, opened.estimate, reported.prompt_tokens)
            self._lessons.learn_taken(opened.url, model, tokens=reported.prompt_tokens)
            slot.correct(reported.prompt_tokens + reported.completion_tokens)
            return ending
        usage = Usage(
            prompt_tokens=self._calibration.corrected(model, opened.estimate),
            completion_tokens=tokens,
            estimated=True,
        )
        slot.correct(usage.prompt_tokens + usage.completion_tokens)
        last = len(ending) - 1 if ending and isinstance(ending[-1], Finished) else len(ending)
        return [*ending[:last], usage, *ending[last:]]


def estimate_request(request: ChatRequest) -> int:
    """About how many tokens a request takes."""
    total = sum(estimate_tokens(tool.parameters + tool.description) for tool in request.tools)
    for message in request.messages:
        total += MESSAGE_TOKENS
        total += sum(estimate_tokens(call.arguments) for call in message.tool_calls)
        for part in message.parts:
            total += PICTURE_TOKENS if isinstance(part, ImagePart) else estimate_tokens(part.text)
    return total


def _words(events: Iterable[WireEvent]) -> str:
    """What events add to an answer that a model is paid for."""
    return "".join(
        event.arguments if isinstance(event, ToolCallDelta) else event.text
        for event in events
        if isinstance(event, TextDelta | ReasoningDelta | ToolCallDelta)
    )


def _spoken(
    request: ChatRequest, protocol: Protocol, *, thinks_first: bool
) -> tuple[str, Json, Reader]:
    """Where to ask, what to send, and who reads the answer."""
    match protocol:
        case "chat":
            reader = ChatReader(thinks_first=thinks_first)
            return chat_completions.PATH, chat_completions.payload(request), reader
        case "completions":
            return completions.PATH, completions.payload(request), completions.CompletionReader()
        case "responses":
            return responses.PATH, responses.payload(request), responses.ResponseReader()
