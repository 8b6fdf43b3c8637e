"""The buttons under a picture, and under the line that says why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.core.chat import ImagePart
from bot.core.menu import Item, make_buttons
from bot.core.pictures.orders import Order
from bot.core.pictures.sources import Source, digest_of
from bot.core.turn import TurnContext
from bot.core.types import ButtonRow

AGAIN = "image.again"
VARY = "image.vary"
ROW = 3
"""Buttons side by side."""
VARIATIONS, EDITS = "variations", "edits"
"""What a model may lack (`ModelInfo.lacks`)."""


async def under(
    ctx: TurnContext, order: Order, pictures: Sequence[ImagePart]
) -> Sequence[ButtonRow]:
    """Under pictures: draw the same again, or something like one of them."""
    _ = ctx.texts.gettext
    choices = [Item(_("🔁 Again"), AGAIN, order.to_json())]
    lacks = (await ctx.services.api.about(order.model)).lacks
    if not {VARIATIONS, EDITS} <= lacks:
        for number, picture in enumerate(pictures, start=1):
            source = Source(digest=digest_of(picture))
            like = replace(order, n=1, style="", sources=(source,), mask=False, variation=True)
            label = _("🎨 Vary {number}").format(number=number)
            label = _("🎨 Vary") if len(pictures) == 1 else label
            choices.append(Item(label, VARY, like.to_json()))
    return await _rows(ctx, choices)


async def instead(ctx: TurnContext, order: Order) -> Sequence[ButtonRow]:
    """Under a line that says why there is no picture."""
    return await _rows(ctx, [Item(ctx.texts.gettext("🔁 Draw it"), AGAIN, order.to_json())])


async def _rows(ctx: TurnContext, choices: Sequence[Item]) -> Sequence[ButtonRow]:
    choices = choices[: ctx.capabilities.max_buttons]
    return await make_buttons(ctx, [choices[at : at + ROW] for at in range(0, len(choices), ROW)])
