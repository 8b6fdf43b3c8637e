"""`/models`, and which model serves which endpoint."""

from __future__ import annotations

from aiohttp import web

from bot.sandbox.openai import refusal
from bot.sandbox.openai.backend import Endpoint, JsonObject, ModelCard
from bot.sandbox.openai.call import Call
from bot.sandbox.openai.parameters import Parameters

_CREATED = 1_735_689_600  # 2025-01-01; the list says nothing true about age


async def list_models(call: Call) -> web.StreamResponse:
    """The models there are."""
    cards = [_body(card) for card in call.backend.models()]
    return await call.whole({"object": "list", "data": cards})


async def one_model(call: Call) -> web.StreamResponse:
    """One model of the list."""
    name = call.exchange.endpoint.removeprefix("/models/")
    return await call.whole(_body(_card(call, name)))


def asked(call: Call, endpoint: Endpoint, *, form: bool = False) -> tuple[Parameters, ModelCard]:
    """What a request says, and its model's card.

    Raises `Refusal` when there is no such model, or it is not served here.
    """
    body = Parameters(call.exchange.json, form=form)
    card = _card(call, body.required_text("model"))
    if endpoint not in card.endpoints:
        offered = [one for one in Endpoint if one in card.endpoints]
        raise refusal.wrong_endpoint(card.id, endpoint, offered)
    return body, card


def _card(call: Call, name: str) -> ModelCard:
    for card in call.backend.models():
        if card.id == name:
            return card
    raise refusal.no_such_model(name)


def _body(card: ModelCard) -> JsonObject:
    known: JsonObject = {
        "id": card.id,
        "object": "model",
        "created": _CREATED,
        "owned_by": card.owner,
    }
    # Not in the reference; the names that gateways such as OpenRouter use.
    if card.context is not None:
        known["context_length"] = card.context
    if card.gives:
        known["architecture"] = {"output_modalities": list(card.gives)}
    return known
