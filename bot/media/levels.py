"""How loud a recording is over time, and where it is best cut."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from bot.media.sound import BYTES_PER_SAMPLE, RATE

STEP = 320
"""Samples per level: 20 ms, which is also what an Opus packet holds."""
STEPS_PER_SECOND = RATE // STEP
SILENCE = 104
"""Peaks below this (-50 dB of full scale) are not heard."""

_STRIDE = (
    4  # a voice is as loud in every fourth sample, and looking at all takes four times as long
)
_PAUSE = STEPS_PER_SECOND * 3 // 10  # a pause between words to cut in: 0.3 s


def measure(blocks: Iterable[bytes]) -> array[int]:
    """The peak of every 20 ms, 0…32768; the last step may be short."""
    levels = array("H")
    size = STEP * BYTES_PER_SAMPLE
    rest = b""
    for block in blocks:
        data = rest + block
        whole = len(data) - len(data) % size
        levels.extend(_peak(data[start : start + size]) for start in range(0, whole, size))
        rest = data[whole:]
    if rest:
        levels.append(_peak(rest))
    return levels


def _peak(data: bytes) -> int:
    samples = array("h", data)[::_STRIDE]
    return max(max(samples), -min(samples))


def cuts(levels: array[int], *, longest: int, search: int) -> list[int]:
    """Where to cut, in steps, so that no part is longer than `longest` steps.

    The parts are about equally long; each cut is moved by up to `search` steps to the middle of
    the quietest pause.
    """
    places: list[int] = []
    begin = 0
    while (rest := len(levels) - begin) > longest:
        target = begin + -(-rest // -(-rest // longest))
        low = max(begin + longest // 2, target - search)
        high = min(begin + longest, target + search)
        begin = _quietest(levels, low, high, target)
        places.append(begin)
    return places


def _quietest(levels: array[int], low: int, high: int, target: int) -> int:
    """The middle of the quietest pause between two places; of equals the nearest to `target`."""
    half = _PAUSE // 2
    loudness = sum(levels[low - half : low + half])
    best, place = (loudness, abs(low - target)), low
    for now in range(low + 1, high + 1):
        after = levels[now + half - 1] if now + half - 1 < len(levels) else 0
        loudness += after - levels[now - half - 1]
        if (loudness, abs(now - target)) < best:
            best, place = (loudness, abs(now - target)), now
    return place
