"""A model that says what a test tells it to say."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from bot.core.chat import FinishReason, ToolCall
from bot.core.recordings import Segment
from bot.sandbox.openai.backend import (
    Called,
    Drawing,
    DrawingOrder,
    Ended,
    Endpoint,
    ModelCard,
    Piece,
    Question,
    Recording,
    Said,
    Thought,
    Transcript,
    text_of,
)
from bot.sandbox.openai.windows import Window

_TEXT = frozenset({Endpoint.CHAT, Endpoint.RESPONSES})
_IMAGE = frozenset({Endpoint.IMAGES, Endpoint.EDITS, Endpoint.VARIATIONS})

MODELS = (
    ModelCard(id="gpt-4o-mini", owner="openai", endpoints=_TEXT),
    ModelCard(id="gpt-4o", owner="openai", endpoints=_TEXT),
    ModelCard(
        id="o3-mini",
        owner="openai",
        endpoints=_TEXT,
        refuses=frozenset({"max_tokens", "temperature", "top_p"}),
    ),
    ModelCard(id="o1-pro", owner="openai", endpoints=frozenset({Endpoint.RESPONSES})),
    ModelCard(
        id="gpt-3.5-turbo-instruct", owner="openai", endpoints=frozenset({Endpoint.COMPLETIONS})
    ),
    ModelCard(id="claude-sonnet-4-5", owner="anthropic", endpoints=_TEXT),
    ModelCard(id="deepseek-chat", owner="deepseek", endpoints=_TEXT),
    ModelCard(id="deepseek-reasoner", owner="deepseek", endpoints=_TEXT),
    ModelCard(id="qwen-max", owner="alibaba", endpoints=_TEXT),
    ModelCard(
        id="text-embedding-3-small", owner="openai", endpoints=frozenset({Endpoint.EMBEDDINGS})
    ),
    ModelCard(
        id="gpt-image-1",
        owner="openai",
        endpoints=_IMAGE,
        refuses=frozenset({"response_format", "style"}),
    ),
    ModelCard(id="dall-e-3", owner="openai", endpoints=_IMAGE, image_url=True),
    ModelCard(id="whisper-1", owner="openai", endpoints=frozenset({Endpoint.TRANSCRIPTIONS})),
)
"""The list a scripted server starts with; a mixture of what real models take and refuse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer and how it arrives.

    `chunk` is in characters per event, `pace` in seconds between two events, `first` in seconds
    before the first; None: the script's own.
    """

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: FinishReason = FinishReason.STOP
    chunk: int | None = None
    pace: float | None = None
    first: float = 0.0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


AnswerTo: TypeAlias = Callable[[Question], Answer | str]
"""Makes up an answer from what is asked."""


def echo(question: Question) -> str:
    """The default answer: Markdown that repeats the question, the same every time."""
    asked = question.last_text.strip() or "nothing"
    return (
        f"**You said:** {asked}\n\n"
        "- This answer is scripted.\n"
        f"- It has a list, `code` and the model's name: {question.model}.\n"
    )


@dataclass(slots=True, kw_only=True)
class Script:
    """What the model says next. `chunk` and `pace` hold for answers that do not say otherwise.

    `cards` is the list of models, and `windows` what some of them take, by name; the list does
    not tell that. Recordings and pictures need no script.
    """

    cards: list[ModelCard] = field(default_factory=lambda: list(MODELS))
    windows: dict[str, Window] = field(default_factory=dict)
    chunk: int = 12
    pace: float = 0.0
    _answers: deque[Answer] = field(default_factory=deque)
    _transcripts: deque[str] = field(default_factory=deque)
    _otherwise: AnswerTo = echo

    def answer(self, *answers: Answer | str) -> None:
        """Say these next, one per request, whatever is asked."""
        self._answers.extend(_as_answer(answer) for answer in answers)

    def answer_with(self, otherwise: AnswerTo) -> None:
        """Make up the answer whenever none is waiting."""
        self._otherwise = otherwise

    def transcribe(self, *texts: str) -> None:
        """Hear these next, one per recording; an empty text is silence."""
        self._transcripts.extend(texts)

    def next_answer(self, question: Question) -> Answer:
        """What is said to this question."""
        return self._answers.popleft() if self._answers else _as_answer(self._otherwise(question))

    def next_transcript(self, recording: Recording) -> str:
        """What is heard in this recording."""
        if self._transcripts:
            return self._transcripts.popleft()
        return f"This recording has {len(recording.file.content)} bytes."


class ScriptedBackend:
    """The script as the port `Backend`. Counts one token per four characters."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def models(self) -> Sequence[ModelCard]:
        """The models there are."""
        return self._script.cards

    async def answer(self, question: Question) -> AsyncGenerator[Piece, None]:
        """Say the next answer; one that is longer than what the window has left is cut."""
        window = self._script.windows.get(question.model)
        if window is not None:
            window.check(question)
        answer = self._script.next_answer(question)
        if window is not None:
            answer = _within(answer, window, question)
        pace = self._script.pace if answer.pace is None else answer.pace
        await asyncio.sleep(answer.first)
        for number, piece in enumerate(_pieces(answer, answer.chunk or self._script.chunk)):
            if number and pace:
                await asyncio.sleep(pace)
            yield piece
        yield _end(answer, question)

    async def embed(self, model: str, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Vectors of length 1 made of the text's hash: equal texts, equal vectors."""
        return [_vector(f"{model}\n{text}") for text in texts]

    async def draw(self, order: DrawingOrder) -> Sequence[Drawing]:
        """Plain pictures in a colour that follows from the prompt."""
        colours = (_digest(f"{order.prompt}\n{number}")[:3] for number in range(order.n))
        return [Drawing(png=_plain_png(order.width, order.height, colour)) for colour in colours]

    async def transcribe(self, recording: Recording) -> Transcript:
        """Hear the next text, one second long."""
        text = self._script.next_transcript(recording)
        segments = (Segment(start=0.0, end=1.0, text=text),) if text else ()
        return Transcript(language=recording.language or "en", seconds=1.0, segments=segments)


def _as_answer(answer: Answer | str) -> Answer:
    return Answer(text=answer) if isinstance(answer, str) else answer


def _within(answer: Answer, window: Window, question: Question) -> Answer:
    """The answer as far as there is room for it, at four characters a token."""
    prompt = window.count(question)
    room = 4 * (window.tokens - prompt)
    whole = len(answer.text) <= room
    return replace(
        answer,
        text=answer.text[:room],
        finish_reason=answer.finish_reason if whole else FinishReason.LENGTH,
        prompt_tokens=prompt,
    )


def _pieces(answer: Answer, size: int) -> Iterator[Piece]:
    for text in _chunks(answer.reasoning, size):
        yield Thought(text)
    for text in _chunks(answer.text, size):
        yield Said(text)
    for index, call in enumerate(answer.tool_calls):
        yield Called(index, ToolCall(id=call.id, name=call.name, arguments=""), first=True)
        for text in _chunks(call.arguments, size):
            yield Called(index, ToolCall(id="", name="", arguments=text), first=False)


def _chunks(text: str, size: int) -> Iterator[str]:
    return (text[start : start + size] for start in range(0, len(text), size))


def _end(answer: Answer, question: Question) -> Ended:
    asked = question.prompt + "".join(text_of(message) for message in question.messages)
    said = answer.reasoning + answer.text + "".join(c.arguments for c in answer.tool_calls)
    counted = answer.prompt_tokens, answer.completion_tokens
    prompt, completion = (
        max(1, len(text) // 4) if count is None else count
        for count, text in zip(counted, (asked, said), strict=True)
    )
    reason = FinishReason.TOOL_CALLS if answer.tool_calls else answer.finish_reason
    return Ended(reason=reason, prompt_tokens=prompt, completion_tokens=completion)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _vector(text: str) -> list[float]:
    numbers = [byte - 127.5 for byte in _digest(text)]
    length = sum(number * number for number in numbers) ** 0.5
    return [number / length for number in numbers]


def _plain_png(width: int, height: int, colour: bytes) -> bytes:
    from PIL import Image  # only when it is needed

    image, out = Image.new("P", (width, height)), io.BytesIO()
    image.putpalette(colour)
    image.save(out, "PNG")
    return out.getvalue()
