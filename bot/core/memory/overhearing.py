"""Remarks: what people in a group say to each other, kept as context where the group wants it.

A remark makes no turn, since nobody waits for an answer to it. With the next question it becomes
part of the conversation; until then only the newest remarks are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.core.access import Gate
from bot.core.chat import NewMessage, Role, TextPart
from bot.core.overheard import Remark
from bot.core.settings import ChatSettings
from bot.core.stores import Stores
from bot.core.types import Event, IncomingMessage

KEPT = 30
"""Remarks of a group that are kept at most."""
LENGTH = 500
"""Characters of each."""
ON = "on"


def listens(settings: ChatSettings) -> bool:
    """Whether the chat wants what is said in it to be kept."""
    return settings.listening == ON


async def overhear(stores: Stores, gate: Gate, event: Event) -> None:
    """Keep what is said in a group, but not to the bot, if the group wants it.

    Raises `StoreError`: then it is not kept yet.
    """
    if not isinstance(event, IncomingMessage) or event.addressed or not event.group:
        return
    words = event.text.strip()[:LENGTH]
    if words.startswith("/"):
        words = ""
    if not (words or event.edited) or not gate.may(event.ref.chat, event.sender):
        return
    if not listens(await stores.settings.load(event.ref.chat)):
        return
    if event.edited:
        await stores.overheard.reword(replace(event, text=words))
    else:
        await stores.overheard.note(replace(event, text=words), keep=KEPT)


def as_messages(remarks: Sequence[Remark]) -> tuple[NewMessage, ...]:
    """The remarks as messages of the conversation, each with who said it."""
    return tuple(
        NewMessage(
            role=Role.USER,
            parts=(TextPart(each.text),),
            sender_id=each.sender_id,
            sender_name=each.sender_name,
            shown=() if each.ref is None else (each.ref,),
        )
        for each in remarks
    )
