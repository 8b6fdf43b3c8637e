"""Which messages fit into a model's window: pure, except for paging through the history.

The oldest exchanges are left out first. An exchange is a question with everything that answers
it, tool calls included; it is kept whole or not at all, since a model that sees half of one is
misled, and the API refuses a tool result without its call.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.core.chat import (
    MESSAGE_TOKENS,
    PICTURE_TOKENS,
    ChatMessage,
    ImagePart,
    KeptMessage,
    NewMessage,
    Part,
    Role,
    TextPart,
)
from bot.core.memory.drawings import tells
from bot.core.ports import TokenCounter
from bot.core.stores import Conversations, History
from bot.errors import ModelError, ModelErrorKind

PICTURES = 8
"""Older pictures are left out: they cost the most, and the words about them stay."""
PAGE = 50


def tokens_of(message: ChatMessage, count: TokenCounter) -> int:
    """About how many tokens a message takes in the window."""
    words = count(message.text) + sum(count(call.arguments) for call in message.tool_calls)
    pictures = sum(isinstance(part, ImagePart) for part in message.parts)
    return MESSAGE_TOKENS + words + pictures * PICTURE_TOKENS


def exchanges(messages: Iterable[ChatMessage]) -> list[list[ChatMessage]]:
    """Group messages into exchanges; each begins with what a person said."""
    found: list[list[ChatMessage]] = []
    for message in messages:
        if message.role is Role.USER or not found:
            found.append([])
        found[-1].append(message)
    return found


def fit(
    history: Sequence[ChatMessage],
    asked: Sequence[ChatMessage],
    *,
    budget: int,
    count: TokenCounter,
) -> tuple[ChatMessage, ...]:
    """The newest exchanges of `history` that leave room for `asked`, and `asked`.

    `budget` is in tokens. Raises `ModelError` (CONTEXT_TOO_LONG) when `asked` alone is too long.
    """
    if sum(tokens_of(message, _at_most) for message in (*history, *asked)) <= budget:
        return forget_pictures((*(m for e in _whole(exchanges(history)) for m in e), *asked))
    left = budget - sum(tokens_of(message, count) for message in asked)
    if left < 0:
        raise ModelError(ModelErrorKind.CONTEXT_TOO_LONG, f"the question takes {budget - left}")
    kept: list[ChatMessage] = []
    for exchange in reversed(_whole(exchanges(history))):
        left -= sum(tokens_of(message, count) for message in exchange)
        if left < 0:
            break
        kept[:0] = exchange
    return forget_pictures((*kept, *asked))


def _at_most(text: str) -> int:
    """No tokenizer makes more tokens than bytes: short talks need none loaded."""
    return len(text.encode())


def _whole(found: list[list[ChatMessage]]) -> list[list[ChatMessage]]:
    """Without the tail of an exchange that paging cut: it does not begin with a question."""
    return found[1:] if found and found[0][0].role is not Role.USER else found


def in_turns(messages: Iterable[ChatMessage]) -> tuple[ChatMessage, ...]:
    """The word of a drawing in one message with what people say next, so that sides take turns."""
    found: list[ChatMessage] = []
    for message in messages:
        if message.role is Role.USER and found and tells(found[-1]):
            found[-1] = replace_parts(message, _joined(found[-1].parts, message.parts))
        else:
            found.append(message)
    return tuple(found)


def _joined(before: tuple[Part, ...], after: tuple[Part, ...]) -> tuple[Part, ...]:
    match before, after:
        case (*first, TextPart(one)), (TextPart(other), *last):
            return (*first, TextPart(f"{one}\n\n{other}"), *last)
    return (*before, *after)


def forget_pictures(messages: Sequence[ChatMessage]) -> tuple[ChatMessage, ...]:
    """Leave out all pictures but the newest `PICTURES`."""
    room = PICTURES
    seen: list[ChatMessage] = []
    for message in reversed(messages):
        parts: list[Part] = []
        for part in reversed(message.parts):
            if isinstance(part, ImagePart):
                room -= 1
            parts.append(part if room >= 0 or isinstance(part, TextPart) else TextPart("[picture]"))
        seen.append(replace_parts(message, tuple(reversed(parts))))
    return tuple(reversed(seen))


def replace_parts(message: ChatMessage, parts: tuple[Part, ...]) -> ChatMessage:
    """The same message with other parts; itself when they are the same."""
    if parts == message.parts:
        return message
    return ChatMessage(
        role=message.role,
        parts=parts,
        tool_calls=message.tool_calls,
        tool_call_id=message.tool_call_id,
    )


def spoken(message: NewMessage, *, group: bool) -> ChatMessage:
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
    if parts and isinstance(parts[0], TextPart):
        return (TextPart(f"{name}: {parts[0].text}"), *parts[1:])
    return (TextPart(f"{name}:"), *parts)


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
        characters += sum(len(part.text) for part in _texts(page))
        is_last = len(page) < PAGE or (after is not None and page[0].id <= after)
        if is_last or characters > budget or history.conversation is None:
            return messages
        before = page[0].id
        page = await conversations.page(history.conversation, before=before, limit=PAGE)


def _texts(page: Sequence[KeptMessage]) -> list[TextPart]:
    return [p for kept in page for p in kept.message.parts if isinstance(p, TextPart)]
