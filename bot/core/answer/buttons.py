"""What stands under a finished answer: Regenerate, Continue, Retry.

A button names the turn whose answer it belongs to. It works as long as that is the newest answer
of the conversation: what follows an answer was said about it, and makes no sense under another.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from enum import Enum

from bot.core.answer.exchange import Exchange, last_exchange
from bot.core.i18n import N_
from bot.core.stores import Action, Stores
from bot.core.turn import TurnContext
from bot.core.types import Button, ButtonRow, ChatRef
from bot.errors import StoreError

log = logging.getLogger(__name__)

REGENERATE = "answer.regenerate"
CONTINUE = "answer.continue"


class Offer(Enum):
    """What may be done about an answer, by how it ended."""

    NOTHING = ()
    ANOTHER = ((N_("🔁 Regenerate"), REGENERATE),)
    MORE = ((N_("➡️ Continue"), CONTINUE), (N_("🔁 Regenerate"), REGENERATE))
    RETRY = ((N_("🔁 Retry"), REGENERATE),)


def bears_buttons(ctx: TurnContext) -> bool:
    """Whether answers get buttons in this chat."""
    capabilities = ctx.capabilities
    return capabilities.answer_buttons and capabilities.max_buttons >= len(Offer.MORE.value)


def is_of(action: Action, turn_ids: Collection[int]) -> bool:
    """Whether a button belongs to the answer of one of these turns."""
    return any(action.argument == str(turn_id) for turn_id in turn_ids)


async def named_exchange(stores: Stores, chat: ChatRef, argument: str) -> Exchange | None:
    """The exchange that a button's argument is about; None when something else was said since.

    Raises `StoreError`.
    """
    exchange = await last_exchange(stores.conversations, chat)
    named, _, _ = argument.partition("\n")  # what follows is the action's own
    is_named = exchange is not None and str(exchange.turn_id) == named
    return exchange if is_named else None


class AnswerButtons:
    """The buttons of one answer, kept in the database while it is being written, to save time.

    `prepare` may be called as soon as there is an answer; `close` must be in any case.
    """

    def __init__(self, ctx: TurnContext) -> None:
        self._ctx = ctx
        self._prepared: asyncio.Task[list[str]] | None = None

    def prepare(self) -> None:
        """Begin to keep the button that most answers get."""
        if self._prepared is None and bears_buttons(self._ctx):
            self._prepared = asyncio.create_task(self._values([REGENERATE], self._ctx.turn.id))

    async def rows(self, offer: Offer, turn_id: int | None) -> tuple[ButtonRow, ...]:
        """The buttons for what is kept of a turn; none for None, or when the database refuses."""
        if turn_id is None or not offer.value or not bears_buttons(self._ctx):
            return ()
        wanted = [name for _, name in offer.value]
        try:
            if self._prepared and wanted == [REGENERATE] and turn_id == self._ctx.turn.id:
                values = await self._prepared
            else:
                values = await self._values(wanted, turn_id)
        except StoreError as error:
            log.warning("no buttons", extra={**self._ctx.log, "error": repr(error)})
            return ()
        labels = [self._ctx.texts.gettext(label) for label, _ in offer.value]
        return (tuple(map(Button, labels, values)),)

    async def _values(self, names: list[str], turn_id: int) -> list[str]:
        owner = self._ctx.sender.id
        actions = [Action(name=name, argument=str(turn_id), owner=owner) for name in names]
        return list(await self._ctx.services.stores.actions.offer(self._ctx.chat, actions))

    async def close(self) -> None:
        """Wait until what `prepare` began is done."""
        if self._prepared is not None:
            await asyncio.wait({self._prepared})
            if not self._prepared.cancelled() and (error := self._prepared.exception()):
                log.warning("button not kept", extra={**self._ctx.log, "error": repr(error)})
