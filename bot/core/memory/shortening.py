"""Shortens what is too long for a model's window and still has to be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.core.calibration import Ruler
from bot.core.chat import ChatMessage, ImagePart, Part, Role, TextPart
from bot.core.cutting import beginning, ending

LEFT_OUT = " …\n\n[The rest is left out for want of room]"
LEAST = 100
"""Tokens of a text that are worth telling."""
FOR_PICTURES = 0.75
"""The part of the room that pictures may take of an exchange."""
PICTURE = TextPart("[picture]")
"""Stands for a picture that is not sent again."""


def question(asked: Sequence[ChatMessage], *, room: int, ruler: Ruler) -> tuple[ChatMessage, ...]:
    """What is asked, in about `room` tokens if what nobody typed is cut for that.

    That is what was replied to, documents, transcripts, what was forwarded, and an answer that is
    to be gone on with.
    """
    return _cut(asked, room=room, ruler=ruler, typed=False)


def exchange(said: Sequence[ChatMessage], *, room: int, ruler: Ruler) -> tuple[ChatMessage, ...]:
    """An exchange in about `room` tokens; nothing when there is too little for that.

    Of what people said the beginning stays, of an answer the end: it may have to be gone on with.
    """
    seen = room * FOR_PICTURES // ruler.calibration.picture
    if ruler.all(said) > room:
        said = forget_pictures(said, keep=int(seen))
    texts = sum(ruler.words(message.text) for message in said)
    if room - (ruler.all(said) - texts) < min(texts, LEAST * len(said)):
        return ()
    return _cut(said, room=room, ruler=ruler, typed=True)


def without_pictures(message: ChatMessage) -> ChatMessage:
    """A message with words in the place of its pictures."""
    return forget_pictures([message], keep=0)[0]


def forget_pictures(messages: Sequence[ChatMessage], *, keep: int) -> tuple[ChatMessage, ...]:
    """Words in the place of all pictures but the newest."""
    room = keep
    seen: list[ChatMessage] = []
    for message in reversed(messages):
        parts: list[Part] = []
        for part in reversed(message.parts):
            if isinstance(part, ImagePart):
                room -= 1
            parts.append(part if room >= 0 or isinstance(part, TextPart) else PICTURE)
        found = tuple(reversed(parts))
        seen.append(message if found == message.parts else replace(message, parts=found))
    return tuple(reversed(seen))


def _cut(
    messages: Sequence[ChatMessage], *, room: int, ruler: Ruler, typed: bool
) -> tuple[ChatMessage, ...]:
    """The longest texts are cut, all to the same length; what a person `typed` too, if it may."""
    over = ruler.all(messages) - room
    if over <= 0:
        return tuple(messages)
    loose = [
        ruler.words(text)
        for message in messages
        for part in message.parts
        if isinstance(part, TextPart)
        for text in _loose(message, part, typed=typed)
        if text
    ]
    note = ruler.words(LEFT_OUT) + 1  # where a text is cut, half a word may be one more
    most = max(LEAST, _most(loose, sum(loose) - over - note * len(loose)))
    return tuple(
        replace(
            message,
            parts=tuple(
                _shorter(message, part, most, ruler, typed=typed) for part in message.parts
            ),
        )
        for message in messages
    )


def _most(sizes: Sequence[int], room: int) -> int:
    """What each may take at most, so that all together take no more than `room`."""
    left, count = room, len(sizes)
    for size in sorted(sizes):
        if size * count > left:
            return max(0, left // count)
        left, count = left - size, count - 1
    return max(sizes, default=0)


def _loose(message: ChatMessage, part: TextPart, *, typed: bool) -> tuple[str, str]:
    """What may be cut of a text, before and behind what has to stay."""
    if typed or message.role is not Role.USER:
        return "", part.text
    begin, end = part.typed or (0, len(part.text))
    return part.text[:begin], part.text[end:]


def _shorter(message: ChatMessage, part: Part, most: int, ruler: Ruler, *, typed: bool) -> Part:
    if not isinstance(part, TextPart) or message.role is Role.SYSTEM:
        return part
    before, behind = _loose(message, part, typed=typed)
    stays = part.text[len(before) : len(part.text) - len(behind)]

    def cut(text: str) -> str:
        is_answer = message.role is Role.ASSISTANT
        kept = (ending if is_answer else beginning)(text, most, ruler.words)
        if kept == text:
            return text
        return f"… {kept}" if is_answer else f"{kept}{LEFT_OUT}"

    quoted = cut(before)
    gap = "" if quoted == before else "\n\n"
    text = f"{quoted}{gap}{stays}{cut(behind)}"
    return part if text == part.text else TextPart(text)
