"""Events over HTTP instead of a socket: Slack posts them, signed with the app's secret.

Source: docs.slack.dev, "Verifying requests from Slack" and "Using the Events API": a request older
than five minutes is not to be taken; an answer that is not 2xx, or takes longer than 3 s, makes
Slack send an event again. Events come as JSON, slash commands as a form, presses of buttons as JSON
in a form.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from bot.core.ports import Post, Posted, Web
from bot.platforms.slack.sockets import Take

log = logging.getLogger(__name__)

PATH = "/slack"
TOO_OLD = 300.0
STAMP = 20
"""Digits of a time stamp at most: no clock needs more, and Python reads no number of thousands."""
BAD_REQUEST, UNAUTHORISED, NOT_STORED = 400, 401, 503


class Webhooks:
    """Takes what Slack posts while it runs; `secret` is the app's signing secret."""

    def __init__(self, web: Web, secret: str) -> None:
        self._secret = secret.encode()
        self._take: Take | None = None
        web.on_post(PATH, self._answer)

    async def run(self, take: Take, ready: Callable[[], None]) -> None:
        """Take events until cancelled."""
        self._take = take
        try:
            ready()
            await asyncio.Event().wait()
        finally:
            self._take = None

    async def _answer(self, post: Post) -> Posted:
        if not is_genuine(post, self._secret, now=time.time()):
            log.warning("request not signed by slack")
            return Posted(status=UNAUTHORISED)
        body = read_body(post)
        if body is None:
            return Posted(status=BAD_REQUEST)
        if body.get("type") == "url_verification":
            return Posted(text=str(body.get("challenge", "")))
        if self._take is None or not await self._take(body):
            return Posted(status=NOT_STORED)
        return Posted()


def is_genuine(post: Post, secret: bytes, *, now: float) -> bool:
    """Whether Slack has signed the request, and lately."""
    stamp = post.headers.get("x-slack-request-timestamp", "")
    given = post.headers.get("x-slack-signature", "")
    if not stamp.isdecimal() or len(stamp) > STAMP or abs(now - int(stamp)) > TOO_OLD:
        return False
    ours = signature(post.body, stamp, secret).encode()
    return hmac.compare_digest(ours, given.encode(errors="replace"))  # bytes that are no UTF-8


def signature(body: bytes, stamp: str, secret: bytes) -> str:
    """What Slack writes into the header `X-Slack-Signature`."""
    signed = b"v0:" + stamp.encode() + b":" + body
    return "v0=" + hmac.new(secret, signed, hashlib.sha256).hexdigest()


def read_body(post: Post) -> dict[str, Any] | None:
    """What was posted, as it would come through a socket; None when nobody can read it."""
    try:
        text = post.body.decode()
        if post.headers.get("content-type", "").startswith("application/json"):
            found = json.loads(text)
        else:
            form = dict(parse_qsl(text, keep_blank_values=True))
            found = json.loads(form["payload"]) if "payload" in form else form
    except ValueError:
        return None
    return found if isinstance(found, dict) and found else None
