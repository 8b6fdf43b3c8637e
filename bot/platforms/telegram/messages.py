"""One message, draft or edit at a time, as classic text or as a rich message.

A text that Telegram refuses as a rich message is posted as classic text, in several messages where
it is too long for one. The core is told of the first; the others are remembered as what continues
it, and are deleted when it is edited or deleted.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import NoReturn, TypeAlias, TypeVar

from telegram.error import BadRequest, TelegramError

from bot.core.ports import Clock
from bot.errors import MessageGone, OutcomeUnknown, PlatformDown
from bot.platforms.telegram.calls import Caller
from bot.platforms.telegram.errors import (
    StyleRefused,
    is_formatting,
    is_media,
    is_unchanged,
    refusal_of_style,
)
from bot.platforms.telegram.ids import Place
from bot.platforms.telegram.markdown.render import MAX_CAPTION, Rendered, pages, render
from bot.platforms.telegram.markdown.rich import RichText
from bot.platforms.telegram.methods import MAX_DELETIONS, Json, Methods, first_id, target
from bot.platforms.telegram.pace import Budget, Urgency
from bot.platforms.telegram.receipts import Found, Receipts
from bot.platforms.telegram.refusals import Refusals

log = logging.getLogger(__name__)

Body: TypeAlias = Rendered | RichText
"""What one message says."""

T = TypeVar("T")

REMEMBERED = 1_000
"""Messages of which it is remembered which others continue them."""
NO_PREVIEW: Json = {"is_disabled": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What goes with a text: the buttons under it, and the message it answers.

    `asked` is the id of that message also where the answer does not point at it.
    """

    keyboard: Json | None = None
    answering: Json | None = None
    asked: int = 0


class Messages:
    """Raises like `Platform.send` and `Platform.edit`.

    `drafts` and `rich` remember where Telegram refuses these.
    """

    def __init__(self, methods: Methods, caller: Caller, receipts: Receipts, clock: Clock) -> None:
        self._methods = methods
        self._caller = caller
        self._receipts = receipts
        self.drafts = Refusals("drafts", clock, strikes=1)
        self.rich = Refusals("rich messages", clock)
        self._continued: dict[tuple[int, int], list[int]] = {}
        """The ids of the messages that continue one, by its chat and id."""

    async def post(self, place: Place, body: Body, around: Around, urgency: Urgency) -> int:
        """Post a text; returns the id of the (first) message."""
        try:
            return await self.post_one(place, body, around, urgency)
        except StyleRefused:
            texts = _as_classic(body)
        return await self.post_all(place, texts, around, urgency)

    async def post_all(
        self, place: Place, bodies: Sequence[Body], around: Around, urgency: Urgency
    ) -> int:
        """Post texts one after the other, the buttons under the last; returns the first's id.

        Raises `OutcomeUnknown` where Telegram is down after the first: it is to be looked for.
        """
        ids: list[int] = []
        for number, body in enumerate(bodies, start=1):
            its_own = around if number == len(bodies) else replace(around, keyboard=None)
            try:
                ids.append(await self.post(place, body, its_own, urgency))
            except PlatformDown as failure:
                if not ids:
                    raise
                raise OutcomeUnknown(str(failure)) from failure
            urgency = Urgency.FOLLOWING
        self._remember(place, ids[0], ids[1:])
        return ids[0]

    async def post_after(
        self, place: Place, message: int, bodies: Sequence[Body], around: Around
    ) -> None:
        """Post what has no room in a message that stands in the chat."""
        if bodies:
            first = await self.post_all(place, bodies, around, Urgency.FOLLOWING)
            self._remember(place, message, [first])

    def _remember(self, place: Place, message: int, others: Sequence[int]) -> None:
        """The others continue a message, and so do those that continue one of them."""
        found = [id for other in others for id in (other, *self._forget(place, other))]
        if found:
            self._continued.setdefault((place.chat, message), []).extend(found)
        while len(self._continued) > REMEMBERED:
            del self._continued[next(iter(self._continued))]

    def _forget(self, place: Place, message: int) -> list[int]:
        """No longer remember what continues a message; returns that."""
        return self._continued.pop((place.chat, message), [])

    def continuations(self, place: Place) -> set[int]:
        """The messages of a chat that continue others, as far as is remembered."""
        of_chat = (ids for (chat, _), ids in self._continued.items() if chat == place.chat)
        return {id for ids in of_chat for id in ids}

    async def delete(self, place: Place, messages: Sequence[int]) -> None:
        """Remove messages and those that continue them; what is gone already is success."""
        keys = [(place.chat, message) for message in messages]
        doomed = [*(id for key in keys for id in self._continued.get(key, ())), *messages]
        for at in range(0, len(doomed), MAX_DELETIONS):
            some = doomed[at : at + MAX_DELETIONS]
            if not await self._delete(place, some):
                for message in some:
                    await self._delete(place, [message])
        for message in messages:
            self._forget(place, message)

    async def _delete(self, place: Place, messages: Sequence[int]) -> bool:
        delete = partial(self._methods.delete, place, messages)
        return await self._caller.call(place, Urgency.FINAL, delete, twice=True)

    async def delete_continuations(self, place: Place, message: int) -> None:
        """Remove the messages that continue this one, which is going to say something else."""
        if others := self._continued.get((place.chat, message)):
            await self.delete(place, others)
            self._forget(place, message)

    async def replace(
        self,
        place: Place,
        message: int,
        body: Body,
        around: Around,
        urgency: Urgency,
    ) -> None:
        """Put one text in the place of another.

        Raises `StyleRefused` where a preview cannot be rich; a final text is put there anyhow, and
        what has no room in it is posted after it.
        """
        await self.delete_continuations(place, message)
        try:
            await self._replace(place, message, body, around.keyboard, urgency)
        except StyleRefused:
            if urgency is not Urgency.FINAL:
                raise
            first, *more = _as_classic(body)
            below = None if more else around.keyboard
            await self._replace(place, message, first, below, urgency)
            await self.post_after(place, message, more, around)

    async def show_draft(self, place: Place, draft: int, body: Body, urgency: Urgency) -> None:
        """Show a text that is no message yet.

        Raises `StyleRefused` where there are no drafts, or where it cannot be rich.
        """

        async def show() -> None:
            name = "sendRichMessageDraft" if isinstance(body, RichText) else "sendMessageDraft"
            given = _content(body) | {"draft_id": draft, "can_stop": True, "keep_on_stop": True}
            await self._methods.call(name, **target(place), **given)

        style = self.drafts if isinstance(body, Rendered) else self.rich
        await self._styled(style, place, urgency, show, budget=Budget.DRAFT)

    # ------------------------------------------------------------ one call

    async def post_one(self, place: Place, body: Body, around: Around, urgency: Urgency) -> int:
        """Post one message. Raises `StyleRefused` where it cannot be rich."""

        async def send(body: Body) -> object:
            is_rich = isinstance(body, RichText)
            post = partial(
                self._methods.call,
                "sendRichMessage" if is_rich else "sendMessage",
                **target(place),
                **_content(body),
                link_preview_options=None if is_rich else NO_PREVIEW,
                reply_markup=around.keyboard,
                reply_parameters=around.answering,
            )
            return await self._receipts.of(place, around.asked, post)

        if isinstance(body, RichText):
            answer = await self._styled(self.rich, place, urgency, partial(send, body))
        else:
            answer = await self._caller.call(place, urgency, partial(or_plain, send, body))
        message = first_id(answer)
        if isinstance(answer, Found):
            await self._repair(place, message, body, around.keyboard)
        return message

    async def _repair(self, place: Place, message: int, body: Body, keyboard: Json | None) -> None:
        """Let a message that was found again say what was to be posted, with its buttons.

        It most likely says that already: it stays as it is where Telegram cannot be reached.
        """
        try:
            await self._replace(place, message, body, keyboard, Urgency.FOLLOWING)
        except (PlatformDown, OutcomeUnknown) as failure:
            extra = {"chat": place.chat, "error": repr(failure)}
            log.info("found message not repaired", extra=extra)

    async def _replace(
        self, place: Place, message: int, body: Body, keyboard: Json | None, urgency: Urgency
    ) -> None:
        """Change one message. Raises `StyleRefused`."""
        given = {"chat_id": place.chat, "message_id": message, "reply_markup": keyboard}

        async def edit(body: Body) -> None:
            preview = None if isinstance(body, RichText) else NO_PREVIEW
            try:
                await self._methods.call(
                    "editMessageText", **given, **_content(body), link_preview_options=preview
                )
            except BadRequest as failure:
                if isinstance(body, RichText) or not is_media(failure):
                    raise
                if body.length > MAX_CAPTION:
                    await self._make_way(place, message)
                await self._methods.call("editMessageCaption", **given, **caption(body))

        if isinstance(body, RichText):
            make = unless_unchanged(partial(edit, body))
            await self._styled(self.rich, place, urgency, make, twice=True)
        else:
            make = unless_unchanged(partial(or_plain, edit, body))
            await self._caller.call(place, urgency, make, twice=True)

    async def _make_way(self, place: Place, message: int) -> NoReturn:
        """Take away a picture or a file under which a text has no room; raises `MessageGone`."""
        with suppress(BadRequest):
            await self._methods.delete(place, [message])
        raise MessageGone("the text is too long to stand under a file")

    async def _styled(
        self,
        style: Refusals,
        place: Place,
        urgency: Urgency,
        make: Callable[[], Awaitable[T]],
        *,
        twice: bool = False,
        budget: Budget = Budget.MESSAGE,
    ) -> T:
        """Make a call that is not to be had everywhere, as of this style. Raises `StyleRefused`."""

        async def checked() -> T:
            try:
                return await make()
            except TelegramError as failure:
                refusal = refusal_of_style(failure)
                if refusal is None:
                    raise
                raise refusal from failure

        try:
            done = await self._caller.call(place, urgency, checked, twice=twice, budget=budget)
        except StyleRefused as refusal:
            style.note(place.chat, unknown=refusal.unknown)
            raise
        style.worked(place.chat)
        return done


def unless_unchanged(edit: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """An edit to what the message says already is done."""

    async def forgiving() -> None:
        try:
            await edit()
        except BadRequest as failure:
            if not is_unchanged(failure):
                raise

    return forgiving


async def or_plain(send: Callable[[Rendered], Awaitable[T]], text: Rendered) -> T:
    """Send a text; without its formatting where Telegram refuses that."""
    try:
        return await send(text)
    except BadRequest as failure:
        if not text.entities or not is_formatting(failure):
            raise
        log.warning("formatting refused", extra={"reason": failure.message})
        return await send(Rendered(text.text))


def caption(text: Rendered) -> Json:
    """A text as the words under a file."""
    return {"caption": text.text, "caption_entities": entities_of(text)} if text.text else {}


def _content(body: Body) -> Json:
    """A text as what a message says."""
    if isinstance(body, RichText):
        return {"rich_message": {"markdown": body.markdown}}
    return {"text": body.text, "entities": entities_of(body)}


def _as_classic(body: Body) -> Sequence[Rendered]:
    """What is refused as a rich message, as classic text."""
    return pages(render(body.markdown)) if isinstance(body, RichText) else [body]


def entities_of(text: Rendered) -> list[Json]:
    """The formatting, as the Bot API takes it."""
    return [entity.to_dict() for entity in text.entities]
