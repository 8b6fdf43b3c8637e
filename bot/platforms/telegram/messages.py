"""One message, draft or edit at a time, as classic text or as a rich message.

What Telegram refuses as rich it gets as classic text, on several messages if it must be.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from telegram import (
    Bot,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    MessageEntity,
    ReplyParameters,
)
from telegram.error import BadRequest, TelegramError

from bot.core.ports import Clock
from bot.errors import PlatformError
from bot.platforms.telegram.calls import Caller
from bot.platforms.telegram.errors import StyleRefused, is_media, is_unchanged, refusal_of_style
from bot.platforms.telegram.ids import Place
from bot.platforms.telegram.pace import Budget, Urgency
from bot.platforms.telegram.refusals import Refusals
from bot.platforms.telegram.render import Rendered, pages, render
from bot.platforms.telegram.rich import RichText

Body: TypeAlias = Rendered | RichText
"""What one message says."""

T = TypeVar("T")

NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
EDIT_TEXT = "EditMessageText"
"""Telegram takes names of methods in any case; python-telegram-bot has one of the usual name, which
knows no rich messages and warns of another way to call it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What goes with a text: the buttons under it, and the message it answers."""

    keyboard: InlineKeyboardMarkup | None = None
    answering: ReplyParameters | None = None


class Messages:
    """Raises like `Platform.send` and `Platform.edit`.

    `drafts` and `rich` remember where Telegram refuses these.
    """

    def __init__(self, bot: Bot, caller: Caller, clock: Clock) -> None:
        self._bot = bot
        self._caller = caller
        self.drafts = Refusals("drafts", clock, strikes=1)
        self.rich = Refusals("rich messages", clock)

    async def post(
        self, place: Place, body: Body, around: Around, urgency: Urgency, *, insist: bool = False
    ) -> int:
        """Post a text; returns the id of the (first) message."""
        if isinstance(body, Rendered):
            return await self._post_classic(place, body, around, urgency, insist=insist)
        try:
            sent = await self._post_rich(place, body, around, urgency, insist=insist)
        except StyleRefused as refusal:
            self.rich.note(place.chat, unknown=refusal.unknown)
            texts = pages(render(body.markdown))
            return await self.post_all(place, texts, around, urgency, insist=insist)
        self.rich.worked(place.chat)
        return sent

    async def post_all(
        self,
        place: Place,
        bodies: Sequence[Body],
        around: Around,
        urgency: Urgency = Urgency.FINAL,
        *,
        insist: bool = False,
    ) -> int:
        """Post texts one after the other, the buttons under the last; returns the first's id."""
        ids: list[int] = []
        for number, body in enumerate(bodies, start=1):
            its_own = Around(
                keyboard=around.keyboard if number == len(bodies) else None,
                answering=around.answering if number == 1 else None,
            )
            follows = insist or number > 1
            ids.append(await self.post(place, body, its_own, urgency, insist=follows))
            urgency = Urgency.FINAL  # what follows the first page has to get through
        return ids[0]

    async def replace(
        self,
        place: Place,
        message: int,
        body: Body,
        keyboard: InlineKeyboardMarkup | None,
        urgency: Urgency,
    ) -> None:
        """Put one text in the place of another."""
        if isinstance(body, Rendered):
            await self._replace_classic(place, message, body, keyboard, urgency)
            return
        try:
            await self._replace_rich(place, message, body, keyboard, urgency)
        except StyleRefused as refusal:
            self.rich.note(place.chat, unknown=refusal.unknown)
            first, *more = pages(render(body.markdown))
            more = more if urgency is Urgency.FINAL else []
            below = None if more else keyboard
            await self._replace_classic(place, message, first, below, urgency)
            if more:
                await self.post_all(place, more, Around(keyboard=keyboard), insist=True)
        else:
            self.rich.worked(place.chat)

    async def show_draft(self, place: Place, draft: int, body: Body) -> None:
        """Show a text that is no message yet. Raises `StyleRefused` where there are no drafts."""

        async def show() -> None:
            stop = {"can_stop": True, "keep_on_stop": True}
            if isinstance(body, RichText):
                given = _rich(place, body) | {"draft_id": draft} | stop
                await self._bot.do_api_request("sendRichMessageDraft", api_kwargs=given)
            else:
                await self._bot.send_message_draft(
                    place.chat,
                    draft,
                    body.text,
                    message_thread_id=place.topic,
                    entities=entities_of(body),
                    api_kwargs=stop,
                )

        try:
            await self._styled(place, Urgency.PREVIEW, show, budget=Budget.DRAFT)
        except StyleRefused as refusal:
            if isinstance(body, Rendered):
                self.drafts.note(place.chat, unknown=refusal.unknown)
                raise
            self.rich.note(place.chat, unknown=refusal.unknown)
            await self.show_draft(place, draft, pages(render(body.markdown))[0])
        else:
            self.drafts.worked(place.chat)

    # ------------------------------------------------------------ classic text

    async def _post_classic(
        self, place: Place, text: Rendered, around: Around, urgency: Urgency, *, insist: bool
    ) -> int:
        async def send() -> Message:
            return await self._bot.send_message(
                place.chat,
                text.text,
                entities=entities_of(text),
                link_preview_options=NO_PREVIEW,
                reply_markup=around.keyboard,
                reply_parameters=around.answering,
                message_thread_id=place.topic,
            )

        return (await self._caller.call(place, urgency, send, insist=insist)).message_id

    async def _replace_classic(
        self,
        place: Place,
        message: int,
        text: Rendered,
        keyboard: InlineKeyboardMarkup | None,
        urgency: Urgency,
    ) -> None:
        entities = entities_of(text)

        async def edit_text() -> None:
            await self._bot.edit_message_text(
                text.text,
                place.chat,
                message,
                entities=entities,
                link_preview_options=NO_PREVIEW,
                reply_markup=keyboard,
            )

        async def edit_caption() -> None:
            await self._bot.edit_message_caption(
                place.chat,
                message,
                caption=text.text,
                caption_entities=entities,
                reply_markup=keyboard,
            )

        async def edit() -> None:
            try:
                try:
                    await edit_text()
                except BadRequest as failure:
                    if not is_media(failure):
                        raise
                    await edit_caption()
            except BadRequest as failure:
                if not is_unchanged(failure):
                    raise

        await self._caller.call(place, urgency, edit, twice=True)

    # ------------------------------------------------------------ rich messages

    async def _post_rich(
        self, place: Place, body: RichText, around: Around, urgency: Urgency, *, insist: bool
    ) -> int:
        given = _rich(place, body, around.keyboard)
        if around.answering is not None:
            given["reply_parameters"] = around.answering

        async def send() -> object:
            return await self._bot.do_api_request("sendRichMessage", api_kwargs=given)

        sent = await self._styled(place, urgency, send, insist=insist)
        if not isinstance(sent, dict):
            raise PlatformError("Telegram did not say which message it posted")
        return int(sent["message_id"])

    async def _replace_rich(
        self,
        place: Place,
        message: int,
        body: RichText,
        keyboard: InlineKeyboardMarkup | None,
        urgency: Urgency,
    ) -> None:
        given = _rich(place, body, keyboard) | {"message_id": message}
        given.pop("message_thread_id", None)

        async def edit() -> None:
            try:
                await self._bot.do_api_request(EDIT_TEXT, api_kwargs=given)
            except BadRequest as failure:
                if not is_unchanged(failure):
                    raise

        await self._styled(place, urgency, edit, twice=True)

    async def _styled(
        self,
        place: Place,
        urgency: Urgency,
        make: Callable[[], Awaitable[T]],
        *,
        twice: bool = False,
        insist: bool = False,
        budget: Budget = Budget.MESSAGE,
    ) -> T:
        """Make a call that an older server does not know. Raises `StyleRefused`."""

        async def checked() -> T:
            try:
                return await make()
            except TelegramError as failure:
                refusal = refusal_of_style(failure)
                if refusal is None:
                    raise
                raise refusal from failure

        return await self._caller.call(
            place, urgency, checked, twice=twice, insist=insist, budget=budget
        )


def entities_of(text: Rendered) -> list[MessageEntity]:
    """The formatting, in python-telegram-bot's terms."""
    return [
        MessageEntity(e.type, e.offset, e.length, url=e.url, language=e.language)
        for e in text.entities
    ]


def _rich(
    place: Place, body: RichText, keyboard: InlineKeyboardMarkup | None = None
) -> dict[str, object]:
    given: dict[str, object] = {
        "chat_id": place.chat,
        "rich_message": {"markdown": body.markdown},
    }
    if place.topic is not None:
        given["message_thread_id"] = place.topic
    if keyboard is not None:
        given["reply_markup"] = keyboard
    return given
