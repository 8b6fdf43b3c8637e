"""The draft for any platform that can send and edit. Most need no other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.core.types import Button, ChatRef, MessageRef, Reply


class EditDraft:
    """An answer in a message that is posted with its first text and edited as it grows.

    With `ref` it goes on with a message that stands in the chat already. `stop` is shown under
    the text while it is being written. `send` and `edit` are those of `Platform`.
    """

    def __init__(
        self,
        send: Callable[[ChatRef, Reply], Awaitable[MessageRef]],
        edit: Callable[[MessageRef, Reply], Awaitable[None]],
        answering: MessageRef,
        *,
        ref: MessageRef | None = None,
        stop: Button | None = None,
    ) -> None:
        self._send = send
        self._edit = edit
        self._answering = answering
        self._ref = ref
        self._buttons = ((stop,),) if stop is not None else ()
        self._standing: Reply | None = None

    @property
    def ref(self) -> MessageRef | None:
        """The message in the chat; None before the first text."""
        return self._ref

    async def status(self, text: str) -> None:
        """Show it where the text will stand. Raises like `Platform.edit`."""
        await self.show(text)

    async def show(self, text: str) -> None:
        """Post the text, or edit it into the message. Raises like `Platform.edit`."""
        await self._put(Reply(text=text, buttons=self._buttons, answering=self._answering))

    async def finish(self, reply: Reply) -> MessageRef:
        """Make the reply the message, without the Stop button. Raises like `Platform.edit`."""
        return await self._put(reply)

    async def _put(self, reply: Reply) -> MessageRef:
        if self._ref is None:
            self._ref = await self._send(self._answering.chat, reply)
        elif reply != self._standing:  # no call without a visible change
            await self._edit(self._ref, reply)
        self._standing = reply
        return self._ref
