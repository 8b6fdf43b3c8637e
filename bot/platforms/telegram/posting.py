"""Putting replies into a chat: text, buttons and files, each call at its turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaPhoto,
    LinkPreviewOptions,
    Message,
    MessageEntity,
    ReplyParameters,
)
from telegram.error import BadRequest

from bot.core.ports import Clock
from bot.core.types import ButtonRow, ChatRef, MessageRef, OutgoingFile, Reply
from bot.errors import FileTooLarge, OutcomeUnknown
from bot.platforms.telegram.errors import MAX_FILE_OUT, Unreachable, is_unchanged, translated
from bot.platforms.telegram.ids import Place, make_message, parse_chat, parse_message
from bot.platforms.telegram.pace import Pacer, Urgency
from bot.platforms.telegram.render import MAX_CAPTION, Rendered, pages, render

T = TypeVar("T")

BUTTONS_PER_ROW = 8
MAX_BUTTONS = 100
MAX_PHOTO = 10_000_000
ALBUM = 10
PHOTOS = frozenset({"image/jpeg", "image/png", "image/webp"})
PAUSES = (0.5, 1.0, 2.0)
"""Seconds between the tries of a call that surely was not, or may safely be, carried out twice."""
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class Poster:
    """Sends and edits. Raises like `Platform.send` and `Platform.edit`."""

    def __init__(self, bot: Bot, pacer: Pacer, clock: Clock) -> None:
        self._bot = bot
        self._pacer = pacer
        self._clock = clock

    async def send(self, chat: ChatRef, reply: Reply) -> MessageRef:
        """Post a whole reply; returns its first message."""
        _check_sizes(reply.files)
        place, text = parse_chat(chat), render(reply.text)
        answering = _answering(place, reply)
        if text.length <= MAX_CAPTION and len(reply.files) == 1:
            sent = await self._file(
                place, reply.files[0], text, _keyboard(reply.buttons), answering
            )
            return make_message(chat, sent)
        first: int | None = None
        if reply.text.strip() or not reply.files:
            first = await self._pages(place, pages(text), reply.buttons, answering)
        sent = await self._files(place, reply.files)
        return make_message(chat, first if first is not None else sent)

    async def show(
        self, chat: ChatRef, text: Rendered, buttons: Sequence[ButtonRow], reply: Reply
    ) -> MessageRef:
        """Post the first text of an answer, if the budget has room for it now."""
        place = parse_chat(chat)
        sent = await self._text(
            place, text, _keyboard(buttons), _answering(place, reply), Urgency.FIRST
        )
        return make_message(chat, sent)

    async def edit(self, ref: MessageRef, reply: Reply) -> None:
        """Replace a message; what is too long for it, and files, are posted after it."""
        _check_sizes(reply.files)
        place = parse_chat(ref.chat)
        first, *more = pages(render(reply.text))
        buttons = () if more else reply.buttons
        await self.replace(ref, first, buttons, Urgency.FINAL)
        if more:
            await self._pages(place, more, reply.buttons, None)
        await self._files(place, reply.files)

    async def replace(
        self, ref: MessageRef, text: Rendered, buttons: Sequence[ButtonRow], urgency: Urgency
    ) -> None:
        """Put one text in the place of another."""
        place, id = parse_chat(ref.chat), parse_message(ref)
        keyboard, entities = _keyboard(buttons), _entities(text)

        async def edit() -> None:
            try:
                await self._bot.edit_message_text(
                    text.text,
                    place.chat,
                    id,
                    entities=entities,
                    link_preview_options=NO_PREVIEW,
                    reply_markup=keyboard,
                )
            except BadRequest as failure:
                if "no text in the message" not in failure.message.lower():
                    if is_unchanged(failure):
                        return
                    raise
                await self._caption(place, id, text, keyboard)

        await self._call(place, urgency, edit, twice=True)

    async def delete(self, ref: MessageRef) -> None:
        """Remove a message; one that is gone already is success."""
        place, id = parse_chat(ref.chat), parse_message(ref)

        async def delete() -> None:
            try:
                await self._bot.delete_message(place.chat, id)
            except BadRequest as failure:
                if "message to delete not found" not in failure.message.lower():
                    raise

        await self._call(place, Urgency.FINAL, delete, twice=True)

    async def action(self, chat: ChatRef) -> None:
        """Show that the bot is typing, if nobody needs the budget more."""
        place = parse_chat(chat)

        async def type_() -> None:
            await self._bot.send_chat_action(
                place.chat, "typing", message_thread_id=place.topic, read_timeout=5
            )

        await self._call(place, Urgency.TYPING, type_)

    # ------------------------------------------------------------ text

    async def _pages(
        self,
        place: Place,
        texts: Sequence[Rendered],
        buttons: Sequence[ButtonRow],
        answering: ReplyParameters | None,
    ) -> int:
        """Post texts one after the other, buttons under the last; returns the first's id."""
        ids: list[int] = []
        for number, text in enumerate(texts, start=1):
            keyboard = _keyboard(buttons) if number == len(texts) else None
            sent = await self._text(place, text, keyboard, answering, Urgency.FINAL)
            ids.append(sent)
            answering = None
        return ids[0]

    async def _text(
        self,
        place: Place,
        text: Rendered,
        keyboard: InlineKeyboardMarkup | None,
        answering: ReplyParameters | None,
        urgency: Urgency,
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

        return (await self._call(place, urgency, send)).message_id

    async def _caption(
        self, place: Place, id: int, text: Rendered, keyboard: InlineKeyboardMarkup | None
    ) -> None:
        try:
            await self._bot.edit_message_caption(
                place.chat,
                id,
                caption=text.text,
                caption_entities=_entities(text),
                reply_markup=keyboard,
            )
        except BadRequest as failure:
            if not is_unchanged(failure):
                raise

    # ------------------------------------------------------------ files

    async def _files(self, place: Place, files: Sequence[OutgoingFile]) -> int:
        """Post files, pictures together in albums; returns the first's id, 0 without files."""
        ids: list[int] = []
        photos = [file for file in files if _is_photo(file)]
        for start in range(0, len(photos), ALBUM):
            album = photos[start : start + ALBUM]
            if len(album) == 1:
                ids.append(await self._file(place, album[0], None, None, None))
            else:
                ids.append(await self._album(place, album))
        others = [file for file in files if not _is_photo(file)]
        ids += [await self._file(place, file, None, None, None) for file in others]
        return ids[0] if ids else 0

    async def _album(self, place: Place, photos: Sequence[OutgoingFile]) -> int:
        media = [InputMediaPhoto(photo.content, filename=photo.name) for photo in photos]

        async def send() -> tuple[Message, ...]:
            return await self._bot.send_media_group(
                place.chat, media, message_thread_id=place.topic
            )

        sent = await self._call(place, Urgency.FINAL, send, calls=len(photos))
        return sent[0].message_id

    async def _file(
        self,
        place: Place,
        file: OutgoingFile,
        caption: Rendered | None,
        keyboard: InlineKeyboardMarkup | None,
        answering: ReplyParameters | None,
    ) -> int:
        upload = InputFile(file.content, filename=file.name)
        text = caption.text if caption is not None else None
        entities = _entities(caption) if caption is not None else None

        async def as_photo() -> Message:
            try:
                return await self._bot.send_photo(
                    place.chat,
                    upload,
                    caption=text,
                    caption_entities=entities,
                    reply_markup=keyboard,
                    reply_parameters=answering,
                    message_thread_id=place.topic,
                )
            except BadRequest as failure:
                # Telegram takes no panoramas and no huge pictures as photos
                if not any(word in failure.message.upper() for word in ("PHOTO_", "IMAGE_")):
                    raise
                return await as_document()

        async def as_document() -> Message:
            return await self._bot.send_document(
                place.chat,
                upload,
                caption=text,
                caption_entities=entities,
                reply_markup=keyboard,
                reply_parameters=answering,
                message_thread_id=place.topic,
            )

        make = as_photo if _is_photo(file) else as_document
        return (await self._call(place, Urgency.FINAL, make)).message_id

    # ------------------------------------------------------------ calls

    async def _call(
        self,
        place: Place,
        urgency: Urgency,
        make: Callable[[], Awaitable[T]],
        *,
        calls: int = 1,
        twice: bool = False,
    ) -> T:
        """Make a call at its turn.

        A final call that surely did not reach Telegram is tried again; so is one with an unknown
        outcome that may be carried out `twice`.
        """

        async def translate() -> T:
            with translated():
                return await make()

        for pause in PAUSES if urgency is Urgency.FINAL else ():
            try:
                return await self._pacer.call(place.chat, urgency, translate, calls=calls)
            except Unreachable:
                pass
            except OutcomeUnknown:
                if not twice:
                    raise
            await self._clock.sleep(pause)
        return await self._pacer.call(place.chat, urgency, translate, calls=calls)


def _is_photo(file: OutgoingFile) -> bool:
    return file.mime in PHOTOS and len(file.content) <= MAX_PHOTO


def _check_sizes(files: Sequence[OutgoingFile]) -> None:
    if any(len(file.content) > MAX_FILE_OUT for file in files):
        raise FileTooLarge(MAX_FILE_OUT)


def _answering(place: Place, reply: Reply) -> ReplyParameters | None:
    """In a group an answer says what it answers; it is posted even if that was deleted."""
    if place.private or reply.answering is None:
        return None
    return ReplyParameters(parse_message(reply.answering), allow_sending_without_reply=True)


def _entities(text: Rendered) -> list[MessageEntity]:
    return [
        MessageEntity(
            entity.type, entity.offset, entity.length, url=entity.url, language=entity.language
        )
        for entity in text.entities
    ]


def _keyboard(rows: Sequence[ButtonRow]) -> InlineKeyboardMarkup | None:
    keys = [
        [InlineKeyboardButton(button.label, callback_data=button.value) for button in part]
        for row in rows
        for part in (row[at : at + BUTTONS_PER_ROW] for at in range(0, len(row), BUTTONS_PER_ROW))
    ]
    return InlineKeyboardMarkup(keys) if keys else None
