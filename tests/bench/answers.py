"""What the model of the benchmark says: short, long and Markdown answers, stalls and cuts."""

from __future__ import annotations

import re
from dataclasses import dataclass

CHUNK = 8
PACE = 1 / 25
"""Seconds between two pieces of `CHUNK` characters."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer. `stall` is a pause after half of it, in seconds.

    With `cut` the connection breaks after half of it, the first time it is asked for.
    """

    text: str
    stall: float = 0.0
    cut: bool = False

    @property
    def pieces(self) -> list[str]:
        """The answer as it is streamed."""
        return [self.text[at : at + CHUNK] for at in range(0, len(self.text), CHUNK)]


def _words(count: int) -> str:
    return "".join(f"piece{number:03}" for number in range(count))


_MARKDOWN = """\
## Part {n}: how it works

Some **bold words**, *slanted ones*, `code` and a [link](https://example.org/{n}) in one line.

1. The first point of {n}
2. The second one, with ~~struck~~ words
   - a nested point

```python
def part_{n}(value: int) -> int:
    return value * {n}
```

| name | value |
| --- | --- |
| alpha | {n} |
| beta | two |

> A quotation that ends part {n}.

"""

ANSWERS = {
    "short": Answer(text=_words(150)),
    "long": Answer(text=" ".join(_words(12) for _ in range(99))),
    "markdown": Answer(text="".join(_MARKDOWN.format(n=n) for n in range(1, 6))),
    "stall": Answer(text=_words(150), stall=5.0),
    "cut": Answer(text=_words(150), cut=True),
}
"""By name. `short` is 1,200 characters in 6 seconds, `long` 9,600 in 48."""

_FENCE = re.compile(r"^```\w+$", re.MULTILINE)
_ADDRESS = re.compile(r"\]\([^)]*\)")
_OTHER = re.compile(r"[\W_]+")


def letters(text: str) -> str:
    """The letters and digits that a reader must see, whatever the formatting looks like."""
    return _OTHER.sub("", _ADDRESS.sub("]", _FENCE.sub("```", text)))
