"""The real window of a model, and how servers refuse a request that is longer.

Each wording is that of a server, as seen on the wire; the first is OpenAI's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from bot.sandbox.openai.backend import JsonObject, Question, text_of
from bot.sandbox.openai.refusal import Refusal

PICTURE = 765
"""Tokens of a picture of 1024 pixels a side (OpenAI, "Images and vision": 85 + 4 x 170)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlong:
    """A request that a window is too small for: tokens of the `prompt`, and of the answer wanted.

    Nobody says how long the answer may be: then it may take what is left.
    """

    window: int
    prompt: int
    answer: int = 0


Wording: TypeAlias = Callable[[Overlong], Refusal]
"""How a server says it."""


def openai(found: Overlong) -> Refusal:
    """OpenAI, and what is built to be like it."""
    return Refusal(
        400,
        f"This model's maximum context length is {found.window} tokens. However, you requested "
        f"{found.prompt + found.answer} tokens ({found.prompt} in the messages, {found.answer} in "
        "the completion). Please reduce the length of the messages or completion.",
        param="messages",
        code="context_length_exceeded",
    )


def llama_cpp(found: Overlong) -> Refusal:
    """The numbers stand beside the words (llama.cpp, `format_error_response`)."""
    return Refusal(
        400,
        "the request exceeds the available context size, try increasing it",
        type="exceed_context_size_error",
        extra={"n_prompt_tokens": found.prompt, "n_ctx": found.window},
    )


def anthropic(found: Overlong) -> Refusal:
    """Anthropic, through a gateway."""
    return Refusal(400, f"prompt is too long: {found.prompt} tokens > {found.window} maximum")


def dashscope(found: Overlong) -> Refusal:
    """The limit alone."""
    text = f"Range of input length should be [1, {found.window}]"
    return Refusal(400, text, code="invalid_parameter_error")


def bedrock(found: Overlong) -> Refusal:
    """No number at all."""
    return Refusal(400, "Input is too long for requested model.")


def groq(found: Overlong) -> Refusal:
    """More than a whole minute allows, the answer that is wished included."""
    return Refusal(
        413,
        "Request too large for model `llama` in organization `org_1` service tier `on_demand` on "
        f"tokens per minute (TPM): Limit {found.window}, Requested {found.prompt + found.answer}, "
        "please reduce your message size and try again.",
        type="tokens",
        code="rate_limit_exceeded",
    )


def count(question: Question) -> int:
    """A token for four bytes, and so many for a picture."""
    text = question.prompt + "".join(text_of(message) for message in question.messages)
    return max(1, len(text.encode()) // 4) + PICTURE * pictures(question)


def count_dear(question: Question) -> int:
    """A tokenizer that knows little but English: two tokens for any other character."""
    text = question.prompt + "".join(text_of(message) for message in question.messages)
    wide = sum(character > "\x7f" for character in text)
    return (len(text) - wide) // 4 + 2 * wide + PICTURE * pictures(question)


def pictures(question: Question) -> int:
    """How many pictures go with a question."""
    contents = (message.get("content") for message in question.messages)
    parts: list[JsonObject] = [p for each in contents if isinstance(each, list) for p in each]
    return sum(part["type"] == "image_url" for part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a model takes, question and answer together, in `tokens` as it counts them itself.

    No more than so many `images` may be among it (vLLM, whose default is one); a model that sees
    none says it in words of its own.
    """

    tokens: int
    images: int | None = None
    blind: str = ""
    wording: Wording = openai
    count: Callable[[Question], int] = count

    def check(self, question: Question) -> None:
        """Raises `Refusal` when the question is too long."""
        if self.images is not None and pictures(question) > self.images:
            text = f"At most {self.images} image(s) may be provided in one request."
            raise Refusal(400, self.blind or text, type="BadRequestError")
        found = Overlong(
            window=self.tokens, prompt=self.count(question), answer=question.max_tokens or 0
        )
        if found.prompt + max(1, found.answer) > found.window:
            raise self.wording(found)
