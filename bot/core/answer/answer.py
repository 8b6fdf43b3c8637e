"""One answer: reads what was sent and the history, asks the model, delivers what it writes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from typing import assert_never

from bot.core.answer.buttons import AnswerButtons, Offer
from bot.core.answer.ending import (
    Ending,
    end_of_error,
    end_of_reason,
    end_of_stop,
    is_worse,
    said_of_files,
)
from bot.core.answer.exchange import Repeat
from bot.core.answer.feedback import ask_opinion
from bot.core.answer.fitting import ask_what_fits, learn_from_usage
from bot.core.answer.manuscript import Manuscript
from bot.core.answer.patience import patiently
from bot.core.answer.revival import offer_revival
from bot.core.answer.seam import told_to_go_on
from bot.core.answer.thinking import Thinking
from bot.core.chat import (
    ChatRequest,
    Finished,
    FinishReason,
    ImageDelta,
    MessageState,
    ModelEvent,
    NewMessage,
    ReasoningDelta,
    Role,
    TextDelta,
    TextPart,
    ToolCallDelta,
    Usage,
)
from bot.core.delivery.delivery import Delivery
from bot.core.limits.meter import Meter
from bot.core.memory.history import chat_message
from bot.core.memory.overhearing import as_messages, listens
from bot.core.memory.window import Position, Window, make_view
from bot.core.models import UsageEntry
from bot.core.overheard import Remark
from bot.core.punctuation import in_a_row
from bot.core.question.attachments import Gathered, gather
from bot.core.question.question import greeting, question_of, quote
from bot.core.queue import Outcome
from bot.core.sentences import keeps_trying
from bot.core.spending import reserve_answer
from bot.core.turn import TurnContext
from bot.core.types import ButtonRow, Feedback, IncomingMessage, Thoughts
from bot.errors import FileTooLarge, MediaError, ModelError, ModelErrorKind

log = logging.getLogger(__name__)

TICK = 2.0
"""Seconds after which it is said again how long the model has been thinking."""
WELL_BEGUN = 200
"""Characters of an answer after which its end is prepared: not while somebody waits to see any."""


async def answer(
    ctx: TurnContext, message: IncomingMessage, repeat: Repeat | None = None
) -> Outcome:
    """Answer a message of any kind; or, for a press or a command, the question to `repeat`.

    The answer is written over the messages in `ctx.shown`, or else below everything, as the reply
    to `message`. Raises `PlatformError`, `StoreError`, `TurnLost` and `TurnWithdrawn` only.
    """
    async with ctx.delivery(message) as delivery:
        return await Answer(ctx, message, delivery, repeat).run()


class Answer:
    """The answer to one message, or to a question from before, while it is being written."""

    def __init__(
        self,
        ctx: TurnContext,
        message: IncomingMessage,
        delivery: Delivery,
        repeat: Repeat | None,
    ) -> None:
        self._ctx = ctx
        self._message = message
        self._delivery = delivery
        self._clock = ctx.services.clock
        self._manner = ctx.manner
        self._model = self._manner.model
        self._buttons = AnswerButtons(ctx)
        self._gathered = Gathered()
        self._repeat = repeat
        self._conversation = repeat.exchange.conversation if repeat else None
        self._window: Window  # for which the request was made
        self._old = repeat.old if repeat else None
        self._asked = repeat.asked if repeat else None
        self._is_in_place = repeat is not None and not {*repeat.exchange.refs}.isdisjoint(ctx.shown)
        self._manuscript = Manuscript(
            delivery,
            torn=ctx.turn.partial,
            heading=self._asked.heading if self._asked else "",
            base=repeat.base if repeat else "",
        )
        self._remarks: Sequence[Remark] = ()
        self._reason: FinishReason | None = None
        self._meter = Meter(ctx.services.api, self._clock, ctx.services.count_tokens)
        self._capabilities = ctx.capabilities
        self._thinking = Thinking(
            delivery.status,
            clock=self._clock,
            texts=ctx.texts,
            every=max(TICK, 2 * self._capabilities.update_interval),
            at_once=self._capabilities.vanishes > 0,
        )

    async def run(self) -> Outcome:
        """Write the answer; say what went wrong where something did."""
        try:
            with self._ctx.charging(lambda: self._usage):
                return await self._end(await self._work())
        finally:
            await self._buttons.close()

    async def _work(self) -> Ending:
        try:
            if not await self._ctx.guard(self._write()):
                self._keep_torn()
                return end_of_stop(self._ctx, self._manuscript.text)
        except asyncio.CancelledError:  # the bot ends: the longest text is saved
            self._keep_torn()
            raise
        except (ModelError, MediaError, FileTooLarge) as error:
            is_asked = self._asked is not None
            self._keep_torn()
            return end_of_error(self._ctx, error, model=self._model, asked=is_asked)
        is_empty = not self._manuscript.has_content and self._asked is not None
        return end_of_reason(self._ctx, self._reason, empty=is_empty)

    def _keep_torn(self) -> None:
        kept = self._manuscript.keep_torn()
        if kept and self._asked is None:  # the message was not read again yet
            self._asked = question_of(self._message, self._gathered)

    async def _end(self, ending: Ending) -> Outcome:
        """Bring the end of the answer to the chat, and return what is kept of it."""
        mark, offer = ending.mark, ending.offer
        if self._asked and not ending.failed:
            mark = in_a_row(self._ctx.texts, mark, said_of_files(self._ctx, self._asked))
        if self._manuscript.base and ending.failed:
            offer = Offer.MORE
        if self._old and self._is_worse(ending, self._old):
            texts = self._ctx.texts
            mark = in_a_row(texts, mark, texts.gettext("The answer from before stays."))
            offer = Offer.MORE if self._old.state is MessageState.LENGTH else Offer.ANOTHER
            self._manuscript.give_way(self._old.text if self._is_in_place else "")
            self._thinking.forget()
        outcome = self._outcome(ending)
        turn_id = self._turn_of_exchange(outcome)
        buttons: Sequence[ButtonRow]
        if ending.passing and not outcome.messages:
            buttons = await offer_revival(self._ctx)
            outcome = replace(outcome, passing=ending.passing)
        else:
            buttons = await self._buttons.rows(offer, turn_id)
        refs = await self._delivery.finish(
            mark=mark,
            buttons=buttons,
            files=(*self._gathered.files, *self._manuscript.files),
            feedback=self._thumbs(ending),
            failed=ending.failed,
            thoughts=self._thoughts(),
        )
        messages = tuple(  # with where in the chat the answer stands
            replace(each, shown=refs) if each.role is Role.ASSISTANT else each
            for each in outcome.messages
        )
        return replace(outcome, messages=messages)

    def _turn_of_exchange(self, outcome: Outcome) -> int | None:
        """The turn by which the exchange is found from now on (`Exchange.turn_id`)."""
        if outcome.messages:
            return self._ctx.turn.id
        if self._repeat is None:
            return None
        exchange = self._repeat.exchange
        return exchange.question.turn_id if outcome.hidden else exchange.turn_id

    def _thumbs(self, ending: Ending) -> Feedback | None:
        """The question whether the answer was good, if there is one."""
        if not self._capabilities.feedback or ending.failed or not self._manuscript.text.strip():
            return None
        return ask_opinion(self._ctx.turn.id, self._model)

    def _thoughts(self) -> Thoughts | None:
        """What the model thought, where it is to be seen."""
        wanted = self._ctx.settings.reasoning or self._ctx.services.defaults.reasoning
        shown = self._capabilities.folds and wanted == "collapsed"
        return self._thinking.thoughts if shown else None

    def _is_worse(self, ending: Ending, old: NewMessage) -> bool:
        """Whether an earlier answer is worth more than what there is now."""
        if not self._manuscript.has_content:
            return True
        return not self._manuscript.base and is_worse(ending, old, self._manuscript.text)

    async def _write(self) -> None:
        async with AsyncExitStack() as until_first_text:
            about = next(iter(self._ctx.shown), self._message.ref)
            typing = self._ctx.platform.typing(self._ctx.chat, about)
            await until_first_text.enter_async_context(typing)
            self._manuscript.show_torn()
            if self._repeat is None:
                await self._read()
            if self._asked is None:
                self._manuscript.begin(greeting(self._gathered, self._ctx.texts))
                return
            self._manuscript.show_beginning()
            await self._overhear()
            request = await reserve_answer(self._ctx, await self._request(self._asked))
            until_first_text.enter_context(self._thinking.counting())
            await self._ask_what_fits(request, self._asked, until_first_text)
        if self._manuscript.is_torn and not self._manuscript.has_content:
            raise ModelError(ModelErrorKind.CUT, "nothing came when it was asked again")

    async def _read(self) -> None:
        """Fetch and read what was sent."""
        tell = self._delivery.status
        about = self._message.reply_to
        if about is not None and about.opening and await self._has_begun():
            self._message = replace(self._message, reply_to=None)

        async def read() -> None:
            self._gathered = Gathered(usage=self._gathered.usage)  # what was paid was paid
            await gather(self._ctx, self._message, tell, self._gathered)

        await patiently(self._ctx, read, status=tell)
        if self._gathered.quote:
            self._manuscript.heading = quote(f"🎤 {self._gathered.quote}") + "\n\n"
        self._asked = question_of(self._message, self._gathered, heading=self._manuscript.heading)

    async def _has_begun(self) -> bool:
        """Whether something was said in the conversation already."""
        conversations = self._ctx.services.stores.conversations
        return bool((await conversations.history(self._ctx.chat, limit=1)).newest)

    async def _overhear(self) -> None:
        """Learn what others said in the group since the last answer, if the group wants it."""
        if self._repeat is None and self._message.group and listens(self._ctx.settings):
            self._remarks = await self._ctx.services.stores.overheard.remarks(self._ctx.chat)

    async def _request(self, asked: NewMessage, *, alone: bool = False) -> ChatRequest:
        """What the model is asked: the system prompt, the history that fits, the question."""
        services, group = self._ctx.services, self._message.group
        if not self._model:
            raise ModelError(ModelErrorKind.MODEL_NOT_FOUND, "no model is configured")
        remarks = tuple(chat_message(each, group=group) for each in as_messages(self._remarks))
        tail = (chat_message(asked, group=group), *told_to_go_on(self._manuscript.base))
        before = self._repeat.exchange.question.id if self._repeat else None
        position = Position(chat=self._ctx.chat, group=group, before=before)
        view = await make_view(services, self._manner, position, tail, remarks, alone=alone)
        self._conversation, self._window = view.conversation, view.window
        return ChatRequest(
            model=self._model,
            messages=view.messages,
            sampling=view.within(self._manner.sampling),
            lane=self._ctx.lane,
            fresh=self._repeat is not None,
        )

    async def _ask_what_fits(
        self, request: ChatRequest, asked: NewMessage, until_first_text: AsyncExitStack
    ) -> None:
        """Ask, with less where that is too long; an answer that has begun ends with LENGTH then."""

        async def ask(request: ChatRequest) -> None:
            self._thinking.forget()
            await self._ask(request, until_first_text)
            services, usage = self._ctx.services, self._meter.usage
            is_cut = self._reason is FinishReason.LENGTH
            learn_from_usage(services, request, usage, self._window, cut=is_cut)

        try:
            await ask_what_fits(
                self._ctx,
                request,
                ask,
                make=lambda alone: self._request(asked, alone=alone),
                begun=lambda: self._manuscript.has_content,
            )
        except ModelError as error:
            if error.kind is not ModelErrorKind.CONTEXT_TOO_LONG or not self._manuscript.text:
                raise
            self._reason = FinishReason.LENGTH

    async def _ask(self, request: ChatRequest, until_first_text: AsyncExitStack) -> None:
        """Stream the answer. One that breaks off is asked for once more, in its place."""
        try:
            await patiently(
                self._ctx,
                lambda: self._stream(request, until_first_text),
                status=self._thinking.wait,
                begun=lambda: bool(self._manuscript.text or self._manuscript.files),
            )
        except ModelError as error:
            if error.kind is not ModelErrorKind.CUT:
                raise
            log.warning(
                "answer cut, asking again",
                extra={**self._ctx.log, "model": self._model, "request_id": error.request_id},
            )
            self._manuscript.tear()
            self._thinking.forget()
            await self._stream(request, until_first_text)

    async def _stream(self, request: ChatRequest, until_first_text: AsyncExitStack) -> None:
        meter, api = self._meter, self._ctx.services.api
        meter.begin(request)
        try:
            answer = api.stream(request, sent=self._sent, unheard=self._unheard)
            async with aclosing(answer) as events:
                async for event in events:
                    meter.take(event)
                    if isinstance(event, TextDelta | ImageDelta):
                        await until_first_text.aclose()
                    self._take(event)
        except ModelError:
            meter.failed()
            raise

    def _sent(self) -> None:
        self._meter.sent()
        self._thinking.ask()

    def _unheard(self) -> None:
        self._thinking.wait(keeps_trying(self._ctx.texts))

    def _take(self, event: ModelEvent) -> None:
        match event:
            case TextDelta():
                self._thinking.speak()
                self._manuscript.write(event.text)
                if len(self._manuscript.text) >= WELL_BEGUN:
                    self._buttons.prepare()
            case ReasoningDelta():
                self._thinking.think(event.text)
            case ImageDelta():
                self._manuscript.draw(event)
            case Finished():
                self._reason = event.reason
            case ToolCallDelta() | Usage():
                pass  # no tools are offered, so none can be called; the meter takes the usage
            case unknown:
                assert_never(unknown)

    @property
    def _usage(self) -> tuple[UsageEntry, ...]:
        return (*self._gathered.usage, *self._meter.entries())

    def _outcome(self, ending: Ending) -> Outcome:
        """What is kept: the question and the answer together, or neither.

        No answer without a word: Claude and Kimi refuse any conversation that holds one (so
        https://github.com/anomalyco/opencode/issues/31259). One of pictures alone is not kept, but
        takes the place of the one from before.
        """
        usage, has_words = self._usage, bool(self._manuscript.text.strip())
        has_content = self._manuscript.has_content
        if self._asked is None or not (has_words or ending.keep):
            return Outcome(usage=usage)
        is_new = not self._repeat or (self._repeat.instead is not None and has_content)
        messages = [*as_messages(self._remarks), self._asked] if is_new else []
        if has_words:
            messages.append(self._reply(ending.state))
        return Outcome(
            conversation=self._conversation,
            messages=tuple(messages),
            question=self._repeat.exchange.question.id if self._repeat else None,
            hidden=self._repeat.replaced if self._repeat and has_content else (),
            usage=usage,
            overheard=self._remarks[-1].id if self._remarks else None,
        )

    def _reply(self, state: MessageState) -> NewMessage:
        """The answer as it is kept."""
        return NewMessage(
            role=Role.ASSISTANT,
            parts=(TextPart(self._manuscript.base + self._manuscript.text),),
            model=self._model,
            usage=self._meter.usage,
            state=state,
        )
