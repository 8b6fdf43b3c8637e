"""What is said to somebody who writes more than may wait in a chat."""

from __future__ import annotations

from bot.core.turn import TurnContext
from bot.errors import TurnWithdrawn


async def decline(ctx: TurnContext) -> None:
    """Say once that this message is left out, and what its sender writes after it.

    Raises `TurnWithdrawn` when all of that was deleted meanwhile, `PlatformError` and `StoreError`.
    """
    _ = ctx.texts.gettext
    text = _(
        "Too many messages are waiting here already. I leave out this one, and what you write "
        "after it, until I have answered some of them. Please send it again then."
    )
    if ctx.group and ctx.sender.name:  # in a thread of Slack nothing else tells whom it is for
        text = f"{ctx.sender.name}: {text}"
    await ctx.say(text, pointing=True)
    if await ctx.services.stores.turns.is_withdrawn(ctx.turn.id):
        raise TurnWithdrawn(f"turn {ctx.turn.id}")
