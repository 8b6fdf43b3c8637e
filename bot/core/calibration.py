"""Calibrates our count of tokens to each model, by what it refuses as too long.

Our count is that of one vocabulary. Another makes three times as many tokens of Chinese, and a
picture takes 85 tokens of one model and 30,000 of the next. A refusal mostly tells the window and
the model's own count of the request. The difference to ours is put down to pictures if there are
any, else to characters beyond ASCII, so that a conversation in English does not suffer from one in
Chinese. The newest evidence holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil, inf

from bot.core.chat import MESSAGE_TOKENS, PICTURE_TOKENS, ChatMessage, ChatRequest, pictures_in
from bot.core.facts import LIFE, Fact, Notebook
from bot.core.lru import LruCache
from bot.core.ports import Clock, TokenCounter
from bot.errors import Overrun

MODELS = 2_000
"""Models that are remembered; some servers take any name."""
STEEPEST = 4.0
"""So many times our count at most: more is a misunderstanding."""
WIDEST = 3.0
"""Tokens beyond our count that a character beyond ASCII takes at most: it has four bytes."""
MANY = 4
"""Such characters are what is off where there is one of them for so many of our tokens."""
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
class Calibration:
    """What is known of how one model counts.

    `scale` is its tokens for one of ours, `wide` those beyond that for each character that is not
    ASCII, `picture` those of a picture. `most` is its window, in our tokens, where the API does not
    tell it and refusals show it.
    """

    scale: float = 1.0
    wide: float = 0.0
    picture: int = PICTURE_TOKENS
    most: int | None = None

    @property
    def steepest(self) -> float:
        """Tokens of a character at most: by our count it has one."""
        return self.scale + self.wide


UNKNOWN = Calibration()
"""That of a model which has refused nothing yet."""


@dataclass(frozen=True, slots=True)
class Ruler:
    """Counts tokens as a model does, about. `pictures` is how many it takes at a time, if known."""

    count: TokenCounter
    calibration: Calibration = UNKNOWN
    pictures: int | None = None

    def words(self, text: str) -> int:
        """Tokens of a text."""
        wide = self.calibration.wide and self.calibration.wide * _wide(text)
        return ceil(self.count(text) * self.calibration.scale + wide)

    def of(self, message: ChatMessage) -> int:
        """Tokens of a message."""
        words = self.words(message.text)
        words += sum(self.words(call.arguments) for call in message.tool_calls)
        return MESSAGE_TOKENS + words + pictures_in([message]) * self.calibration.picture

    def all(self, messages: Iterable[ChatMessage]) -> int:
        """Tokens of several messages."""
        return sum(map(self.of, messages))

    def surely_fit(self, messages: Sequence[ChatMessage], room: int) -> bool:
        """Whether messages are so short that nobody needs to count: our count takes a while.

        No tokenizer makes more tokens than bytes.
        """
        return Ruler(_bytes, Calibration(picture=self.calibration.picture)).all(messages) <= room

    def fit(self, messages: Sequence[ChatMessage], room: int) -> bool:
        """Whether messages take no more than so many tokens."""
        return self.surely_fit(messages, room) or self.all(messages) <= room


class Calibrations:
    """The calibrations of all models, by name; they hold at whatever address a model is asked.

    What the API has told is kept in the `notebook` under its first address, so that another API is
    not taken for this one. What is guessed (`Calibration.most`) is not: it could only be mended by
    another refusal.
    """

    def __init__(self, clock: Clock, *, notebook: Notebook, address: str) -> None:
        self._clock = clock
        self._notebook = notebook
        self._address = address
        self._known: LruCache[str, tuple[Calibration, float]] = LruCache(MODELS)  # and until when
        for fact in notebook.found(address):
            if fact.name == FACT and (calibration := _read(fact.value)) is not None:
                self._believe(fact.model, calibration, LIFE - fact.age)

    def of(self, model: str) -> Calibration:
        """What is known of a model."""
        calibration, until = self._known.get(model) or (UNKNOWN, inf)
        return calibration if self._clock.monotonic() < until else UNKNOWN

    def learn(self, request: ChatRequest, overrun: Overrun, *, count: TokenCounter) -> None:
        """A request was refused as too long; this is what the API told of it."""
        model, calibration = request.model, self.of(request.model)
        ours = Ruler(count, calibration).all(request.messages)
        limit, asked = overrun.limit, overrun.asked
        if asked is not None:
            self._keep(model, replace(_fitted(calibration, request, asked, count), most=None))
        elif limit is None:
            self._believe(model, replace(calibration, most=max(LEAST, int(ours / BEYOND))))
        elif ours + (request.sampling.max_tokens or 0) <= limit:  # our count does not explain it
            self._believe(model, _fitted(calibration, request, round(BEYOND * limit), count))

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
        if Ruler(count, Calibration(picture=0)).all(request.messages) * CUT > used:
            calibration = self.of(request.model)
            window = blocks * KILO * (2 if more else 1)
            most = min(window, calibration.most or window)
            self._believe(request.model, replace(calibration, most=most))

    def _believe(self, model: str, calibration: Calibration, seconds: float = LIFE) -> None:
        self._known.put(model, (calibration, self._clock.monotonic() + seconds))

    def _keep(self, model: str, calibration: Calibration) -> None:
        """Believe what the API itself has told, also after a restart."""
        self._believe(model, calibration)
        value = _written(calibration)
        self._notebook.note(Fact(address=self._address, model=model, name=FACT, value=value))


def _written(calibration: Calibration) -> str:
    told = {name: getattr(calibration, name) for name in _TOLD}
    return json.dumps(told)


def _read(text: str) -> Calibration | None:
    """The calibration that was `_written`; None where it is not one."""
    try:
        found = json.loads(text)
        return Calibration(**{name: kind(found[name]) for name, kind in _TOLD.items()})
    except (ValueError, TypeError, LookupError):
        return None


def _fitted(
    calibration: Calibration, request: ChatRequest, asked: int, count: TokenCounter
) -> Calibration:
    """The calibration by which a request takes the tokens that were `asked` for.

    What the words do not explain is the pictures', where there are any.
    """
    pictures = pictures_in(request.messages)
    plain = Ruler(count, replace(calibration, picture=0))
    if pictures:
        each = (asked - plain.all(request.messages)) // pictures
        return replace(calibration, picture=min(DEAREST, max(PICTURE_TOKENS, each)))
    ours, wide = Ruler(count).all(request.messages), sum(_wide(m.text) for m in request.messages)
    if wide * MANY >= ours:
        beyond = (asked - ours) / wide
        return replace(calibration, scale=1.0, wide=min(WIDEST, max(0.0, beyond)))
    return replace(calibration, scale=min(STEEPEST, max(1.0, asked / ours)))


def _wide(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))


def _bytes(text: str) -> int:
    return len(text.encode(errors="replace"))
