"""Continuing an answer that the model's length limit ended: what is asked, and how it is joined."""

from __future__ import annotations

from bot.core.chat import ChatMessage, Role, TextPart

GO_ON = (
    "Go on exactly where your last message ends, in the middle of the sentence or the code if "
    "that is where it ends. Repeat nothing, and say nothing about going on."
)
"""What the model is told after an answer that its length limit ended."""


def told_to_go_on(base: str) -> tuple[ChatMessage, ...]:
    """The messages that let a model continue the answer `base`; none without one."""
    if not base:
        return ()
    said = ChatMessage(role=Role.ASSISTANT, parts=(TextPart(base),))
    return (said, ChatMessage(role=Role.USER, parts=(TextPart(GO_ON),)))


def seam(before: str, after: str) -> str:
    """What goes between the end of a text and what a model wrote to go on with it.

    Models are cut between two words more often than in one, and begin without the blank.
    """
    is_between = before[-1:].isalnum() or before[-1:] in tuple(",.;:!?)")
    words = is_between and after[:1].isalnum() and before[-1:].isascii() and after[:1].isascii()
    return " " if words else ""
