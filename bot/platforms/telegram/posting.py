"""Putting replies into a chat: text, buttons and files."""

from __future__ import annotations

from collections.abc import Sequence

from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    MessageEntity,
    ReplyParameters,
)
from telegram.error import BadRequest

from bot.core.types import ButtonRow, ChatRef, MessageRef, Reply
from bot.platforms.telegram.calls import Caller
from bot.platforms.telegram.errors import is_media, is_missing, is_unchanged
from bot.platforms.telegram.ids import Place, make_message, parse_chat, parse_message
from bot.platforms.telegram.pace import Urgency
from bot.platforms.telegram.render import MAX_CAPTION, Rendered, pages, render
from bot.platforms.telegram.thoughts import folded
from bot.platforms.telegram.uploads import Uploader, check_sizes

BUTTONS_PER_ROW = 8
MAX_BUTTONS = 100
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class Poster:
    """Sends and edits. Raises like `Platform.send` and `Platform.edit`."""

    def __init__(self, bot: Bot, caller: Caller) -> None:
        self._bot = bot
        self._caller = caller
        self._uploads = Uploader(bot, caller)

    async def send(self, chat: ChatRef, reply: Reply) -> MessageRef:
        """Post a whole reply; returns its first message."""
        check_sizes(reply.files)
        place = parse_chat(chat)
        answering = _answering(place, reply.answering)
        text = render(reply.text) if reply.text.strip() else Rendered("")
        if text.length <= MAX_CAPTION and len(reply.files) == 1:
            sent = await self._uploads.post_one(
                place,
                reply.files[0],
                caption=text.text or None,
                entities=_entities(text),
                keyboard=_keyboard(reply.buttons),
                answering=answering,
            )
        elif text.text or reply.buttons or not reply.files:
            whole = _drawn(reply)
            sent = await self._pages(place, whole, reply.buttons, answering)
            await self._uploads.post(place, reply.files, insist=True)
        else:
            sent = await self._uploads.post(place, reply.files, insist=False)
        return make_message(chat, sent)

    async def show(
        self, text: Rendered, buttons: Sequence[ButtonRow], answering: MessageRef
    ) -> MessageRef:
        """Post the first text of an answer, if the budget has room for it now."""
        place = parse_chat(answering.chat)
        named = _answering(place, answering)
        sent = await self._text(place, text, _keyboard(buttons), named, Urgency.FIRST)
        return make_message(answering.chat, sent)

    async def edit(self, ref: MessageRef, reply: Reply) -> None:
        """Replace a message; what is too long for it, and files, are posted after it."""
        check_sizes(reply.files)
        place = parse_chat(ref.chat)
        first, *more = _drawn(reply)
        await self.replace(ref, first, () if more else reply.buttons, Urgency.FINAL)
        if more:
            await self._pages(place, more, reply.buttons, None, insist=True)
        await self._uploads.post(place, reply.files, insist=True)

    async def replace(
        self, ref: MessageRef, text: Rendered, buttons: Sequence[ButtonRow], urgency: Urgency
    ) -> None:
        """Put one text in the place of another."""
        place, id = parse_chat(ref.chat), parse_message(ref)
        keyboard, entities = _keyboard(buttons), _entities(text)

        async def edit_text() -> None:
            await self._bot.edit_message_text(
                text.text,
                place.chat,
                id,
                entities=entities,
                link_preview_options=NO_PREVIEW,
                reply_markup=keyboard,
            )

        async def edit_caption() -> None:
            await self._bot.edit_message_caption(
                place.chat, id, caption=text.text, caption_entities=entities, reply_markup=keyboard
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

    async def delete(self, ref: MessageRef) -> None:
        """Remove a message; one that is gone already is success."""
        place, id = parse_chat(ref.chat), parse_message(ref)

        async def delete() -> None:
            try:
                await self._bot.delete_message(place.chat, id)
            except BadRequest as failure:
                if not is_missing(failure):
                    raise

        await self._caller.call(place, Urgency.FINAL, delete, twice=True)

    async def show_typing(self, chat: ChatRef) -> None:
        """Show that the bot is typing, if nobody needs the budget more."""
        place = parse_chat(chat)

        async def act() -> None:
            await self._bot.send_chat_action(
                place.chat, "typing", message_thread_id=place.topic, read_timeout=5
            )

        await self._caller.call(place, Urgency.TYPING, act)

    async def _pages(
        self,
        place: Place,
        texts: Sequence[Rendered],
        buttons: Sequence[ButtonRow],
        answering: ReplyParameters | None,
        *,
        insist: bool = False,
    ) -> int:
        """Post texts one after the other, buttons under the last; returns the first's id."""
        ids: list[int] = []
        for number, text in enumerate(texts, start=1):
            keyboard = _keyboard(buttons) if number == len(texts) else None
            named = answering if number == 1 else None
            follows = insist or number > 1
            ids.append(
                await self._text(place, text, keyboard, named, Urgency.FINAL, insist=follows)
            )
        return ids[0]

    async def _text(
        self,
        place: Place,
        text: Rendered,
        keyboard: InlineKeyboardMarkup | None,
        answering: ReplyParameters | None,
        urgency: Urgency,
        *,
        insist: bool = False,
    ) -> int:
        entities = _entities(text)

        async def send() -> Message:
            return await self._bot.send_message(
                place.chat,
                text.text,
                entities=entities,
                link_preview_options=NO_PREVIEW,
                reply_markup=keyboard,
                reply_parameters=answering,
                message_thread_id=place.topic,
            )

        return (await self._caller.call(place, urgency, send, insist=insist)).message_id


def _answering(place: Place, answering: MessageRef | None) -> ReplyParameters | None:
    """In a group an answer says what it answers; it is posted even if that was deleted."""
    if place.private or answering is None:
        return None
    return ReplyParameters(parse_message(answering), allow_sending_without_reply=True)


def _drawn(reply: Reply) -> list[Rendered]:
    """The text in as many messages as it needs, the thoughts folded up under the last."""
    *first, last = pages(render(reply.text))
    return [*first, folded(last, reply.thoughts)]


def _entities(text: Rendered) -> list[MessageEntity]:
    return [
        MessageEntity(e.type, e.offset, e.length, url=e.url, language=e.language)
        for e in text.entities
    ]


def _keyboard(rows: Sequence[ButtonRow]) -> InlineKeyboardMarkup | None:
    keys = [
        [InlineKeyboardButton(button.label, callback_data=button.value) for button in part]
        for row in rows
        for part in (row[at : at + BUTTONS_PER_ROW] for at in range(0, len(row), BUTTONS_PER_ROW))
    ]
    return InlineKeyboardMarkup(keys) if keys else None
