"""A conversation as the chat templates of small models take it.

Some know no system message, others want both sides to take turns. Messages are those of a chat
completion's payload; none is changed in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Content: TypeAlias = str | list[Any]
Message: TypeAlias = dict[str, Any]


def without_system(messages: Sequence[Message]) -> list[Message]:
    """The messages with the instructions before the first question."""
    told = [message["content"] for message in messages if message["role"] == "system"]
    rest = [message for message in messages if message["role"] != "system"]
    at = next((n for n, message in enumerate(rest) if message["role"] == "user"), None)
    if not told or at is None:
        return list(messages)
    rest[at] = {**rest[at], "content": _both("\n\n".join(told), rest[at]["content"])}
    return rest


def in_turns(messages: Sequence[Message]) -> list[Message]:
    """The messages, with those of one side that follow each other as one."""
    found: list[Message] = []
    for message in messages:
        last = found[-1] if found else {}
        if _is_only_said(last) and _is_only_said(message) and last["role"] == message["role"]:
            found[-1] = {**last, "content": _both(last["content"], message["content"])}
        else:
            found.append(message)
    return found


def _is_only_said(message: Mapping[str, Any]) -> bool:
    """Whether it is nothing but what somebody says: no call of a tool, and no answer of one."""
    return message.get("role") in ("system", "user", "assistant") and "tool_calls" not in message


def _both(first: Content, second: Content) -> Content:
    """Two contents as one: text, or parts where one of them has pictures."""
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_parts(first), *_parts(second)]


def _parts(content: Content) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content
