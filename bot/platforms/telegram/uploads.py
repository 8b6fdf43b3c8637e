"""Sending files: pictures as photos or albums, anything else as documents."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from telegram import (
    Bot,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaPhoto,
    Message,
    MessageEntity,
    ReplyParameters,
)
from telegram.error import BadRequest

from bot.core.types import OutgoingFile
from bot.errors import (
    ChatGone,
    FileTooLarge,
    MessageGone,
    OutcomeUnknown,
    PlatformError,
    RateLimited,
)
from bot.platforms.telegram.calls import Caller
from bot.platforms.telegram.errors import MAX_FILE_OUT, PhotoRefused, is_unchanged
from bot.platforms.telegram.ids import Place
from bot.platforms.telegram.pace import Urgency

log = logging.getLogger(__name__)

MAX_PHOTO = 10_000_000
ALBUM = 10
PHOTOS = frozenset({"image/jpeg", "image/png", "image/webp"})


def check_sizes(files: Sequence[OutgoingFile]) -> None:
    """Raise `FileTooLarge` before anything is sent."""
    if any(len(file.content) > MAX_FILE_OUT for file in files):
        raise FileTooLarge(MAX_FILE_OUT)


class Uploader:
    """Posts files. Every method returns the id of the (first) message."""

    def __init__(self, bot: Bot, caller: Caller) -> None:
        self._bot = bot
        self._caller = caller

    async def post(self, place: Place, files: Sequence[OutgoingFile], *, insist: bool) -> int:
        """Post files without words, pictures first and together; 0 without files."""
        photos = [file for file in files if _is_photo(file)]
        albums = [photos[start : start + ALBUM] for start in range(0, len(photos), ALBUM)]
        groups = [*albums, *([file] for file in files if not _is_photo(file))]
        ids: list[int] = []
        for group in groups:
            follows = insist or bool(ids)
            if len(group) > 1:
                ids.append(await self._album(place, group, insist=follows))
            else:
                ids.append(await self.post_one(place, group[0], insist=follows))
        return ids[0] if ids else 0

    async def post_one(
        self,
        place: Place,
        file: OutgoingFile,
        *,
        caption: str | None = None,
        entities: Sequence[MessageEntity] = (),
        keyboard: InlineKeyboardMarkup | None = None,
        answering: ReplyParameters | None = None,
        insist: bool = False,
    ) -> int:
        """Post a file, with words and buttons under it."""
        upload = InputFile(file.content, filename=file.name)

        async def as_photo() -> Message:
            return await self._bot.send_photo(
                place.chat,
                upload,
                caption=caption,
                caption_entities=entities,
                reply_markup=keyboard,
                reply_parameters=answering,
                message_thread_id=place.topic,
            )

        async def as_document() -> Message:
            return await self._bot.send_document(
                place.chat,
                upload,
                caption=caption,
                caption_entities=entities,
                reply_markup=keyboard,
                reply_parameters=answering,
                message_thread_id=place.topic,
            )

        if _is_photo(file):
            try:
                sent = await self._caller.call(place, Urgency.FINAL, as_photo, insist=insist)
            except PhotoRefused:
                pass  # a panorama, or too many pixels: still a file
            else:
                return sent.message_id
        sent = await self._caller.call(place, Urgency.FINAL, as_document, insist=insist)
        return sent.message_id

    async def put(
        self,
        place: Place,
        id: int,
        file: OutgoingFile,
        *,
        caption: str,
        entities: Sequence[MessageEntity],
        keyboard: InlineKeyboardMarkup | None,
    ) -> bool:
        """Make a message of words a photo with these words under it; False where that cannot be."""
        if not _is_photo(file):
            return False
        photo = InputMediaPhoto(
            file.content,
            caption=caption,
            caption_entities=entities,
            filename=file.name,
        )

        async def edit() -> None:
            try:
                await self._bot.edit_message_media(photo, place.chat, id, reply_markup=keyboard)
            except BadRequest as failure:
                if not is_unchanged(failure):
                    raise

        try:
            await self._caller.call(place, Urgency.FINAL, edit, twice=True)
        except (RateLimited, ChatGone, MessageGone, OutcomeUnknown):
            raise
        except PlatformError as refusal:  # an older server, or no photo after all
            log.info("not made a photo", extra={"reason": str(refusal)})
            return False
        return True

    async def _album(self, place: Place, photos: Sequence[OutgoingFile], *, insist: bool) -> int:
        media = [InputMediaPhoto(photo.content, filename=photo.name) for photo in photos]

        async def send() -> tuple[Message, ...]:
            return await self._bot.send_media_group(
                place.chat, media, message_thread_id=place.topic
            )

        try:
            sent = await self._caller.call(
                place, Urgency.FINAL, send, calls=len(photos), insist=insist
            )
        except PhotoRefused:  # one of them is no photo, which Telegram does not name
            ids = [await self.post_one(place, photo, insist=True) for photo in photos]
            return ids[0]
        return sent[0].message_id


def _is_photo(file: OutgoingFile) -> bool:
    return file.mime in PHOTOS and len(file.content) <= MAX_PHOTO
