"""The last exchange of a chat: the question and its answers, to be asked again or taken back."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.chat import KeptMessage, NewMessage, Role
from bot.core.stores import Conversations
from bot.core.types import ChatRef, MessageRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A question as it is kept, and all that followed it; `answers` is empty when none came."""

    conversation: int
    question: KeptMessage
    answers: tuple[KeptMessage, ...] = ()

    @property
    def turn_id(self) -> int | None:
        """The turn that the newest message came of."""
        return (self.answers or (self.question,))[-1].turn_id

    @property
    def answer(self) -> KeptMessage | None:
        """The answer itself, which follows what tools were asked and said."""
        return self.answers[-1] if self.answers else None

    @property
    def refs(self) -> tuple[MessageRef, ...]:
        """The messages of the chat in which the answers stand."""
        return tuple(ref for kept in self.answers for ref in kept.message.shown)

    @property
    def answer_ids(self) -> tuple[int, ...]:
        """The ids of the answers: what `Outcome.hidden` holds when another answer replaces them."""
        return tuple(kept.id for kept in self.answers)

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids of question and answers: what `Outcome.hidden` holds when both are taken back."""
        return (self.question.id, *self.answer_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """How to answer the question of an exchange once more.

    The new answer replaces the old one, which is hidden in the history; if nothing better comes,
    the old one stays. `further`: it continues the old answer. `instead` is a question that replaces
    that of the exchange.
    """

    exchange: Exchange
    further: bool = False
    instead: NewMessage | None = None

    @property
    def asked(self) -> NewMessage:
        """What is asked now."""
        return self.instead or self.exchange.question.message

    @property
    def old(self) -> NewMessage | None:
        """The answer from before."""
        return self.exchange.answer.message if self.exchange.answer else None

    @property
    def base(self) -> str:
        """The text that the new answer begins with."""
        return self.old.text if self.old and self.further else ""

    @property
    def replaced(self) -> tuple[int, ...]:
        """The ids for `Outcome.hidden` once there is a new answer."""
        return self.exchange.ids if self.instead else self.exchange.answer_ids


async def last_exchange(conversations: Conversations, chat: ChatRef) -> Exchange | None:
    """The last exchange of the chat's conversation; None when nothing was said in it yet.

    Raises `StoreError`.
    """
    history = await conversations.history(chat)
    if history.conversation is None:
        return None
    asked = [at for at, each in enumerate(history.newest) if each.message.role is Role.USER]
    if not asked:
        return None
    question, *answers = history.newest[asked[-1] :]
    return Exchange(conversation=history.conversation, question=question, answers=tuple(answers))
