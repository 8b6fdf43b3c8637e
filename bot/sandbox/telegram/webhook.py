"""The webhook: updates are posted to the bot, as the WebhookActor.cpp of telegram-bot-api does.

https://core.telegram.org/bots/api#setwebhook. What happens in one chat is posted in its order, what
happens in several at the same time. An answer that is not 2xx brings the update again: at once,
then after a pause that grows, or after the seconds of `Retry-After`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from bot.core.errands import Errands
from bot.core.ports import Clock
from bot.sandbox.telegram.changes import Changes
from bot.sandbox.telegram.state import Json
from bot.sandbox.telegram.update_queue import UpdateQueue

HEADER = "X-Telegram-Bot-Api-Secret-Token"
_LONGEST_PAUSE = 60.0
_LONGEST_WISH = 3600
_ANSWER_SECONDS = 60.0
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


class Webhook:
    """Where the bot wants its updates, and their way there. Only this machine is ever called."""

    def __init__(
        self, updates: UpdateQueue, clock: Clock, changes: Changes, *, now: Callable[[], int]
    ) -> None:
        self.secret = ""
        self.connections = 40
        self.last_error = ""
        self.last_error_date = 0
        self._updates = updates
        self._clock = clock
        self._changes = changes
        self._now = now
        self._busy: set[Hashable] = set()
        self._errands = Errands()
        updates.on_news = self.deliver

    def deliver(self) -> None:
        """Post what waits, in each chat one after the other."""
        if URL(self._updates.webhook_url).host not in _HERE:
            return
        for update in self._updates.pending:
            queue = _queue_of(update)
            if queue not in self._busy:
                self._busy.add(queue)
                self._errands.send(self._empty(queue))

    async def close(self) -> None:
        """Post nothing more."""
        await self._errands.close()

    async def _empty(self, queue: Hashable) -> None:
        pause, failed = 1.0, 0
        updates = self._updates
        try:
            while updates.webhook_url:
                update = next((u for u in updates.pending if _queue_of(u) == queue), None)
                if update is None:
                    break
                wrong, wish = await self._post(update)
                if not wrong:
                    updates.pending = [u for u in updates.pending if u is not update]
                    self._changes.tell(0, "delivered")
                    pause, failed = 1.0, 0
                    continue
                self.last_error, self.last_error_date = wrong, self._now()
                self._changes.tell(0, "not delivered")
                if failed and not wish:
                    pause = min(_LONGEST_PAUSE, pause * 2)
                await self._clock.sleep(wish or (pause if failed else 0))
                failed += 1
        finally:
            self._busy.discard(queue)

    async def _post(self, update: Json) -> tuple[str, int]:
        """What is wrong with the bot's answer, and after how many seconds it wants to be asked."""
        headers = {HEADER: self.secret} if self.secret else {}
        timeout = ClientTimeout(total=_ANSWER_SECONDS)
        try:
            async with (
                ClientSession(timeout=timeout) as session,
                session.post(self._updates.webhook_url, json=update, headers=headers) as answer,
            ):
                if answer.ok:
                    return "", 0
                again = answer.headers.get("Retry-After", "")
                wish = min(_LONGEST_WISH, int(again)) if again.isdecimal() else 0
                return f"Wrong response from the webhook: {answer.status} {answer.reason}", wish
        except ClientError:
            return "Connection refused", 0
        except TimeoutError:
            return "Read timeout expired", 0


def _queue_of(update: Json) -> Hashable:
    """Messages are in the queue of their chat, presses in that of who presses (Client.cpp)."""
    for kind, content in update.items():
        if isinstance(content, dict):
            if isinstance(chat := content.get("chat"), dict):
                return int(chat["id"])
            if isinstance(sender := content.get("from"), dict):
                return kind, int(sender["id"])
    return int(update["update_id"])
