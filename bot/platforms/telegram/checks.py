"""What `bot check` says of Telegram."""

from __future__ import annotations

from collections.abc import Sequence

from telegram import Bot, User, WebhookInfo, error

from bot.core.phrases import Phrase
from bot.core.types import Finding
from bot.platforms.settings import revealed
from bot.platforms.telegram.request import AiohttpRequest, NotSent
from bot.platforms.telegram.settings import TelegramSettings

SUBJECT = "Telegram"
ANSWER_SECONDS = 10.0


async def examine(settings: TelegramSettings) -> Sequence[Finding]:
    """Ask Telegram who the bot is and what it may see. Raises nothing."""
    token = revealed(settings.token)
    if not token:
        fix = Phrase("set telegram.token to what @BotFather gave you")
        return [_wrong(Phrase("no token is set"), fix)]
    request = AiohttpRequest(base_url=settings.base_url, connections=1, timeout=ANSWER_SECONDS)
    bot = Bot(
        token,
        base_url=f"{settings.base_url}/bot",
        request=request,
        get_updates_request=request,
    )
    try:
        me, webhook = await bot.get_me(), await bot.get_webhook_info()
    except error.TelegramError as failure:
        return [_explain(failure, settings.base_url)]
    finally:
        await request.shutdown()
    posted = settings.mode == "webhook"
    intake = [_look_at(webhook, settings)] if posted else _warn(webhook, settings)
    return [*_describe(me), *intake]


def _describe(me: User) -> list[Finding]:
    found = [_fine(Phrase("@{name} answers", name=me.username))]
    if not me.can_join_groups:
        found.append(_fine(Phrase("private chats only: it may not join groups")))
    elif not me.can_read_all_group_messages:
        text = Phrase("in groups it sees commands, replies to it and mentions (privacy mode is on)")
        found.append(_fine(text))
    return found


def _warn(webhook: WebhookInfo, settings: TelegramSettings) -> list[Finding]:
    if settings.webhook_url:
        return [
            _wrong(
                Phrase("telegram.webhook_url is set, but telegram.mode is “polling”"),
                Phrase("set telegram.mode to “webhook”, or take telegram.webhook_url out"),
            )
        ]
    if not webhook.url:
        return []
    return [
        _wrong(
            Phrase("a webhook is set for this token: another service may be using it"),
            Phrase("stop that service; `bot run` removes the webhook and polls"),
        )
    ]


def _look_at(webhook: WebhookInfo, settings: TelegramSettings) -> Finding:
    """Whether Telegram posts to the address of the settings, and reaches it."""
    ours = settings.webhook_url
    if not ours:
        return _wrong(
            Phrase("telegram.webhook_url is not set"),
            Phrase(
                "set it to the address, https://…, that leads to /telegram of the bot's web server"
            ),
        )
    if webhook.url not in ("", ours):
        return _wrong(
            Phrase("Telegram posts to another address: another service may be using this token"),
            Phrase("stop that service; `bot run` sets telegram.webhook_url"),
        )
    if webhook.url and webhook.last_error_message and webhook.pending_update_count:
        return _wrong(
            Phrase(
                "cannot deliver updates ({count} waiting): {reason}",
                count=webhook.pending_update_count,
                reason=webhook.last_error_message,
            ),
            Phrase(
                "see that the bot runs, and that {url} leads to /telegram of its web server "
                "(web.host, web.port)",
                url=ours,
            ),
        )
    if webhook.url:
        return _fine(Phrase("posts to {url}", url=ours))
    return _fine(Phrase("will be told by `bot run` to post to {url}", url=ours))


def _explain(failure: error.TelegramError, base_url: str) -> Finding:
    if isinstance(failure, error.InvalidToken):
        return _wrong(
            Phrase("the token is refused"),
            Phrase(
                "copy the token again from @BotFather into telegram.token, and see that "
                "telegram.base_url ({url}) is right",
                url=base_url,
            ),
        )
    if isinstance(failure, NotSent):
        return _wrong(
            Phrase("no connection to {url}", url=base_url),
            Phrase("check the network, a proxy in HTTPS_PROXY, and telegram.base_url"),
        )
    return _wrong(failure.message, Phrase("try again; if it stays, check telegram.base_url"))


def _fine(text: str) -> Finding:
    return Finding(ok=True, subject=SUBJECT, text=text)


def _wrong(text: str, fix: str) -> Finding:
    return Finding(ok=False, subject=SUBJECT, text=text, fix=fix)
