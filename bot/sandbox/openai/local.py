"""Real models on this machine's CPU, without a key and without a download."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from bot.sandbox.openai import local_speech, local_text
from bot.sandbox.openai.backend import (
    Drawing,
    DrawingOrder,
    Endpoint,
    ModelCard,
    Piece,
    Question,
    Recording,
    Transcript,
)
from bot.sandbox.openai.local_speech import SpeechModel
from bot.sandbox.openai.local_text import TextModel
from bot.sandbox.openai.refusal import Refusal
from bot.sandbox.openai.weights import speech_weights, text_weights

TEXT_MODEL = local_text.MODEL
SPEECH_MODEL = local_speech.MODEL
IMAGE_MODEL = "local-drawing"

_CARDS = (
    ModelCard(
        id=TEXT_MODEL,
        owner="HuggingFaceTB",
        endpoints=frozenset({Endpoint.CHAT, Endpoint.COMPLETIONS, Endpoint.RESPONSES}),
        context=local_text.CONTEXT,
    ),
    ModelCard(id=SPEECH_MODEL, owner="openai", endpoints=frozenset({Endpoint.TRANSCRIPTIONS})),
    ModelCard(
        id=IMAGE_MODEL,
        owner="chinwag",
        gives=("image",),
        endpoints=frozenset({Endpoint.IMAGES, Endpoint.EDITS, Endpoint.VARIATIONS}),
    ),
)


class LocalBackend:
    """The port `Backend` over the models of the extra `local`. Raises `ConfigError` without it.

    Tools are passed over: the language model is too small to call any.
    """

    def __init__(self) -> None:
        self._text = TextModel(text_weights())
        self._speech = SpeechModel(speech_weights())

    def models(self) -> Sequence[ModelCard]:
        """The three models there are."""
        return _CARDS

    async def load(self) -> None:
        """Load the language model ahead of the first question. Raises `Refusal`."""
        await self._text.load()

    def answer(self, question: Question) -> AsyncGenerator[Piece, None]:
        """Ask the language model."""
        return self._text.answer(question)

    async def embed(self, model: str, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """No model of the list does this."""
        raise Refusal(404, "There is no local embedding model.", param="model")

    async def draw(self, order: DrawingOrder) -> Sequence[Drawing]:
        """Draw cards."""
        from bot.sandbox.openai.drawing import draw_cards  # Pillow, only when it is needed

        return await asyncio.to_thread(draw_cards, order)

    async def transcribe(self, recording: Recording) -> Transcript:
        """Listen."""
        return await self._speech.transcribe(recording)

    async def close(self) -> None:
        """Stop all work and free the memory."""
        await self._text.close()
        await self._speech.close()
