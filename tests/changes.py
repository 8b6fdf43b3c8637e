"""What people do to messages that they have sent."""

from __future__ import annotations

from dataclasses import replace

from bot.core.types import IncomingMessage, Withdrawal


def changed(message: IncomingMessage, text: str) -> IncomingMessage:
    """The event of a message that says something else now."""
    return replace(message, key=f"{message.key}:{text}", text=text, edited=True)


def deletion(message: IncomingMessage, age: float = 5.0) -> Withdrawal:
    """The event of a message that was deleted `age` seconds after it was sent."""
    return Withdrawal(key=message.key, ref=message.ref, age=age)
