"""The response URLs of commands, for conversations where the bot cannot write.

Slack offers commands everywhere, also where the bot is not, or where admins let no app write. There
it may answer the command itself, so that only who typed it sees it: for 30 minutes, at an address
that came with the command (docs.slack.dev, "Handling user interaction", "Message responses"). The
addresses are kept in memory: after a restart nothing is said.
"""

from __future__ import annotations

import logging

import aiohttp

from bot.core.errands import Errands
from bot.core.i18n import N_, texts
from bot.core.lru import LruCache
from bot.core.types import IncomingMessage, MessageRef
from bot.errors import ChatGone
from bot.platforms.slack.calls import Calls
from bot.platforms.slack.errors import NOT_TO_WRITE, OUTSIDE

log = logging.getLogger(__name__)

NOT_HERE = N_("I am not in this conversation: invite me, or write to me directly.")
NOT_ALLOWED = N_("I may not write in this conversation: please write to me directly.")
COMMANDS = 1_000
"""Commands that are remembered."""
OK = 200


class ResponseUrls:
    """Tells people whose command cannot be answered where they typed it what to do instead."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._errands = Errands()
        self._heard: LruCache[MessageRef, tuple[str, str] | None] = LruCache(COMMANDS)

    def heard(self, command: IncomingMessage, address: str) -> None:
        """Remember where a command may be answered."""
        self._heard.put(command.ref, (address, command.sender.language))

    def refused(self, answering: MessageRef | None, gone: ChatGone) -> None:
        """An answer could not be posted: say so once, if it was one to a command. Never raises."""
        code = str(gone)
        heard = self._heard.get(answering) if answering is not None else None
        if answering is None or heard is None or code not in OUTSIDE | NOT_TO_WRITE:
            return
        self._heard.put(answering, None)
        address, language = heard
        text = NOT_ALLOWED if code in NOT_TO_WRITE else NOT_HERE
        self._errands.send(self._say(address, texts(language).gettext(text)))

    async def close(self) -> None:
        """Say nothing any more."""
        await self._errands.close()

    async def _say(self, address: str, text: str) -> None:
        said = {"response_type": "ephemeral", "text": text}
        try:
            async with self._calls.session.post(address, json=said) as answer:
                if answer.status != OK:
                    log.info("command not answered", extra={"status": answer.status})
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            log.info("command not answered", extra={"error": repr(error)})
