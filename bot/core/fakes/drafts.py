"""The drafts of a platform in memory, where it has more than messages that are edited."""

from __future__ import annotations

from bot.core.fakes.screen import FakeScreen
from bot.core.types import ChatRef, MessageRef, Reply


class _Draft:
    def __init__(self, platform: FakeScreen, chat: ChatRef) -> None:
        self._platform = platform
        self._chat = chat
        self._ref: MessageRef | None = None

    @property
    def ref(self) -> MessageRef | None:
        """The message in the chat, once there is one."""
        return self._ref


class PassingDraft(_Draft):
    """A draft that is no message before it is finished, and is replaced by every text."""

    async def status(self, text: str) -> None:
        """Show it like a text."""
        await self.show(text)

    async def show(self, text: str) -> None:
        """Replace what is shown."""
        await self._platform.carry_out(
            self._chat, lambda: self._platform.preview(id(self), self._chat, text)
        )

    async def finish(self, reply: Reply) -> MessageRef:
        """Post a message; what was shown of anything is gone with it."""

        def keep() -> MessageRef:
            self._platform.forget_previews(self._chat)
            return self._platform.post(self._ref, self._chat, reply)

        self._ref = await self._platform.carry_out(self._chat, keep)
        return self._ref


class NativeDraft(_Draft):
    """A draft that can only be appended to, strictly: every other text is a mistake of ours."""

    def __init__(self, platform: FakeScreen, chat: ChatRef, *, ephemeral: bool) -> None:
        super().__init__(platform, chat)
        self._ephemeral = ephemeral
        self._given = ""

    async def status(self, text: str) -> None:
        """Remember what was said to go on."""
        await self._platform.carry_out(self._chat, lambda: self._platform.statuses.append(text))

    async def show(self, text: str) -> None:
        """Append what is new. Raises `ValueError` when it is not an addition."""
        self._append(text)
        if self._ephemeral:
            await self._platform.carry_out(
                self._chat, lambda: self._platform.preview(id(self), self._chat, text)
            )
        else:
            self._ref = await self._platform.carry_out(
                self._chat, lambda: self._platform.post(self._ref, self._chat, Reply(text=text))
            )

    async def finish(self, reply: Reply) -> MessageRef:
        """Append the rest and keep it. Raises `ValueError` when it is not an addition."""
        self._append(reply.text)

        def keep() -> MessageRef:
            self._platform.preview(id(self), self._chat, "")
            return self._platform.post(self._ref, self._chat, reply)

        self._ref = await self._platform.carry_out(self._chat, keep)
        return self._ref

    def _append(self, text: str) -> None:
        if not text.startswith(self._given):
            raise ValueError(f"{text!r} does not begin with {self._given!r}")
        self._given = text
