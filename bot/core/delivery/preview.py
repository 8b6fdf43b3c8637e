"""What may be shown of a sheet that is still being written. Pure functions."""

from __future__ import annotations

from bot.core.delivery.graphemes import boundary_before
from bot.core.delivery.markdown import closed
from bot.core.delivery.partial import settle
from bot.core.delivery.split import Measure, best_cut

FULL = 0.9
"""From this part of a page on, a preview ends where a page may end."""
FAR_BEHIND = 4
"""A text of so many pages is cut without looking whether it could fit on one."""


def fits(body: str, limit: int, measure: Measure) -> bool:
    """Whether a text goes on one page."""
    return len(body) <= FAR_BEHIND * limit and measure(body) <= limit


def preview_of(body: str, given: str, limit: int, measure: Measure) -> str | None:
    """What may be shown now of a sheet that was given a text before; None when it is full.

    Whatever is shown must be able to end as a page, fence closed and all.
    """
    if len(body) > FAR_BEHIND * limit:
        return None
    preview = settle(body)
    if len(preview) <= len(given):
        return given
    size = measure(closed(preview))
    if size > limit:
        return None if measure(body) > limit else given
    if size > FULL * limit:
        least = max(len(given), int(len(preview) * FULL * limit / size))
        cut = best_cut(body, least, len(preview)) or boundary_before(body, least)
        preview = preview[:cut].rstrip()
        if len(preview) <= len(given) or measure(closed(preview)) > limit:
            return given
    return preview
