"""How many tokens a text takes: exactly enough for trimming, cheaply enough for the limits."""

from __future__ import annotations

from functools import cache
from typing import Protocol

from bot.core.bounded import Memory

ASCII_PER_TOKEN = 4
"""Characters of English a token (OpenAI, "What are tokens and how to count them")."""
SMOOTHING = 0.2
LONG = 100
"""Characters of a text that takes longer to count than to recognize."""
TEXTS = 10_000
"""Texts whose tokens are remembered: about two megabytes."""
MODELS = 2_000
"""Models that are remembered; some servers take any name."""


class Tokenizer(Protocol):
    """What we use of rs-bpe, which has no type hints."""

    def count(self, text: str) -> int:
        """Tokens of a text."""
        ...


def count_tokens(text: str) -> int:
    """Tokens of a text in the vocabulary of GPT-4o, offline.

    Other models differ by some percent. The first call loads the vocabulary: 0.1 s and 68 MB.
    """
    return _tokenizer().count(text.encode("utf-8", "replace").decode()) if text else 0


class RememberingCounter:
    """Counts tokens as `count_tokens` does, a long text once.

    A talk that may fill its window is counted anew for each answer: by what it is recognized, none
    of it is kept. Threads may share it.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], int] = {}

    def __call__(self, text: str) -> int:
        """Tokens of a text."""
        if len(text) < LONG:
            return count_tokens(text)
        key = (hash(text), len(text))
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= TEXTS:
                self._known.clear()
            found = self._known[key] = count_tokens(text)
        return found


@cache
def _tokenizer() -> Tokenizer:
    from rs_bpe.bpe import openai  # type: ignore[import-not-found]  # compiled, without hints

    tokenizer: Tokenizer = openai.o200k_base()
    return tokenizer


class Estimate:
    """About how many tokens a text takes that comes in pieces, none of which is kept.

    By its length: four ASCII characters a token, or one other. Meant to err upwards: it is what
    the limit per minute is charged before the answer tells.
    """

    def __init__(self) -> None:
        self._ascii = self._wide = 0

    def add(self, text: str) -> None:
        """Another piece."""
        wide = 0 if text.isascii() else sum(character > "\x7f" for character in text)
        self._wide += wide
        self._ascii += len(text) - wide

    @property
    def tokens(self) -> int:
        """Of all pieces."""
        return self._wide + -(-self._ascii // ASCII_PER_TOKEN)


def estimate_tokens(text: str) -> int:
    """The `Estimate` of a whole text."""
    estimate = Estimate()
    estimate.add(text)
    return estimate.tokens


class Calibration:
    """Corrects estimates per model by what the API reported."""

    def __init__(self) -> None:
        self._ratios: Memory[str, float] = Memory(MODELS)

    def corrected(self, model: str, estimate: int) -> int:
        """The estimate for this model."""
        return round(estimate * (self._ratios.get(model) or 1.0))

    def learn(self, model: str, estimate: int, reported: int) -> None:
        """A request that was estimated took so many tokens; one outlier changes little."""
        if estimate <= 0 or reported <= 0:
            return
        seen = min(4.0, max(0.25, reported / estimate))
        before = self._ratios.get(model) or 1.0
        self._ratios.put(model, before + SMOOTHING * (seen - before))
