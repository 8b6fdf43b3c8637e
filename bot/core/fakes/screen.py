"""What stands in the chats of a platform in memory, as somebody looks at them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from bot.core.capabilities import Capabilities
from bot.core.fakes.wire import FakeWire
from bot.core.ports import Clock
from bot.core.types import Button, ChatId, ChatRef, MessageId, MessageRef, OutgoingFile, Reply
from bot.errors import FilesForbidden, FileTooLarge, PlatformError

CHAT = ChatRef("fake", ChatId("1"))


class FakeScreen(FakeWire):
    """Keeps the messages that got through, and the texts that are no messages yet.

    `frames` is what stood in the chat after each change, and `sent` every reply that got through.
    `statuses` is what was said to go on beside a text.
    """

    def __init__(self, clock: Clock, capabilities: Capabilities) -> None:
        super().__init__(clock)
        self.frames: list[list[str]] = []
        self.sent: list[Reply] = []
        self.statuses: list[str] = []
        self.takes_files = True
        self._capabilities = capabilities
        self._messages: dict[MessageRef, Reply] = {}
        self._previews: dict[int, tuple[ChatRef, str]] = {}
        self._files: list[tuple[ChatRef, OutgoingFile]] = []
        self._numbers = itertools.count(1)

    def screen(self, chat: ChatRef = CHAT) -> list[str]:
        """The bot's texts that somebody in the chat sees now."""
        return self.kept(chat) + [text for at, text in self._previews.values() if at == chat]

    def kept(self, chat: ChatRef = CHAT) -> list[str]:
        """The bot's texts that somebody in the chat will see tomorrow."""
        return [reply.text for ref, reply in self._messages.items() if ref.chat == chat]

    def buttons(self, chat: ChatRef = CHAT) -> list[str]:
        """The labels of all buttons in the chat."""
        return [button.label for _, button in self._all_buttons(chat)]

    def files(self, chat: ChatRef = CHAT) -> list[OutgoingFile]:
        """The files that the bot posted in the chat."""
        return [file for at, file in self._files if at == chat]

    def remove(self, ref: MessageRef) -> None:
        """Somebody deletes a message."""
        if self._messages.pop(ref, None) is not None:
            self._show(ref.chat)

    def refs(self, chat: ChatRef = CHAT) -> list[MessageRef]:
        """The bot's messages in the chat, oldest first."""
        return [ref for ref in self._messages if ref.chat == chat]

    def _all_buttons(self, chat: ChatRef) -> Iterator[tuple[MessageRef, Button]]:
        for ref, reply in self._messages.items():
            if ref.chat == chat:
                for row in reply.buttons:
                    for button in row:
                        yield ref, button

    def _new_id(self) -> MessageId:
        return MessageId(str(next(self._numbers)))

    def _put(self, ref: MessageRef, reply: Reply) -> None:
        self._check(reply)
        self._messages[ref] = reply
        self._files.extend((ref.chat, file) for file in reply.files)
        self.sent.append(reply)
        self._show(ref.chat)

    def _check(self, reply: Reply) -> None:
        size = self._capabilities.measure(reply.text)
        if size > self._capabilities.max_text:
            raise PlatformError(f"the text is too long: {size}")
        if not reply.text.strip() and not reply.files:
            raise PlatformError("the text is empty")
        if reply.files and not self.takes_files:
            raise FilesForbidden("no files in this chat")
        if any(len(file.content) > self._capabilities.max_file_out for file in reply.files):
            raise FileTooLarge(self._capabilities.max_file_out)

    def _show(self, chat: ChatRef) -> None:
        self.frames.append(self.screen(chat))

    def preview(self, draft: int, chat: ChatRef, text: str) -> None:
        """Show a text that is no message; an empty one shows nothing."""
        self._check(Reply(text=text or "-"))
        self._previews.pop(draft, None)
        if text:
            self._previews[draft] = (chat, text)
            self._show(chat)

    def forget_previews(self, chat: ChatRef) -> None:
        """Texts that are no message make way for one."""
        gone = [draft for draft, (at, _) in self._previews.items() if at == chat]
        for draft in gone:
            del self._previews[draft]

    def post(self, ref: MessageRef | None, chat: ChatRef, reply: Reply) -> MessageRef:
        """Put a message where it stands, or a new one at the end."""
        ref = ref or MessageRef(chat, self._new_id())
        self._put(ref, reply)
        return ref
