"""What people find when they open the bot's messages: a greeting, and a few things to ask.

Slack shows the prompts of the manifest until the app gives others (docs.slack.dev,
"assistant.threads.setSuggestedPrompts": at most four; without a thread they stand in the Messages
tab). They are given once per person and process, in the person's language.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bot.core.errands import Errands
from bot.core.i18n import N_, texts
from bot.core.lru import LruCache
from bot.errors import PlatformError
from bot.platforms.slack.budgets import Urgency
from bot.platforms.slack.calls import Calls
from bot.platforms.slack.directory import Directory, Needs

log = logging.getLogger(__name__)

TITLE = N_("Hello! What can I do for you?")
PROMPTS = (
    (N_("What can you do?"), "!help"),
    (N_("Explain something"), N_("Explain in simple words how a battery stores energy.")),
    (N_("Write with me"), N_("Write a friendly note that our meeting moves to Friday at ten.")),
    (N_("Choose a model"), "!model"),
)
"""The label of each prompt, and the message that is sent in the name of who picks it."""
METHOD = "assistant.threads.setSuggestedPrompts"
GREETED = 10_000


def prompts(language: str) -> Sequence[dict[str, str]]:
    """The prompts in a language, as the manifest and the method take them."""
    _ = texts(language).gettext
    return [{"title": _(title), "message": _(message)} for title, message in PROMPTS]


class Greeting:
    """Gives the prompts to those who open the bot's messages. Nothing waits for it."""

    def __init__(self, calls: Calls, directory: Directory) -> None:
        self._calls = calls
        self._directory = directory
        self._greeted: LruCache[str, bool] = LruCache(GREETED)
        self._errands = Errands()

    def opened(self, channel: str, user: str) -> None:
        """Somebody has opened the bot's messages. Never raises."""
        if self._greeted.get(user):
            return
        self._greeted.put(user, True)
        self._errands.send(self._greet(channel, user))

    async def close(self) -> None:
        """Greet nobody any more."""
        await self._errands.close()

    async def _greet(self, channel: str, user: str) -> None:
        await self._directory.begin(Needs(people=frozenset({user}))).soon()
        language = self._directory.sender(user).language
        args = {
            "channel_id": channel,
            "title": texts(language).gettext(TITLE),
            "prompts": prompts(language),
        }
        try:
            await self._calls.call(METHOD, args, channel=channel, urgency=Urgency.TYPING)
        except PlatformError as error:
            log.info("prompts not shown", extra={"error": repr(error)})
