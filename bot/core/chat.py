"""What is said to a model and what it says back, independent of any wire protocol."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from bot.core.types import MessageRef

MESSAGE_TOKENS = 4
"""What a message takes besides its words (OpenAI cookbook, "How to count tokens")."""
PICTURE_TOKENS = 1_105
"""A picture of 1568 pixels a side in high detail (OpenAI, "Images and vision": 85 + 6 x 170)."""


class Role(StrEnum):
    """Who said it, in the terms of the OpenAI chat API."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class TextPart:
    """Words. `typed` is where in them a person’s own begin and end; None: they are all theirs.

    If the person wrote them in several messages, `lines` is the same for each of those.
    """

    text: str
    typed: tuple[int, int] | None = None
    lines: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ImagePart:
    """A picture, as bytes of the type `mime`."""

    mime: str
    data: bytes = field(repr=False)


Part: TypeAlias = TextPart | ImagePart


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A function the model wants called; `arguments` is the JSON text it wrote."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One message of a conversation, as the model sees it."""

    role: Role
    parts: tuple[Part, ...]
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""

    @property
    def text(self) -> str:
        """The words of all text parts, joined by newlines."""
        return "\n".join(part.text for part in self.parts if isinstance(part, TextPart))


def pictures_in(messages: Iterable[ChatMessage]) -> int:
    """How many pictures there are in messages."""
    return sum(isinstance(part, ImagePart) for each in messages for part in each.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A function the model may call; `parameters` is a JSON Schema as JSON text."""

    name: str
    description: str
    parameters: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Sampling parameters; None leaves the choice to the model.

    temperature 0…2, top_p 0…1, penalties -2…2, as the chat completions endpoint defines them.
    """

    temperature: float | None = None
    max_tokens: int | None = None
    top_p: float | None = None
    n: int | None = None
    stop: tuple[str, ...] = ()
    presence_penalty: float | None = None
    frequency_penalty: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """Ask `model` to go on after `messages`. `lane` is whose turn it is, for fair waiting.

    `fresh` wants an answer that is not remembered from an identical request.
    """

    model: str
    messages: tuple[ChatMessage, ...]
    sampling: Sampling = Sampling()
    tools: tuple[Tool, ...] = ()
    tool_choice: str = ""
    lane: str = ""
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """More of what the model thought before it answered."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallDelta:
    """More of the tool call number `index`; `id` and `name` come once, `arguments` in pieces."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class ImageDelta:
    """A picture drawn by a chat model as part of its answer."""

    mime: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens a request cost, as the API reported them; `estimated` where it did not."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    estimated: bool = False


class FinishReason(StrEnum):
    """Why the model stopped."""

    STOP = "stop"
    LENGTH = "length"  # max_tokens or the window reached: the answer is not whole
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is complete. A stream that ends without this event was cut short."""

    reason: FinishReason


ModelEvent: TypeAlias = TextDelta | ReasoningDelta | ToolCallDelta | ImageDelta | Usage | Finished


class MessageState(StrEnum):
    """How an answer ended."""

    COMPLETE = "complete"
    STOPPED = "stopped"  # by the person
    CUT = "cut"  # the model's stream broke, or the bot was shut down
    LENGTH = "length"  # the model reached its length limit


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message to be kept in a conversation. `sender` is empty for the bot's own.

    `shown` are the messages of the chat in which it stands, in order. `heading` is what stands
    above the answer to it there, without being part of it: what was heard in a recording. `drawn`
    are pictures that the bot made: kept to be worked on further, and no part of what a model is
    told.
    """

    role: Role
    parts: tuple[Part, ...]
    sender_id: str = ""
    sender_name: str = ""
    model: str = ""
    usage: Usage | None = None
    state: MessageState = MessageState.COMPLETE
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    shown: tuple[MessageRef, ...] = ()
    heading: str = ""
    drawn: tuple[ImagePart, ...] = ()

    @property
    def text(self) -> str:
        """The words of all text parts, joined by newlines."""
        return "\n".join(part.text for part in self.parts if isinstance(part, TextPart))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMessage:
    """A message of a conversation as the store has it; `created` in UTC, ids grow with time.

    `turn_id` is the turn that it came of; None in rows of an early version.
    """

    id: int
    created: datetime
    turn_id: int | None = None
    message: NewMessage
