"""One answer: read what was sent, load the history, ask the model, deliver, and keep it all."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing

from bot.core.attachments import Gathered, gather
from bot.core.chat import (
    ChatMessage,
    ChatRequest,
    Finished,
    FinishReason,
    ImageDelta,
    MessageState,
    ModelEvent,
    NewMessage,
    Part,
    ReasoningDelta,
    Role,
    TextDelta,
    TextPart,
    ToolCallDelta,
    Usage,
    UsageEntry,
    UsageKind,
)
from bot.core.context import fit, load_history, spoken
from bot.core.delivery import Delivery
from bot.core.sentences import sentence_for_media, sentence_for_model, sentence_for_size
from bot.core.stores import Outcome
from bot.core.turn import TurnContext
from bot.core.types import IncomingMessage, OutgoingFile
from bot.errors import FileTooLarge, MediaError, ModelError, ModelErrorKind

log = logging.getLogger(__name__)

QUOTED = 1_000
"""Characters of a replied-to message that the model is told."""
ANSWER_SHARE = 4
"""One part in so many of the window is left for the answer."""
FORGOTTEN = frozenset(
    {ModelErrorKind.CONTEXT_TOO_LONG, ModelErrorKind.REFUSED, ModelErrorKind.BAD_REQUEST}
)
"""After these the question is not kept: every later request would fail for it again."""


async def answer(ctx: TurnContext, message: IncomingMessage) -> Outcome:
    """Answer a message of any kind. Raises `PlatformError` and `StoreError` only."""
    delivery = ctx.delivery(message)
    async with delivery:
        return await Answer(ctx, message, delivery).run()


class Answer:
    """The answer to one message, while it comes into being."""

    def __init__(self, ctx: TurnContext, message: IncomingMessage, delivery: Delivery) -> None:
        self._ctx = ctx
        self._message = message
        self._delivery = delivery
        self._clock = ctx.services.clock
        self._model = ctx.settings.model or ctx.services.defaults.model
        self._gathered = Gathered()
        self._heading = ""  # the transcript, quoted above the answer
        self._text = ""
        self._asked: NewMessage | None = None
        self._files: list[OutgoingFile] = []
        self._reason: FinishReason | None = None
        self._usage: Usage | None = None
        self._began = self._clock.monotonic()
        self._first_token: float | None = None
        self._thinking_since: float | None = None

    async def run(self) -> Outcome:
        """Write the answer; say what went wrong where something did."""
        _ = self._ctx.texts.gettext
        mark, state, keep, failed = "", MessageState.COMPLETE, True, True
        try:
            if not await self._ctx.stopper.guard(self._write()):
                mark, state = _("⏹ Stopped."), MessageState.STOPPED
            elif self._reason is FinishReason.LENGTH:
                mark, state = _("✂️ The model’s length limit is reached."), MessageState.LENGTH
            elif self._reason is FinishReason.CONTENT_FILTER:
                mark = _("⚠️ The model’s content filter ended the answer here.")
            elif not self._text.strip() and not self._files and self._asked is not None:
                mark = _("The model gave an empty answer. Ask again, or try another with /model.")
        except ModelError as error:
            mark = self._explain(error)
            state, keep = MessageState.CUT, error.kind not in FORGOTTEN
        except MediaError as error:
            log.info("media refused", extra={**self._ctx.log, "kind": error.kind.value})
            mark = sentence_for_media(error, self._ctx.texts)
        except FileTooLarge as error:
            mark = sentence_for_size(error.limit, self._ctx.texts)
        else:
            failed = False
        await self._delivery.finish(mark=mark, files=tuple(self._files), failed=failed)
        return await self._outcome(state, keep=keep)

    async def _write(self) -> None:
        async with AsyncExitStack() as until_first_text:
            await until_first_text.enter_async_context(self._ctx.platform.typing(self._ctx.chat))
            self._gathered = await gather(self._ctx, self._message, self._delivery.status)
            if self._gathered.heard:
                self._heading = quote(f"🎤 {self._gathered.heard}") + "\n\n"
                self._delivery.write(self._heading)
            self._asked = self._question()
            if self._asked is None:
                self._delivery.write(self._greeting())
                return
            await self._ask(await self._request(self._asked), until_first_text)

    def _question(self) -> NewMessage | None:
        """What the person said, as it is kept; None when there is nothing to answer."""
        message, gathered = self._message, self._gathered
        words = "\n\n".join(part for part in (message.text.strip(), gathered.heard) if part)
        if gathered.unread and (words or gathered.pictures):
            words += f"\n\n[Also sent, but not readable to you: {', '.join(gathered.unread)}]"
        if message.reply_to and message.reply_to.text and (words or gathered.pictures):
            quoted = message.reply_to
            words = f"[In reply to {quoted.author}: “{quoted.text[:QUOTED]}”]\n\n{words}"
        parts: tuple[Part, ...] = (*([TextPart(words)] if words else []), *gathered.pictures)
        if not parts:
            return None
        sender = message.sender
        return NewMessage(role=Role.USER, parts=parts, sender_id=sender.id, sender_name=sender.name)

    def _greeting(self) -> str:
        """The sentence for a message without anything to answer."""
        _ = self._ctx.texts.gettext
        if self._gathered.unread:
            return _(
                "I cannot read {things} yet. Send me words, a picture or a voice message."
            ).format(things=", ".join(self._gathered.unread))
        return _("Yes? Write me a question, or send a picture or a voice message.")

    async def _request(self, asked: NewMessage) -> ChatRequest:
        """What the model is asked: the system prompt, the history that fits, the question."""
        services, group = self._ctx.services, self._message.group
        if not self._model:
            raise ModelError(ModelErrorKind.MODEL_NOT_FOUND, "no model is configured")
        window = await self._window()
        budget = window - window // ANSWER_SHARE
        system = self._ctx.settings.system_prompt or services.defaults.system_prompt
        instruction = ChatMessage(role=Role.SYSTEM, parts=(TextPart(system),))
        conversations = services.stores.conversations
        conversation = await conversations.current(self._ctx.chat)
        history = await load_history(conversations, conversation, group=group, budget=4 * window)
        question = spoken(asked, group=group)
        head = (instruction,) if system else ()
        fitting = fit(history, (*head, question), budget=budget, count=services.count_tokens)
        past = fitting[: len(fitting) - len(head) - 1]
        messages = (*head, *past, fitting[-1])
        return ChatRequest(model=self._model, messages=messages, lane=self._ctx.lane)

    async def _window(self) -> int:
        """Tokens that the model takes; the live list is asked from memory or not at all."""
        known = await self._ctx.services.api.about(self._model)
        return known.context_window or self._ctx.services.defaults.context_window

    async def _ask(self, request: ChatRequest, until_first_text: AsyncExitStack) -> None:
        """Stream the answer. One that breaks off is asked for once more, in its place."""
        try:
            await self._stream(request, until_first_text)
        except ModelError as error:
            if error.kind is not ModelErrorKind.CUT:
                raise
            log.warning(
                "answer cut, asking again",
                extra={**self._ctx.log, "model": self._model, "request_id": error.request_id},
            )
            await self._ask_again(request, until_first_text)

    async def _ask_again(self, request: ChatRequest, until_first_text: AsyncExitStack) -> None:
        """Ask once more; the longer of two torn answers stays, so that nothing said is lost."""
        before, self._text, self._files = self._text, "", []
        self._delivery.rewrite(self._heading)
        try:
            await self._stream(request, until_first_text)
        except ModelError:
            if len(before) > len(self._text):
                self._text = before
                self._delivery.rewrite(self._heading + before)
            raise

    async def _stream(self, request: ChatRequest, until_first_text: AsyncExitStack) -> None:
        async with aclosing(self._ctx.services.api.stream(request)) as events:
            async for event in events:
                if isinstance(event, TextDelta | ImageDelta):
                    await until_first_text.aclose()
                self._take(event)

    def _take(self, event: ModelEvent) -> None:
        match event:
            case TextDelta():
                self._first_token = self._first_token or self._clock.monotonic()
                self._text += event.text
                self._delivery.write(event.text)
            case ReasoningDelta():
                self._first_token = self._first_token or self._clock.monotonic()
                self._thinking_since = self._thinking_since or self._clock.monotonic()
                seconds = int(self._clock.monotonic() - self._thinking_since)
                _ = self._ctx.texts.gettext
                self._delivery.status(_("💭 Thinking… {seconds} s").format(seconds=seconds))
            case ImageDelta():
                name = f"picture-{len(self._files) + 1}.{event.mime.split('/')[-1]}"
                self._files.append(OutgoingFile(name=name, mime=event.mime, content=event.data))
            case Usage():
                self._usage = event
            case Finished():
                self._reason = event.reason
            case ToolCallDelta():
                pass  # no tools are offered, so none can be called

    def _explain(self, error: ModelError) -> str:
        log.warning(
            "model request failed",
            extra={
                **self._ctx.log,
                "model": self._model,
                "kind": error.kind.value,
                "status": error.status,
                "request_id": error.request_id,
            },
        )
        _ = self._ctx.texts.gettext
        if not self._model and error.kind is ModelErrorKind.MODEL_NOT_FOUND:
            return "⚠️ " + _("No model is chosen yet. Choose one with /model.")
        if self._asked is None and error.kind is ModelErrorKind.UNSUPPORTED:
            return "⚠️ " + _("I cannot listen to recordings here: speech recognition is not set up.")
        return "⚠️ " + sentence_for_model(error, self._ctx.texts, model=self._model)

    async def _outcome(self, state: MessageState, *, keep: bool) -> Outcome:
        """What is kept: the question and the answer together, or neither."""
        usage = (*self._gathered.usage, *self._cost())
        if self._asked is None or not (self._text or keep):
            return Outcome(usage=usage)
        messages = [self._asked]
        if self._text:
            reply = NewMessage(
                role=Role.ASSISTANT,
                parts=(TextPart(self._text),),
                model=self._model,
                usage=self._usage,
                state=state,
            )
            messages.append(reply)
        conversation = await self._ctx.services.stores.conversations.current(self._ctx.chat)
        return Outcome(conversation=conversation, messages=tuple(messages), usage=usage)

    def _cost(self) -> Sequence[UsageEntry]:
        if self._usage is None and self._first_token is None:
            return ()
        used = self._usage or Usage(prompt_tokens=0, completion_tokens=0, estimated=True)
        first = None if self._first_token is None else self._first_token - self._began
        entry = UsageEntry(
            kind=UsageKind.CHAT,
            model=self._model,
            prompt_tokens=used.prompt_tokens,
            completion_tokens=used.completion_tokens,
            cached_tokens=used.cached_tokens,
            latency=self._clock.monotonic() - self._began,
            first_token=first,
            estimated=used.estimated,
        )
        return (self._ctx.services.api.priced(entry),)


def quote(text: str) -> str:
    """The text as a Markdown block quote."""
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
