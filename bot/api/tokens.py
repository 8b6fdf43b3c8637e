"""How many tokens a text takes: well enough for trimming, cheaply enough for the limits."""

from __future__ import annotations

import re
from math import ceil

from bot.core.lru import LruCache

ASCII_PER_TOKEN = 4
"""Characters of English a token (OpenAI, "What are tokens and how to count them")."""
SMOOTHING = 0.2
LONG = 100
"""Characters of a text that takes longer to count than to recognize."""
TEXTS = 10_000
"""Texts whose tokens are remembered: about two megabytes."""
MODELS = 2_000
"""Models that are remembered; some servers take any name."""
PIECE = 50_000
"""Characters that are looked at together: what is found in them takes memory."""

_SIGN = r"[!-/:-@\[-`{-~]"
_ASCII = (
    (r"[A-Za-z]+", 1.0),
    (r"[A-Za-z](?<=[A-Za-z]{7})", 0.22),  # of a word that is longer than most
    (r"[0-9]{1,3}", 1.3),
    (rf"{_SIGN}+", 0.85),
    (rf"({_SIGN})(?<={_SIGN}{{4}})(?<!\1\1)", 0.5),  # of many unlike signs
    (rf"({_SIGN})\1{{15}}(?<={_SIGN}{{32}})", 0.5),  # of a long line
    (r"\n(?:\r?\n)*[^\S\n]*", 0.9),
    (r"\s{16}(?<=\s{32})", 0.5),
    (r"[\x00-\x08\x0e-\x1f\x7f]", 0.9),
)
"""Tokens of a piece of each kind: a fit to o200k_base over prose, code, JSON and HTML.

No kind may be left without any: of a file of signs or blanks, which seems to take none, nothing
would be left out, and what it takes then would be put down to the words of every conversation.
"""
_BEYOND = (
    (r"[\x80-\u024f]", 0.8),  # letters with accents
    (r"[\u0250-\u1fff]", 0.38),  # Greek to Thai
    (r"[\u2000-\U0010ffff]", 0.75),  # Chinese, Japanese, Korean; emoji
    (r"[\u2800-\u28ff\U00010000-\U0001efff\U00020000-\U0010ffff]", 2.2),  # the rarest
)
"""The same of characters that are not ASCII: over programs' messages in 15 languages."""


def count_tokens(text: str) -> int:
    """About how many tokens a text takes: mostly within 15 % of what GPT-4o's vocabulary says.

    Vocabularies differ by more than that from model to model, and what a model reports corrects
    the count (`bot.core.calibration`), so none is loaded: one takes 70 MB.
    """
    return ceil(sum(_tokens(text[at : at + PIECE]) for at in range(0, len(text), PIECE)))


def _tokens(piece: str) -> float:
    kinds = _ASCII if piece.isascii() else (*_ASCII, *_BEYOND)
    # Compiled when the first text is counted, which is after the start.
    return sum(weight * len(re.findall(kind, piece)) for kind, weight in kinds)


class RememberingCounter:
    """Counts tokens as `count_tokens` does, a long text only once.

    A conversation is counted anew for each answer. So the counts of long texts are kept, by their
    hashes and lengths, without the texts. Threads may share it.
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
        self._ratios: LruCache[str, float] = LruCache(MODELS)

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
