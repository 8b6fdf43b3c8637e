"""Updates over HTTP instead of polling: Telegram posts them to an address of the bot's web server.

Source: https://core.telegram.org/bots/api#setwebhook, and the WebhookActor.cpp of telegram-bot-api:
an update is posted again until the answer is 2xx or it is a day old, after the seconds that
`Retry-After` says, else after a pause that grows to minutes; the messages of one chat come one
after the other, what happens in different chats at the same time.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Callable
from typing import Any

from telegram import Bot, WebhookInfo, error

from bot.core.ports import Clock, EventSink, Post, Posted, Web
from bot.errors import StoreError
from bot.platforms.telegram.backoff import Backoff
from bot.platforms.telegram.inbound import ALLOWED_UPDATES
from bot.platforms.telegram.moves import Moves
from bot.platforms.telegram.request import AiohttpRequest
from bot.platforms.telegram.updates import UpdateReader

log = logging.getLogger(__name__)

PATH = "/telegram"
HEADER = "x-telegram-bot-api-secret-token"
CONNECTIONS = 40
"""Updates that Telegram may post at the same time; its own default, said so that nobody's else is
kept."""
WATCH_SECONDS = 120.0
"""How often it is looked whether Telegram still posts here, and what it says of it."""
RETRY_SECONDS = 1
"""When Telegram may post again what could not be stored; later and later while nothing can be."""
LONGEST_RETRY = 10
UNAUTHORISED, BAD_REQUEST, NOT_STORED = 401, 400, 503


class Webhook:
    """Lets Telegram post to `url`, which must lead to `PATH` of `web`."""

    def __init__(self, web: Web, url: str, token: str) -> None:
        self._url = url
        self._secret = secret_for(token)
        self._reader: UpdateReader | None = None
        self._sink: EventSink | None = None
        self._told = 0  # the date of the newest error that was logged
        self._refused = 0  # updates that could not be stored, since the last that could
        web.on_post(PATH, self._answer)

    async def run(
        self,
        bot: Bot,
        request: AiohttpRequest,
        clock: Clock,
        moves: Moves,
        sink: EventSink,
        ready: Callable[[], None],
    ) -> None:
        """Hand every update to `sink` until cancelled; call `ready` when the address is known.

        At the end Telegram keeps the address, and all updates until the bot is there again. Raises
        `ConfigError` when the token is refused.
        """
        backoff = Backoff(request, clock)
        self._reader = UpdateReader(await backoff.insist(bot.get_me), moves)
        self._sink = sink
        try:
            await self._register(bot, backoff)
            ready()
            while True:
                await clock.sleep(WATCH_SECONDS)
                info = await backoff.insist(bot.get_webhook_info)
                if info.url != self._url:
                    fix = "stop the other bot that uses this token"
                    log.error("the webhook was taken away, set again", extra={"fix": fix})
                    await self._register(bot, backoff)
                self._complain(info)
        finally:
            self._sink = None

    async def _register(self, bot: Bot, backoff: Backoff) -> None:
        """Tell Telegram the address; one that it does not take may be mended meanwhile."""

        async def register() -> None:
            try:
                await bot.set_webhook(
                    self._url,
                    allowed_updates=ALLOWED_UPDATES,
                    max_connections=CONNECTIONS,
                    secret_token=self._secret,
                )
            except error.BadRequest as refusal:
                fix = "telegram.webhook_url must be an address that Telegram can reach"
                extra = {"reason": refusal.message, "fix": fix}
                log.error("webhook refused by telegram", extra=extra)
                raise

        await backoff.insist(register)

    def _complain(self, info: WebhookInfo) -> None:
        """Say once what Telegram could not deliver, and why; not what it has delivered since."""
        date = int(info.last_error_date.timestamp()) if info.last_error_date else 0
        waiting = info.pending_update_count
        if info.url == self._url and waiting and date > self._told:
            extra = {"reason": info.last_error_message, "waiting": waiting}
            log.warning("telegram could not deliver updates", extra=extra)
            self._told = date

    async def _answer(self, post: Post) -> Posted:
        given = post.headers.get(HEADER, "").encode(errors="replace")
        if not hmac.compare_digest(self._secret.encode(), given):
            log.warning("request not made by telegram")
            return Posted(status=UNAUTHORISED)
        raw = _parsed(post.body)
        if raw is None:
            return Posted(status=BAD_REQUEST)
        if self._reader is None or self._sink is None:
            return Posted(status=NOT_STORED, retry_after=RETRY_SECONDS)
        if (event := self._reader.read(raw)) is not None:
            try:
                await self._sink(event)
            except StoreError as failure:
                return self._not_stored(failure)
            self._refused = 0
        return Posted()

    def _not_stored(self, failure: StoreError) -> Posted:
        """Let Telegram post it again: for each chat, so less often while nothing can be stored."""
        if not self._refused:
            log.error("update not stored, comes again", extra={"reason": str(failure)})
        pause = min(LONGEST_RETRY, RETRY_SECONDS + self._refused // CONNECTIONS)
        self._refused += 1
        return Posted(status=NOT_STORED, retry_after=pause)


def secret_for(token: str) -> str:
    """What proves that Telegram posts: of no use elsewhere, and the same in each bot of a token.

    Telegram takes 1 to 256 characters; these are 64.
    """
    return hmac.new(token.encode(), b"chinwag webhook", hashlib.sha256).hexdigest()


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
