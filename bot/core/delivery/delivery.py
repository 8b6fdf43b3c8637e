"""Show an answer while it is being written.

The only loop in the bot that knows about pace. Whoever writes never waits: a task of its own, the
painter, takes the newest text to the chat, one call at a time. Platforms say how often a chat may
be updated and how long a message may be; they cut nothing themselves.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from types import TracebackType

from bot.core.capabilities import Capabilities, Streaming
from bot.core.clock import within
from bot.core.delivery.checkpoints import LOOK_AGAIN, Checkpoints, SaveCheckpoint, Sure
from bot.core.delivery.growing_text import GrowingText
from bot.core.delivery.long_code import Note
from bot.core.delivery.pace import Backoff, Pace
from bot.core.delivery.sheets import End, Sheets, Step
from bot.core.errands import cancel
from bot.core.ports import Clock, Platform
from bot.core.punctuation import paragraphs
from bot.core.types import (
    Button,
    ButtonRow,
    Feedback,
    IncomingMessage,
    MessageRef,
    OutgoingFile,
    Reply,
    Thoughts,
)
from bot.errors import (
    ChatGone,
    FileRefused,
    MessageGone,
    NotYourTurn,
    OutcomeUnknown,
    PlatformError,
    RateLimited,
    StoreError,
)

log = logging.getLogger(__name__)

Excuse = Callable[[FileRefused], str]
"""Says in words why files are missing."""

Tidy = Callable[[], Awaitable[None]]
"""Takes away what stands in the chat and was not written down. May raise `StoreError`."""

REFRESH = 0.6
"""The part of its time after which a text that vanishes is shown again."""
LAST_CALL = 0.8
"""Seconds for the call that is under way when the bot is being ended."""
PARTING = 1.0
"""Seconds for that and to say that the answer goes on later."""


class Delivery:
    """One answer on its way to a chat.

    * `answering`: the message it answers. `stop`: the button shown while it is being written.
    * `resume`: the messages in which an earlier attempt stands. They are written over, at once if
      there is but a `placeholder` in them.
    * `checkpoint` is called as soon as a new message stands in the chat, and every few seconds
      while it grows. While it is not `sure` that nobody else writes the answer, nothing is shown.
    * `code_note`: what the text says about long code that became a file; without one none does.
    * `paused`: the line under the text when the writer is cancelled. `excuse`: the one when files
      are refused.
    * `tidy` is called when it is unknown whether a new message was posted, before it is posted
      again.

        async with Delivery(platform, message, clock=clock) as delivery:
            async for delta in answer:
                delivery.write(delta)
            await delivery.finish()

    Without `finish`, what is shown when the block ends stays as it is.
    """

    def __init__(
        self,
        platform: Platform,
        answering: IncomingMessage,
        *,
        clock: Clock,
        stop: Button | None = None,
        resume: Sequence[MessageRef] = (),
        placeholder: bool = False,
        checkpoint: SaveCheckpoint | None = None,
        sure: Sure = lambda: True,
        paused: str = "",
        code_note: Note | None = None,
        excuse: Excuse = str,
        tidy: Tidy | None = None,
    ) -> None:
        self._chat = answering.ref.chat
        self._platform = platform
        self._sheets = Sheets(
            platform, answering, stop=stop, resume=resume, placeholder=placeholder
        )
        self._clock = clock
        self._checkpoints = Checkpoints(checkpoint, sure, answering.ref.chat, clock)
        self._paused = paused
        self._written = GrowingText(code_note)
        self._excuse = excuse
        self._tidy = tidy
        self._may_be_doubled = False  # what the next step posts may stand there already
        self._status = ""
        self._is_rewritten = False
        self._end: End | None = None
        self._failure: PlatformError | None = None
        self._news = asyncio.Event()  # something to paint
        self._hurry = asyncio.Event()  # the end: do not wait for the next preview
        self._leave = asyncio.Event()  # the block is left: make no further call
        self._pace = Pace(clock)
        self._backoff = Backoff()
        self._painter: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Delivery:
        """Start the painter."""
        self._painter = asyncio.create_task(self._paint(), name="painter")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the painter: it is told to leave, since it may be in a call.

        When the bot ends, what the platform does not answer soon is broken off.
        """
        self._leave.set()
        self._hurry.set()
        self._news.set()
        painter = self._running()
        is_parting = isinstance(error, asyncio.CancelledError)
        end = asyncio.get_running_loop().time() + PARTING
        await asyncio.wait({painter}, timeout=LAST_CALL if is_parting else None)
        is_silent = not painter.done()
        if is_silent:
            await cancel(painter)
        failure = None if painter.cancelled() else painter.exception()
        if is_parting:
            await self._part(end, silent=is_silent)
        if error is None:
            painter.result()
        elif failure is not None and failure is not error:
            log.error("painter failed", extra={"chat": self._chat.id}, exc_info=failure)

    async def _part(self, end: float, *, silent: bool) -> None:
        """The bot ends in the middle of the answer: write down how far it is, and say so.

        It is said until `end`. Nothing is said where another process may write the answer; raises
        `TurnLost` when it does. Nor while the platform is `silent`.
        """
        self._checkpoints.reset()
        await self._checkpoint()
        if silent or not self._paused or not self._checkpoints.sure():
            return
        try:
            async with asyncio.timeout_at(end):
                await self._sheets.pause(self._paused)
        except (PlatformError, TimeoutError) as error:
            log.info("pause not shown", extra={"chat": self._chat.id, "error": repr(error)})
        await self._checkpoint()

    # ------------------------------------------------------------ what the writer says

    @property
    def text(self) -> str:
        """Everything written."""
        return self._written.text

    def write(self, delta: str) -> None:
        """Add to the answer. Never waits; intermediate texts may never be shown.

        Raises `ChatGone` when nobody will ever read it.
        """
        if self._failure is not None:
            raise self._failure
        if delta:
            self._written.write(delta)
            self._news.set()

    def rewrite(self, text: str) -> None:
        """The whole answer so far is now `text`; what is written next comes after it.

        What is shown stays as long as the new text agrees with it, even if it is shorter as yet;
        from where they differ on, the messages are written over.
        """
        self._written.rewrite(text)
        self._is_rewritten = True  # the painter may be in a call that is about the old text
        self._news.set()

    def status(self, text: str) -> None:
        """Say what goes on until there is a text. Shown where messages can be edited."""
        self._status = text
        self._news.set()

    async def finish(
        self,
        *,
        mark: str = "",
        buttons: Sequence[ButtonRow] = (),
        files: Sequence[OutgoingFile] = (),
        feedback: Feedback | None = None,
        failed: bool = False,
        thoughts: Thoughts | None = None,
    ) -> tuple[MessageRef, ...]:
        """Bring the whole answer to the chat, and return the messages it stands in.

        `mark` is a line under the text that says how it ended; `failed` that it tells why there
        is no (whole) answer. `buttons`, `files` and the rest go with the last page. Waits out
        every pause that the platform asks for. Where files are refused, long code is in the text
        after all, and the text says why others are missing. Raises `ChatGone`, and `PlatformError`
        when the platform has failed for a quarter of an hour.
        """
        whole = self._written.shortened(self._capabilities)
        rest = Reply(
            text="",
            buttons=tuple(buttons),
            files=(*files, *whole.files),
            feedback=feedback,
            failed=failed,
            thoughts=thoughts,
        )
        self._end = End(text=whole.text, mark=mark, rest=rest, code_files=len(whole.files))
        self._hurry.set()
        self._news.set()
        # A writer that is cancelled here does not cancel the call that is under way.
        await asyncio.shield(self._running())
        if self._failure is not None:
            raise self._failure
        return self._sheets.refs

    @property
    def _capabilities(self) -> Capabilities:
        """They may change while the answer is written: something was refused."""
        return self._platform.capabilities(self._chat)

    def _running(self) -> asyncio.Task[None]:
        if self._painter is None:
            raise RuntimeError("a delivery is used as `async with`")
        return self._painter

    # ------------------------------------------------------------ the painter

    async def _paint(self) -> None:
        """Make calls until the answer is finished, the chat is gone, or the block is left."""
        while not self._leave.is_set():
            if not await self._my_turn():
                continue
            if not await self._checkpoints.confirm(self.text, self._sheets.refs):
                self._pace.block(LOOK_AGAIN)  # what is to be shown waits, and is newer then
                self._news.set()
                continue
            began = self._clock.monotonic()
            step = await self._try_step()
            await self._checkpoint()
            if step is Step.ENDED:
                return
            if step in (Step.CALLED, Step.MORE):  # a refused call has a pause of its own
                self._pace.called(began)
            if step in (Step.MORE, Step.FAILED):
                self._news.set()

    async def _my_turn(self) -> bool:
        """Wait until a call may be made; False when there is something new to consider."""
        if (pause := self._pace.blocked) > 0:
            await within(self._clock, pause, self._leave.wait())
            return False
        if self._end is not None:
            return True
        if not self._news.is_set():
            await self._wait_for_news()
            return False
        if self._capabilities.streaming is Streaming.NONE:
            await self._hurry.wait()
            return False
        is_first = not self._sheets.has_text and self.text.strip()  # which comes as it can
        interval = 0.0 if is_first else self._capabilities.update_interval
        if (pause := self._pace.until_preview(interval)) > 0:
            await within(self._clock, pause, self._hurry.wait())
            return False
        self._news.clear()
        return True

    async def _wait_for_news(self) -> None:
        """Return when there is something to paint: also when what is painted is about to vanish."""
        if not self._capabilities.vanishes:
            await self._news.wait()
            return
        if not await within(self._clock, self._capabilities.vanishes * REFRESH, self._news.wait()):
            self._sheets.refresh()
            self._news.set()

    async def _try_step(self) -> Step:
        """Make at most one call; the answer has ended, too, when it can never be delivered."""
        try:
            step = await self._step()
        except NotYourTurn as turn:
            self._pace.obey(turn.retry_after, only_previews=True)
            return Step.FAILED
        except RateLimited as limit:
            log.info("rate limited", extra={"chat": self._chat.id, "seconds": limit.retry_after})
            self._pace.obey(limit.retry_after)
            return Step.FAILED
        except ChatGone as error:
            log.info("chat gone", extra={"chat": self._chat.id})
            self._failure = error
            return Step.ENDED
        except PlatformError as error:
            return self._failed(error)
        self._backoff.reset()
        return step

    async def _step(self) -> Step:
        if self._may_be_doubled:
            self._may_be_doubled = False
            await self._take_away_doubles()
        if self._is_rewritten:
            self._is_rewritten = False
            self._sheets.restart()
        try:
            if self._end is not None:
                return await self._sheets.finish(self._end)
            return await self._show()
        except OutcomeUnknown:
            self._may_be_doubled = self._sheets.is_posting and self._may_be_taken_away()
            raise

    def _may_be_taken_away(self) -> bool:
        """Whether what was posted just now is a message, and all else of the answer written down.

        At the end there may be files that nobody has written down.
        """
        if self._end is not None:
            return not self._end.rest.files
        return not self._capabilities.vanishes

    async def _show(self) -> Step:
        text = self._written.shown(self._capabilities)
        if text.strip():
            return await self._sheets.show(text)
        return await self._sheets.show_status(self._status)

    async def _take_away_doubles(self) -> None:
        """Else its Stop button would stand there for good, under the beginning of the answer."""
        if self._tidy is None:
            return
        try:
            await self._tidy()
        except StoreError as error:
            log.warning("not tidied", extra={"chat": self._chat.id, "error": repr(error)})

    def _failed(self, error: PlatformError) -> Step:
        """Back off and try again; the end is given up when it has been tried for long enough.

        After `OutcomeUnknown` the same call is made again. An edit is idempotent; a new message
        may then stand there twice, which is better than not at all; it is looked for before, but at
        the end of an answer with files.
        """
        log.warning("delivery failed", extra={"chat": self._chat.id, "error": repr(error)})
        if isinstance(error, MessageGone):
            self._sheets.lose()  # the text is sent anew
        if self._end is not None:
            if isinstance(error, FileRefused) and self._end.rest.files:
                self._end = self._without_files(self._end, error)
                return Step.FAILED
            if self._backoff.is_over:
                self._failure = error
                return Step.ENDED
        self._pace.block(self._backoff.next(counts=self._end is not None))
        return Step.FAILED

    def _without_files(self, end: End, refusal: FileRefused) -> End:
        """The text gets through alone: with all its code, and with why anything else is missing."""
        mark = end.mark
        if len(end.rest.files) > end.code_files:
            mark = paragraphs(mark, self._excuse(refusal))
        text = self._written.unshortened
        self._is_rewritten = self._is_rewritten or text != end.text
        return End(text=text, mark=mark, rest=replace(end.rest, files=()))

    async def _checkpoint(self) -> None:
        """Save where the answer stands, and how far it is, if due. Raises `TurnLost`."""
        vanishes = bool(self._capabilities.vanishes)
        await self._checkpoints.save(self.text, self._sheets.refs, vanishes=vanishes)
