"""What a conversation knows of a picture that was drawn: as it is kept, and as a model is told.

It is kept as a command and the bot's answer to it. Were it told so, small models would take the
answer for their own manner, and write “[I wrote a message: …]” instead of the message. So a model
hears of it from the people, who say nothing that it could imitate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from bot.core.chat import ChatMessage, NewMessage, Role, TextPart
from bot.core.types import IncomingMessage

_COMMAND = "/image"
_TOLD = "[I had a picture drawn and have seen it: "
_DRAWN = re.compile(r"\[I drew (?:a picture|the picture anew): (.*)\]", re.DOTALL)


def remembered(
    message: IncomingMessage, prompt: str, *, model: str, anew: bool
) -> tuple[NewMessage, NewMessage]:
    """What is kept of a picture that `model` drew, or drew `anew`; `told` reads it."""
    asked = NewMessage(
        role=Role.USER,
        parts=(TextPart(f"{_COMMAND} {prompt}".rstrip()),),
        sender_id=message.sender.id,
        sender_name=message.sender.name,
        shown=(message.ref,),
    )
    what = "I drew a picture" if not anew else "I drew the picture anew"
    words = f"[{what}: {prompt}]"
    drew = NewMessage(role=Role.ASSISTANT, parts=(TextPart(words),), model=model)
    return asked, drew


def told(messages: Iterable[NewMessage]) -> list[NewMessage]:
    """The messages, with a word of who ordered a picture in the place of order and picture."""
    found: list[NewMessage] = []
    for message in messages:
        drawn = _DRAWN.fullmatch(message.text) if message.role is Role.ASSISTANT else None
        if drawn and found and _is_order(found[-1]):
            found[-1] = replace(found[-1], parts=(TextPart(f"{_TOLD}{drawn[1]}]"),))
        else:
            found.append(message)
    return found


def tells(message: ChatMessage) -> bool:
    """Whether people say in this message, as the model sees it, that a picture was drawn."""
    return message.role is Role.USER and _TOLD in message.text


def _is_order(message: NewMessage) -> bool:
    return message.role is Role.USER and message.text.startswith(_COMMAND)
