"""The buttons under a picture, and under the line that says why there is none."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.chat import ImagePart
from bot.core.pictures.orders import Order
from bot.core.pictures.sources import Source, digest_of
from bot.core.stores import Action
from bot.core.turn import TurnContext
from bot.core.types import Button, ButtonRow

AGAIN = "image.again"
VARY = "image.vary"
ROW = 3
"""Buttons side by side."""
VARIATIONS, EDITS = "variations", "edits"
"""What a model may lack (`ModelInfo.lacks`)."""


async def under(
    ctx: TurnContext, order: Order, pictures: Sequence[ImagePart]
) -> tuple[ButtonRow, ...]:
    """Under pictures: draw the same again, or something like one of them."""
    _ = ctx.texts.gettext
    choices = [(_("🔁 Again"), AGAIN, order)]
    lacks = (await ctx.services.api.about(order.model)).lacks
    if not {VARIATIONS, EDITS} <= lacks:
        for number, picture in enumerate(pictures, start=1):
            like = Order(
                prompt=order.prompt,
                model=order.model,
                size=order.size,
                quality=order.quality,
                sources=(Source(digest=digest_of(picture)),),
                variation=True,
            )
            label = _("🎨 Vary {number}").format(number=number)
            choices.append((_("🎨 Vary") if len(pictures) == 1 else label, VARY, like))
    return await _rows(ctx, choices)


async def instead(ctx: TurnContext, order: Order) -> tuple[ButtonRow, ...]:
    """Under a line that says why there is no picture."""
    return await _rows(ctx, [(ctx.texts.gettext("🔁 Draw it"), AGAIN, order)])


async def _rows(
    ctx: TurnContext, choices: Sequence[tuple[str, str, Order]]
) -> tuple[ButtonRow, ...]:
    choices = choices[: ctx.platform.capabilities(ctx.chat).max_buttons]
    owner = ctx.sender.id
    actions = [Action(name=n, argument=o.to_json(), owner=owner) for _, n, o in choices]
    values = await ctx.services.stores.actions.offer(ctx.chat, actions)
    buttons = [Button(label, value) for (label, *_), value in zip(choices, values, strict=True)]
    return tuple(tuple(buttons[at : at + ROW]) for at in range(0, len(buttons), ROW))
