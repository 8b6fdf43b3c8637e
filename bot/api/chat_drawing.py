"""Pictures from a model that draws as part of a conversation."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from bot.api.answers import Answers
from bot.core.chat import ChatMessage, ChatRequest, ImageDelta, Role, TextDelta, TextPart, Usage
from bot.core.images import ImageRequest, Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatDrawing:
    """What one answer holds: pictures, or only words; and what it took."""

    pictures: tuple[Picture, ...]
    words: str
    usage: Usage | None


async def draw_in_chat(
    answers: Answers, request: ImageRequest, sent: Callable[[], None]
) -> ChatDrawing:
    """Ask for one answer with a picture; `sent` is called when it goes out. Raises `CallFailed`."""
    asked = [request.prompt]
    asked += [f"Size: {request.size}."] if request.size else []
    asked += [f"Style: {request.style}."] if request.style else []
    message = ChatMessage(role=Role.USER, parts=(TextPart("\n".join(asked)), *request.images))
    chat = ChatRequest(model=request.model, messages=(message,), lane=request.lane, fresh=True)
    pictures: list[Picture] = []
    words, usage = "", None
    async with aclosing(answers.stream(chat, billed=True, sent=sent)) as events:
        async for event in events:
            match event:
                case ImageDelta():
                    pictures.append(Picture(mime=event.mime, data=event.data))
                case TextDelta():
                    words += event.text
                case Usage():
                    usage = event
    return ChatDrawing(pictures=tuple(pictures), words=words.strip(), usage=usage)
