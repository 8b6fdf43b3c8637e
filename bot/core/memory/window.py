"""What a model is sent with a question: the instruction, a summary, and the history that fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.core.calibration import Calibration, Ruler
from bot.core.chat import ChatMessage, Role, Sampling, TextPart
from bot.core.manner import Manner
from bot.core.memory import shortening
from bot.core.memory.drawings import is_note, with_notes
from bot.core.memory.history import PAGE, chat_message, fit, load_kept, with_drawings_joined
from bot.core.punctuation import paragraphs
from bot.core.sentences import INSTRUCTION
from bot.core.services import Services
from bot.core.summaries import Summary
from bot.core.types import ChatRef
from bot.errors import ModelError, ModelErrorKind

ANSWER_SHARE = 4
"""One part in so many of the window is left for the answer."""
SHORTEST = 16
"""Tokens of an answer that APIs let one ask for at least."""
SLACK = 64
"""One part in so many of the window is not promised to an answer: tokens are counted about."""
TOLERANCE = 4
"""By one part in so many a tokenizer may need less than ours."""
OLLAMA = "library"
"""Who owns the models of an Ollama, as its list says."""
SUMMARY = "What was said earlier in this conversation, in short:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where in a chat's history a question stands: at its end, or before which message."""

    chat: ChatRef
    group: bool
    before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a model takes, in tokens as the `ruler` counts them.

    `size` is told by the API (`known`) or assumed. `answer` is the longest answer that was chosen,
    0 for none. `cuts`: the server cuts off the beginning of what is too long, and does not say so.
    """

    size: int
    known: bool
    ruler: Ruler
    answer: int = 0
    cuts: bool = False

    @property
    def seen(self) -> int:
        """The size, or less where a refusal showed that it must be less."""
        return min(self.size, self.ruler.calibration.most or self.size)

    @property
    def budget(self) -> int:
        """Tokens for everything but the answer."""
        return self.seen - max(self.seen // ANSWER_SHARE, min(self.answer, self.seen // 2))

    def is_surely_too_small(self, messages: Sequence[ChatMessage]) -> bool:
        """Whether the messages are too long by any tokenizer, so that it is no use to ask."""
        most = self.size + self.size // TOLERANCE
        bare = Ruler(
            self.ruler.count, Calibration(picture=0)
        )  # nobody knows how little one may take
        return not bare.fit(messages, most)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the model is sent: `head` (the instruction), `past` (the history), `asked`.

    `conversation` is None before there is one. `asked` begins with the note about a picture that
    was drawn right before the question. `left_out` counts messages that neither fit nor are in the
    summary; there may be more, since nobody reads further back than the window could reach.
    """

    conversation: int | None
    window: Window
    head: tuple[ChatMessage, ...]
    past: tuple[ChatMessage, ...]
    asked: tuple[ChatMessage, ...]
    summary: Summary | None = None
    left_out: int = 0

    @property
    def messages(self) -> tuple[ChatMessage, ...]:
        """All of it."""
        return (*self.head, *self.past, *self.asked)

    def within(self, sampling: Sampling) -> Sampling:
        """The sampling with an answer no longer than a known window has room for."""
        longest, window = sampling.max_tokens, self.window
        if longest is None or not window.known:
            return sampling
        most = window.size - window.size // SLACK
        if window.ruler.surely_fit(self.messages, most - longest):
            return sampling
        room = most - window.ruler.all(self.messages)
        return replace(sampling, max_tokens=min(longest, max(SHORTEST, room)))


async def window_of(services: Services, model: str, *, answer: int | None = None) -> Window:
    """The window of a model; the live list is asked from memory or not at all."""
    info, calibration = await services.api.about(model), services.calibrations.of(model)
    told = info.context_window
    pictures = 0 if info.vision is False else info.pictures
    return Window(
        size=told or services.defaults.context_window,
        known=told is not None,
        ruler=Ruler(services.count_tokens, calibration, pictures=pictures),
        answer=answer or 0,
        cuts=info.owner == OLLAMA,
    )


async def make_view(
    services: Services,
    manner: Manner,
    position: Position,
    asked: tuple[ChatMessage, ...],
    heard: tuple[ChatMessage, ...] = (),
    *,
    alone: bool = False,
) -> View:
    """What to send with what is `asked` and with remarks that were `heard` in a group, as fits.

    `alone`: without history and remarks. Raises `StoreError`, and `ModelError` when what is asked
    is surely too long by itself, or the instruction is.
    """
    window = await window_of(services, manner.model, answer=manner.sampling.max_tokens)
    conversations = services.stores.conversations
    history = await conversations.history(position.chat, before=position.before, limit=PAGE)
    summary = history.summary
    if summary and position.before is not None and summary.through >= position.before:
        summary = None  # it tells of the question itself
    after = summary.through if summary else None
    kept = await load_kept(conversations, history, budget=4 * window.seen, after=after)
    said = [
        chat_message(each, group=position.group)
        for each in with_notes(each.message for each in kept)
    ]
    head = instruction(manner.system_prompt, summary)
    budget, ruler = window.budget, window.ruler
    if not ruler.fit(head, budget):
        summary, head = None, instruction(manner.system_prompt, None)
        if not ruler.fit(head, budget):
            raise ModelError(ModelErrorKind.CONTEXT_TOO_LONG, param=INSTRUCTION)
    if not ruler.fit((*head, *asked), budget):
        asked = shortening.question(asked, room=budget - ruler.all(head), ruler=ruler)
    if window.is_surely_too_small((*head, *asked)):
        raise ModelError(ModelErrorKind.CONTEXT_TOO_LONG, f"the window has {window.size} tokens")
    if heard and not alone:
        newest = fit(heard, (*head, *asked), budget=budget, ruler=ruler)
        asked = (*newest[: len(newest) - len(head) - len(asked)], *asked)
    fitting = fit([] if alone else said, (*head, *asked), budget=budget, ruler=ruler)
    fits = len(fitting) - len(head) - len(asked)
    past, now = fitting[:fits], fitting[fits + len(head) :]
    while past and now and is_note(past[-1]):
        past, now = past[:-1], (past[-1], *now)
    return View(
        conversation=history.conversation,
        window=window,
        head=head,
        past=with_drawings_joined(past),
        asked=with_drawings_joined(now),
        summary=summary,
        left_out=len(said) - fits,
    )


def instruction(system_prompt: str, summary: Summary | None) -> tuple[ChatMessage, ...]:
    """The system message, if there is anything to say in it. One at most: some APIs take no two."""
    summed = f"{SUMMARY}\n\n{summary.text}" if summary else ""
    text = paragraphs(system_prompt, summed)
    return (ChatMessage(role=Role.SYSTEM, parts=(TextPart(text),)),) if text else ()
