"""Pictures from a model that draws as part of a conversation."""

from __future__ import annotations

from contextlib import aclosing

from bot.api.answers import Answers
from bot.api.errors import CallFailed
from bot.core.chat import (
    ChatMessage,
    ChatRequest,
    ImageDelta,
    ImageRequest,
    Picture,
    Role,
    TextDelta,
    TextPart,
    Usage,
)
from bot.errors import ModelErrorKind

WORDS = 200
"""Characters of what a model said instead of drawing."""


async def draw_in_chat(
    answers: Answers, request: ImageRequest
) -> tuple[tuple[Picture, ...], Usage | None]:
    """The pictures of one answer, and what it took. Raises `CallFailed`."""
    asked = [request.prompt]
    asked += [f"Size: {request.size}."] if request.size else []
    asked += [f"Style: {request.style}."] if request.style else []
    message = ChatMessage(role=Role.USER, parts=(TextPart("\n".join(asked)), *request.images))
    chat = ChatRequest(model=request.model, messages=(message,), lane=request.lane, fresh=True)
    pictures: list[Picture] = []
    words, usage = "", None
    async with aclosing(answers.stream(chat, billed=True)) as events:
        async for event in events:
            match event:
                case ImageDelta():
                    pictures.append(Picture(mime=event.mime, data=event.data))
                case TextDelta():
                    words += event.text
                case Usage():
                    usage = event
    if not pictures:
        detail = " ".join(words.split())[:WORDS] or "the answer holds no picture"
        raise CallFailed(ModelErrorKind.BAD_ANSWER, detail, status=200)
    return tuple(pictures), usage
