"""Sending files: pictures as photos or albums, anything else as documents."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeAlias

from telegram import InputFile, InputMediaPhoto, MessageEntity

from bot.core.types import OutgoingFile
from bot.errors import (
    ChatGone,
    FileRefused,
    FileTooLarge,
    MessageGone,
    PlatformError,
    PlatformPasses,
)
from bot.platforms.telegram.calls import Caller
from bot.platforms.telegram.errors import MAX_FILE_OUT, PhotoRefused
from bot.platforms.telegram.ids import Place
from bot.platforms.telegram.markdown.render import Rendered
from bot.platforms.telegram.messages import Around, caption, entities_of, or_plain, unless_unchanged
from bot.platforms.telegram.methods import Json, Methods, first_id, target
from bot.platforms.telegram.pace import Urgency

log = logging.getLogger(__name__)

MAX_PHOTO = 10_000_000
ALBUM = 10
PHOTOS = frozenset({"image/jpeg", "image/png", "image/webp"})
Group: TypeAlias = Sequence[OutgoingFile]
"""Files that one call posts: an album of pictures, or a single file."""
Posted: TypeAlias = MutableMapping[OutgoingFile, int]
"""The files that stand in the chat, in order, with the (first) message that posting them made."""
SILENT = Rendered("")


def check_sizes(files: Sequence[OutgoingFile]) -> None:
    """Raise `FileTooLarge` before anything is sent."""
    if any(len(file.content) > MAX_FILE_OUT for file in files):
        raise FileTooLarge(MAX_FILE_OUT)


def grouped(files: Sequence[OutgoingFile]) -> Sequence[Group]:
    """The files as they are posted: pictures first and together, then the others one by one."""
    photos = [file for file in files if _is_photo(file)]
    albums = [photos[start : start + ALBUM] for start in range(0, len(photos), ALBUM)]
    return [*albums, *([file] for file in files if not _is_photo(file))]


class Uploader:
    """Posts files."""

    def __init__(self, methods: Methods, caller: Caller) -> None:
        self._methods = methods
        self._caller = caller

    async def post(
        self, place: Place, group: Group, posted: Posted, answering: Json | None, urgency: Urgency
    ) -> None:
        """Post a group of files without words. `posted` is filled with what stands in the chat."""
        if len(group) > 1:
            await self._album(place, group, posted, answering, urgency)
        else:
            around = Around(answering=answering)
            posted[group[0]] = await self.post_one(place, group[0], around, urgency)

    async def post_one(
        self,
        place: Place,
        file: OutgoingFile,
        around: Around,
        urgency: Urgency,
        *,
        text: Rendered = SILENT,
    ) -> int:
        """Post a file, with words and buttons under it; returns the id of the message."""
        upload = InputFile(file.content, filename=file.name)

        async def send(kind: str, text: Rendered) -> object:
            return await self._methods.call(
                f"send{kind.capitalize()}",
                **target(place),
                **{kind: upload},
                **caption(text),
                reply_markup=around.keyboard,
                reply_parameters=around.answering,
            )

        async def post(kind: str) -> int:
            make = partial(or_plain, partial(send, kind), text)
            return first_id(await self._caller.call(place, urgency, make))

        if _is_photo(file):
            with suppress(PhotoRefused):  # a panorama, or too many pixels: still a file
                return await post("photo")
        return await post("document")

    async def make_photo(
        self,
        place: Place,
        id: int,
        file: OutgoingFile,
        keyboard: Json | None,
        *,
        text: Rendered,
    ) -> bool:
        """Make a message of words a photo with these words under it; False where that cannot be."""
        if not _is_photo(file):
            return False
        words = MessageEntity.de_list(entities_of(text), None)
        photo = InputMediaPhoto(
            file.content, caption=text.text, caption_entities=words, filename=file.name
        )

        async def edit() -> None:
            await self._methods.call(
                "editMessageMedia",
                chat_id=place.chat,
                message_id=id,
                media=photo,
                reply_markup=keyboard,
            )

        try:
            await self._caller.call(place, Urgency.FINAL, unless_unchanged(edit), twice=True)
        except (PlatformPasses, ChatGone, MessageGone, FileRefused):
            raise
        except PlatformError as refusal:  # an older server, or no photo after all
            log.info("not made a photo", extra={"reason": str(refusal)})
            return False
        return True

    async def _album(
        self, place: Place, photos: Group, posted: Posted, answering: Json | None, urgency: Urgency
    ) -> None:
        media = [InputMediaPhoto(photo.content, filename=photo.name) for photo in photos]

        async def send() -> object:
            return await self._methods.call(
                "sendMediaGroup", **target(place), media=media, reply_parameters=answering
            )

        try:
            sent = await self._caller.call(place, urgency, send, calls=len(photos))
        except PhotoRefused:  # one of them is no photo, which Telegram does not name
            for photo in photos:
                await self.post(place, [photo], posted, answering, Urgency.FOLLOWING)
        else:
            posted.update(dict.fromkeys(photos, first_id(sent)))


def _is_photo(file: OutgoingFile) -> bool:
    return file.mime in PHOTOS and len(file.content) <= MAX_PHOTO
