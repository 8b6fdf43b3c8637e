"""Pictures from a model that draws as part of a conversation."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeAlias

from bot.api.answers import Answers
from bot.api.failures.errors import CallFailed
from bot.api.image_checks import PICTURES
from bot.api.protocols.pictures import picture_of
from bot.core.chat import ChatMessage, ChatRequest, ImageDelta, Role, TextDelta, TextPart, Usage
from bot.core.images import ImageRequest, Picture
from bot.errors import ModelErrorKind

log = logging.getLogger(__name__)

Fetch: TypeAlias = Callable[[str], Awaitable[ImageDelta]]
"""The picture at a URL. Raises `CallFailed`."""
ROOM = 64 * 1024 * 1024
"""Bytes of the pictures of one order that are only linked to: people may tell a model what to link
to, and all of them are in memory."""
FETCHED_AT_ONCE = 3
_LINK = re.compile(r"!\[[^\]\n]{0,300}\]\((https?://[^\s)]{1,4000})")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatDrawing:
    """What one answer holds: pictures, or only words; and what it took."""

    pictures: tuple[Picture, ...]
    words: str
    usage: Usage | None


class Basket:
    """Takes the pictures of one order, as long as they are not too large together."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._room = ROOM
        self._places = asyncio.Semaphore(FETCHED_AT_ONCE)

    async def fetch(self, url: str) -> ImageDelta:
        """The picture at a URL. Raises `CallFailed`."""
        async with self._places:
            if self._room <= 0:
                raise CallFailed(ModelErrorKind.BAD_ANSWER, "the pictures are too large together")
            picture = await self._fetch(url)
            self._room -= len(picture.data)
            return picture


async def draw_in_chat(
    answers: Answers, request: ImageRequest, sent: Callable[[], None], fetch: Fetch
) -> ChatDrawing:
    """Ask for one answer with a picture; `sent` is called when it goes out. Raises `CallFailed`.

    apiyi.com writes only Markdown with a link to the picture
    (https://docs.apiyi.com/en/api-capabilities/gpt-image-2-all/chat-completions). Here it may be
    fetched: the model has been told nothing but what the person wants drawn.
    """
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
    if not pictures and (bare := picture_of(words.strip())):  # without any Markdown around it
        pictures, words = [Picture(mime=bare.mime, data=bare.data)], ""
    if not pictures:
        pictures = await _linked(words, fetch)
    return ChatDrawing(pictures=tuple(pictures), words=words.strip(), usage=usage)


async def _linked(words: str, fetch: Fetch) -> list[Picture]:
    """The pictures that the words link to and that can be had."""
    found: list[Picture] = []
    for url in [*dict.fromkeys(_LINK.findall(words))][:PICTURES]:
        try:
            drawn = await fetch(url)
        except CallFailed as failure:
            log.warning("picture not fetched", extra={"error": failure.detail})
        else:
            found.append(Picture(mime=drawn.mime, data=drawn.data))
    return found
