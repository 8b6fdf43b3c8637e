"""Makes pictures fit for a model that sees: checked, upright, no larger than it looks at.

What is quickly done is done on a thread. A small file may also be one that takes gigabytes, or
hours: such a picture is worked on in a process of its own, which ends before that.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from bot.media.fitting import fit
from bot.media.process import answer_of

Places: TypeAlias = AbstractAsyncContextManager[None]
_ANY = nullcontext()


async def fit_picture(
    data: bytes,
    *,
    max_side: int = 1568,
    max_pixels_in: int = 50_000_000,
    seconds: float = 40.0,
    quick: Places = _ANY,
    apart: Places = _ANY,
) -> tuple[str, bytes]:
    """The picture as JPEG or PNG with sides up to `max_side`, as `(mime, data)`.

    Turned upright and without its metadata (which may tell where it was taken). 1568 is the side
    beyond which models scale down by themselves. Raises `MediaError`: empty, not an image, more
    than `max_pixels_in` pixels, which is found out before they are decoded, or more work than
    `seconds`. Those that are `quick`ly done do not wait for places `apart`.
    """
    async with quick:
        fitted = await asyncio.to_thread(fit, data, max_side, max_pixels_in, only_quick=True)
    if fitted is None:
        async with apart:
            fitted = await _fit_apart(data, max_side, seconds)
    return fitted


async def _fit_apart(data: bytes, max_side: int, seconds: float) -> tuple[str, bytes]:
    with TemporaryDirectory(prefix="chinwag-") as folder:
        given, made = Path(folder) / "given", Path(folder) / "made"
        await asyncio.to_thread(given.write_bytes, data)
        order = {"given": str(given), "made": str(made), "side": max_side}
        answer = await answer_of("bot.media.fitting", order, seconds=seconds)
        return answer["mime"], await asyncio.to_thread(made.read_bytes)
