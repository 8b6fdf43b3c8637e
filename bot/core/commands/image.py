"""`/image`: draw a picture."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bot.core.chat import Drawing, ImageRequest, NewMessage, Picture, Role, TextPart
from bot.core.commands.families import MEDIA
from bot.core.commands.table import Command
from bot.core.i18n import N_
from bot.core.sentences import sentence_for_model
from bot.core.spending import reserve_images
from bot.core.stores import Outcome
from bot.core.turn import TurnContext
from bot.core.types import IncomingMessage, OutgoingFile
from bot.errors import ModelError, ModelErrorKind

log = logging.getLogger(__name__)

CAPTION = 200
"""Characters of the prompt that stand under a picture."""


async def image(ctx: TurnContext, message: IncomingMessage, argument: str) -> Outcome:
    """Draw what the argument describes, and keep in the conversation that it was drawn."""
    _ = ctx.texts.gettext
    model = ctx.settings.image_model or ctx.services.defaults.image_model
    if not argument:
        await ctx.say(_("Tell me what to draw, for example: `/image a lighthouse in a storm`"))
        return Outcome()
    if not model:
        await ctx.say(_("I cannot draw here: no image model is set. The operator can set one."))
        return Outcome()
    drawn: list[Drawing] = []

    async def draw() -> None:
        await reserve_images(ctx, model=model, count=1)
        request = ImageRequest(model=model, prompt=argument, lane=ctx.lane)
        drawn.append(await ctx.services.api.draw(request))

    delivery = ctx.delivery(message)
    async with delivery, ctx.platform.typing(ctx.chat, message.ref):
        delivery.status(_("🎨 Drawing… this can take a minute."))
        try:
            done = await ctx.stopper.guard(draw())
        except ModelError as error:
            log.warning("drawing failed", extra={**ctx.log, "model": model, "kind": error.kind})
            await delivery.finish(mark=_explain(ctx, error, model), failed=True)
            return Outcome()
        if not done:
            await delivery.finish(mark=_("⏹ Stopped."))
            return Outcome()
        pictures = drawn[0].pictures
        delivery.write(_caption(argument, pictures))
        await delivery.finish(files=_files(pictures))
    conversation = await ctx.services.stores.conversations.current(ctx.chat)
    return Outcome(
        conversation=conversation,
        messages=_kept(message, argument, model),
        usage=(drawn[0].usage,),
    )


def _explain(ctx: TurnContext, error: ModelError, model: str) -> str:
    _ = ctx.texts.gettext
    if error.kind is ModelErrorKind.MODEL_NOT_FOUND:
        text = _("The API does not know the image model “{model}”. The operator can set another.")
        return "⚠️ " + text.format(model=model)
    if error.kind is ModelErrorKind.TIMEOUT:
        # The API bills a picture whose connection broke, so nobody asks again on their behalf.
        return "⚠️ " + _("The picture took too long and is lost. It may still be billed.")
    return "⚠️ " + sentence_for_model(error, ctx.texts, model=model)


def _caption(prompt: str, pictures: Sequence[Picture]) -> str:
    short = prompt if len(prompt) <= CAPTION else prompt[: CAPTION - 1] + "…"
    notes = dict.fromkeys(picture.note for picture in pictures if picture.note)
    return "\n\n".join([f"🎨 {short}", *(f"_{note}_" for note in notes)])


def _files(pictures: Sequence[Picture]) -> tuple[OutgoingFile, ...]:
    return tuple(
        OutgoingFile(
            name=f"picture-{number}.{picture.mime.split('/')[-1]}",
            mime=picture.mime,
            content=picture.data,
        )
        for number, picture in enumerate(pictures, start=1)
    )


def _kept(message: IncomingMessage, prompt: str, model: str) -> tuple[NewMessage, ...]:
    sender = message.sender
    asked = NewMessage(
        role=Role.USER,
        parts=(TextPart(f"/image {prompt}"),),
        sender_id=sender.id,
        sender_name=sender.name,
    )
    drew = NewMessage(
        role=Role.ASSISTANT, parts=(TextPart(f"[I drew a picture: {prompt}]"),), model=model
    )
    return (asked, drew)


IMAGE = Command(
    name="image",
    family=MEDIA,
    summary=N_("Draw a picture"),
    usage="PROMPT",
    run=image,
    aliases=("draw",),
    examples=("/image a lighthouse in a storm",),
)
