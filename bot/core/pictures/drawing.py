"""Drawing pictures, once: what was ordered, and how far it is, outlives the process.

A picture is paid for as soon as the request has reached the model, whether or not anybody waits for
it. So the turn notes that it asks before it asks, and keeps the pictures before it delivers them.
After a restart a turn that had asked does not ask again by itself; one that had its pictures
delivers them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from bot.core.answer.revival import passing
from bot.core.chat import ImagePart
from bot.core.clock import ticking
from bot.core.delivery.delivery import Delivery
from bot.core.images import Drawing, ImageRequest, VariationRequest
from bot.core.memory.drawings import kept_messages
from bot.core.models import UsageEntry
from bot.core.pictures import buttons
from bot.core.pictures.buttons import VARIATIONS
from bot.core.pictures.orders import Drawn, Order
from bot.core.pictures.sources import load
from bot.core.punctuation import shortened
from bot.core.question.question import quote
from bot.core.queue import Outcome
from bot.core.sentences import sentence_for_media, sentence_for_model
from bot.core.spending import drawing_of, reserve_images
from bot.core.turn import TurnContext
from bot.core.types import ButtonRow, IncomingMessage, OutgoingFile
from bot.errors import ChatGone, FileTooLarge, MediaError, ModelError, ModelErrorKind, TurnWithdrawn

log = logging.getLogger(__name__)

ASKED = "asked"
CAPTION = 200
"""Characters of the prompt that stand under a picture, or of what a model said instead of one."""
TICK = 5.0
"""Seconds between two lines that say how long it has been drawn already."""
LIKE_IT = "Draw another picture like this one, with small differences."
"""What a model is asked that changes pictures but has no variations."""


class PictureTask:
    """Draws one order, and brings the pictures to the chat as the answer to `message`."""

    def __init__(self, ctx: TurnContext, message: IncomingMessage) -> None:
        self._ctx = ctx
        self._message = message
        self._turns = ctx.services.stores.turns
        self._is_sent = False

    async def draw(self, order: Order) -> Outcome:
        """Draw and deliver.

        Raises `PlatformError`, `StoreError`, `TurnLost` and `TurnWithdrawn` only.
        """
        progress = self._ctx.turn.progress
        async with self._ctx.delivery(self._message) as delivery:
            if progress == ASKED:
                return await self._interrupted(order, delivery)
            if progress:
                made = await self._turns.made(self._ctx.turn.id)
                return await self._deliver(Drawn.from_json(progress), made, delivery)
            drawn: list[Drawing] = []
            try:
                async with self._ctx.platform.typing(self._ctx.chat, self._message.ref):
                    with self._counting(delivery):
                        done = await self._ctx.guard(self._ask(order, drawn))
            except ModelError as error:
                return await self._refused(order, error, delivery)
            except (MediaError, FileTooLarge) as error:
                rows = await buttons.instead(self._ctx, order) if passing(error) else ()
                return await self._end(delivery, sentence_for_media(error, self._ctx.texts), rows)
            except TurnWithdrawn:
                self._ctx.spent.extend(self._left(order))
                raise
            if not done:
                text = self._ctx.texts.gettext("⏹ Stopped.")
                return await self._end(delivery, text, usage=self._left(order))
            if not drawn[0].pictures:
                return await self._undrawn(order, drawn[0], delivery)
            return await self._keep(order, drawn[0], delivery)

    async def _ask(self, order: Order, drawn: list[Drawing]) -> None:
        """Ask the model, at most once: not before it is noted that it is asked."""
        ctx = self._ctx
        pictures = await load(ctx, order.sources, exact=order.mask)
        await reserve_images(ctx, model=order.model, count=order.n, fine=order.is_fine)
        await self._turns.note(ctx.turn.id, ASKED)
        if order.variation:
            drawn.append(await self._vary(order, pictures[0]))
            return
        request = self._request(order, pictures)
        if order.mask:
            request = replace(request, images=pictures[:-1], mask=pictures[-1])
        drawn.append(await ctx.services.api.draw(request, sent=self._sent))

    def _request(self, order: Order, pictures: tuple[ImagePart, ...]) -> ImageRequest:
        return ImageRequest(
            model=order.model,
            prompt=order.prompt,
            n=order.n,
            size=order.size,
            quality=order.quality,
            style=order.style,
            images=pictures,
            lane=self._ctx.lane,
        )

    async def _vary(self, order: Order, picture: ImagePart) -> Drawing:
        """A variation, or else another picture like it; both refusals cost nothing."""
        api, lane = self._ctx.services.api, self._ctx.lane
        if VARIATIONS not in (await api.about(order.model)).lacks:
            try:
                varied = VariationRequest(
                    model=order.model, image=picture, n=order.n, size=order.size, lane=lane
                )
                return await api.vary(varied, sent=self._sent)
            except ModelError as error:
                if not error.is_not_offered:
                    raise
        request = self._request(order, (picture,))
        request = replace(request, prompt=f"{LIKE_IT} {order.prompt}".strip())
        return await api.draw(request, sent=self._sent)

    def _sent(self) -> None:
        self._is_sent = True

    @contextmanager
    def _counting(self, delivery: Delivery) -> Iterator[None]:
        """Say how long it takes, again and again."""
        _, clock = self._ctx.texts.gettext, self._ctx.services.clock
        began = clock.monotonic()

        def count() -> None:
            seconds = round(clock.monotonic() - began)
            delivery.status(_("🎨 Drawing… {seconds} s").format(seconds=seconds))

        delivery.status(_("🎨 Drawing…"))
        with ticking(clock, TICK, count):
            yield

    # ------------------------------------------------------------ ends

    async def _keep(self, order: Order, drawing: Drawing, delivery: Delivery) -> Outcome:
        """Keep what is paid for, then deliver it."""
        made = [
            OutgoingFile(
                name=f"picture-{number}.{picture.mime.split('/')[-1]}",
                mime=picture.mime,
                content=picture.data,
            )
            for number, picture in enumerate(drawing.pictures, start=1)
        ]
        notes = dict.fromkeys(picture.note for picture in drawing.pictures if picture.note)
        caption = "\n\n".join([self._title(order), *(f"_{note}_" for note in notes)])
        drawn = Drawn(order=order, caption=caption, usage=drawing.usage)
        await self._turns.note(self._ctx.turn.id, drawn.to_json(), made)
        return await self._deliver(drawn, made, delivery)

    def _title(self, order: Order) -> str:
        prompt = shortened(order.prompt, CAPTION)
        if order.variation:
            return "🎨 " + self._ctx.texts.gettext("A variation: {prompt}").format(prompt=prompt)
        return f"🎨 {prompt}"

    async def _deliver(
        self, drawn: Drawn, made: Sequence[OutgoingFile], delivery: Delivery
    ) -> Outcome:
        pictures = tuple(ImagePart(file.mime, file.content) for file in made)
        with self._billed(drawn.usage):
            delivery.write(drawn.caption)
            rows = await buttons.under(self._ctx, drawn.order, pictures)
            shown = await delivery.finish(files=made, buttons=rows)
        order = drawn.order
        asked, drew = kept_messages(
            self._message, order.prompt, order.options, model=order.model, anew=bool(order.sources)
        )
        kept = (asked, replace(drew, shown=shown, drawn=pictures))
        return Outcome(messages=kept, usage=(drawn.usage,))

    async def _interrupted(self, order: Order, delivery: Delivery) -> Outcome:
        """The bot was restarted while the model may have drawn: ask the person before paying."""
        _ = self._ctx.texts.gettext
        log.warning("drawing interrupted", extra=self._ctx.log)
        text = _(
            "⚠️ I was restarted while this was being drawn, and the picture is lost. It may be "
            "paid for already, so I did not order it again by myself."
        )
        rows = await buttons.instead(self._ctx, order)
        return await self._end(delivery, text, rows, usage=self._lost(order))

    async def _undrawn(self, order: Order, drawing: Drawing, delivery: Delivery) -> Outcome:
        """The model spoke instead of drawing."""
        log.warning("nothing drawn", extra={**self._ctx.log, "model": order.model})
        _ = self._ctx.texts.gettext
        text = "⚠️ " + _("“{model}” has drawn nothing.").format(model=order.model)
        if drawing.words:
            text += " " + _("It says:") + "\n\n" + quote(shortened(drawing.words, CAPTION))
        rows = await buttons.instead(self._ctx, order)
        return await self._end(delivery, text, rows, usage=(drawing.usage,))

    def _left(self, order: Order) -> tuple[UsageEntry, ...]:
        """What an order may cost that was left in the middle; nothing before it was sent."""
        return self._lost(order) if self._is_sent else ()

    def _lost(self, order: Order) -> tuple[UsageEntry, ...]:
        """What an order may cost of which no picture came: it is billed whoever waits for it."""
        services = self._ctx.services
        words = services.count_tokens(order.prompt)
        entry = drawing_of(
            services, model=order.model, count=order.n, words=words, fine=order.is_fine
        )
        return (services.api.priced(replace(entry, estimated=True)),)

    async def _refused(self, order: Order, error: ModelError, delivery: Delivery) -> Outcome:
        extra = {**self._ctx.log, "model": order.model, "kind": error.kind.value}
        if error.kind is not ModelErrorKind.NOT_ALLOWED:  # by us: nothing has failed
            log.warning("drawing failed", extra=extra)
        rows = await buttons.instead(self._ctx, order) if error.kind in _WORTH_ANOTHER_TRY else ()
        billed = self._is_sent and error.sent and error.kind in _BILLED
        usage = self._lost(order) if billed else ()
        return await self._end(delivery, "⚠️ " + self._explain(order, error), rows, usage=usage)

    def _explain(self, order: Order, error: ModelError) -> str:
        _ = self._ctx.texts.gettext
        if error.is_not_offered and order.sources:
            text = _("“{model}” cannot change pictures. Another image model may: `--model NAME`")
            if order.variation:
                text = _("The API offers no variations of pictures with “{model}”.")
            return text.format(model=order.model)
        if error.kind is ModelErrorKind.MODEL_NOT_FOUND:
            text = _(
                "The API does not know the image model “{model}”. The operator can set another."
            )
            return text.format(model=order.model)
        if error.kind is ModelErrorKind.TIMEOUT:
            # The API bills a picture whose connection broke, so nobody asks again on their behalf.
            return _("The picture took too long and is lost. It may still be billed.")
        return sentence_for_model(error, self._ctx.texts, model=order.model)

    async def _end(
        self,
        delivery: Delivery,
        text: str,
        rows: Sequence[ButtonRow] = (),
        *,
        usage: tuple[UsageEntry, ...] = (),
    ) -> Outcome:
        with self._billed(*usage):
            await delivery.finish(mark=text, buttons=rows, failed=not text.startswith("⏹"))
        return Outcome(usage=usage)

    @contextmanager
    def _billed(self, *usage: UsageEntry) -> Iterator[None]:
        """Of a chat that is gone there is no outcome to say it, but it was used.

        Other failures are tried again, and then there is one.
        """
        try:
            yield
        except ChatGone:
            self._ctx.spent.extend(usage)
            raise


_BILLED = frozenset(
    {
        ModelErrorKind.TIMEOUT,
        ModelErrorKind.UNREACHABLE,
        ModelErrorKind.CUT,
        ModelErrorKind.BAD_ANSWER,
    }
)
"""After these a picture may have been drawn, if the request was sent."""
_WORTH_ANOTHER_TRY = frozenset(
    {
        ModelErrorKind.TIMEOUT,
        ModelErrorKind.SERVER,
        ModelErrorKind.UNREACHABLE,
        ModelErrorKind.RATE_LIMITED,
        ModelErrorKind.BUSY,
        ModelErrorKind.CUT,
        ModelErrorKind.BAD_ANSWER,
    }
)
