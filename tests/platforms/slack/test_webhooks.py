"""Events over HTTP: only Slack's, none lost, and the same as through a socket."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr
from yarl import URL

from bot.core.clock import SystemClock
from bot.core.ports import Post
from bot.core.types import Button, Reply
from bot.errors import ConfigError
from bot.platforms import slack
from bot.platforms.slack.webhooks import PATH, is_genuine, read_body, signature
from bot.sandbox.slack.server import SlackSandbox
from bot.web.server import WebServer
from bot.web.settings import WebSettings
from tests.intake import Inbox, listening
from tests.platforms.slack.running import Running

SECRET = "made-up-secret"


def settings(sandbox: SlackSandbox, secret: str = SECRET) -> slack.SlackSettings:
    return slack.SlackSettings(
        bot_token=SecretStr(sandbox.bot_token),
        signing_secret=SecretStr(secret),
        base_url=sandbox.base_url,
        mode="http",
    )


@asynccontextmanager
async def posted_to(sandbox: SlackSandbox) -> AsyncIterator[Running]:
    """A bot with a web server, to which the sandbox posts."""
    server, inbox, connected = WebServer(WebSettings(port=0)), Inbox(), set[str]()
    platform = slack.connect(settings(sandbox), clock=SystemClock(), web=server)
    async with server.running(lambda: bool(connected)), listening(platform, inbox):
        sandbox.sockets.webhook = f"http://127.0.0.1:{server.port}{PATH}"
        sandbox.sockets.secret = SECRET
        connected.add("slack")
        try:
            yield Running(sandbox, platform, inbox)
        finally:
            await platform.close()


@pytest.fixture
async def hooked(sandbox: SlackSandbox) -> AsyncIterator[Running]:
    async with posted_to(sandbox) as found:
        yield found


async def test_messages_commands_and_presses_arrive(hooked: Running) -> None:
    ada = hooked.sandbox.person("Ada")
    await ada.dm.send("hello & <world>")
    assert (await hooked.inbox.heard()).text == "hello & <world>"
    await ada.dm.slash("/model gpt 4")
    assert (await hooked.inbox.heard(2)).text == "/model gpt 4"
    reply = Reply(text="pick", buttons=((Button("Again ✓", "again"),),))
    await hooked.platform.send(hooked.inbox.message(0).ref.chat, reply)
    await ada.dm.press("Again ✓")
    await hooked.inbox.holds(3)
    assert hooked.inbox.press().value == "again"
    await hooked.settled()


async def test_what_is_not_stored_is_not_acknowledged(hooked: Running) -> None:
    ada = hooked.sandbox.person("Ada")
    hooked.inbox.refusals = math.inf
    await ada.dm.send("hello")
    await hooked.inbox.has_refused()
    assert hooked.sandbox.sockets.unacked
    hooked.inbox.refusals = 0
    await hooked.settled()
    assert [hooked.inbox.message().text] == ["hello"]


async def test_who_does_not_know_the_secret_is_sent_away(hooked: Running) -> None:
    hooked.sandbox.sockets.secret = "another"
    ada = hooked.sandbox.person("Ada")
    await ada.dm.send("hello")
    (posted,) = hooked.sandbox.sockets.envelopes
    assert posted.payload["event"]["text"] == "hello"
    await hooked.sandbox.wait_for(lambda: posted.sent and posted.answer is not None)
    assert not posted.acked
    assert hooked.inbox.events == []


@pytest.mark.parametrize(
    ("stamp", "signed"),
    [(b"9" * 400, b"v0=0"), (b"9" * 5000, b"v0=0"), (b"now", b"v0=\xff"), (b"now", b"v0=\xc3\xa9")],
)
async def test_headers_that_nobody_sends_are_no_fault_of_ours(
    hooked: Running, stamp: bytes, signed: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    stamp = str(int(time.time())).encode() if stamp == b"now" else stamp
    port = URL(hooked.sandbox.sockets.webhook).port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"POST /slack HTTP/1.1\r\nHost: bot\r\nContent-Length: 2\r\n"
        b"X-Slack-Request-Timestamp: %b\r\nX-Slack-Signature: %b\r\n\r\n{}" % (stamp, signed)
    )
    assert (await reader.readline()).split()[1] == b"401"
    writer.close()
    assert {record.levelname for record in caplog.records} <= {"WARNING"}


async def test_slack_may_ask_whether_the_address_is_ours(hooked: Running) -> None:
    question = {"type": "url_verification", "challenge": "3eZbrw1aB", "token": "x"}
    envelope = hooked.sandbox.sockets.tell("events_api", question)
    await hooked.sandbox.wait_for(lambda: envelope.acked)
    assert envelope.answer == {"text": "3eZbrw1aB"}


async def test_the_server_says_how_it_is_doing(hooked: Running) -> None:
    root = hooked.sandbox.sockets.webhook.removesuffix(PATH)
    async with ClientSession() as session:
        for path in ("/healthz", "/readyz"):
            async with session.get(root + path) as answer:
                assert answer.status == 200
        async with session.post(root + PATH, data=b"{}") as answer:
            assert answer.status == 401
        async with session.get(root + PATH) as answer:
            assert answer.status == 405


async def test_a_server_that_is_not_connected_says_so() -> None:
    server = WebServer(WebSettings(port=0))
    async with server.running(lambda: False):
        address = f"http://127.0.0.1:{server.port}/readyz"
        async with ClientSession() as session, session.get(address) as answer:
            assert answer.status == 503


async def test_an_address_in_use_is_a_sentence() -> None:
    first = WebServer(WebSettings(port=0))
    async with first.running(lambda: True):
        second = WebServer(WebSettings(port=first.port))
        with pytest.raises(ConfigError, match=r"web\.port: cannot listen"):
            async with second.running(lambda: True):
                pass


async def test_without_a_secret_it_does_not_start(sandbox: SlackSandbox) -> None:
    server = WebServer(WebSettings(port=0))
    with pytest.raises(ConfigError, match="signing_secret"):
        slack.connect(settings(sandbox, secret=" "), clock=SystemClock(), web=server)
    findings = await slack.check(settings(sandbox, secret=""))
    assert [finding.subject for finding in findings if not finding.ok] == ["Slack signing secret"]
    assert all(finding.ok for finding in await slack.check(settings(sandbox)))


# ---------------------------------------------------------------- signatures and bodies


def post(body: bytes, stamp: str, signed: str, kind: str = "application/json") -> Post:
    headers = {
        "content-type": kind,
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": signed,
    }
    return Post(headers=headers, body=body)


def test_the_signature_is_slacks() -> None:
    """The example of docs.slack.dev, "Verifying requests from Slack"."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    secret = b"8f742231b10e8888abcd99yyyzzz85a5"
    given = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert signature(body, "1531420618", secret) == given
    assert is_genuine(post(body, "1531420618", given), secret, now=1531420618.0)


@pytest.mark.parametrize(
    ("stamp", "changed"),
    [("", ""), ("yesterday", ""), ("-1", ""), ("²", ""), ("now", "{}"), ("old", ""), ("early", "")],
)
def test_a_request_that_is_old_or_changed_is_not_taken(stamp: str, changed: str) -> None:
    now, secret = time.time(), SECRET.encode()
    times = {"now": now, "old": now - 400, "early": now + 400}
    stamp = str(int(times[stamp])) if stamp in times else stamp
    body = b'{"type": "x"}'
    signed = signature(body, stamp, secret)
    assert not is_genuine(post(changed.encode() or body + b" ", stamp, signed), secret, now=now)
    if stamp not in {str(int(now))}:
        assert not is_genuine(post(body, stamp, signed), secret, now=now)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/json"),
        (b"[1]", "application/json"),
        (b"\xff", "application/json"),
        (b"payload=%7B", "application/x-www-form-urlencoded"),
        (b"", "application/x-www-form-urlencoded"),
    ],
)
def test_what_nobody_can_read_is_no_event(body: bytes, kind: str) -> None:
    assert read_body(post(body, "1", "x", kind)) is None


def test_a_press_is_json_in_a_form() -> None:
    form = urlencode({"payload": json.dumps({"type": "block_actions"})}).encode()
    found = read_body(post(form, "1", "x", "application/x-www-form-urlencoded"))
    assert found == {"type": "block_actions"}
