"""`bot check`: looks at every part from the outside, as an operator would before starting it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bot import api, store
from bot.config import Config
from bot.core.phrases import Phrase
from bot.core.types import Finding
from bot.platforms import slack, telegram


async def check(config: Config) -> AsyncIterator[Finding]:
    """Yield findings as they are made: database, API, each platform, who may speak."""
    for finding in await store.check(config.storage):
        yield finding
    for finding in await api.check(config.api, _other_models(config)):
        yield finding
    if not config.has_platform:
        yield Finding(
            ok=False,
            subject=Phrase("platforms"),
            text=Phrase("none is configured; only `bot chat` and `bot demo` work"),
            fix=Phrase("set telegram.token, or slack.bot_token and slack.app_token"),
        )
        return
    if config.telegram.token:
        for finding in await telegram.check(config.telegram):
            yield finding
    if config.slack.bot_token or config.slack.lacks_token:
        for finding in await slack.check(config.slack):
            yield finding
    yield _access(config)


def _other_models(config: Config) -> dict[str, str]:
    """The models of the table `chat` that are set, by what to call their key."""
    chat = config.chat
    found = {"chat.summary_model": chat.summary_model}
    found |= {f"chat.personas: {persona.name}": persona.model for persona in chat.personas}
    return {name: model for name, model in found.items() if model}


def _access(config: Config) -> Finding:
    access, subject = config.access, Phrase("access")
    if access.open:
        return Finding(ok=True, subject=subject, text=Phrase("open to everybody"))
    listed = len(access.admins) + len(access.users) + len(access.chats)
    if listed:
        text = Phrase("{count} in the lists may speak", count=listed)
        return Finding(ok=True, subject=subject, text=text)
    return Finding(
        ok=False,
        subject=subject,
        text=Phrase("nobody may speak to the bot"),
        fix=Phrase(
            'set access.admins, for example ["telegram:1001"]; the bot tells strangers their id'
        ),
    )
