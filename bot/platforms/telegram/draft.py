"""An answer being written, as a message that is edited while it grows.

Core's `EditDraft` would do, but here a preview and the final text go different ways: a preview is
rendered as unfinished Markdown and never waits for the budget, the final text always gets through.
"""

from __future__ import annotations

from bot.core.types import Button, ButtonRow, MessageRef, Reply
from bot.platforms.telegram.pace import Urgency
from bot.platforms.telegram.posting import Poster
from bot.platforms.telegram.render import Rendered, pages, render


class TelegramDraft:
    """The draft of one message; with `ref`, of one that stands in the chat already."""

    def __init__(
        self,
        poster: Poster,
        answering: MessageRef,
        *,
        ref: MessageRef | None = None,
        stop: Button | None = None,
    ) -> None:
        self._poster = poster
        self._answering = answering
        self._ref = ref
        self._buttons: tuple[ButtonRow, ...] = ((stop,),) if stop is not None else ()
        self._shown: Rendered | None = None

    @property
    def ref(self) -> MessageRef | None:
        """The message in the chat; None before the first text."""
        return self._ref

    async def status(self, text: str) -> None:
        """Show it where the text will stand."""
        await self.show(text)

    async def show(self, text: str) -> None:
        """Post or edit what can be seen of the text; no call without a visible change.

        A send whose outcome is unknown leaves no id: the next text is posted anew, since a
        message too many is better than an answer lost.
        """
        rendered = pages(render(text, partial=True))[0]
        if not rendered.is_visible or rendered == self._shown:
            return
        if self._ref is None:
            self._ref = await self._poster.show(rendered, self._buttons, self._answering)
        else:
            await self._poster.replace(self._ref, rendered, self._buttons, Urgency.PREVIEW)
        self._shown = rendered

    async def finish(self, reply: Reply) -> MessageRef:
        """Make the reply the message, in place of the previews and the Stop button."""
        if self._ref is None:
            self._ref = await self._poster.send(self._answering.chat, reply)
        else:
            await self._poster.edit(self._ref, reply)
        return self._ref
