"""The API's errors, in its documented words and shapes.

Source: https://platform.openai.com/docs/guides/error-codes and bodies seen on the wire.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field

from bot.sandbox.openai.backend import Endpoint, JsonObject


@dataclass(eq=False)
class Refusal(Exception):
    """A request is answered with an error. Never leaves this package."""

    status: int
    message: str
    _: KW_ONLY
    type: str = "invalid_request_error"
    param: str | None = None
    code: str | None = None
    extra: JsonObject = field(default_factory=dict)

    @property
    def body(self) -> JsonObject:
        """The error as the API words it, with what a server tells besides."""
        body = error_body(self.message, type=self.type, param=self.param, code=self.code)
        body["error"] |= self.extra
        return body


def error_body(
    message: str, *, type: str, param: str | None = None, code: str | None = None
) -> JsonObject:
    """The documented shape of an error."""
    return {"error": {"message": message, "type": type, "param": param, "code": code}}


def bad_key() -> Refusal:
    """The key is missing or wrong."""
    return Refusal(401, "Incorrect API key provided.", code="invalid_api_key")


def no_such_model(model: str) -> Refusal:
    """The model is not in the list."""
    return Refusal(
        404,
        f"The model `{model}` does not exist or you do not have access to it.",
        code="model_not_found",
    )


def wrong_endpoint(model: str, endpoint: Endpoint, offered: Sequence[Endpoint]) -> Refusal:
    """The model is there but not served by this endpoint."""
    if endpoint is Endpoint.COMPLETIONS and Endpoint.CHAT in offered:
        text = (
            "This is a chat model and not supported in the v1/completions endpoint. "
            "Did you mean to use v1/chat/completions?"
        )
    elif endpoint is Endpoint.CHAT and Endpoint.COMPLETIONS in offered:
        text = (
            "This is not a chat model and thus not supported in the v1/chat/completions "
            "endpoint. Did you mean to use v1/completions?"
        )
    elif len(offered) == 1:
        text = f"This model is only supported in v1{offered[0]} and not in v1{endpoint}."
    else:
        text = f"The model `{model}` is not supported in the v1{endpoint} endpoint."
    return Refusal(404, text, param="model")


def too_many_in_flight(limit: int) -> Refusal:
    """More requests at a time than the key allows."""
    return Refusal(
        429,
        f"Rate limit reached: {limit} requests in flight. Please try again later.",
        type="requests",
        code="rate_limit_exceeded",
    )


def not_json() -> Refusal:
    """The body cannot be read."""
    return Refusal(
        400,
        "We could not parse the JSON body of your request. The OpenAI API expects a JSON payload.",
    )


def no_such_url(method: str, path: str) -> Refusal:
    """There is no such endpoint."""
    return Refusal(404, f"Invalid URL ({method} /v1{path})")


def missing(param: str) -> Refusal:
    """A parameter that must be there is not."""
    return Refusal(
        400,
        f"Missing required parameter: '{param}'.",
        param=param,
        code="missing_required_parameter",
    )


def wrong_type(param: str, expected: str, value: object) -> Refusal:
    """A parameter is of another JSON type than documented."""
    return Refusal(
        400,
        f"Invalid type for '{param}': expected {expected}, but got {_type_name(value)} instead.",
        param=param,
        code="invalid_type",
    )


def out_of_range(param: str, value: float, *, low: float, high: float | None) -> Refusal:
    """A number is outside its documented range."""
    kind = "integer" if isinstance(value, int) else "decimal"
    if high is not None and value > high:
        side, sign, bound, code = "above maximum", "<=", high, "above_max"
    else:
        side, sign, bound, code = "below minimum", ">=", low, "below_min"
    return Refusal(
        400,
        f"Invalid '{param}': {kind} {side} value. "
        f"Expected a value {sign} {bound:g}, but got {value:g} instead.",
        param=param,
        code=f"{kind}_{code}_value",
    )


def wrong_value(param: str, value: object, allowed: Sequence[str]) -> Refusal:
    """A word is not one of the documented ones."""
    names = [f"'{name}'" for name in allowed]
    listed = ", ".join(names[:-1]) + f", and {names[-1]}" if len(names) > 1 else names[0]
    return Refusal(
        400,
        f"Invalid value: '{value}'. Supported values are: {listed}.",
        param=param,
        code="invalid_value",
    )


def unsupported_parameter(param: str, *, instead: str = "") -> Refusal:
    """The model does not take the parameter."""
    hint = f" Use '{instead}' instead." if instead else ""
    return Refusal(
        400,
        f"Unsupported parameter: '{param}' is not supported with this model.{hint}",
        param=param,
        code="unsupported_parameter",
    )


def out_of_turn() -> Refusal:
    """One side speaks twice, or not the one whose turn it is: Gemma's template, as in vLLM."""
    text = "Conversation roles must alternate user/assistant/user/assistant/..."
    return Refusal(400, text, type="BadRequestError", code="400")


def unsupported_value(param: str, value: object, default: object) -> Refusal:
    """The model takes the parameter's default only."""
    return Refusal(
        400,
        f"Unsupported value: '{param}' does not support {value} with this model. "
        f"Only the default ({default}) value is supported.",
        param=param,
        code="unsupported_value",
    )


def unknown_parameter(param: str) -> Refusal:
    """Nobody knows this parameter."""
    return Refusal(400, f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")


def _type_name(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    names = {str: "a string", int: "an integer", float: "a decimal", list: "an array"}
    return names.get(type(value), "an object")
