"""What goes into a model's window with a question: instruction, summary, history that fits."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.archive import Summary
from bot.core.chat import ChatMessage, Role, TextPart
from bot.core.manner import Manner
from bot.core.memory.context import PAGE, fit, in_turns, load_kept, spoken
from bot.core.memory.drawings import tells, told
from bot.core.punctuation import paragraphs
from bot.core.services import Services
from bot.core.types import ChatRef

ANSWER_SHARE = 4
"""One part in so many of the window is left for the answer."""
SUMMARY = "What was said earlier in this conversation, in short:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a chat's history a question stands: at its end, or before which message."""

    chat: ChatRef
    group: bool
    before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the model sees: `head`, `past`, and what is `asked`. `size` is its window in tokens.

    `conversation` is None before there is one. What is `asked` begins with the word of what was
    drawn right before it. `left_out` are messages that no longer fit and that no summary tells of;
    at least so many, since nobody reads further back than the window could reach.
    """

    conversation: int | None
    size: int
    head: tuple[ChatMessage, ...]
    past: tuple[ChatMessage, ...]
    asked: tuple[ChatMessage, ...]
    summary: Summary | None = None
    left_out: int = 0

    @property
    def budget(self) -> int:
        """Tokens for everything but the answer."""
        return budget_of(self.size)


def budget_of(size: int) -> int:
    """Tokens of a window for everything but the answer."""
    return size - size // ANSWER_SHARE


async def window_size(services: Services, model: str) -> int:
    """Tokens that a model takes; the live list is asked from memory or not at all."""
    known = await services.api.about(model)
    return known.context_window or services.defaults.context_window


async def look(
    services: Services,
    manner: Manner,
    place: Place,
    asked: tuple[ChatMessage, ...],
    heard: tuple[ChatMessage, ...] = (),
) -> View:
    """What is sent along with what is `asked`, and with the newest remarks that were `heard`.

    Raises `StoreError`, and `ModelError` when what is asked is too long by itself.
    """
    size = await window_size(services, manner.model)
    conversations = services.stores.conversations
    history = await conversations.history(place.chat, before=place.before, limit=PAGE)
    summary = history.summary
    if summary and place.before is not None and summary.through >= place.before:
        summary = None  # it tells of the question itself
    after = summary.through if summary else None
    kept = await load_kept(conversations, history, budget=4 * size, after=after)
    said = [spoken(each, group=place.group) for each in told(each.message for each in kept)]
    head = instruction(manner.system_prompt, summary)
    budget, count = budget_of(size), services.count_tokens
    if heard:
        newest = fit(heard, (*head, *asked), budget=budget, count=count)
        asked = (*newest[: len(newest) - len(head) - len(asked)], *asked)
    fitting = fit(said, (*head, *asked), budget=budget, count=count)
    fits = len(fitting) - len(head) - len(asked)
    past, now = fitting[:fits], fitting[fits + len(head) :]
    while past and now and tells(past[-1]):
        past, now = past[:-1], (past[-1], *now)
    return View(
        conversation=history.conversation,
        size=size,
        head=head,
        past=in_turns(past),
        asked=in_turns(now),
        summary=summary,
        left_out=len(said) - fits,
    )


def instruction(system_prompt: str, summary: Summary | None) -> tuple[ChatMessage, ...]:
    """The system message, if there is anything to say in it. One at most: some APIs take no two."""
    summed = f"{SUMMARY}\n\n{summary.text}" if summary else ""
    text = paragraphs(system_prompt, summed)
    return (ChatMessage(role=Role.SYSTEM, parts=(TextPart(text),)),) if text else ()
