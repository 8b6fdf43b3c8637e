"""Updates on their way to the bot, with the true offset semantics of getUpdates.

https://core.telegram.org/bots/api#getupdates: an update is confirmed as soon as getUpdates is
called with an offset higher than its `update_id`; until then it is delivered again. Two pollers at
a time are a conflict: the newer one wins, the older one is told so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bot.core.ports import Clock
from bot.sandbox.telegram.changes import Changes
from bot.sandbox.telegram.params import Params
from bot.sandbox.telegram.state import Json

_ON_REQUEST = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


class UpdateQueue:
    """Updates that were not confirmed yet, and the bot that waits for more.

    With `webhook_url` set nobody may poll; `on_news` is called when there are more.
    """

    def __init__(self, clock: Clock, changes: Changes) -> None:
        self.pending: list[Json] = []
        self.webhook_url = ""
        self.on_news: Callable[[], None] = lambda: None
        self._clock = clock
        self._changes = changes
        self._next_id = 1000
        self._allowed: frozenset[str] | None = None
        self._poller: asyncio.Future[bool] | None = None

    @property
    def polling(self) -> bool:
        """Whether a bot is waiting for updates at this moment."""
        return self._poller is not None

    def add(self, kind: str, content: Json) -> None:
        """Queue an update, unless the bot did not ask for this kind."""
        wanted = self._allowed
        if kind not in _ON_REQUEST if wanted is None else kind in wanted:
            self.add_raw({kind: content})

    def add_raw(self, update: Json) -> None:
        """Queue an update of any shape, for kinds the sandbox (or the bot) does not know."""
        whole = {"update_id": self._next_id, **update}
        self._next_id = max(self._next_id, int(whole["update_id"])) + 1
        self.pending.append(whole)
        self.wake()

    def begin_anew(self, first_id: int) -> None:
        """The next update has this id, as after a week without any: a random one, also a lower."""
        self._next_id = first_id

    def allow(self, params: Params) -> None:
        """Take over `allowed_updates`; missing leaves it as it was, an empty list resets it."""
        value = params.lenient("allowed_updates")
        if isinstance(value, list):
            self._allowed = frozenset(map(str, value)) or None

    def confirm(self, offset: int) -> None:
        """Forget what lies before the offset; a negative one keeps that many from the end."""
        if offset < 0:
            self.pending = self.pending[offset:]
        elif offset > 0:
            self.pending = [update for update in self.pending if update["update_id"] >= offset]

    def wake(self) -> None:
        """There is something for the waiting poller, or for the webhook."""
        self._end_poll(found=True)
        self.on_news()

    def conflict(self) -> None:
        """Send the waiting poller away: somebody else polls."""
        self._end_poll(found=False)

    def _end_poll(self, *, found: bool) -> None:
        if self._poller is not None and not self._poller.done():
            self._poller.set_result(found)

    async def wait(self, seconds: float) -> bool:
        """Wait for an update; False when another poller took over."""
        poller: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._poller = poller
        self._changes.tell(0, "poll")
        call_off = self._clock.later(seconds, lambda: self._end_poll(found=True))
        try:
            return await poller
        finally:
            call_off()
            if self._poller is poller:
                self._poller = None
