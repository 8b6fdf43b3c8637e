"""What the client has learnt about models, mostly from their refusals: once, and remembered.

Reasoning models refuse `max_tokens` and `temperature`, newer image models `response_format`,
small gateways `stream_options`; templates of small models want both sides to take turns; some
models speak only one protocol. The refusal names what it refuses, costs nothing, and is the only
source that is always right.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.api.errors import CallFailed
from bot.api.settings import NOTHING, ApiSettings, ModelSettings, Protocol
from bot.api.turns import in_turns, without_system
from bot.core.bounded import Memory
from bot.core.models import ModelInfo
from bot.errors import ModelErrorKind

log = logging.getLogger(__name__)

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
    r"|not allowed|extra inputs|deprecated|not compatible|cannot both|may only be set"
    r"|only [\d.]+ is allowed|(do not|only) support|only '?json'? response_format|不支持",
    re.IGNORECASE,
)
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
_PROTOCOLS: tuple[tuple[Protocol, str], ...] = (
    ("completions", r"not a chat model|v1/completions\b|must provide a chat template"),
    ("responses", r"\bv1/responses\b|use the responses api"),
)
_FIELD: dict[Protocol, str] = {"chat": "messages", "completions": "prompt", "responses": "input"}
"""The field that tells in which protocol a payload is."""
_REASONS = frozenset(
    {ModelErrorKind.BAD_REQUEST, ModelErrorKind.UNSUPPORTED, ModelErrorKind.MODEL_NOT_FOUND}
)
ENDLESS = 3
"""So many streams in a row that do not tell their end are no accident; one that broke off is asked
for twice, and no answer would be seen while it is written until the next start."""
MODELS = 2_000
"""Models that are remembered: where the API has no list, people may type any name."""


@dataclass(slots=True)
class Lesson:
    """What one model wants."""

    protocol: Protocol | None = None
    renamed: dict[str, str] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)
    whole: bool = False  # does not stream
    thinks_first: bool = False  # begins amid its reasoning, whose tag stands in the prompt
    no_system: bool = False  # takes instructions only as part of a question
    takes_turns: bool = False  # takes no two messages of one side after each other
    ends: bool = False  # has told the end of a streamed answer
    endless: int = 0  # streamed answers in a row that ended in order, but did not tell so
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by parameter
    inputs: int = 0  # texts in one call for embeddings; 0: as many as usual
    draws_in_chat: bool = False
    base64: bool = False  # has no place where a picture could be fetched
    lacks: set[str] = field(default_factory=set)  # endpoints that it has nothing behind
    window: int | None = None  # tokens, as told when something was too long
    pictures: int | None = None  # in one request, as told when there were too many

    def adapt(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The payload as this model takes it."""
        adapted = {
            self.renamed.get(name, name): value
            for name, value in payload.items()
            if name not in self.dropped
        }
        if self.whole:
            adapted.pop("stream_options", None)
            adapted["stream"] = False
        if self.base64 and "messages" not in adapted:
            adapted["response_format"] = "b64_json"
        if self.no_system and "messages" in adapted:
            adapted["messages"] = without_system(adapted["messages"])
        if self.takes_turns and "messages" in adapted:
            adapted["messages"] = in_turns(adapted["messages"])
        return adapted


UNTAUGHT = Lesson()
"""Of a model that has refused nothing yet; never changed."""


class Lessons:
    """The lessons of every model, by name."""

    def __init__(self, settings: ApiSettings) -> None:
        self._settings = settings
        self._configured: Memory[str, ModelSettings] = Memory(MODELS)
        self._lessons: Memory[str, Lesson] = Memory(MODELS)

    def of(self, model: str) -> Lesson:
        """What has been learnt about a model; only to be read."""
        return self._lessons.get(model) or UNTAUGHT

    def protocol(self, model: str) -> Protocol:
        """In which protocol to speak to a model: as configured, else as learnt, else chat."""
        return self._known(model).protocol or self.of(model).protocol or "chat"

    def complete(self, info: ModelInfo) -> ModelInfo:
        """With the window, the pictures and the words of an image model as it has told of them."""
        lesson = self.of(info.id)
        if lesson.pictures is not None:
            vision = info.vision if lesson.pictures else False
            info = replace(info, vision=vision, pictures=lesson.pictures)
        if lesson.window is not None:
            window = min(lesson.window, info.context_window or lesson.window)
            info = replace(info, context_window=window)
        return self.words(info)

    def words(self, info: ModelInfo) -> ModelInfo:
        """With the words that an image model takes, as configured or as it has told."""
        known = self._known(info.id)
        lesson = self.of(info.id)
        told = lesson.words
        if known is NOTHING and not told and not lesson.lacks:
            return info
        return replace(
            info,
            sizes=known.sizes or told.get("size", ()),
            qualities=known.qualities or told.get("quality", ()),
            styles=known.styles or told.get("style", ()),
            lacks=frozenset(lesson.lacks),
        )

    def learn(self, model: str, failure: CallFailed, payload: Mapping[str, Any]) -> bool:
        """Learn from a refusal of this payload; True when it is worth asking again."""
        if failure.kind is ModelErrorKind.CONTEXT_TOO_LONG:
            self._learn_window(model, failure)
        if failure.kind not in _REASONS:
            return False
        lesson = self._taught(model)
        most = failure.overrun.pictures
        if most is not None and _pictures(payload) > most:
            lesson.pictures = most
        words = f"{failure.detail} {failure.param}"
        _learn_words(lesson, failure)
        learnt = (
            self._learn_protocol(model, lesson, failure.detail, payload)
            or _learn_turns(lesson, failure, payload)
            or _learn_no_system(lesson, failure, payload)
            or _learn_base64(lesson, failure, payload)
            or _learn_rename(lesson, words, payload)
            or _learn_drop(lesson, failure, payload)
        )
        if learnt:
            log.info("model adapted to", extra={"model": model, "learnt": learnt})
        return bool(learnt)

    def learn_inputs(self, model: str, failure: CallFailed, sent: int) -> bool:
        """Learn from a refusal how many texts one call takes; True when it is fewer."""
        told = _AT_MOST.search(failure.detail)
        if failure.kind is not ModelErrorKind.BAD_REQUEST or not told:
            return False
        if not 0 < int(told[1]) < sent:
            return False
        self._taught(model).inputs = int(told[1])
        return True

    def draws_in_chat(self, model: str) -> bool:
        """Whether a model draws as part of a conversation, as configured or as learnt."""
        return bool(self._known(model).protocol) or self.of(model).draws_in_chat

    def learn_drawing(self, model: str, failure: CallFailed) -> bool:
        """Learn from the refusal of a picture's order; True when the model draws in a chat."""
        if failure.kind in _REASONS and _DRAWS_IN_CHAT.search(failure.detail):
            self._taught(model).draws_in_chat = True
        return self.of(model).draws_in_chat

    def learn_thinking(self, model: str, *, first: bool) -> None:
        """A model begins its answers amid its reasoning, or does not."""
        if first != self.of(model).thinks_first:
            self._taught(model).thinks_first = first

    def learn_end(self, model: str, *, told: bool) -> None:
        """A streamed answer ended in order: the server has `told` that the answer is whole, or not.

        That the body is closed proves nothing, since gateways close it behind an upstream that
        broke off as well. A server that never tells is asked for whole answers instead.
        """
        lesson = self.of(model)
        if lesson.ends or lesson.whole:
            return
        lesson = self._taught(model)
        lesson.ends = told
        lesson.endless = 0 if told else lesson.endless + 1
        if lesson.endless >= ENDLESS:
            lesson.whole = True
            log.info("model adapted to", extra={"model": model, "learnt": "no end of streams"})

    def learn_lack(self, model: str, endpoint: str) -> None:
        """A model has nothing behind an endpoint."""
        self._taught(model).lacks.add(endpoint)

    def _known(self, model: str) -> ModelSettings:
        """What the configuration says about a model: asked several times for each answer."""
        known = self._configured.get(model)
        if known is None:
            known = self._settings.known(model)
            self._configured.put(model, known)
        return known

    def _taught(self, model: str) -> Lesson:
        """What has been learnt about a model, to be added to."""
        lesson = self._lessons.get(model)
        if lesson is None:
            lesson = Lesson()
            self._lessons.put(model, lesson)
        return lesson

    def _learn_window(self, model: str, failure: CallFailed) -> None:
        """The request itself is not worth repeating: who asked has to say less."""
        told = failure.overrun.limit
        if told is not None and told != self.of(model).window:
            self._taught(model).window = told
            log.info("model adapted to", extra={"model": model, "learnt": f"window of {told}"})

    def _learn_protocol(
        self, model: str, lesson: Lesson, words: str, payload: Mapping[str, Any]
    ) -> str:
        if self._known(model).protocol:
            return ""
        for protocol, pattern in _PROTOCOLS:
            if _FIELD[protocol] not in payload and re.search(pattern, words, re.IGNORECASE):
                lesson.protocol = protocol
                return protocol
        return ""


def _learn_turns(lesson: Lesson, failure: CallFailed, payload: Mapping[str, Any]) -> str:
    messages = payload.get("messages", ())
    if not _TURNS.search(failure.detail) or len(in_turns(messages)) == len(messages):
        return ""
    lesson.takes_turns = True
    return "messages that take turns"


def _pictures(payload: Mapping[str, Any]) -> int:
    """How many pictures are shown in a conversation."""
    messages = payload.get("messages") or payload.get("input") or ()
    contents = [each.get("content") for each in messages if isinstance(each, dict)]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return sum(part.get("type") in ("image_url", "input_image") for part in parts)


def _learn_no_system(lesson: Lesson, failure: CallFailed, payload: Mapping[str, Any]) -> str:
    """Templates that know no system message find it out of turn, once all else takes turns."""
    asked = any(message["role"] == "system" for message in payload.get("messages", ()))
    if not asked or not (_NO_SYSTEM.search(failure.detail) or _TURNS.search(failure.detail)):
        return ""
    lesson.no_system = True
    return "no system message"


def _learn_base64(lesson: Lesson, failure: CallFailed, payload: Mapping[str, Any]) -> str:
    if "response_format" in payload or not _NO_PLACE.search(failure.detail):
        return ""
    lesson.base64 = True
    return "pictures in base64"


def _learn_rename(lesson: Lesson, words: str, payload: Mapping[str, Any]) -> str:
    new = "max_completion_tokens"
    if "max_tokens" not in payload or new not in words or "too large" in words:
        return ""
    lesson.renamed["max_tokens"] = new
    return new


def _learn_words(lesson: Lesson, failure: CallFailed) -> None:
    """A refusal that lists the values of a parameter: the next wrong one is not sent."""
    listed = _LISTED.search(failure.detail)
    if failure.param in ("size", "quality", "style") and listed:
        lesson.words[failure.param] = tuple(re.findall(r"['\"`]([\w:.-]+)['\"`]", listed[0]))


def _learn_drop(lesson: Lesson, failure: CallFailed, payload: Mapping[str, Any]) -> str:
    refused = _REFUSAL.search(f"{failure.detail} {failure.code}")
    if failure.kind is not ModelErrorKind.BAD_REQUEST or not refused:
        return ""
    for name in OPTIONAL:
        spelt = rf"\b{name.replace('_', '_?')}\b"  # xAI writes presencePenalty
        if name in payload and (
            failure.param == name
            or re.search(spelt, failure.detail, re.IGNORECASE)
            or (name == "response_format" and "verbose_json" in failure.detail)  # vLLM
        ):
            lesson.dropped.add(name)
            return name
    named = failure.param == "stream" or re.search(r"\bstream(ing)?\b", failure.detail)
    if named and payload.get("stream"):
        lesson.whole = True
        return "no streaming"
    return ""
