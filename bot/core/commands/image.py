"""`/image`: draw a picture, or redraw one; and the buttons under it."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.commands.models_on_offer import exact, nearest
from bot.core.commands.options import Given, Option, OptionError, take_options
from bot.core.commands.table import MEDIA, Command, Handler, Queueing
from bot.core.i18n import N_
from bot.core.models import Purpose
from bot.core.pictures.buttons import AGAIN, VARY
from bot.core.pictures.drawing import PictureTask
from bot.core.pictures.orders import Order
from bot.core.pictures.sources import Source, digest_of, pictures_of
from bot.core.punctuation import enumerated, in_a_row
from bot.core.queue import Outcome
from bot.core.turn import TurnContext
from bot.core.types import ButtonPress, IncomingMessage
from bot.errors import ModelError

MOST = 10
"""Pictures at once (OpenAI API reference, "Create image"), and in an album of Telegram's."""
OPTIONS = (
    Option(name="size"),
    Option(name="quality"),
    Option(name="style"),
    Option(name="n", low=1, high=MOST),
    Option(name="model"),
    Option(name="edit", flag=True),
    Option(name="mask", flag=True),
)


async def image(ctx: TurnContext, message: IncomingMessage, argument: str) -> Outcome | None:
    """Draw what the argument describes; with a picture, redraw it."""
    try:
        given = take_options(argument, OPTIONS, ctx.texts)
        order = await _order(ctx, message, given)
    except OptionError as error:
        await ctx.say(str(error))
        return None
    return await PictureTask(ctx, message).draw(order)


async def image_again(
    ctx: TurnContext, message: IncomingMessage, argument: str, model: str
) -> Outcome:
    """Draw what was drawn before by `model`: the argument is what followed the command then."""
    given = take_options(argument, OPTIONS, ctx.texts)
    return await PictureTask(ctx, message).draw(_ordered(given, model))


async def _order(ctx: TurnContext, message: IncomingMessage, given: Given) -> Order:
    """What is to be drawn. Raises `OptionError` with what is missing or wrong."""
    _ = ctx.texts.gettext
    sources = await _sources(ctx, message, given)
    if not given.argument:
        if sources:
            raise OptionError(
                _("Tell me what to change in it, for example: `/image make it a winter evening`")
            )
        raise OptionError(_("Tell me what to draw, for example: `/image a lighthouse in a storm`"))
    return _ordered(given, await _model(ctx, given.text("model")), sources)


def _ordered(given: Given, model: str, sources: tuple[Source, ...] = ()) -> Order:
    return Order(
        prompt=given.argument,
        model=model,
        n=given.number("n", 1),
        size=given.text("size").lower().replace("×", "x"),
        quality=given.text("quality").lower(),
        style=given.text("style").lower(),
        sources=sources,
        mask=bool(given.text("mask")),
    )


async def _sources(ctx: TurnContext, message: IncomingMessage, given: Given) -> tuple[Source, ...]:
    _ = ctx.texts.gettext
    sources = pictures_of(message)
    if given.text("edit") and not sources:
        newest = await ctx.services.stores.conversations.drawn(ctx.chat)
        if newest is None:
            raise OptionError(_("I have drawn nothing here yet that I could change."))
        sources = (Source(digest=digest_of(newest)),)
    if given.text("mask") and len(sources) < 2:
        raise OptionError(
            _(
                "For `--mask` I need two pictures: the one to change, and a PNG of the same size "
                "that is transparent where it shall change. Reply to the first with the second, "
                "sent as a file."
            )
        )
    return sources


async def _model(ctx: TurnContext, wanted: str) -> str:
    """The image model: as asked for, or the operator's."""
    _ = ctx.texts.gettext
    model = ctx.services.defaults.image_model
    if not wanted:
        if not model:
            raise OptionError(
                _("I cannot draw here: no image model is set. The operator can set one.")
            )
        return model
    try:
        infos = await ctx.services.api.models()
    except ModelError:
        return wanted  # without a list, the person's word is taken
    known = [info.id for info in infos]
    found = exact(known, wanted)
    if found is not None or not known:
        return found or wanted
    text = _("There is no model “{name}”.").format(name=wanted)
    drawing = [info.id for info in infos if info.purpose is Purpose.DRAWING]
    close = nearest(known, wanted, 3) or drawing[:3]
    if not close:
        raise OptionError(text)
    hint = _("Did you mean one of these: {names}?")
    names = enumerated(ctx.texts, (f"`{name}`" for name in close))
    raise OptionError(in_a_row(ctx.texts, text, hint.format(names=names)))


async def draw_again(ctx: TurnContext, press: ButtonPress, argument: str) -> Outcome:
    """Somebody pressed a button under a picture: another one is drawn, below."""
    order = Order.from_json(argument)
    ctx.shown[:] = ctx.turn.shown  # not in the message that bears the button
    return await PictureTask(ctx, press.as_message(order.prompt)).draw(order)


_DRAWING = Handler(run=draw_again, queueing=Queueing.ASKS_EVERY_TIME)
ACTIONS: Mapping[str, Handler] = {AGAIN: _DRAWING, VARY: _DRAWING}

IMAGE = Command(
    name="image",
    summary=N_("Draw a picture, or change one"),
    usage=N_("PROMPT [OPTIONS]"),
    run=image,
    family=MEDIA,
    aliases=("draw",),
    details=N_(
        "Options: `--n 2`, `--size 1024x1536`, `--quality high`, `--style vivid`, `--model NAME`.\n"
        "Reply to a picture with it, or write it under one, to change that picture; `--edit` "
        "changes the one I drew last. With `--mask` the second picture says where: it is a PNG, "
        "transparent where the first shall change."
    ),
    examples=(
        N_("/image a lighthouse in a storm"),
        N_("/image a cat in a hat --n 3 --size 1024x1536"),
        N_("/image --edit make it a winter evening"),
    ),
)
