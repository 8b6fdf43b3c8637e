"""Pictures for a model that cannot see: said before anything is asked, with models that can."""

from __future__ import annotations

from bot.core.commands.model import SET
from bot.core.commands.models_on_offer import can_answer, is_offered
from bot.core.menu import Item, make_buttons
from bot.core.punctuation import in_a_row
from bot.core.question.attachments import kind_of
from bot.core.queue import Outcome
from bot.core.turn import TurnContext
from bot.core.types import FileKind, IncomingMessage
from bot.errors import ModelError

MOST = 6
"""Models that are offered."""


def shows_picture(message: IncomingMessage) -> bool:
    """Whether somebody sent something to look at. What a reply quotes may be left out."""
    return any(kind_of(file) is FileKind.IMAGE for file in message.attachments)


async def instead_of_looking(ctx: TurnContext, message: IncomingMessage) -> Outcome | None:
    """What is said when the model is known to be blind; None: it may look."""
    if not shows_picture(message):
        return None
    model = ctx.manner.model
    if (await ctx.services.api.about(model)).vision is not False:
        return None
    _ = ctx.texts.gettext
    try:
        known = await ctx.services.api.models()
    except ModelError:
        known = ()
    seeing = [
        info.id
        for info in known
        if info.vision and can_answer(ctx, info) and is_offered(ctx, info.id)
    ][:MOST]
    text = _("“{model}” cannot see pictures.").format(model=model)
    if seeing:
        hint = _("Choose a model that can, and then send the picture again, or reply to it:")
        text = in_a_row(ctx.texts, text, hint)
        if not ctx.capabilities.max_buttons:
            text += "\n\n" + "\n".join(f"- `{name}`" for name in seeing)
        await ctx.say(
            text, buttons=await make_buttons(ctx, [[Item(name, SET, name)] for name in seeing])
        )
    else:
        hint = _("Choose another with /model, and send the picture again.")
        await ctx.say(in_a_row(ctx.texts, text, hint))
    return Outcome()
