"""How a model counts what it is told, beside how we do: learnt from what it refuses as too long.

Our count is of one vocabulary. Another makes three times as many tokens of Chinese, and a picture
is worth 85 tokens to one model and 30,000 to the next. A refusal mostly tells both the window and
what was counted. What is off is put down to what most likely is: pictures, then characters beyond
ASCII, so that a conversation in English does not suffer from one in Chinese. The newest evidence
holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil, inf

from bot.core.bounded import Memory
from bot.core.chat import MESSAGE_TOKENS, PICTURE_TOKENS, ChatMessage, ChatRequest, pictures_in
from bot.core.facts import LIFE, Fact, Notebook
from bot.core.ports import Clock, TokenCounter
from bot.errors import Overrun

MODELS = 2_000
"""Models that are remembered; some servers take any name."""
STEEPEST = 4.0
"""So many times our count at most: more is a misunderstanding."""
WIDEST = 3.0
"""Tokens beyond our count that another character takes at most: it has four bytes."""
MANY = 4
"""They count where there is one for so many of our tokens."""
DEAREST = 50_000
"""Tokens of a picture at most."""
KILO = 1_024
"""Windows are multiples of it."""
MORE = 4
"""Tokens that Ollama keeps of the beginning, about."""
CUT = 0.75
"""The part of our count that no tokenizer stays below."""
BEYOND = 1.5
"""By how much a request is taken to be too long where nobody tells."""
FACT = "tokens"
"""How what was told is called among the facts about a model."""
_TOLD = {"scale": float, "wide": float, "picture": int}
LEAST = 2_048
"""A window that is guessed is no smaller: what is refused below that, and for every chat from then
on, would be refused for a reason of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """What is known of one model: its tokens for one of ours, and for a picture.

    `wide` is what it takes beyond our count for each character that is not ASCII. `most` is the
    window, in our tokens, as far as it shows where the API does not tell it.
    """

    scale: float = 1.0
    wide: float = 0.0
    picture: int = PICTURE_TOKENS
    most: int | None = None

    @property
    def steepest(self) -> float:
        """Tokens of a character at most: by our count it has one."""
        return self.scale + self.wide


UNKNOWN = Gauge()
"""Of a model that has refused nothing yet."""


@dataclass(frozen=True, slots=True)
class Ruler:
    """Counts tokens as a model does, about. `pictures` is how many it takes at a time, if known."""

    count: TokenCounter
    gauge: Gauge = UNKNOWN
    pictures: int | None = None

    def words(self, text: str) -> int:
        """Tokens of a text."""
        wide = self.gauge.wide and self.gauge.wide * _wide(text)
        return ceil(self.count(text) * self.gauge.scale + wide)

    def of(self, message: ChatMessage) -> int:
        """Tokens of a message."""
        words = self.words(message.text)
        words += sum(self.words(call.arguments) for call in message.tool_calls)
        return MESSAGE_TOKENS + words + pictures_in([message]) * self.gauge.picture

    def all(self, messages: Iterable[ChatMessage]) -> int:
        """Tokens of several messages."""
        return sum(map(self.of, messages))

    def surely_fit(self, messages: Sequence[ChatMessage], room: int) -> bool:
        """Whether messages are so short that nobody needs to count: our count takes a while.

        No tokenizer makes more tokens than bytes.
        """
        return Ruler(_bytes, Gauge(picture=self.gauge.picture)).all(messages) <= room

    def fit(self, messages: Sequence[ChatMessage], room: int) -> bool:
        """Whether messages take no more than so many tokens."""
        return self.surely_fit(messages, room) or self.all(messages) <= room


class Gauges:
    """The gauges of all models, by name: a tokenizer is the model's own, whatever address has it.

    What the API has told is kept in the `notebook` under its first address, so that another API is
    not taken for this one. What is guessed (`Gauge.most`) is not: it could only be mended by
    another refusal.
    """

    def __init__(
        self, clock: Clock, *, notebook: Notebook | None = None, address: str = ""
    ) -> None:
        self._clock = clock
        self._notebook = notebook
        self._address = address
        self._known: Memory[str, tuple[Gauge, float]] = Memory(MODELS)  # and until when
        for fact in notebook.found(address) if notebook else ():
            if fact.name == FACT and (gauge := _read(fact.value)) is not None:
                self._believe(fact.model, gauge, LIFE - fact.age)

    def of(self, model: str) -> Gauge:
        """What is known of a model."""
        gauge, until = self._known.get(model) or (UNKNOWN, inf)
        return gauge if self._clock.monotonic() < until else UNKNOWN

    def learn(self, request: ChatRequest, overrun: Overrun, *, count: TokenCounter) -> None:
        """A request was refused as too long; this is what the API told of it."""
        model, gauge = request.model, self.of(request.model)
        ours = Ruler(count, gauge).all(request.messages)
        limit, asked = overrun.limit, overrun.asked
        if asked is not None:
            self._keep(model, replace(_fitted(gauge, request, asked, count), most=None))
        elif limit is None:
            self._believe(model, replace(gauge, most=max(LEAST, int(ours / BEYOND))))
        elif ours + (request.sampling.max_tokens or 0) <= limit:  # our count does not explain it
            self._believe(model, _fitted(gauge, request, round(BEYOND * limit), count))

    def learn_used(self, request: ChatRequest, used: int, *, count: TokenCounter) -> None:
        """A request took so many tokens, as the API reports."""
        self._keep(request.model, _fitted(self.of(request.model), request, used, count))

    def learn_cut(self, request: ChatRequest, used: int, *, count: TokenCounter) -> None:
        """A request took so many tokens in Ollama, which may have cut off its beginning.

        It says nothing of that, but what is left is half of the window and a little more, or all
        of it in early versions (https://github.com/ollama/ollama/issues/17427).
        """
        blocks, more = divmod(used, KILO)
        if not blocks or more > MORE:
            return
        if Ruler(count, Gauge(picture=0)).all(request.messages) * CUT > used:
            gauge = self.of(request.model)
            window = blocks * KILO * (2 if more else 1)
            most = min(window, gauge.most or window)
            self._believe(request.model, replace(gauge, most=most))

    def _believe(self, model: str, gauge: Gauge, seconds: float = LIFE) -> None:
        self._known.put(model, (gauge, self._clock.monotonic() + seconds))

    def _keep(self, model: str, gauge: Gauge) -> None:
        """Believe what the API itself has told, also after a restart."""
        self._believe(model, gauge)
        if self._notebook is not None:
            value = _written(gauge)
            self._notebook.note(Fact(address=self._address, model=model, name=FACT, value=value))


def _written(gauge: Gauge) -> str:
    told = {name: getattr(gauge, name) for name in _TOLD}
    return json.dumps(told)


def _read(text: str) -> Gauge | None:
    """The gauge that was `_written`; None where it is not one."""
    try:
        found = json.loads(text)
        return Gauge(**{name: kind(found[name]) for name, kind in _TOLD.items()})
    except (ValueError, TypeError, LookupError):
        return None


def _fitted(gauge: Gauge, request: ChatRequest, asked: int, count: TokenCounter) -> Gauge:
    """The gauge by which a request takes the tokens that were `asked` for.

    What the words do not explain is the pictures', where there are any.
    """
    pictures = pictures_in(request.messages)
    plain = Ruler(count, replace(gauge, picture=0))
    if pictures:
        each = (asked - plain.all(request.messages)) // pictures
        return replace(gauge, picture=min(DEAREST, max(PICTURE_TOKENS, each)))
    ours, wide = Ruler(count).all(request.messages), sum(_wide(m.text) for m in request.messages)
    if wide * MANY >= ours:
        beyond = (asked - ours) / wide
        return replace(gauge, scale=1.0, wide=min(WIDEST, max(0.0, beyond)))
    return replace(gauge, scale=min(STEEPEST, max(1.0, asked / ours)))


def _wide(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))


def _bytes(text: str) -> int:
    return len(text.encode(errors="replace"))
