"""The sandbox as a server: the Web API, file transfers, response URLs and Socket Mode.

async with SlackSandbox() as slack:
    # AsyncWebClient(base_url=slack.base_url, token=slack.bot_token)
    ada = slack.person("Ada")
    await ada.dm.send("hello")
    await slack.wait_for(lambda: len(ada.dm.screen()) == 2)
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote

from aiohttp import web

from bot.core.clock import SystemClock
from bot.core.ports import Clock
from bot.sandbox.faults import Fault, FaultKind, Faults
from bot.sandbox.listening import listening
from bot.sandbox.slack import events, methods
from bot.sandbox.slack.blocks import parse_blocks
from bot.sandbox.slack.limits import Limits
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.sockets import Sockets
from bot.sandbox.slack.state import CANVAS, Channel, Json, Message, User
from bot.sandbox.slack.workspace import SlackError, Workspace

FORMS_ONLY = frozenset(
    {"conversations.history", "conversations.replies", "files.info", "users.info"}
)
"""Methods that take no JSON (docs.slack.dev, "Content types" on the page of each)."""
UPLOAD = 1_073_741_824
LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Sign in | Slack</title></head></html>"


@dataclass(slots=True)
class Call:
    """One Web API call as it arrived; `error` is what was answered, empty when it went well."""

    method: str
    args: Json
    at: float
    error: str = ""


class SlackSandbox:
    """A workspace with the bot in it, on a port of its own.

    `calls` is everything the bot asked for, in order; `limits.mode` switches rate limits on;
    `faults` orders faults for the next calls: with the status 200 an error is an `ok: false`, a
    call that hangs does so until `let_go`. `wait_for` waits for anything to be so.
    """

    def __init__(self, *, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.workspace = Workspace(clock=self.clock, tell=self._tell)
        self.wait_for = self.workspace.wait_for
        self.limits = Limits(self.clock)
        self.sockets = Sockets(self.clock, self.workspace.changed)
        self.calls: list[Call] = []
        self.faults = Faults()
        self._serving = AsyncExitStack()
        self._hanging = asyncio.Event()
        self._closing = False

    async def __aenter__(self) -> Self:
        """Listen on loopback; `base_url` is known from here on."""
        app = web.Application(client_max_size=UPLOAD)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_get("/link", self.sockets.serve)
        app.router.add_get("/files-pri/{tail:.+}", self._download)
        app.router.add_get("/files-tmb/{tail:.+}", self._download)
        app.router.add_get("/files-origin/{tail:.+}", self._download)
        app.router.add_get("/signed/{tail:.+}", self._signed)
        app.router.add_get("/", self._login)
        app.router.add_post("/upload/{file}", self._upload)
        app.router.add_post("/commands/{channel}/{user}/{trigger}", self._respond)
        app.router.add_post("/actions/{channel}/{user}/{trigger}", self._respond)
        served = listening(app, grace=1.0)
        self.workspace.url = await self._serving.enter_async_context(served)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening and end every connection, hanging calls too."""
        self._closing = True
        self.let_go()
        await self.sockets.close()
        await self._serving.aclose()

    # ------------------------------------------------------------ what the bot needs

    @property
    def base_url(self) -> str:
        """The `base_url` of the Web API, as `AsyncWebClient` takes it."""
        return f"{self.workspace.url}/api/"

    @property
    def bot_token(self) -> str:
        """The bot token, `xoxb-…`."""
        return self.workspace.bot_token

    @property
    def app_token(self) -> str:
        """The app-level token, `xapp-…`."""
        return self.workspace.app_token

    # ------------------------------------------------------------ what a tester does

    def person(self, name: str, *, id: str = "", locale: str = "en-US", team: str = "") -> Person:
        """Somebody who can write to the bot; their direct message with it exists at once.

        With a `team` they are of another workspace.
        """
        user = User(id or self.workspace.new_id("U"), name, locale, team=team)
        self.workspace.users[user.id] = user
        direct = Channel(self.workspace.new_id("D"), "directmessage", im_with=user.id)
        self.workspace.channels[direct.id] = direct
        return Person(self.workspace, self.sockets, user, direct)

    def channel(self, name: str, *, with_bot: bool = True, private: bool = False) -> Channel:
        """The channel of this name, made when there is none; people join it by `channel`."""
        for found in self.workspace.channels.values():
            if found.name == name and not found.im_with:
                return found
        channel = Channel(self.workspace.new_id("G" if private else "C"), name, private=private)
        if with_bot:
            channel.members.add(self.workspace.bot.id)
        self.workspace.channels[channel.id] = channel
        return channel

    def group(self, *people: Person) -> Channel:
        """A direct message of several people and the bot."""
        members = {self.workspace.bot.id, *(person.id for person in people)}
        channel = Channel(
            self.workspace.new_id("C"), "mpdm", members=members, private=True, several=True
        )
        self.workspace.channels[channel.id] = channel
        return channel

    def share(self, channel: Channel) -> None:
        """Share a private channel with another workspace: it gets another id, for all in it.

        Source: docs.slack.dev, "channel_id_changed event"; nothing is found by the old id any more.
        """
        workspace, old = self.workspace, channel.id
        channel.id = workspace.new_id("C")
        del workspace.channels[old]
        workspace.channels[channel.id] = channel
        for here, ts in [key for key in workspace.messages if key[0] == old]:
            message = workspace.messages.pop((here, ts))
            message.channel = channel.id
            workspace.messages[channel.id, ts] = message
        for here, ts in [key for key in workspace.sessions if key[0] == old]:
            workspace.sessions[channel.id, ts] = workspace.sessions.pop((here, ts))
        workspace.tell(events.moved(workspace, old=old, new=channel.id))

    def let_go(self) -> None:
        """Carry out the calls that hang (`faults.hang_next`)."""
        self._hanging.set()
        self._hanging = asyncio.Event()

    def calls_to(self, method: str) -> list[Call]:
        """The calls of one method, in order."""
        return [call for call in self.calls if call.method == method]

    # ------------------------------------------------------------ the Web API

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        args = await _arguments(request, method)
        call = Call(method, args, self.clock.monotonic())
        self.calls.append(call)
        fault = self.faults.take(method)
        if refused := await self._fail(call, fault):
            return refused
        answer = self._answer(request, call)
        self.workspace.changed()
        if fault and fault.kind is FaultKind.DROP and request.transport is not None:
            request.transport.close()
        return answer

    async def _fail(self, call: Call, fault: Fault | None) -> web.Response | None:
        """The answer to a call that does not get through; None when it does."""
        wait = self.limits.wait(call.method, str(call.args.get("channel", "")))
        match fault:
            case Fault(kind=FaultKind.HANG):
                self.workspace.changed()  # a tester may wait for it to hang
                await self._hanging.wait()
                if self._closing:
                    return web.Response(status=503)
            case Fault(kind=FaultKind.FAIL, status=200, text=error):
                call.error = error
                return web.json_response({"ok": False, "error": error})
            case Fault(kind=FaultKind.FAIL, status=status):
                return web.Response(status=status, text="<html>Service unavailable</html>")
            case Fault(kind=FaultKind.REFUSE, seconds=seconds):
                wait = seconds
            case _:
                pass
        if not wait:
            return None
        call.error = "ratelimited"
        return web.json_response(
            {"ok": False, "error": "ratelimited"},
            status=429,
            headers={"Retry-After": str(wait)},
        )

    def _answer(self, request: web.Request, call: Call) -> web.Response:
        try:
            body = self._carry_out(request, call)
        except SlackError as error:
            call.error = error.code
            body = {"ok": False, "error": error.code, **error.more}
        else:
            body = {"ok": True, **body}
        scopes = ",".join(sorted(self.workspace.scopes))
        return web.json_response(body, headers={"x-oauth-scopes": scopes})

    def _carry_out(self, request: web.Request, call: Call) -> Json:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        token = token or str(call.args.get("token", ""))
        if not token:
            raise SlackError("not_authed")
        if call.method == "apps.connections.open":
            if token != self.app_token:
                raise SlackError("invalid_auth")
            ws = self.workspace.url.replace("http", "ws", 1)
            return {"url": f"{ws}/link?ticket={self.sockets.ticket()}&app_id={self.workspace.app}"}
        if token != self.bot_token:
            raise SlackError("invalid_auth")
        return methods.run(self.workspace, call.method, call.args)

    # ------------------------------------------------------------ files and response URLs

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """A file for the token; else its login page, to which Slack leads.

        In an Enterprise Grid it leads to another host of Slack's, which wants the token again
        (github.com/NousResearch/hermes-agent/pull/114483); others tell of one with signed addresses
        (github.com/nextlevelbuilder/goclaw/pull/233).
        """
        authorised = request.headers.get("Authorization") == f"Bearer {self.bot_token}"
        hidden = self.workspace.hiding_files or "files:read" not in self.workspace.scopes
        if hidden or not authorised:
            raise web.HTTPFound(f"{self.workspace.url}/?redir={quote(request.path)}")
        tail = request.match_info["tail"]
        if self.workspace.files_at and request.path.startswith("/files-pri/"):
            raise web.HTTPFound(f"{self.workspace.files_at}/{tail}")
        if request.path.startswith("/files-tmb/"):
            thumb = self.workspace.files[tail.split("/")[0]].thumb
            return web.Response(body=thumb, content_type="image/jpeg")
        return self._file(tail)

    async def _signed(self, request: web.Request) -> web.StreamResponse:
        """A file at an address that is signed: the token would be shown to strangers."""
        if "Authorization" in request.headers:
            return web.Response(status=400, text="only one way to sign in, please")
        return self._file(request.match_info["tail"])

    def _file(self, tail: str) -> web.Response:
        file = self.workspace.files.get(tail.split("/")[0])
        if file is None:
            return web.Response(status=404)
        kind = "text/html" if file.mime == CANVAS else file.mime
        return web.Response(body=file.content, content_type=kind)

    async def _login(self, _: web.Request) -> web.StreamResponse:
        return web.Response(text=LOGIN_PAGE, content_type="text/html")

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        file = self.workspace.files[request.match_info["file"]]
        file.content = await request.read()
        return web.Response(text=f"OK - {len(file.content)}")

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        """An answer through a response URL: one person sees it, or with `in_channel` everybody."""
        call = await request.json()
        everybody = call.get("response_type") == "in_channel"
        message = Message(
            channel=request.match_info["channel"],
            user=self.workspace.bot.id,
            text=str(call.get("text") or ""),
            blocks=parse_blocks(call.get("blocks")),
            ephemeral_for="" if everybody else request.match_info["user"],
        )
        self.workspace.post(message)
        if everybody:
            self.workspace.tell(events.posted(self.workspace, message))
        return web.Response(text="ok")

    def _tell(self, event: Json) -> None:
        if events.subscription(event) in self.workspace.events:
            self.sockets.tell("events_api", events.callback(self.workspace, event))


async def _arguments(request: web.Request, method: str) -> Json:
    """The arguments of a call: query, form or JSON; JSON is not looked at by methods that read."""
    found: Json = dict(request.query)
    if request.content_type == "application/json":
        found |= {} if method in FORMS_ONLY else await request.json()
    elif request.method == "POST":
        for key, value in (await request.post()).items():
            found[key] = value
    for key in ("files", "chunks"):
        if isinstance(found.get(key), str):
            found[key] = json.loads(found[key])
    return found
