"""One chat on one person's phone: what is seen there, and what can be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from bot.sandbox.telegram import wire
from bot.sandbox.telegram.buttons import ANSWER_SECONDS
from bot.sandbox.telegram.entities import Entity, covered, utf16_length
from bot.sandbox.telegram.files import picture_size
from bot.sandbox.telegram.messages import MAX_TEXT
from bot.sandbox.telegram.rich import from_markdown
from bot.sandbox.telegram.screen import Screen, Shown, look, next_expiry
from bot.sandbox.telegram.state import Chat, ChatKind, Media, Membership, Message, Press, User
from bot.sandbox.telegram.world import World


class ChatView:
    """One chat as one person sees it, and what that person can do there."""

    def __init__(self, world: World, chat: Chat, user: User, topic: int | None = None) -> None:
        self.id = chat.id
        self.topic = topic
        self._world = world
        self._chat = chat
        self.user = user

    # ------------------------------------------------------------ doing

    def send(self, text: str, *, reply_to: int | None = None) -> int:
        """Write a message; returns its id, like all the sending below.

        A text too long for one message becomes several, as in Telegram's own apps; the id is the
        last one's.
        """
        parts = [text[start : start + MAX_TEXT] for start in range(0, len(text), MAX_TEXT)]
        return [self._deliver(replace(self._post(part), reply_to=reply_to)) for part in parts][-1]

    def send_linked(self, text: str, label: str, address: str) -> int:
        """Write a message of which some words are a link, as one makes it with Ctrl+K."""
        message = self._post(text)
        offset = utf16_length(text[: text.index(label)])
        link: Entity = {"type": "text_link", "offset": offset, "length": utf16_length(label)}
        message.entities = (*message.entities, {**link, "url": address})
        return self._deliver(message)

    def reply(self, to: Shown | int, text: str) -> int:
        """Answer a message, given as it is seen or by its id."""
        return self.send(text, reply_to=_number(to))

    def edit(self, which: Shown | int, text: str) -> None:
        """Change one's own message."""
        message = self._chat.messages[_number(which)]
        message.text, message.entities = text, self._world.judge.detect(text)
        message.edited = self._world.now()
        self._world.changes.tell(self.id, "edited")
        self._tell_bot("edited_message", message)

    def like(self, which: Shown | int) -> None:
        """React to a message: bots are told of an edit, with the date of one before, if any.

        See https://github.com/tdlib/telegram-bot-api/issues/388.
        """
        self._tell_bot("edited_message", self._chat.messages[_number(which)])

    def delete(self, which: Shown | int) -> None:
        """Delete a message for everybody; bots are not told."""
        del self._chat.messages[_number(which)]
        self._world.changes.tell(self.id, "deleted")

    def send_photo(self, content: bytes, caption: str = "") -> int:
        """Send a picture as a photo."""
        media = self._photo(content)
        return self._deliver(replace(self._post(caption), media=media))

    def send_album(self, photos: Sequence[bytes], caption: str = "") -> list[int]:
        """Send several photos at once; the first one carries the caption."""
        album = str(10_000_000 + self._world.number())
        messages = [
            replace(self._post("" if index else caption), media=self._photo(photo), album=album)
            for index, photo in enumerate(photos)
        ]
        return [self._deliver(message) for message in messages]

    def send_voice(self, content: bytes, seconds: int = 1, *, caption: str = "") -> int:
        """Send a voice message (Opus in Ogg)."""
        file = self._world.files.add("voice", "voice.oga", content, mime="audio/ogg")
        media = Media(kind="voice", file=file, seconds=seconds)
        return self._deliver(replace(self._post(caption), media=media))

    def send_audio(self, name: str, content: bytes, seconds: int = 1) -> int:
        """Send an audio file, as music."""
        file = self._world.files.add("music", name, content)
        media = Media(kind="audio", file=file, seconds=seconds)
        return self._deliver(replace(self._post(), media=media))

    def send_video(self, name: str, content: bytes, seconds: int = 1) -> int:
        """Send a video."""
        file = self._world.files.add("videos", name, content)
        media = Media(kind="video", file=file, seconds=seconds, width=640, height=480)
        return self._deliver(replace(self._post(), media=media))

    def send_document(
        self,
        name: str,
        content: bytes,
        caption: str = "",
        *,
        mime: str = "",
        size: int | None = None,
    ) -> int:
        """Send any file as it is; `size` claims another length than the content has."""
        file = self._world.files.add("documents", name, content, mime=mime, size=size)
        media = Media(kind="document", file=file)
        return self._deliver(replace(self._post(caption), media=media))

    def send_sticker(self, emoji: str = "👍") -> int:
        """Send a sticker."""
        file = self._world.files.add("stickers", "sticker.webp", b"RIFF", mime="image/webp")
        media = Media(kind="sticker", file=file, emoji=emoji, width=512, height=512)
        return self._deliver(replace(self._post(), media=media))

    def send_rich(self, markdown: str, *photos: bytes) -> int:
        """Send a rich message, with pictures under its words; bots get its blocks and no text."""
        rich = from_markdown(markdown)
        pictures = [{"type": "photo", "photo": wire.media(self._photo(photo))} for photo in photos]
        rich = replace(rich, blocks=(*rich.blocks, *pictures))
        return self._deliver(replace(self._post(), rich=rich))

    def press(self, label: str) -> Press:
        """Press the newest button with this label. Raises `LookupError` when there is none."""
        for message in reversed(self._chat.messages.values()):
            for button in (button for row in message.keyboard for button in row):
                if button.label == label and message.topic == self.topic:
                    return self.press_data(message.id, button.data)
        raise LookupError(f"no button {label!r}")

    def press_at(self, message_id: int, row: int, column: int) -> Press:
        """Press a button by its place. Raises `LookupError` when it is gone."""
        message = self._chat.messages[message_id]
        return self.press_data(message_id, message.keyboard[row][column].data)

    def press_data(self, message_id: int, data: str) -> Press:
        """Press a button of a message by its data, even one that is gone (an old screen)."""
        press = Press(
            id=str(4_000_000_000 + self._world.number()),
            until=self._world.clock.monotonic() + ANSWER_SECONDS,
        )
        self._world.presses[press.id] = press
        message = self._chat.messages[message_id]
        self._world.updates.add(
            "callback_query",
            {
                "id": press.id,
                "from": wire.user(self.user),
                "message": wire.message(self._world, message),
                "chat_instance": str(self.id),
                "data": data,
            },
        )
        return press

    def open_topic(self, name: str) -> int:
        """Post the service message that opens this view's topic (see `Group.open_topic`)."""
        return self._deliver(replace(self._post(), topic_created=name))

    def tell_of_move(self, *, became: int | None = None, was: int | None = None) -> int:
        """Post the service message about a group that is another now (see `Group.upgrade`)."""
        return self._deliver(replace(self._post(), became=became, was=was))

    def stop_draft(self) -> None:
        """Press the Stop of the draft. Raises `LookupError` when there is none."""
        draft = self._chat.drafts.get(self.topic)
        screen = self.screen()
        if draft is None or screen.draft is None or not screen.draft.stop:
            raise LookupError("no draft that can be stopped")
        self._chat.stopped_drafts.add(draft.id)
        draft.stopped = True
        if not draft.keep_on_stop:
            del self._chat.drafts[self.topic]
        self._world.changes.tell(self.id, "draft")
        thread = {} if self.topic is None else {"message_thread_id": self.topic}
        self._world.updates.add(
            "stopped_message_generation",
            {"chat": wire.chat(self._chat), "draft_id": draft.id, **thread},
        )

    # ------------------------------------------------------------ seeing

    def screen(self) -> Screen:
        """What is on the screen now."""
        return look(self._world, self._chat, self.topic)

    def kept(self) -> tuple[Shown, ...]:
        """What will still be there tomorrow: the messages, without drafts and indicators."""
        return self.screen().messages

    async def wait_for(self, seen: Callable[[Screen], object], within: float = 60.0) -> Screen:
        """The first screen of which `seen` is true; `TimeoutError` after `within` seconds."""
        expiry = partial(next_expiry, self._world, self._chat)
        try:
            await self._world.changes.until(lambda: seen(self.screen()), within, expiry)
        except TimeoutError:
            raise TimeoutError(f"not seen within {within:g} s; there is {self.screen()}") from None
        return self.screen()

    # ------------------------------------------------------------ how it reaches the bot

    def _post(self, text: str = "") -> Message:
        if self._chat.membership is Membership.STRANGER:
            self._chat.membership = Membership.MEMBER
        return Message(
            id=self._chat.next_id(),
            chat=self.id,
            author=self.user,
            date=self._world.now(),
            text=text,
            entities=self._world.judge.detect(text),
            topic=self.topic,
        )

    def _deliver(self, message: Message) -> int:
        self._chat.messages[message.id] = message
        self._world.changes.tell(self.id, "message")
        self._tell_bot("message", message)
        return message.id

    def _tell_bot(self, kind: str, message: Message) -> None:
        if self._chat.membership is Membership.MEMBER and self._reaches_bot(message):
            self._world.updates.add(kind, wire.message(self._world, message))

    def _reaches_bot(self, message: Message) -> bool:
        """Privacy mode: in groups only commands, mentions, replies to the bot, service messages.

        https://core.telegram.org/bots/features#privacy-mode.
        """
        if self._chat.kind is ChatKind.PRIVATE or not self._world.privacy:
            return True
        answered = self._chat.messages.get(message.reply_to or 0)
        is_service = bool(message.topic_created or message.became or message.was)
        if is_service or (answered is not None and answered.author.is_bot):
            return True
        handle = f"@{self._world.bot.username}".lower()
        commands = covered(message.text, message.entities, "bot_command")
        mentions = covered(message.text, message.entities, "mention")
        return any(mention.lower() == handle for mention in mentions) or any(
            "@" not in command or command.lower().endswith(handle) for command in commands
        )

    def _photo(self, content: bytes) -> Media:
        width, height = picture_size(content) or (640, 480)
        file = self._world.files.add("photos", "photo.jpg", content, mime="image/jpeg")
        return Media(kind="photo", file=file, width=width, height=height)


def _number(message: Shown | int) -> int:
    return message if isinstance(message, int) else message.id
