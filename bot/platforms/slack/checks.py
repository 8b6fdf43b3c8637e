"""What `bot check` says about Slack."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.clock import SystemClock
from bot.core.phrases import Phrase, listed, said
from bot.core.types import Finding
from bot.errors import PlatformError
from bot.platforms.settings import revealed
from bot.platforms.slack.calls import Calls
from bot.platforms.slack.errors import BAD_TOKEN, Refused, Unreachable
from bot.platforms.slack.manifest import SCOPES
from bot.platforms.slack.settings import SlackSettings
from bot.platforms.slack.sockets import BAD_APP_TOKEN, open_socket_url

BOT = Phrase("Slack bot token")
APP = Phrase("Slack app token")
PERMISSIONS = Phrase("Slack scopes")
SECRET = Phrase("Slack signing secret")
COPY = Phrase("copy slack.bot_token (xoxb-…) from “OAuth & Permissions”, and install the app")
NETWORK = Phrase("check the network, a proxy in HTTPS_PROXY, and slack.base_url")


async def examine(settings: SlackSettings) -> Sequence[Finding]:
    """A line for each thing that must be right. Raises nothing."""
    calls = Calls(revealed(settings.bot_token), base_url=settings.base_url, clock=SystemClock())
    try:
        findings = [*await _bot(calls)] if settings.bot_token else [_no_token()]
        if settings.mode == "http":
            findings.append(_signed(revealed(settings.signing_secret)))
        else:
            findings.append(await _app(calls, revealed(settings.app_token)))
    finally:
        await calls.close()
    return findings


def _no_token() -> Finding:
    return Finding(ok=False, subject=BOT, text=Phrase("slack.bot_token is not set"), fix=COPY)


def _signed(secret: str) -> Finding:
    if not secret:
        text = Phrase("slack.signing_secret is not set")
        fix = Phrase("copy slack.signing_secret from “Basic Information”")
        return Finding(ok=False, subject=SECRET, text=text, fix=fix)
    text = Phrase("is there; the first event from Slack tells whether it is right")
    return Finding(ok=True, subject=SECRET, text=text)


async def _bot(calls: Calls) -> Sequence[Finding]:
    try:
        answer = await calls.paced("auth.test", calls.client.auth_test)
    except PlatformError as error:
        fix = NETWORK
        if isinstance(error, Refused) and error.code in BAD_TOKEN:
            fix = COPY
        return [Finding(ok=False, subject=BOT, text=_told(error, calls), fix=fix)]
    text = Phrase("@{name} in {team}", name=answer["user"], team=answer["team"])
    given = {scope.strip() for scope in answer.headers.get("x-oauth-scopes", "").split(",")}
    return [Finding(ok=True, subject=BOT, text=text), _scopes(given)]


def _scopes(given: set[str]) -> Finding:
    missing = sorted(set(SCOPES) - given)
    if not missing:
        return Finding(ok=True, subject=PERMISSIONS, text=Phrase("all there"))
    scopes = [
        Phrase("{scope} (to {use})", scope=each, use=Phrase(SCOPES[each])) for each in missing
    ]
    return Finding(
        ok=False,
        subject=PERMISSIONS,
        text=Phrase("missing: {scopes}", scopes=listed(scopes)),
        fix=Phrase("put the text of `bot manifest` into “App Manifest”, and install the app again"),
    )


async def _app(calls: Calls, app_token: str) -> Finding:
    fix = Phrase("make one with the scope connections:write on “Basic Information” (xapp-…)")
    if not app_token:
        text = Phrase("slack.app_token is not set")
        return Finding(ok=False, subject=APP, text=text, fix=fix)
    try:
        await open_socket_url(calls, app_token)
    except PlatformError as error:
        wrong = isinstance(error, Refused) and error.code in BAD_TOKEN | BAD_APP_TOKEN
        advice = fix if wrong else NETWORK
        return Finding(ok=False, subject=APP, text=_told(error, calls), fix=advice)
    return Finding(ok=True, subject=APP, text=Phrase("opens a socket"))


def _told(error: PlatformError, calls: Calls) -> str:
    if isinstance(error, Unreachable):
        return Phrase("no connection to {url}", url=calls.client.base_url)
    return said(error)
