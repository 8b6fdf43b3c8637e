"""Events and messages for the store's tests."""

from __future__ import annotations

from bot.core.chat import NewMessage, Role, TextPart
from bot.core.queue import Turn, TurnQueue
from bot.core.types import (
    ButtonPress,
    ChatId,
    ChatRef,
    Event,
    IncomingMessage,
    MessageId,
    MessageRef,
    Sender,
    UserId,
)

ANN = Sender(UserId("7"), "Ann", "de")


def chat(name: str = "home") -> ChatRef:
    return ChatRef("test", ChatId(name))


def ref(number: int = 1, name: str = "home") -> MessageRef:
    return MessageRef(chat(name), MessageId(str(number)))


def message(key: str, name: str = "home", text: str = "hello") -> IncomingMessage:
    return IncomingMessage(key=key, ref=ref(1, name), sender=ANN, text=text)


def press(key: str, name: str = "home") -> ButtonPress:
    return ButtonPress(key=key, ref=ref(1, name), sender=ANN, value="v")


def said(text: str, role: Role = Role.USER) -> NewMessage:
    return NewMessage(role=role, parts=(TextPart(text),))


def numbered(number: int, text: str = "hello") -> IncomingMessage:
    return IncomingMessage(key=f"m{number}", ref=ref(number), sender=ANN, text=text)


async def accept(turns: TurnQueue, *events: Event) -> None:
    """Take events in, as a bot does that has much to do."""
    for event in events:
        await turns.accept(event, urgent=False)


async def claim(turns: TurnQueue) -> Turn:
    """The turn that is next."""
    turn = await turns.claim()
    assert turn is not None
    return turn


async def begun(turns: TurnQueue, *events: Event) -> Turn:
    """Take events in, and begin the turn that is next."""
    await accept(turns, *events)
    return await claim(turns)
