"""Putting replies into a chat: text, buttons and files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from bot.core.ports import Clock
from bot.core.types import ButtonRow, ChatRef, MessageRef, Reply
from bot.platforms.telegram.calls import Caller
from bot.platforms.telegram.ids import Place, make_message, parse_chat, parse_message
from bot.platforms.telegram.markdown import rich as rich_text
from bot.platforms.telegram.markdown.render import Rendered, pages, render
from bot.platforms.telegram.markdown.thoughts import folded
from bot.platforms.telegram.messages import Around, Body, Messages
from bot.platforms.telegram.methods import Json, Methods, target
from bot.platforms.telegram.moves import GroupMoved
from bot.platforms.telegram.pace import Budget, Urgency
from bot.platforms.telegram.receipts import Receipts
from bot.platforms.telegram.uploads import (
    Group,
    Posted,
    Uploader,
    check_sizes,
    grouped,
)

BUTTONS_PER_ROW = 8
MAX_BUTTONS = 100


class Poster:
    """Sends and edits. Raises like `Platform.send` and `Platform.edit`.

    `rich` asks for rich messages, where Telegram takes them.
    """

    def __init__(self, methods: Methods, caller: Caller, receipts: Receipts, clock: Clock) -> None:
        self._methods = methods
        self._caller = caller
        self._moves = caller.moves
        self._messages = Messages(methods, caller, receipts, clock)
        self._uploads = Uploader(methods, caller)

    def may_draft(self, chat: ChatRef) -> bool:
        """Whether there are drafts in a chat: only in private ones, and not where refused."""
        place = parse_chat(chat)
        return place.private and not self._messages.drafts.without(place.chat)

    def may_rich(self, chat: ChatRef) -> bool:
        """Whether a chat takes rich messages, as far as is known."""
        return not self._messages.rich.without(parse_chat(chat).chat)

    def preview(self, text: str, chat: ChatRef, *, rich: bool) -> Body:
        """What is shown of a text that is being written."""
        if rich and self.may_rich(chat):
            return rich_text.compose(text, partial=True)
        return pages(render(text, partial=True))[0]

    async def send(self, chat: ChatRef, reply: Reply, *, rich: bool) -> MessageRef:
        """Post a whole reply; returns its first message."""
        posted: Posted = {}
        ref = await self.post_first(chat, reply, posted, rich=rich)
        await self.post_rest(chat, reply, posted)
        return ref

    async def post_first(
        self, chat: ChatRef, reply: Reply, posted: Posted, *, rich: bool
    ) -> MessageRef:
        """Post the words of a reply, with its file where they have room under it.

        Without words the first files are posted. Returns the first message; those of files are put
        into `posted`.
        """
        check_sizes(reply.files)
        return await self._moves.posted(
            lambda: self._post_first(self._moves.chat(chat), reply, posted, rich=rich)
        )

    async def _post_first(
        self, chat: ChatRef, reply: Reply, posted: Posted, *, rich: bool
    ) -> MessageRef:
        place = parse_chat(chat)
        around = _around(place, reply.buttons, reply.answering, pointing=reply.pointing)
        text = render(reply.text) if reply.text.strip() else Rendered("")
        if text.is_caption and len(reply.files) == 1:
            (file,) = reply.files
            urgency = Urgency.FINAL
            sent = await self._uploads.post_one(place, file, around, urgency, text=text)
            posted[file] = sent
        elif text.text or reply.buttons or not reply.files:
            bodies = self._drawn(chat, reply, rich=rich)
            urgency = Urgency.PREVIEW if reply.bulk else Urgency.FINAL
            urgency = Urgency.SPARE if reply.spare else urgency
            sent = await self._messages.post_all(place, bodies, around, urgency)
        else:
            first, *_ = grouped([file for file in reply.files if file not in posted])
            urgency = Urgency.FOLLOWING if posted else Urgency.FINAL
            await self._uploads.post(place, first, posted, around.answering, urgency)
            sent = next(iter(posted.values()))
        return make_message(chat, sent)

    async def post_rest(self, chat: ChatRef, reply: Reply, posted: Posted) -> None:
        """Post the files of a reply that are not `posted` yet, and put them there."""
        for group in grouped([file for file in reply.files if file not in posted]):
            post = partial(self._post_group, chat, group, posted, reply.answering)
            await self._moves.posted(post)

    async def _post_group(
        self, chat: ChatRef, group: Group, posted: Posted, answering: MessageRef | None
    ) -> None:
        place = self._moves.place(chat)
        upon, urgency = _answering(place, answering), Urgency.FOLLOWING
        await self._uploads.post(place, group, posted, upon, urgency)

    async def post_preview(
        self, body: Body, buttons: Sequence[ButtonRow], answering: MessageRef
    ) -> MessageRef:
        """Post the first text of an answer, if the budget has room for it now.

        Raises `StyleRefused` where it cannot be rich.
        """

        async def post() -> MessageRef:
            chat = self._moves.chat(answering.chat)
            place = parse_chat(chat)
            around = _around(place, buttons, answering)
            sent = await self._messages.post_one(place, body, around, Urgency.FIRST)
            return make_message(chat, sent)

        return await self._moves.posted(post)

    def ask_turn(self, chat: ChatRef, urgency: Urgency, *, draft: bool) -> None:
        """Raise like `Caller.ask` when a preview may not be shown now: before it is drawn."""
        budget = Budget.DRAFT if draft else Budget.MESSAGE
        self._caller.ask(self._moves.place(chat), urgency, budget=budget)

    async def show_draft(self, draft: int, body: Body, chat: ChatRef, urgency: Urgency) -> None:
        """Show a text that is no message yet. Raises `StyleRefused` where that cannot be."""
        await self._messages.show_draft(parse_chat(chat), draft, body, urgency)

    async def edit(self, ref: MessageRef, reply: Reply, *, rich: bool) -> None:
        """Replace a message; what is too long for it, and files, are posted after it."""
        posted: Posted = {}
        await self.edit_first(ref, reply, posted, rich=rich)
        await self.post_rest(ref.chat, reply, posted)

    async def edit_first(
        self, ref: MessageRef, reply: Reply, posted: Posted, *, rich: bool
    ) -> None:
        """Replace the words of a message, by its file with them where that can be.

        What is too long for it is posted after it. The file is noted in `posted`.
        """
        check_sizes(reply.files)
        place, message = self._moves.message(ref)
        text = render(reply.text)
        around = _around(place, reply.buttons, reply.answering)
        is_alone = len(reply.files) == 1 and reply.files[0] not in posted
        if not rich and is_alone and text.is_caption:
            (file,) = reply.files
            if await self._uploads.make_photo(place, message, file, around.keyboard, text=text):
                posted[file] = message
                await self._messages.delete_continuations(place, message)
                return  # the words and the buttons stand under the picture
        first, *more = self._drawn(ref.chat, reply, rich=rich)
        upon = replace(around, keyboard=None) if more else around
        await self._messages.replace(place, message, first, upon, Urgency.FINAL)
        await self._messages.post_after(place, message, more, around)

    async def edit_preview(self, ref: MessageRef, body: Body, buttons: Sequence[ButtonRow]) -> None:
        """Show more of a text that is still being written. Raises `StyleRefused`."""
        place, message = self._moves.message(ref)
        around = Around(keyboard=_keyboard(buttons))
        await self._messages.replace(place, message, body, around, Urgency.PREVIEW)

    async def delete(self, refs: Sequence[MessageRef]) -> None:
        """Remove messages of one chat; those that are gone already are success."""
        places: dict[Place, list[int]] = {}
        for ref in refs:
            with suppress(GroupMoved):  # it stays in the group as it was before
                place, message = self._moves.message(ref)
                places.setdefault(place, []).append(message)
        for place, messages in places.items():
            with suppress(GroupMoved):
                await self._messages.delete(place, messages)

    def continuations(self, place: Place) -> set[int]:
        """The messages of a chat that continue others, as far as is remembered."""
        return self._messages.continuations(place)

    async def show_typing(self, chat: ChatRef) -> None:
        """Show that the bot is typing, if nobody needs the budget more."""
        place = self._moves.place(chat)

        async def act() -> None:
            await self._methods.call("sendChatAction", **target(place), action="typing")

        await self._caller.call(place, Urgency.TYPING, act)

    def _drawn(self, chat: ChatRef, reply: Reply, *, rich: bool) -> Sequence[Body]:
        """The text in as many messages as it needs, the thoughts folded up under the last."""
        if rich and self.may_rich(chat):
            *before, end = rich_text.pages(reply.text)
            return [*before, rich_text.folded(end, reply.thoughts)]
        *first, last = pages(render(reply.text))
        return [*first, folded(last, reply.thoughts)]


def _around(
    place: Place,
    rows: Sequence[ButtonRow],
    answering: MessageRef | None,
    *,
    pointing: bool = False,
) -> Around:
    return Around(
        keyboard=_keyboard(rows),
        answering=_answering(place, answering, pointing=pointing),
        asked=_asked(place, answering),
    )


def _asked(place: Place, answering: MessageRef | None) -> int:
    """The id of the message that is answered; 0 where none in the chat is."""
    if answering is None or parse_chat(answering.chat).chat != place.chat:
        return 0
    return parse_message(answering)


def _answering(
    place: Place, answering: MessageRef | None, *, pointing: bool = False
) -> Json | None:
    """In a group an answer says what it answers; it is posted even if that was deleted.

    All that belongs to it says so: among the comments of a channel nothing else would be seen.
    """
    asked = _asked(place, answering)
    if not asked or (place.private and not pointing):
        return None
    return {"message_id": asked, "allow_sending_without_reply": True}


def _keyboard(rows: Sequence[ButtonRow]) -> Json | None:
    keys = [
        [{"text": button.label, "callback_data": button.value} for button in part]
        for row in rows
        for part in (row[at : at + BUTTONS_PER_ROW] for at in range(0, len(row), BUTTONS_PER_ROW))
    ]
    return {"inline_keyboard": keys} if keys else None
