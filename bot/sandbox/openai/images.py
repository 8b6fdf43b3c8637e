"""`/images/generations`, `/images/edits` and `/images/variations`."""

from __future__ import annotations

import base64
import time

from aiohttp import web

from bot.sandbox.openai import refusal
from bot.sandbox.openai.backend import (
    Drawing,
    DrawingOrder,
    Endpoint,
    JsonObject,
    ModelCard,
    Upload,
)
from bot.sandbox.openai.call import Call
from bot.sandbox.openai.catalogue import asked
from bot.sandbox.openai.parameters import Parameters

SIZES = (
    "auto",
    "256x256",
    "512x512",
    "1024x1024",
    "1536x1024",
    "1024x1536",
    "1792x1024",
    "1024x1792",
)
QUALITIES = ("auto", "low", "medium", "high", "standard", "hd")
STYLES = ("vivid", "natural")
MAX_PROMPT = 32_000
PICTURE_TOKENS = 1_056
"""A square picture of medium quality (OpenAI, "Image generation", "Cost and latency")."""


async def generations(call: Call) -> web.StreamResponse:
    """Pictures of a prompt."""
    body, card = asked(call, Endpoint.IMAGES)
    return await _draw(call, body, card, prompt=_prompt(body))


async def edits(call: Call) -> web.StreamResponse:
    """A picture made of others and a prompt; the mask's transparent parts are drawn anew."""
    body, card = asked(call, Endpoint.EDITS, form=True)
    pictures = _pictures(call, card)
    masks = call.exchange.files.get("mask", [])
    if any(_png_size(mask) != _png_size(pictures[0]) for mask in masks):
        raise refusal.Refusal(
            400,
            "Invalid mask image format - mask size does not match image size.",
            param="mask",
            code="invalid_image_mask",
        )
    return await _draw(call, body, card, prompt=_prompt(body), pictures=pictures)


async def variations(call: Call) -> web.StreamResponse:
    """Pictures like another."""
    body, card = asked(call, Endpoint.VARIATIONS, form=True)
    return await _draw(call, body, card, prompt="", pictures=_pictures(call, card))


async def _draw(
    call: Call,
    body: Parameters,
    card: ModelCard,
    *,
    prompt: str,
    pictures: tuple[Upload, ...] = (),
) -> web.StreamResponse:
    size = body.choice("size", SIZES, "auto")
    body.choice("quality", QUALITIES)
    body.choice("style", STYLES)
    for name in sorted(card.refuses):
        if body.has(name):
            raise refusal.unknown_parameter(name)
    wanted = body.choice("response_format", ("url", "b64_json"))
    by_url = wanted == "url" or (not wanted and card.image_url)
    width, _, height = ("1024x1024" if size == "auto" else size).partition("x")
    order = DrawingOrder(
        prompt=prompt,
        n=body.integer("n", high=10) or 1,
        width=int(width),
        height=int(height),
        pictures=pictures,
    )
    drawings = await call.backend.draw(order)
    data = [_picture_body(call, drawing, by_url=by_url) for drawing in drawings]
    answer: JsonObject = {"created": int(time.time()), "data": data}
    if not card.image_url:  # the models that answer with base64 are billed by tokens
        answer["usage"] = _usage(order, len(drawings))
    return await call.whole(answer)


def _usage(order: DrawingOrder, drawn: int) -> JsonObject:
    words = -(-len(order.prompt) // 4)
    seen = PICTURE_TOKENS * len(order.pictures)
    output = drawn * (PICTURE_TOKENS * order.width * order.height // 1024**2)
    return {
        "input_tokens": words + seen,
        "input_tokens_details": {"text_tokens": words, "image_tokens": seen},
        "output_tokens": output,
        "total_tokens": words + seen + output,
    }


def _picture_body(call: Call, drawing: Drawing, *, by_url: bool) -> JsonObject:
    body: JsonObject = {}
    if by_url:
        body["url"] = call.server.publish(drawing.png)
    else:
        body["b64_json"] = base64.b64encode(drawing.png).decode()
    if drawing.revised_prompt:
        body["revised_prompt"] = drawing.revised_prompt
    return body


def _prompt(body: Parameters) -> str:
    prompt = body.required_text("prompt")
    if not prompt.strip():
        raise refusal.missing("prompt")
    if len(prompt) > MAX_PROMPT:
        raise refusal.Refusal(
            400,
            f"Invalid 'prompt': string too long. Expected a string with maximum length "
            f"{MAX_PROMPT}, but got a string with length {len(prompt)} instead.",
            param="prompt",
            code="string_above_max_length",
        )
    return prompt


def _pictures(call: Call, card: ModelCard) -> tuple[Upload, ...]:
    files = call.exchange.files
    fields = (card.picture_field,) if card.picture_field else ("image", "image[]")
    pictures = [picture for field in fields for picture in files.get(field, ())]
    if not pictures:
        raise refusal.missing(fields[0])
    for picture in pictures:
        if not picture.content.startswith((b"\x89PNG", b"\xff\xd8\xff", b"RIFF")):
            raise refusal.Refusal(
                400,
                f"Invalid file 'image': unsupported mimetype ('{picture.mime}'). Supported file "
                "formats are 'image/jpeg', 'image/png', and 'image/webp'.",
                param="image",
                code="unsupported_file_mimetype",
            )
    return tuple(pictures)


def _png_size(file: Upload) -> bytes:
    """Width and height as the PNG header has them; other formats count as one size."""
    return file.content[16:24] if file.content.startswith(b"\x89PNG") else b""
