"""Pictures that were drawn, in the history: how they are kept, and how a model is told of them.

They are kept as the command and an answer, “[I drew a picture: …]”. Small models imitate such
answers, and write “[I wrote a message: …]” instead of a message. So they are told of the picture in
the words of the person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from bot.core.chat import ChatMessage, NewMessage, Role, TextPart
from bot.core.types import IncomingMessage

_COMMAND = "/image"
_ANEW = "[I drew the picture anew: "
_TOLD = "[I had a picture drawn and have seen it: "
_DRAWN = re.compile(r"\[I drew (?:a picture|the picture anew): (.*)\]", re.DOTALL)


def kept_messages(
    message: IncomingMessage, prompt: str, options: str, *, model: str, anew: bool
) -> tuple[NewMessage, NewMessage]:
    """The two messages that are kept of a picture: the order, and that `model` drew it (`anew`)."""
    asked = NewMessage(
        role=Role.USER,
        parts=(TextPart(f"{_COMMAND} {prompt} {options}".rstrip()),),
        sender_id=message.sender.id,
        sender_name=message.sender.name,
        shown=(message.ref,),
    )
    words = f"{_ANEW if anew else '[I drew a picture: '}{prompt}]"
    drew = NewMessage(role=Role.ASSISTANT, parts=(TextPart(words),), model=model)
    return asked, drew


def drawn_order(asked: NewMessage, answer: NewMessage) -> str | None:
    """The order, as typed after the command, if these are the messages of a drawing; else None."""
    is_drawn = answer.role is Role.ASSISTANT and _DRAWN.fullmatch(answer.text)
    is_order = asked.role is Role.USER and asked.text.startswith(_COMMAND)
    return asked.text.removeprefix(_COMMAND).strip() if is_drawn and is_order else None


def is_redrawn(answer: NewMessage) -> bool:
    """Whether the picture was made from others, which are not known any more."""
    return answer.text.startswith(_ANEW)


def with_notes(messages: Iterable[NewMessage]) -> list[NewMessage]:
    """The messages as a model is told them: a note of the person in place of order and picture."""
    found: list[NewMessage] = []
    for message in messages:
        drawn = _DRAWN.fullmatch(message.text)
        if drawn and found and drawn_order(found[-1], message) is not None:
            found[-1] = replace(found[-1], parts=(TextPart(f"{_TOLD}{drawn[1]}]"),))
        else:
            found.append(message)
    return found


def is_note(message: ChatMessage) -> bool:
    """Whether there is such a note in a message."""
    return message.role is Role.USER and _TOLD in message.text
