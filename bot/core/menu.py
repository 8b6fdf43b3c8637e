"""Buttons in rows, each with an action that is kept in the database; and lists with pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.core.punctuation import shortened
from bot.core.stores import Action
from bot.core.turn import TurnContext
from bot.core.types import Button, ButtonRow

LABEL = 60
"""Characters of a label; platforms cut longer ones where it hurts."""


@dataclass(frozen=True, slots=True)
class Item:
    """A button to be: its label, and the action it stands for."""

    label: str
    action: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a long list: its number, from 0, and how many there are."""

    number: int = 0
    count: int = 1

    def arrows(self, action: str, argument: Callable[[int], str] = str) -> list[Item]:
        """The buttons to the pages beside it; `argument` is what the action is told of one."""
        beside = (("‹", self.number - 1), ("›", self.number + 1))
        return [
            Item(f"{arrow} {to + 1}/{self.count}", action, argument(to))
            for arrow, to in beside
            if 0 <= to < self.count
        ]


def page_at(number: int, *, things: int, size: int) -> Page:
    """The page of this number, or the one nearest to it that there is."""
    count = max(1, -(-things // size))
    return Page(max(0, min(number, count - 1)), count)


async def make_buttons(
    ctx: TurnContext, rows: Sequence[Sequence[Item]], *, everybody: bool = False
) -> Sequence[ButtonRow]:
    """Buttons for the rows of items, whose actions are kept in the database.

    Only the sender may press them, or `everybody` in the chat. None where the platform has no
    buttons. Raises `StoreError`.
    """
    if not ctx.capabilities.max_buttons:
        return ()
    owner = None if everybody else ctx.sender.id
    actions = [
        Action(name=item.action, argument=item.argument, owner=owner)
        for row in rows
        for item in row
    ]
    values = iter(await ctx.services.stores.actions.offer(ctx.chat, actions))
    return [
        tuple(Button(shortened(" ".join(item.label.split()), LABEL), next(values)) for item in row)
        for row in rows
        if row
    ]


def marked(label: str, current: bool) -> str:
    """The label of a choice; a tick says that it is the one that holds."""
    return f"✓ {label}" if current else label
