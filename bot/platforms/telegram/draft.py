"""An answer being written: as a message that is edited while it grows, or as Telegram's own draft.

Core's `EditDraft` would do, but here a preview and the final text go different ways: a preview is
rendered as unfinished Markdown and never waits for the budget, the final text always gets through.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.core.types import Button, ButtonRow, MessageRef, Reply
from bot.platforms.telegram.errors import StyleRefused
from bot.platforms.telegram.markdown.rich import RichText
from bot.platforms.telegram.messages import Body
from bot.platforms.telegram.pace import Urgency
from bot.platforms.telegram.posting import Poster
from bot.platforms.telegram.uploads import Posted


class TelegramDraft:
    """The draft of one message; with `ref`, of one that stands in the chat already.

    With a `draft_id` it is shown as a draft of Telegram's, which becomes a message at the end only.
    Where that is refused, it goes on as a message that is edited, from the first text on; a text
    that is refused as rich goes on as classic text, and is not tried again with each word more.
    Whatever of it the chat shows, `seen` is told.
    """

    def __init__(
        self,
        poster: Poster,
        answering: MessageRef,
        *,
        seen: Callable[[], None],
        ref: MessageRef | None = None,
        stop: Button | None = None,
        rich: bool = False,
        draft_id: int | None = None,
    ) -> None:
        self._poster = poster
        self._answering = answering
        self._seen = seen
        self._ref = ref
        self._buttons: tuple[ButtonRow, ...] = ((stop,),) if stop is not None else ()
        self._rich = rich
        self._draft_id = draft_id
        self._text = ""
        self._shown: Body | None = None
        self._standing: Reply | None = None  # the end of the answer, but for its files
        self._posted: Posted = {}

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
        drafting = self._draft_id is not None
        if text == self._text and not drafting:
            return
        urgency = Urgency.FIRST if self._ref is None and self._shown is None else Urgency.PREVIEW
        self._poster.ask_turn(self._answering.chat, urgency, draft=drafting)
        body = self._poster.preview(text, self._answering.chat, rich=self._rich)
        is_again = drafting and text == self._text  # it would vanish
        if not body.is_visible or (body == self._shown and not is_again):
            return
        try:
            await self._show(body, urgency)
        except StyleRefused:
            if isinstance(body, RichText):
                self._rich = False
            else:
                self._draft_id = None
            await self.show(text)
            return
        self._text, self._shown = text, body
        self._seen()

    async def _show(self, body: Body, urgency: Urgency) -> None:
        """Show it in one way. Raises `StyleRefused` where that cannot be."""
        if self._draft_id is not None:
            await self._poster.show_draft(self._draft_id, body, self._answering.chat, urgency)
        elif self._ref is None:
            self._ref = await self._poster.post_preview(body, self._buttons, self._answering)
        else:
            await self._poster.edit_preview(self._ref, body, self._buttons)

    async def finish(self, reply: Reply) -> MessageRef:
        """Make the reply the message, in place of the previews and the Stop button.

        When a file fails, what stands in the chat by then is not posted again at the next try.
        """
        chat = self._answering.chat
        words = replace(reply, files=())
        if self._ref is None:
            self._ref = await self._poster.post_first(chat, reply, self._posted, rich=self._rich)
        elif words != self._standing:
            await self._poster.edit_first(self._ref, reply, self._posted, rich=self._rich)
        self._standing = words
        await self._poster.post_rest(chat, reply, self._posted)
        return self._ref
