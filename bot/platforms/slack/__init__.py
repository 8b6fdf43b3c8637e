"""Slack. Importing this costs nothing: slack-sdk and slack-bolt are loaded by `connect`.

An event comes in through `sockets` or `webhooks` to `ingress`, which lets `directory` look up what
is needed to read it, `inbound` read it, and `previews` add what is linked in it. An answer goes out
through `draft`: as a native stream (`streams`, with `tasks` in it), or as a message that is edited
(`posting`); a whole reply through `replies`. `render` writes the Markdown, and `blocks` what stands
under it. All of them call Slack through `calls`, at the `pace` that its `budgets` allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.core.phrases import Phrase
from bot.core.ports import Clock, Web
from bot.core.queue import TurnQueue
from bot.core.stores import Users
from bot.core.types import Finding
from bot.core.unused import leave_out
from bot.errors import ConfigError
from bot.platforms.settings import revealed
from bot.platforms.slack.settings import SlackSettings

if TYPE_CHECKING:
    from bot.platforms.slack.adapter import SlackPlatform

__all__ = ["SlackSettings", "check", "connect"]


def connect(
    settings: SlackSettings,
    *,
    clock: Clock,
    web: Web | None = None,
    users: Users | None = None,
    turns: TurnQueue | None = None,
) -> SlackPlatform:
    """Make the platform; no I/O. Raises `ConfigError` when a token is missing.

    `web` is where Slack posts events, in the mode `http`. `users` are known by their names before
    Slack has told them, and threads that began with one of the `turns` as the bot's.
    """
    # Slack's libraries load the client that blocks, too, and a web server: 2.3 MB. Our server,
    # where there is one, is loaded by now.
    leave_out("slack_sdk.web.client")
    leave_out("aiohttp.web")
    from bot.platforms.slack.adapter import SlackPlatform
    from bot.platforms.slack.webhooks import Webhooks

    bot_token, app_token = revealed(settings.bot_token), revealed(settings.app_token)
    secret = revealed(settings.signing_secret)
    if not bot_token:
        raise ConfigError(Phrase("slack.bot_token is not set: it begins with xoxb-"))
    intake: Webhooks | None = None
    if settings.mode == "http":
        if not secret:
            missing = Phrase(
                "slack.signing_secret is not set: without it anybody could pose as Slack; copy it "
                "from the app's page “Basic Information”"
            )
            raise ConfigError(missing)
        if web is None:
            raise ConfigError(Phrase("slack.mode: there is no web server here; use “socket”"))
        intake = Webhooks(web, secret)
    elif not app_token:
        missing = Phrase(
            "slack.app_token is not set: make one with the scope connections:write on the app's "
            "page “Basic Information”; it begins with xapp-"
        )
        raise ConfigError(missing)
    return SlackPlatform(
        bot_token,
        base_url=settings.base_url,
        clock=clock,
        app_token=app_token,
        intake=intake,
        users=users,
        turns=turns,
    )


async def check(settings: SlackSettings) -> Sequence[Finding]:
    """Look whether the bot could run, and say what to do if not. Raises nothing."""
    from bot.platforms.slack.checks import examine

    return await examine(settings)
