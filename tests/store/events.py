"""Events and messages for the store's tests."""

from __future__ import annotations

from bot.core.chat import NewMessage, Role, TextPart
from bot.core.queue import Turn
from bot.core.stores import Stores
from bot.core.types import (
    ButtonPress,
    ChatId,
    ChatRef,
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


async def claim(stores: Stores) -> Turn:
    turn = await stores.turns.claim()
    assert turn is not None
    return turn
