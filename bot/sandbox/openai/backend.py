"""What stands behind the wire: the questions the server asks, and the answers it gets.

The server parses and checks requests and writes the answers in the wire's words; a backend
only has to know how to answer. It raises `Refusal` for what it cannot do.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from bot.core.chat import FinishReason, ToolCall
from bot.core.recordings import Segment

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object as it came in or goes out; checked before anything is read from it."""


class Endpoint(StrEnum):
    """The endpoints that ask a model something, by their path below the base URL."""

    CHAT = "/chat/completions"
    COMPLETIONS = "/completions"
    RESPONSES = "/responses"
    EMBEDDINGS = "/embeddings"
    IMAGES = "/images/generations"
    EDITS = "/images/edits"
    VARIATIONS = "/images/variations"
    TRANSCRIPTIONS = "/audio/transcriptions"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """A model of the list: the endpoints that serve it and the parameters it refuses.

    `context` is the window in tokens, `gives` what it answers with (`text`, `image`); the list
    names them where they are known.
    """

    id: str
    owner: str
    endpoints: frozenset[Endpoint]
    refuses: frozenset[str] = frozenset()
    context: int | None = None
    gives: tuple[str, ...] = ()
    image_url: bool = False  # answers with a URL unless asked for base64
    takes_turns: bool = False  # refuses two messages of one side after each other
    picture_field: str = ""  # of a form, if pictures to be changed are taken in this one only


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a text model is asked: `messages` in the form of the chat endpoint, or a bare `prompt`.

    `prompt` is text to be continued (the legacy endpoint); then there are no messages.
    """

    model: str
    messages: tuple[JsonObject, ...] = ()
    prompt: str = ""
    tool_choice: str | JsonObject | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None

    @property
    def last_text(self) -> str:
        """What was said last, in words; the prompt where there are no messages."""
        return text_of(self.messages[-1]) if self.messages else self.prompt


def text_of(message: JsonObject) -> str:
    """The words of a checked chat message, its text parts joined by newlines."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")


@dataclass(frozen=True, slots=True)
class Said:
    """More of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    """More of the reasoning before the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Called:
    """A tool call; `first` begins the call number `index`, later pieces carry arguments only."""

    index: int
    call: ToolCall
    first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The answer is whole; comes last, always."""

    reason: FinishReason
    prompt_tokens: int
    completion_tokens: int


Piece: TypeAlias = Said | Thought | Called | Ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file of a multipart request."""

    name: str
    mime: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawingOrder:
    """Pictures wanted: of a prompt, of pictures and a prompt (edit), of a picture (variation)."""

    prompt: str
    n: int
    width: int
    height: int
    pictures: tuple[Upload, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A picture as PNG, and the prompt as the model understood it."""

    png: bytes = field(repr=False)
    revised_prompt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Speech to be written down; `language` in ISO 639-1, empty: find out."""

    file: Upload
    language: str = ""
    prompt: str = ""
    temperature: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What was said; `seconds` is the length of the recording."""

    language: str
    seconds: float
    segments: tuple[Segment, ...]

    @property
    def text(self) -> str:
        """All segments as one text."""
        return " ".join(segment.text.strip() for segment in self.segments).strip()


class Backend(Protocol):
    """The models. Methods may be slow; being cancelled means that nobody waits any more."""

    def models(self) -> Sequence[ModelCard]:
        """The models there are, in the order of the list."""

    def answer(self, question: Question) -> AsyncGenerator[Piece, None]:
        """Answer piece by piece. Closing the generator stops the work."""

    async def embed(self, model: str, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """A vector per text."""

    async def draw(self, order: DrawingOrder) -> Sequence[Drawing]:
        """As many pictures as ordered."""

    async def transcribe(self, recording: Recording) -> Transcript:
        """What is said in the recording."""
