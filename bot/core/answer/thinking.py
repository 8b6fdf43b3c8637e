"""What a model thinks before it answers: told while it does, folded up under the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from gettext import NullTranslations

from bot.core.clock import ticking
from bot.core.ports import Clock
from bot.core.types import Thoughts

SILENCE = 10.0
"""Seconds after which it is said that the model thinks, also when it does not tell its thoughts."""


class Thinking:
    """The thoughts of one answer. `tell` shows every `every` seconds how long the model thinks.

    `at_once`: that it thinks is shown before the first thought comes.
    """

    def __init__(
        self,
        tell: Callable[[str], None],
        *,
        clock: Clock,
        texts: NullTranslations,
        every: float,
        at_once: bool = False,
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._texts = texts
        self._every = every
        self._at_once = at_once
        self._asked: float | None = None  # when the model was, unless it is known not to think
        self._pieces: list[str] = []
        self._since: float | None = None
        self._seconds = 0.0

    def ask(self) -> None:
        """The model is asked, maybe once more."""
        if self._asked is None:
            self._asked = self._clock.monotonic()

    def wait(self, text: str) -> None:
        """Nobody thinks: say this instead, until the model is asked again or does think."""
        self._asked = None
        self._tell(text)

    def think(self, text: str) -> None:
        """Another thought."""
        if self._since is None:
            self._since = self._clock.monotonic()
            self._tell(self._texts.gettext("💭 Thinking…"))
        self._pieces.append(text)

    def speak(self) -> None:
        """The model does not think any more: words of the answer follow, or its end."""
        if self._since is not None:
            self._seconds += self._clock.monotonic() - self._since
            self._since = None

    def forget(self) -> None:
        """The model is asked again, and begins to think anew."""
        self._pieces, self._since, self._seconds = [], None, 0.0

    @property
    def thoughts(self) -> Thoughts | None:
        """All thoughts, with how long they took; None when there were none."""
        self.speak()
        text = "".join(self._pieces).strip()
        if not text:
            return None
        title = self._texts.gettext("💭 Thought for {seconds} s")
        return Thoughts(title=title.format(seconds=max(1, round(self._seconds))), text=text)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Show the seconds of thinking while the block runs."""
        self.ask()
        if self._at_once:
            self._tell(self._texts.gettext("💭 Thinking…"))
        with ticking(self._clock, self._every, self._count):
            yield

    def _count(self) -> None:
        now, since = self._clock.monotonic(), self._since
        if not self._pieces and self._asked is not None:
            is_long = self._at_once or now - self._asked >= SILENCE
            since = self._asked if is_long else None
        seconds = 0 if since is None else int(now - since)
        if seconds:
            say = self._texts.gettext("💭 Thinking… {seconds} s")
            self._tell(say.format(seconds=seconds))
