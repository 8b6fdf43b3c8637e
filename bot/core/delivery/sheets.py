"""Which message of the chat holds which part of an answer.

An answer stands on sheets, one message each; all but the last are full and final. When an answer is
written anew, the sheets of the first attempt stay where the new text agrees with them; the others
are written over in their order, and what is left over is deleted.

Every step makes at most one call to the platform. When the call fails, the same step can be made
again, with the same text or with a longer one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from bot.core.capabilities import Capabilities, Streaming
from bot.core.delivery.layout import Full, Layout, Open, Unknown, ref_of
from bot.core.delivery.markdown import closed
from bot.core.delivery.partial import without_open_marks
from bot.core.delivery.preview import fits, preview_of
from bot.core.delivery.split import Page, take_page
from bot.core.ports import Draft, Platform
from bot.core.types import Button, IncomingMessage, MessageRef, Reply
from bot.errors import ChatGone, MessageGone, OutcomeUnknown, PlatformError, RateLimited

log = logging.getLogger(__name__)

DELETIONS = 5
"""So often it is tried to delete a message that the answer no longer needs."""


class Step(Enum):
    """What became of a step."""

    IDLE = auto()  # there was nothing to do
    CALLED = auto()  # the chat shows all that may be shown now
    MORE = auto()  # a call was made, and there is more to do
    FAILED = auto()  # a call was made in vain
    ENDED = auto()  # the answer is complete


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How an answer ends: its whole text, a line in words under it, and what goes with that.

    `rest` is what the last page has beside its text. Of its files `code_files` hold the rest of
    long code.
    """

    text: str
    mark: str = ""
    rest: Reply
    code_files: int = 0


class Sheets:
    """The messages of one answer.

    `resume` are those of an earlier attempt; `placeholder` says that there are no words of an
    answer in them yet, so that they may say what goes on.
    """

    def __init__(
        self,
        platform: Platform,
        answering: IncomingMessage,
        *,
        stop: Button | None = None,
        resume: Sequence[MessageRef] = (),
        placeholder: bool = False,
    ) -> None:
        self._platform = platform
        self._answering = answering
        self._stop = stop
        self._layout = Layout(resume, around=self._capabilities.around)
        self._begun: Draft | None = None  # it shows what goes on, and has no text yet
        self._closing: Draft | None = None  # it knows which files of the end stand there already
        self._status = "…" if placeholder else ""  # what stands in the chat instead of a text
        self._is_ended = False
        self._refused_deletions = 0

    @property
    def _capabilities(self) -> Capabilities:
        return self._platform.capabilities(self._answering.ref.chat)

    @property
    def refs(self) -> tuple[MessageRef, ...]:
        """All messages that stand in the chat, oldest first."""
        refs = [ref_of(sheet) for sheet in self._layout.sheets]
        refs.append(self._begun.ref if self._begun else None)
        return tuple(ref for ref in refs if ref is not None)

    @property
    def has_text(self) -> bool:
        """Whether any part of the answer has been handed to the chat."""
        return bool(self._layout.full or self._layout.open)

    @property
    def is_posting(self) -> bool:
        """Whether what is being written is no message yet, as far as is known."""
        draft = self._layout.open.draft if self._layout.open else self._begun
        return draft is not None and draft.ref is None

    def restart(self) -> None:
        """The text is written anew: what stands must prove that it is still right."""
        self._layout.restart()

    def refresh(self) -> None:
        """What is being written would vanish from the chat: the next step shows it again."""
        if self._layout.open is not None:
            self._layout.open.shown = ""
        self._status = self._status and "…"

    def lose(self) -> None:
        """Somebody deleted the message that the last step was about; it needs another one."""
        if self._layout.open is not None:
            self._layout.open = None
        elif self._begun is not None:
            self._begun, self._status = None, ""
        elif self._layout.old:
            self._layout.old.popleft()
            self._status = ""

    # ------------------------------------------------------------ the steps

    async def show_status(self, status: str) -> Step:
        """Show what goes on while there is no text, in the message that will bear it.

        A native draft could not take the words back, so it is told only where it shows them beside
        its text.
        """
        if status in ("", self._status) or self.has_text or (self._layout.old and not self._status):
            return Step.IDLE
        is_edited = self._capabilities.streaming is Streaming.EDIT
        if not is_edited and not self._capabilities.status:
            return Step.IDLE
        if is_edited and self._layout.old:
            await self._draft(ref_of(self._layout.old[0])).status(status)
        else:
            self._begun = self._begun or self._draft(None)
            await self._begun.status(status)
            if is_edited and self._begun.ref is not None:  # a message like any other now
                self._layout.old.append(Unknown(self._begun.ref))
                self._begun = None
        self._status = status
        return Step.CALLED

    async def show(self, text: str) -> Step:
        """Bring the chat nearer to the text."""
        self._layout.recognise(text)
        body = self._layout.body(text)
        if self._layout.has_ended(text) or self._layout.is_ahead(body):
            return Step.IDLE
        if await self._close_old():
            return Step.MORE
        sheet = self._sheet()
        limit, measure = self._capabilities.max_text, self._capabilities.measure
        preview = None if sheet.page else preview_of(body, sheet.given, limit, measure)
        if preview is None:
            await self._turn_page(sheet, text)
            return Step.MORE
        if preview == sheet.shown:
            return Step.IDLE
        sheet.given = preview
        await sheet.draft.show(preview)
        sheet.shown = preview
        return Step.CALLED

    async def finish(self, end: End) -> Step:
        """Bring the whole text to the chat, and take away what is left of an earlier one."""
        if not self._is_ended:
            self._is_ended = await self._finish_text(_with_mark(end.text, end.mark), end)
        else:
            await self._delete_old()
        return Step.ENDED if self._is_ended and not self._layout.old else Step.MORE

    async def _finish_text(self, text: str, end: End) -> bool:
        begun = self._layout.open
        if begun and not begun.page and not self._layout.body(text).startswith(begun.given):
            self._layout.restart()  # it was to end in another way before
        self._layout.recognise(text)
        body = self._layout.body(text)
        if self._layout.has_ended(text):
            return await self._finish_without_text(end)
        if await self._close_old():
            return False
        sheet = self._sheet()
        limit, measure = self._capabilities.max_text, self._capabilities.measure
        if sheet.page or not fits(body, limit, measure):
            await self._turn_page(sheet, text)
            return False
        reply = self._reply(sheet.given + body[len(sheet.given) :].rstrip(), end)
        sheet.given = reply.text
        ref = await sheet.draft.finish(reply)
        self._layout.end_sheet(ref, text, Page(text=reply.text, used=len(body)))
        return True

    async def _finish_without_text(self, end: End) -> bool:
        """The text is there already, or there is none; whether the end is there now, too.

        Where the last page was deleted, the one before it ends the answer, or the files alone.
        """
        rest = end.rest
        if self._layout.full and (rest.buttons or rest.files or rest.feedback or rest.thoughts):
            last = self._layout.full[-1]
            if self._closing is None or self._closing.ref != last.ref:
                self._closing = self._draft(last.ref)
            try:
                await self._closing.finish(self._reply(last.text, end))
            except MessageGone:
                log.info("last page gone", extra={"chat": last.ref.chat.id})
                self._layout.full.pop()
                self._closing = None
                return False
        elif not self._layout.full and (rest.files or (self._begun and self._is_native())):
            self._closing = self._begun or self._closing or self._draft(None)
            ref = await self._closing.finish(self._reply("", end))
            self._layout.full.append(Full(ref, ""))
            self._begun = None
        return True

    async def _turn_page(self, sheet: Open, text: str) -> None:
        """Finish the open sheet as a full page. The text may go on growing meanwhile."""
        if sheet.page is None:
            body = self._layout.body(text)
            limit, measure = self._capabilities.max_text, self._capabilities.measure
            least = max(len(sheet.given), self._layout.place.least(text))
            sheet.page = take_page(body, limit, measure, least=least)
            sheet.given = sheet.page.text
        if not sheet.page.text.strip():  # blanks as long as a page are no page
            self._layout.skip(text, sheet.page)
            sheet.given, sheet.page = "", None
            return
        ref = await sheet.draft.finish(self._reply(sheet.page.text))
        self._layout.end_sheet(ref, text, sheet.page)

    async def _delete_old(self) -> None:
        """Delete messages that the answer no longer needs. They may stay if they must.

        As many as one call deletes.
        """
        old = list(self._layout.old)[: self._capabilities.max_deletions]
        refs = [ref for ref in map(ref_of, old) if ref is not None]
        try:
            if refs:
                await self._platform.delete(refs)
        except (RateLimited, ChatGone, OutcomeUnknown):
            raise
        except PlatformError as error:
            self._refused_deletions += 1
            if self._refused_deletions < DELETIONS:
                raise
            extra = {"chat": self._answering.ref.chat.id, "error": repr(error)}
            log.warning("old page not deleted", extra=extra)
        self._refused_deletions = 0
        for _ in old:
            self._layout.old.popleft()

    async def pause(self, mark: str) -> None:
        """Say under the text that it goes on later: whoever reads it now should not wait for it.

        What would vanish meanwhile becomes a message.
        """
        sheet = self._layout.open
        if sheet is None or not sheet.shown:
            return
        reply = self._reply(f"{closed(sheet.shown)}\n\n{mark}")
        if sheet.draft.ref is not None:
            await self._platform.edit(sheet.draft.ref, reply)
        elif self._capabilities.vanishes:
            await sheet.draft.finish(reply)

    async def _close_old(self) -> bool:
        """End the draft of an earlier attempt that differs; whether that took a call."""
        sheet = self._layout.old[0] if self._layout.old and self._layout.open is None else None
        if not isinstance(sheet, Open):
            return False
        ref = sheet.draft.ref
        needs_closing = self._is_native()
        if needs_closing:
            ref = await sheet.draft.finish(self._reply(sheet.given))
        self._layout.old.popleft()
        self._layout.old.extendleft([] if ref is None else [Unknown(ref)])
        return needs_closing

    # ------------------------------------------------------------ the open sheet

    def _sheet(self) -> Open:
        """The sheet to write on: the open one, the next of an earlier attempt, or a new one."""
        if self._layout.open is None:
            if self._begun is not None:  # it is a message of its own; what stands is deleted
                self._layout.open, self._begun = Open(self._begun), None
            else:
                ref = ref_of(self._layout.old.popleft()) if self._layout.old else None
                self._layout.open = Open(self._draft(ref))
            self._status = ""  # its message bears the text now
        return self._layout.open

    def _is_native(self) -> bool:
        return self._capabilities.streaming is Streaming.NATIVE

    def _draft(self, ref: MessageRef | None) -> Draft:
        return self._platform.draft(self._answering, ref=ref, stop=self._stop)

    def _reply(self, text: str, end: End | None = None) -> Reply:
        rest = end.rest if end else Reply(text="")
        return replace(rest, text=text, answering=self._answering.ref)


def _with_mark(text: str, mark: str) -> str:
    """The text with a line under it, outside of any code block."""
    if not mark or not text.strip():
        return mark or text
    text = closed(without_open_marks(text) or text)
    return text + "\n" * max(0, 2 - len(text) + len(text.rstrip("\n"))) + mark
