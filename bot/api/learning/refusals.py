"""Reads out of a refusal what a model wants: names of parameters, roles, protocols, numbers.

To teach the client a new quirk: add a field to `Lesson`, let `Lesson.adapt` heed it, and add a
function here that returns the fact when a refusal tells it, and nothing when it does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.api.failures.errors import CallFailed
from bot.api.learning.chat_templates import in_turns
from bot.api.learning.lesson import Lesson, Taught
from bot.api.settings import Protocol
from bot.errors import ModelErrorKind

OPTIONAL = (
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "stop",
    "stream_options",
    "response_format",
    "style",
    "quality",
    "encoding_format",
)
"""Parameters without which the request still means the same."""
_REFUSAL = re.compile(
    r"unsupported|not supported|does(n't| not) support|unknown|unrecognized|not permitted"
    r"|not allowed|not enabled|extra inputs|deprecated|not compatible|cannot both|may only be set"
    r"|only [\d.]+ is allowed|(do not|only) support|only '?json'? response_format|不支持",
    re.IGNORECASE,
)
_SPELT = {
    "response_format": r"\bverbose_json",  # vLLM
    "presence_penalty": r"\bpenalty is not enabled",  # Gemini
    "frequency_penalty": r"\bpenalty is not enabled",
}
"""What a refusal may say in place of a parameter."""
_LISTED = re.compile(
    r"(supported values are|must be one of|should be|expected one of).*", re.IGNORECASE
)
_AT_MOST = re.compile(
    r"(?:batch size|too long|too many|at most|maximum|larger than|more than|exceed)\D{0,60}?(\d+)",
    re.IGNORECASE,
)
_DRAWS_IN_CHAT = re.compile(
    r"chat/completions|chat completions|not supported model for image|not an image model"
    r"|does(n't| not) support image (generation|edit)",
    re.IGNORECASE,
)
_NO_SYSTEM = re.compile(
    r"developer instruction is not enabled|does not support '?(system|developer)"
    r"|system (role|messages?|prompts?|instructions?) (is |are )?not supported"
    r"|only user,? (and )?assistant (and tool )?roles are supported(?!, with)",
    re.IGNORECASE,
)
"""Gemma and drawing models at Google, chat templates of small models, OpenAI's o1-mini."""
_TURNS = re.compile(r"roles must alternate|should alternate with assistant", re.IGNORECASE)
"""Chat templates of Mistral's and Gemma's models, wherever they run; Perplexity."""
_NO_PLACE = re.compile(
    r"response_format\W{1,3}url\W.{0,20}(not supported|requires)|only '?b64_json'? response_format",
    re.IGNORECASE,
)
"""SGLang and others that keep no pictures: they mean the URL of their own default."""
_MISSING = re.compile(
    r"required|missing|must (provide|include)|not provided|缺少|必填|不能为空"
    r"|no images? ((is|are|was|were|file|files) ){0,2}(given|provided|received|sent|uploaded)",
    re.IGNORECASE,
)
"""Not that no picture was generated: that may have been paid for."""
_PICTURE_FIELDS = {"image": "image[]", "image[]": "image"}
"""The field of a form for one picture to be changed, and for several, each with what else it may
be called: OpenAI knows both, others one of them."""
_PROTOCOLS: tuple[tuple[Protocol, str], ...] = (
    ("completions", r"not a chat model|v1/completions\b|must provide a chat template"),
    (
        "responses",
        r"\bv1/responses\b|use the responses api"
        # Azure, GitHub
        r"|chatCompletion operation does not work|not accessible via the /chat/completions",
    ),
)
_FIELD: dict[Protocol, str] = {"chat": "messages", "completions": "prompt", "responses": "input"}
"""The field that tells in which protocol a payload is."""
_NEW = "max_completion_tokens"
"""What reasoning models call `max_tokens`."""


def adaptation(
    lesson: Lesson, failure: CallFailed, payload: Mapping[str, Any], *, fixed: bool
) -> Taught:
    """What makes the next request a different one. The protocol stays where it is `fixed`."""
    return (
        ({} if fixed else _protocol(failure, payload))
        or _turns(failure, payload)
        or _no_system(failure, payload)
        or _base64(failure, payload)
        or _rename(lesson, failure, payload)
        or _rename_pictures(lesson, failure, payload)
        or _drop(lesson, failure, payload)
    )


def aside(lesson: Lesson, failure: CallFailed, payload: Mapping[str, Any]) -> Taught:
    """What is worth knowing although the same request would be refused again.

    How many pictures the model takes, and the words of a parameter: the next wrong one is not sent.
    """
    facts: Taught = {}
    if _PICTURE_FIELDS.keys() & lesson.renamed and _lacks_pictures(failure, payload):
        # The server is another one by now, or knows neither name.
        kept = {name: new for name, new in lesson.renamed.items() if name not in _PICTURE_FIELDS}
        facts["renamed"] = kept
    most = failure.overrun.pictures
    if most is not None and _pictures(payload) > most:
        facts["pictures"] = most
    listed = _LISTED.search(failure.detail)
    if failure.param in ("size", "quality", "style") and listed:
        words, sent = re.findall(r"['\"`]([\w:.-]+)['\"`]", listed[0]), payload.get(failure.param)
        told = tuple(word for word in words if word != sent)  # some repeat what they refuse
        facts["words"] = {**lesson.words, failure.param: told}
    return facts


def inputs(failure: CallFailed, sent: int) -> int | None:
    """How many texts one call takes, where it is told and fewer than were sent."""
    if failure.kind is not ModelErrorKind.BAD_REQUEST:
        return None
    told = (int(number[1]) for number in _AT_MOST.finditer(failure.detail))
    return next((most for most in told if 0 < most < sent), None)  # some name what was sent, too


def tells_of_drawing_in_chat(failure: CallFailed) -> bool:
    """Whether a model is said to draw as part of a conversation."""
    return _DRAWS_IN_CHAT.search(failure.detail) is not None


def _protocol(failure: CallFailed, payload: Mapping[str, Any]) -> Taught:
    for protocol, pattern in _PROTOCOLS:
        if _FIELD[protocol] not in payload and re.search(pattern, failure.detail, re.IGNORECASE):
            return {"protocol": protocol}
    return {}


def _turns(failure: CallFailed, payload: Mapping[str, Any]) -> Taught:
    messages = payload.get("messages", ())
    if not _TURNS.search(failure.detail) or len(in_turns(messages)) == len(messages):
        return {}
    return {"takes_turns": True}


def _no_system(failure: CallFailed, payload: Mapping[str, Any]) -> Taught:
    """Templates that know no system message find it out of turn, once all else takes turns."""
    asked = any(message["role"] == "system" for message in payload.get("messages", ()))
    if not asked or not (_NO_SYSTEM.search(failure.detail) or _TURNS.search(failure.detail)):
        return {}
    return {"no_system": True}


def _base64(failure: CallFailed, payload: Mapping[str, Any]) -> Taught:
    if "response_format" in payload or not _NO_PLACE.search(failure.detail):
        return {}
    return {"base64": True}


def _rename(lesson: Lesson, failure: CallFailed, payload: Mapping[str, Any]) -> Taught:
    words = f"{failure.detail} {failure.param}"
    if _NEW not in words or "too large" in words:
        return {}
    if "max_tokens" in payload:
        return {"renamed": {**lesson.renamed, "max_tokens": _NEW}}
    is_refused = _NEW in payload and _REFUSAL.search(words)
    return {"renamed": {}} if is_refused else {}  # the server is another one by now


def _rename_pictures(lesson: Lesson, failure: CallFailed, payload: Mapping[str, Any]) -> Taught:
    if _PICTURE_FIELDS.keys() & lesson.renamed or not _lacks_pictures(failure, payload):
        return {}
    sent = {name: other for name, other in _PICTURE_FIELDS.items() if name in payload}
    return {"renamed": {**lesson.renamed, **sent}}


def _lacks_pictures(failure: CallFailed, payload: Mapping[str, Any]) -> bool:
    """Whether a server says that there is no picture to be changed, although one was sent."""
    words = f"{failure.param} {failure.detail}"
    is_about_it = "image" in words.lower() and _MISSING.search(words) is not None
    return is_about_it and bool(_PICTURE_FIELDS.keys() & payload)


def _drop(lesson: Lesson, failure: CallFailed, payload: Mapping[str, Any]) -> Taught:
    refused = _REFUSAL.search(f"{failure.detail} {failure.code}")
    if failure.kind is not ModelErrorKind.BAD_REQUEST or not refused:
        return {}
    for name in OPTIONAL:
        spelt = rf"\b{name.replace('_', '_?')}\b"  # xAI writes presencePenalty
        spelt += f"|{_SPELT[name]}" if name in _SPELT else ""
        if name in payload and (
            failure.param == name or re.search(spelt, failure.detail, re.IGNORECASE)
        ):
            rest = {"base64": False} if name == "response_format" else {}
            return {"dropped": lesson.dropped | {name}, **rest}
    named = failure.param == "stream" or re.search(r"\bstream(ing)?\b", failure.detail)
    # One that takes no whole answers is another one by now, or gave no end to its streams.
    return {"whole": payload["stream"]} if named and "stream" in payload else {}


def _pictures(payload: Mapping[str, Any]) -> int:
    """How many pictures are shown in a conversation."""
    messages = payload.get("messages") or payload.get("input") or ()
    contents = [each.get("content") for each in messages if isinstance(each, dict)]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return sum(part.get("type") in ("image_url", "input_image") for part in parts)
