"""How an answer ended: what is said under it, how it is kept, and which buttons it gets."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from bot.core.answer.buttons import Offer, bears_buttons
from bot.core.answer.revival import passing
from bot.core.chat import FinishReason, MessageState, NewMessage
from bot.core.documents import cut_in
from bot.core.punctuation import enumerated, in_a_row
from bot.core.sentences import sentence_for_listening, sentence_for_media, sentence_for_model
from bot.core.turn import TurnContext
from bot.errors import FileTooLarge, MediaError, ModelError, ModelErrorKind

log = logging.getLogger(__name__)

FORGOTTEN = frozenset(
    {
        ModelErrorKind.CONTEXT_TOO_LONG,
        ModelErrorKind.REFUSED,
        ModelErrorKind.BAD_REQUEST,
        ModelErrorKind.NOT_ALLOWED,
    }
)
"""After these the question is not kept: every later request would fail for it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an answer ended: `mark` is said under it, `state` is kept, `offer` are its buttons.

    `keep`: the question may be kept although there is no answer. `failed`: there is no whole one.
    `passing`: why nobody knows what was asked, if that may pass (`revival.passing`).
    """

    mark: str = ""
    state: MessageState = MessageState.COMPLETE
    offer: Offer = Offer.ANOTHER
    keep: bool = True
    failed: bool = False
    passing: str = ""


def end_of_reason(ctx: TurnContext, reason: FinishReason | None, *, empty: bool) -> Ending:
    """The model itself ended the answer; `empty` says that nothing came where something should."""
    _ = ctx.texts.gettext
    if reason is FinishReason.LENGTH:
        mark = _("✂️ The model’s length limit is reached.")
        if not bears_buttons(ctx):
            mark = in_a_row(ctx.texts, mark, _("Write “go on” for more."))
        return Ending(mark=mark, state=MessageState.LENGTH, offer=Offer.MORE)
    if reason is FinishReason.CONTENT_FILTER:
        return Ending(mark=_("⚠️ The model’s content filter ended the answer here."))
    if empty:
        mark = _("The model gave an empty answer. Ask again, or try another with /model.")
        return Ending(mark=mark, offer=Offer.RETRY)
    return Ending()


def end_of_stop(ctx: TurnContext, text: str) -> Ending:
    """Somebody stopped the answer; this is the text it had."""
    again = Offer.ANOTHER if text.strip() else Offer.RETRY
    _ = ctx.texts.gettext
    return Ending(mark=_("⏹ Stopped."), state=MessageState.STOPPED, offer=again)


def end_of_error(
    ctx: TurnContext, error: ModelError | MediaError | FileTooLarge, *, model: str, asked: bool
) -> Ending:
    """The answer of a model failed; `asked` says that it is known by now what was asked."""
    if isinstance(error, MediaError):
        log.info("media refused", extra={**ctx.log, "kind": error.kind.value})
    if not isinstance(error, ModelError):
        text = sentence_for_media(error, ctx.texts)
        return Ending(mark=text, failed=True, passing=passing(error))
    if not asked:  # it was still being listened to
        model = ctx.services.defaults.transcription_model
    keep = error.kind not in FORGOTTEN
    return Ending(
        mark=_explain(ctx, error, model=model, asked=asked),
        state=MessageState.CUT,
        offer=Offer.RETRY if keep else Offer.NOTHING,
        keep=keep,
        failed=True,
        passing="" if asked else passing(error),
    )


def said_of_files(ctx: TurnContext, asked: NewMessage) -> str:
    """What stands below an answer to files of which only a part is read; empty below others."""
    names = cut_in(asked.text)
    if not names:
        return ""
    text = ctx.texts.gettext(
        "✂️ I have read only a part of {names}, which is too long. Send what matters by itself."
    )
    return text.format(names=enumerated(ctx.texts, names))


def is_worse(ending: Ending, old: NewMessage, text: str) -> bool:
    """Whether an earlier answer is worth more than this text, written anew, that ended so."""
    if ending.state is not MessageState.CUT:
        return False
    return old.state is not MessageState.CUT or len(old.text) > len(text)


def _explain(ctx: TurnContext, error: ModelError, *, model: str, asked: bool) -> str:
    refused = error.kind is ModelErrorKind.NOT_ALLOWED  # by us: nothing has failed
    log.log(
        logging.INFO if refused else logging.WARNING,
        "not allowed" if refused else "model request failed",
        extra={
            **ctx.log,
            "model": model,
            "kind": error.kind.value,
            "status": error.status,
            "request_id": error.request_id,
        },
    )
    _ = ctx.texts.gettext
    if not asked:
        return "⚠️ " + sentence_for_listening(error, ctx.texts, model=model)
    if not model and error.kind is ModelErrorKind.MODEL_NOT_FOUND:
        return "⚠️ " + _("No model is chosen yet. Choose one with /model.")
    return "⚠️ " + sentence_for_model(error, ctx.texts, model=model)
