"""A desk in the browser: the sandbox Slack as people see it, to be used by hand and looked at.

    async with SlackSandbox() as slack:
        ann = Seat(name="ann", title="Ann", person=slack.person("Ann"), channels=[...])
        async with serve_pages(Desk(slack, [ann])) as url:
            ...  # open the URL with `slack` behind it

A seat is one person. The page shows their rooms, which are channels and the direct message with
the bot, as the sandbox has them, and does what `Place` can do.
"""

from __future__ import annotations

from bot.sandbox.desk.seats import Seat
from bot.sandbox.desk.server import Desk

__all__ = ["Desk", "Seat"]
