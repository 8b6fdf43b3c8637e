"""The history as a model is told it: which messages fit, and what each says.

The oldest exchanges are left out first. An exchange is a question with everything that answers
it, tool calls included; all of its messages are kept or none, since the API refuses a tool result
without its call.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.core.calibration import Ruler
from bot.core.chat import ChatMessage, KeptMessage, NewMessage, Part, Role, TextPart, pictures_in
from bot.core.memory import shortening
from bot.core.memory.drawings import is_note
from bot.core.memory.shortening import forget_pictures
from bot.core.stores import Conversations, History

PICTURES = 8
"""Older pictures are left out: they cost the most, and the words about them stay."""
PAGE = 50


def exchanges(messages: Iterable[ChatMessage]) -> list[list[ChatMessage]]:
    """Group messages into exchanges; each begins with what a person said."""
    found: list[list[ChatMessage]] = []
    for message in messages:
        if message.role is Role.USER or not found:
            found.append([])
        found[-1].append(message)
    return found


def fit(
    history: Sequence[ChatMessage], asked: Sequence[ChatMessage], *, budget: int, ruler: Ruler
) -> tuple[ChatMessage, ...]:
    """The newest exchanges of `history` that leave room for `asked`, and `asked`.

    `budget` is in tokens. The newest exchange is shortened rather than left out, and so is one
    that takes most of the room, a document for one: the question is likely about it.
    """
    whole = forget_pictures((*history, *asked), keep=_pictures(asked, ruler.pictures))
    asked = whole[len(history) :]
    past = _whole(exchanges(whole[: len(history)]))
    if ruler.surely_fit(whole, budget):
        return (*(m for each in past for m in each), *asked)
    left = budget - ruler.all(asked)
    kept: list[ChatMessage] = []
    for each in reversed(past):
        told: Sequence[ChatMessage] = each
        size = ruler.all(each)
        if size > left and (not kept or size > budget // 2):
            told = shortening.exchange(each, room=left, ruler=ruler)
            size = ruler.all(told)
        if size > left or not told:
            break
        left -= size
        kept[:0] = told
    return (*kept, *asked)


def _pictures(asked: Sequence[ChatMessage], most: int | None) -> int:
    """How many pictures are told where a model takes so many; of what is asked all, if any."""
    return min(PICTURES, PICTURES if most is None else max(pictures_in(asked), most))


def _whole(found: list[list[ChatMessage]]) -> list[list[ChatMessage]]:
    """Without the tail of an exchange that paging cut: it does not begin with a question."""
    return found[1:] if found and found[0][0].role is not Role.USER else found


def with_drawings_joined(messages: Iterable[ChatMessage]) -> tuple[ChatMessage, ...]:
    """Messages, with each note of a drawing joined to what people say next: sides alternate."""
    found: list[ChatMessage] = []
    for message in messages:
        if message.role is Role.USER and found and is_note(found[-1]):
            found[-1] = replace(message, parts=_joined(found[-1].parts, message.parts))
        else:
            found.append(message)
    return tuple(found)


def _joined(before: tuple[Part, ...], after: tuple[Part, ...]) -> tuple[Part, ...]:
    match before, after:
        case (*first, TextPart(one)), (TextPart(other), *last):
            return (*first, TextPart(f"{one}\n\n{other}"), *last)
    return (*before, *after)


def chat_message(message: NewMessage, *, group: bool) -> ChatMessage:
    """A kept message as the model sees it; in a group it is told who speaks."""
    parts = message.parts
    if group and message.role is Role.USER and message.sender_name:
        parts = _named(parts, message.sender_name)
    return ChatMessage(
        role=message.role,
        parts=parts,
        tool_calls=message.tool_calls,
        tool_call_id=message.tool_call_id,
    )


def _named(parts: tuple[Part, ...], name: str) -> tuple[Part, ...]:
    if not parts or not isinstance(parts[0], TextPart):
        return (TextPart(f"{name}:"), *parts)
    text, typed = f"{name}: {parts[0].text}", parts[0].typed
    by = len(text) - len(parts[0].text)
    return (TextPart(text, typed and (typed[0] + by, typed[1] + by)), *parts[1:])


async def load_kept(
    conversations: Conversations, history: History, *, budget: int, after: int | None = None
) -> list[KeptMessage]:
    """Page back from a `history` that was read with `PAGE` messages, if `budget` asks for more.

    `budget` is in characters, which are surely passed; no message is older than `after`. A token
    is at least one character, and on average about four in English; so four times the window's
    tokens in characters is more than fits. Raises `StoreError`.
    """
    messages: list[KeptMessage] = []
    page, characters = history.newest, 0
    while True:
        messages[:0] = [kept for kept in page if after is None or kept.id > after]
        characters += sum(len(kept.message.text) for kept in page)
        is_last = len(page) < PAGE or (after is not None and page[0].id <= after)
        if is_last or characters > budget or history.conversation is None:
            return messages
        before = page[0].id
        page = await conversations.page(history.conversation, before=before, limit=PAGE)
