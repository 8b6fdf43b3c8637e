"""What the client has learnt about models, mostly from their refusals: once, and remembered.

Reasoning models refuse `max_tokens` and `temperature`, newer image models `response_format`,
small gateways `stream_options`; templates of small models want both sides to take turns; some
models speak only one protocol. The refusal names what it refuses, costs nothing, and is the only
source that is always right.

It is remembered for each model at each address, over a restart too, and believed for some days:
a server that was mended is found out. What is from before the start is doubted sooner, since
another server may stand there by now.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

from bot.api.failures.errors import CallFailed
from bot.api.learning import refusals
from bot.api.learning.lesson import FORM, UNTAUGHT, Lesson, Taught, read, written
from bot.api.settings import NOTHING, ApiSettings, ModelSettings, Protocol
from bot.core.facts import LIFE, Fact, Notebook
from bot.core.lru import LruCache
from bot.core.models import ModelInfo
from bot.core.ports import Clock
from bot.errors import ModelErrorKind

log = logging.getLogger(__name__)

_REASONS = frozenset(
    {ModelErrorKind.BAD_REQUEST, ModelErrorKind.UNSUPPORTED, ModelErrorKind.MODEL_NOT_FOUND}
)
ENDLESS = 3
"""So many streams in a row that do not tell their end are no accident; one that broke off is asked
for twice, and no answer would be seen while it is written for days."""
MODELS = 2_000
"""Models that are remembered: where the API has no list, people may type any name."""


@dataclass(slots=True)
class _Known:
    """A lesson, and `since` when each of its facts is known, in the clock's time.

    `is_old`: some of it is from before the start, and was not doubted yet.
    """

    lesson: Lesson = UNTAUGHT
    since: dict[str, float] = field(default_factory=dict)
    until: float = inf  # when the first fact is to be forgotten
    is_old: bool = False
    ends: bool = False  # has told the end of a streamed answer
    endless: int = 0  # streamed answers in a row that ended in order, but did not tell so

    def take(self, facts: Taught, at: float) -> None:
        """Hold facts that are known since `at`; one that has its default value is forgotten."""
        self.lesson = replace(self.lesson, **facts)
        for name in facts:
            if getattr(self.lesson, name) == getattr(UNTAUGHT, name):
                self.since.pop(name, None)
            else:
                self.since[name] = at
        self.until = min(self.since.values(), default=inf) + LIFE


class Lessons:
    """The lessons of every model at every address.

    `likely` is the address that is asked next: what is told of a model before it is asked is told
    of that one. Without a `notebook` nothing outlives the client.
    """

    def __init__(
        self,
        settings: ApiSettings,
        *,
        clock: Clock,
        likely: Callable[[], str],
        notebook: Notebook | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._likely = likely
        self._notebook = notebook
        self._configured: LruCache[str, ModelSettings] = LruCache(MODELS)
        self._known: LruCache[tuple[str, str], _Known] = LruCache(MODELS)
        if notebook is not None:
            for url in settings.base_urls:
                self._take_over(url, notebook.found(url))

    def of(self, url: str, model: str) -> Lesson:
        """What has been learnt about a model at an address."""
        known = self._known.get((url, model))
        if known is None:
            return UNTAUGHT
        if self._clock.monotonic() >= known.until:
            self._forget_old(url, model, known)
        return known.lesson

    def protocol(self, model: str, lesson: Lesson) -> Protocol:
        """In which protocol to speak to a model: as configured, else as learnt, else chat."""
        return self._set(model).protocol or lesson.protocol or "chat"

    def complete(self, info: ModelInfo) -> ModelInfo:
        """The same, with its window, its pictures and the words it takes, as it has told them."""
        lesson = self.of(self._likely(), info.id)
        if lesson.pictures is not None:
            vision = info.vision if lesson.pictures else False
            info = replace(info, vision=vision, pictures=lesson.pictures)
        if lesson.window is not None:
            window = min(lesson.window, info.context_window or lesson.window)
            info = replace(info, context_window=window)
        return self._words(info, lesson)

    def words(self, model: str) -> ModelInfo:
        """The words that an image model takes, as configured or as it has told."""
        return self._words(ModelInfo(id=model), self.of(self._likely(), model))

    def inputs(self, model: str) -> int | None:
        """How many texts one call for embeddings takes, where it has told."""
        return self.of(self._likely(), model).inputs

    def draws_in_chat(self, model: str) -> bool:
        """Whether a model draws as part of a conversation, as configured or as learnt."""
        return bool(self._set(model).protocol) or self.of(self._likely(), model).draws_in_chat

    def learn(self, model: str, failure: CallFailed, payload: Mapping[str, Any]) -> bool:
        """Learn from a refusal of this payload; True when it is worth asking again."""
        url = failure.url
        if failure.kind is ModelErrorKind.CONTEXT_TOO_LONG and failure.overrun.limit is not None:
            # The request itself is not worth repeating: who asked has to say less.
            self._teach(url, model, {"window": failure.overrun.limit})
        if failure.kind not in _REASONS:
            return False
        lesson, fixed = self.of(url, model), self._set(model).protocol is not None
        aside = refusals.aside(lesson, failure, payload)
        adaptation = refusals.adaptation(lesson, failure, payload, fixed=fixed)
        if aside or adaptation:
            self._teach(url, model, {**aside, **adaptation})
            return bool(adaptation)
        return self._doubt(url, model)

    def learn_inputs(self, model: str, failure: CallFailed, sent: int) -> bool:
        """Learn from a refusal how many texts one call takes; True when it is fewer."""
        told = refusals.inputs(failure, sent)
        if told is not None:
            self._teach(failure.url, model, {"inputs": told})
        return told is not None

    def learn_drawing(self, model: str, failure: CallFailed) -> bool:
        """Learn from the refusal of a picture's order; True when the model draws in a chat."""
        if failure.kind in _REASONS and refusals.tells_of_drawing_in_chat(failure):
            self._teach(failure.url, model, {"draws_in_chat": True})
        return self.of(failure.url, model).draws_in_chat

    def learn_lack(self, model: str, failure: CallFailed, endpoint: str) -> None:
        """A model is not served at an endpoint."""
        lacks = self.of(failure.url, model).lacks
        self._teach(failure.url, model, {"lacks": lacks | {endpoint}})

    def learn_offered(self, url: str, model: str, endpoint: str) -> None:
        """A model is served at an endpoint."""
        lacks = self.of(url, model).lacks
        if endpoint in lacks:
            self._teach(url, model, {"lacks": lacks - {endpoint}})

    def learn_thinking(self, url: str, model: str, *, first: bool) -> None:
        """A model begins its answers amid its reasoning, or does not."""
        if first != self.of(url, model).thinks_first:
            self._teach(url, model, {"thinks_first": first})

    def learn_taken(self, url: str, model: str, *, tokens: int = 0, pictures: int = 0) -> None:
        """A request of this size was answered: a smaller limit that was told does not hold."""
        lesson, wrong = self.of(url, model), Taught()
        if lesson.window is not None and tokens > lesson.window:
            wrong["window"] = None
        if lesson.pictures is not None and pictures > lesson.pictures:
            wrong["pictures"] = None
        if wrong:
            self._teach(url, model, wrong)

    def learn_end(self, url: str, model: str, *, told: bool) -> None:
        """A streamed answer ended in order: the server has `told` that the answer is whole, or not.

        That the body is closed proves nothing, since gateways close it behind an upstream that
        broke off as well. A server that never tells is asked for whole answers instead.
        """
        known = self._of(url, model)
        if known.ends or known.lesson.whole:
            return
        known.ends = told
        known.endless = 0 if told else known.endless + 1
        if known.endless >= ENDLESS:
            self._teach(url, model, {"whole": True})

    def _words(self, info: ModelInfo, lesson: Lesson) -> ModelInfo:
        known, told = self._set(info.id), lesson.words
        if known is NOTHING and not told and not lesson.lacks:
            return info
        return replace(
            info,
            sizes=known.sizes or told.get("size", ()),
            qualities=known.qualities or told.get("quality", ()),
            styles=known.styles or told.get("style", ()),
            lacks=lesson.lacks,
        )

    def _set(self, model: str) -> ModelSettings:
        """What the configuration says about a model: asked several times for each answer."""
        return self._configured.get_or(model, lambda: self._settings.known(model))

    def _of(self, url: str, model: str) -> _Known:
        return self._known.get_or((url, model), _Known)

    def _take_over(self, url: str, facts: Iterable[Fact]) -> None:
        """Know what was known before the start."""
        now = self._clock.monotonic()
        for fact in facts:
            known = self._of(url, fact.model)
            known.take(read(fact.name, fact.value), now - fact.age)
            known.is_old = True

    def _teach(self, url: str, model: str, facts: Taught) -> None:
        known = self._of(url, model)
        before = known.lesson
        known.take(facts, self._clock.monotonic())
        told = {name: written(known.lesson, name) for name in facts}
        if self._notebook is not None:
            for name, value in told.items():
                self._notebook.note(Fact(address=url, model=model, name=name, value=value))
        if known.lesson != before:
            learnt = ", ".join(f"{name} {value or 'unknown'}" for name, value in told.items())
            log.info("model adapted to", extra={"model": model, "endpoint": url, "learnt": learnt})

    def _doubt(self, url: str, model: str) -> bool:
        """Forget, once, what shapes requests and is from before the start: it may be outdated.

        True when there was something to forget, so that the next request is a different one.
        """
        known = self._known.get((url, model))
        if known is None or not known.is_old:
            return False
        known.is_old = False
        form = [name for name in FORM if name in known.since]
        self._forget(url, model, known, form)
        return bool(form)

    def _forget_old(self, url: str, model: str, known: _Known) -> None:
        long_ago = self._clock.monotonic() - LIFE
        names = [name for name, at in known.since.items() if at <= long_ago]
        if "whole" in names:
            known.endless = ENDLESS - 1  # one that does not tell its end is enough now
        self._forget(url, model, known, names)

    def _forget(self, url: str, model: str, known: _Known, names: Sequence[str]) -> None:
        if names:
            nothing = {name: getattr(UNTAUGHT, name) for name in names}
            self._teach(url, model, nothing)
