"""Makes one kind of question of the three text endpoints' requests.

Sources: the API reference of chat completions, completions and responses; the checks on
messages repeat what the service refuses.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence

from bot.sandbox.openai import refusal
from bot.sandbox.openai.backend import JsonObject, ModelCard, Question
from bot.sandbox.openai.parameters import Parameters, empty_array
from bot.sandbox.openai.refusal import Refusal

_ROLES = ("system", "assistant", "user", "function", "tool", "developer")
_PARTS = ("text", "image_url", "input_audio", "file", "refusal")
_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF")


def chat_question(body: Parameters, card: ModelCard) -> Question:
    """What `/chat/completions` asks."""
    if not body.has("messages"):
        raise refusal.missing("messages")
    messages = body.objects("messages")
    if not messages:
        raise empty_array("messages")
    _check_messages(messages)
    if card.takes_turns:
        _check_turns(messages)
    _check_tools(body.objects("tools"))
    _check_refused(body, card)
    limit = body.integer("max_completion_tokens") or body.integer("max_tokens")
    return _with_sampling(body, card, messages=messages, max_tokens=limit)


def completion_questions(body: Parameters, card: ModelCard) -> list[Question]:
    """What `/completions` asks: one question per prompt."""
    prompts = body.texts("prompt")
    if not prompts:
        raise refusal.missing("prompt")
    limit = body.integer("max_tokens")
    return [_with_sampling(body, card, prompt=prompt, max_tokens=limit) for prompt in prompts]


def responses_question(body: Parameters, card: ModelCard) -> Question:
    """What `/responses` asks, in the chat endpoint's form."""
    if not body.has("input"):
        raise refusal.missing("input")
    given = body.raw("input")
    items: Sequence[JsonObject]
    items = (
        [{"role": "user", "content": given}] if isinstance(given, str) else body.objects("input")
    )
    messages: list[JsonObject] = []
    if instructions := body.text("instructions"):
        messages.append({"role": "system", "content": instructions})
    for place, item in enumerate(items):
        messages.append(_message_of_item(item, f"input[{place}]"))
    _check_messages(messages)
    _check_tools([_tool_of_responses(tool) for tool in body.objects("tools")])
    _check_refused(body, card)
    limit = body.integer("max_output_tokens", low=16)
    return _with_sampling(body, card, messages=tuple(messages), max_tokens=limit)


def _with_sampling(
    body: Parameters,
    card: ModelCard,
    *,
    max_tokens: int | None,
    messages: tuple[JsonObject, ...] = (),
    prompt: str = "",
) -> Question:
    stop = body.texts("stop")
    if len(stop) > 4:
        raise Refusal(
            400,
            "Invalid 'stop': array too long. Expected an array with maximum length 4, "
            f"but got an array with length {len(stop)} instead.",
            param="stop",
            code="array_above_max_length",
        )
    choice = body.raw("tool_choice")
    return Question(
        model=card.id,
        messages=messages,
        prompt=prompt,
        tool_choice=choice if isinstance(choice, str | dict) else None,
        max_tokens=max_tokens,
        temperature=body.number("temperature", 0, 2),
        top_p=body.number("top_p", 0, 1),
        presence_penalty=body.number("presence_penalty", -2, 2),
        frequency_penalty=body.number("frequency_penalty", -2, 2),
        stop=stop,
        seed=body.integer("seed", low=-(2**63)),
    )


def _check_refused(body: Parameters, card: ModelCard) -> None:
    for name in sorted(card.refuses):
        if not body.has(name):
            continue
        if name == "max_tokens":
            raise refusal.unsupported_parameter(name, instead="max_completion_tokens")
        if name in ("temperature", "top_p"):
            if body.raw(name) != 1:
                raise refusal.unsupported_value(name, body.raw(name), 1)
        else:
            raise refusal.unsupported_parameter(name)


def _check_messages(messages: Sequence[JsonObject]) -> None:
    awaited: list[str] = []  # tool calls that have no answer yet
    for place, message in enumerate(messages):
        where = f"messages[{place}]"
        role = message.get("role")
        if role is None:
            raise refusal.missing(f"{where}.role")
        if role not in _ROLES:
            raise refusal.wrong_value(f"{where}.role", role, _ROLES)
        if role == "tool":
            if message.get("tool_call_id") not in awaited:
                raise Refusal(
                    400,
                    "Invalid parameter: messages with role 'tool' must be a response to a "
                    "preceeding message with 'tool_calls'.",
                    param=f"{where}.role",
                )
            awaited.remove(message["tool_call_id"])
        elif awaited:
            raise _unanswered_calls(awaited)
        if role == "assistant":
            calls = Parameters(message).objects("tool_calls")
            awaited = [str(call.get("id")) for call in calls]
        if message.get("content") is None:
            if role != "assistant" or not (awaited or message.get("refusal")):
                raise refusal.missing(f"{where}.content")
        else:
            _check_content(message["content"], f"{where}.content")
    if awaited:
        raise _unanswered_calls(awaited)


def _check_turns(messages: Sequence[JsonObject]) -> None:
    said = messages[1:] if messages[0]["role"] == "system" else messages
    if any(message["role"] != ("user", "assistant")[n % 2] for n, message in enumerate(said)):
        raise refusal.out_of_turn()


def _unanswered_calls(ids: Sequence[str]) -> Refusal:
    return Refusal(
        400,
        "An assistant message with 'tool_calls' must be followed by tool messages responding to "
        "each 'tool_call_id'. The following tool_call_ids did not have response messages: "
        + ", ".join(ids),
        param="messages",
    )


def _check_content(content: object, where: str) -> None:
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise refusal.wrong_type(where, "a string or an array of objects", content)
    for place, part in enumerate(content):
        spot = f"{where}[{place}]"
        if not isinstance(part, dict):
            raise refusal.wrong_type(spot, "an object", part)
        kind = part.get("type")
        if kind not in _PARTS:
            raise refusal.wrong_value(f"{spot}.type", kind, _PARTS)
        if kind == "text" and not isinstance(part.get("text"), str):
            raise refusal.missing(f"{spot}.text")
        if kind == "image_url":
            _check_image(part.get("image_url"), f"{spot}.image_url")


def _check_image(image: object, where: str) -> None:
    if not isinstance(image, dict):
        raise refusal.wrong_type(where, "an object", image)
    url = image.get("url")
    if not isinstance(url, str):
        raise refusal.missing(f"{where}.url")
    if url.startswith(("https://", "http://")):
        return
    head, comma, data = url.partition(",")
    if not (head.startswith("data:image/") and head.endswith(";base64") and comma):
        raise Refusal(
            400,
            "Failed to download image from the URL: expected an http(s) URL or a base64 data URI.",
            param=where,
            code="invalid_image_url",
        )
    try:
        content = base64.b64decode(data, validate=True)
    except binascii.Error:
        content = b""
    if not content.startswith(_MAGIC):
        raise Refusal(
            400,
            "You uploaded an unsupported image. Please make sure your image has of one the "
            "following formats: ['png', 'jpeg', 'gif', 'webp'].",
            param=where,
            code="invalid_image_format",
        )


def _check_tools(tools: Sequence[JsonObject]) -> None:
    for place, tool in enumerate(tools):
        function = tool.get("function")
        if not isinstance(function, dict):
            raise refusal.missing(f"tools[{place}].function")
        if not isinstance(function.get("name"), str):
            raise refusal.missing(f"tools[{place}].function.name")


def _tool_of_responses(tool: JsonObject) -> JsonObject:
    names = ("name", "description", "parameters", "strict")
    return {"type": "function", "function": {key: tool[key] for key in names if key in tool}}


def _message_of_item(item: JsonObject, where: str) -> JsonObject:
    kind = item.get("type", "message")
    if kind == "function_call":
        call = {"name": item.get("name"), "arguments": item.get("arguments")}
        made = {"id": item.get("call_id"), "type": "function", "function": call}
        return {"role": "assistant", "content": None, "tool_calls": [made]}
    if kind == "function_call_output":
        output = item.get("output")
        text = output if isinstance(output, str) else json.dumps(output)
        return {"role": "tool", "tool_call_id": item.get("call_id"), "content": text}
    if kind != "message":
        known = ("message", "function_call", "function_call_output")
        raise refusal.wrong_value(f"{where}.type", kind, known)
    content = item.get("content")
    if isinstance(content, list):
        content = [_part_of_item(part, where) for part in content]
    return {"role": item.get("role"), "content": content}


def _part_of_item(part: object, where: str) -> JsonObject:
    if not isinstance(part, dict):
        raise refusal.wrong_type(f"{where}.content", "an array of objects", part)
    kind = part.get("type")
    if kind in ("input_text", "output_text"):
        return {"type": "text", "text": part.get("text")}
    if kind == "input_image":
        return {"type": "image_url", "image_url": {"url": part.get("image_url")}}
    known = ("input_text", "input_image", "output_text")
    raise refusal.wrong_value(f"{where}.content[].type", kind, known)
