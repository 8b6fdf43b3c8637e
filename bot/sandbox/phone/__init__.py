"""A phone in the browser: chats of the sandbox Telegram, to be used by hand and looked at.

    async with bot.sandbox.telegram.serve() as telegram:
        ann = Seat(name="ann", title="Ann", view=telegram.person(name="Ann").private())
        async with serve_pages(Phone(telegram, [ann])) as url:
            ...  # open the URL

A seat is one chat on one person's phone. The page shows what `ChatView.screen` shows, as it
changes, and does what a `ChatView` can do.
"""

from __future__ import annotations

from bot.sandbox.phone.seats import Seat
from bot.sandbox.phone.server import Phone

__all__ = ["Phone", "Seat"]
