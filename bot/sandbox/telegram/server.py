"""The Bot API over HTTP: parameters in, JSON out, with the limits and faults in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeAlias

from aiohttp import web

from bot.sandbox.faults import Fault, FaultKind
from bot.sandbox.listening import listening
from bot.sandbox.telegram import buttons, drafts, files, media, messages, profile, updates
from bot.sandbox.telegram.calls import Call
from bot.sandbox.telegram.errors import Refused, TooManyRequests
from bot.sandbox.telegram.limits import Budget
from bot.sandbox.telegram.params import Params, Upload, from_json
from bot.sandbox.telegram.state import Json
from bot.sandbox.telegram.world import DOWNLOAD, World

Method: TypeAlias = Callable[[World, Params], object]

_MAX_BODY = files.MAX_UPLOAD + 1024 * 1024

_METHODS: dict[str, Method] = {
    "getMe": profile.get_me,
    "setMyCommands": profile.set_my_commands,
    "setWebhook": updates.set_webhook,
    "deleteWebhook": updates.delete_webhook,
    "getWebhookInfo": updates.get_webhook_info,
    "getChat": messages.get_chat,
    "getFile": media.get_file,
    "sendMessage": messages.send_message,
    "sendRichMessage": messages.send_rich_message,
    "editMessageText": messages.edit_message_text,
    "editMessageCaption": messages.edit_message_caption,
    "editMessageMedia": media.edit_message_media,
    "editMessageReplyMarkup": messages.edit_message_reply_markup,
    "deleteMessage": messages.delete_message,
    "deleteMessages": messages.delete_messages,
    "sendChatAction": messages.send_chat_action,
    "sendMessageDraft": drafts.send_message_draft,
    "sendRichMessageDraft": drafts.send_rich_message_draft,
    "sendPhoto": media.send_photo,
    "sendDocument": media.send_document,
    "sendMediaGroup": media.send_media_group,
    "answerCallbackQuery": buttons.answer_callback_query,
}
_BY_NAME = {name.lower(): method for name, method in _METHODS.items()}
_PREVIEWS = {"sendchataction", "sendmessagedraft", "sendrichmessagedraft"}
_UNLIMITED = {"getchat", "deletemessage", "deletemessages"}  # neither posts nor edits


@asynccontextmanager
async def serving(world: World) -> AsyncGenerator[None]:
    """Serve the sandbox. Sets `world.base_url`."""
    app = web.Application(client_max_size=_MAX_BODY)
    door = _Door(world)
    app.router.add_route("*", "/bot{token}/{method}", door.call)
    app.router.add_get("/file/bot{token}/{path:.+}", door.download)
    app.router.add_route("*", "/{rest:.*}", door.nothing)
    async with listening(app, cancels=True) as world.base_url:
        try:
            yield
        finally:
            await world.webhook.close()


class _Door:
    """Takes requests from the wire."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def call(self, request: web.Request) -> web.StreamResponse:
        """A method of the Bot API."""
        if request.match_info["token"] != self._world.token:
            return _refusal(_wrong_token(request))
        name = request.match_info["method"].lower()
        if name != "getupdates" and name not in _BY_NAME:
            return _refusal(Refused(404, "method not found"))
        try:
            params = await _read(request)
        except web.HTTPRequestEntityTooLarge:
            return _refusal(Refused(413))
        except Refused as refused:
            return _refusal(refused)
        note = partial(
            Call,
            at=self._world.clock.monotonic(),
            method=request.match_info["method"],
            chat=params.chat,
        )
        fault = self._world.faults.take(name, params.chat)
        if fault is not None and fault.kind is FaultKind.HANG:
            self._world.calls.append(note(status=0, description="hung"))
            await asyncio.get_running_loop().create_future()
        response, words = await self._answer(name, params, fault)
        if fault is not None and fault.kind is FaultKind.DROP:
            self._world.calls.append(note(status=0, description="dropped"))
            _drop(request)
            return response
        self._world.calls.append(note(status=response.status, description=words))
        return response

    async def _answer(
        self, name: str, params: Params, fault: Fault | None
    ) -> tuple[web.Response, str]:
        if fault is not None and fault.kind is FaultKind.FAIL and fault.status > 500:
            return _proxy_page(fault.status), fault.text
        try:
            if fault is not None and fault.kind is FaultKind.REFUSE:
                raise TooManyRequests(fault.seconds)
            if fault is not None and fault.kind is FaultKind.FAIL:
                raise Refused(fault.status, fault.text)
            result = await self._carry_out(name, params)
        except Refused as refused:
            return _refusal(refused), refused.description
        return web.json_response({"ok": True, "result": result}), ""

    async def _carry_out(self, name: str, params: Params) -> object:
        if name == "getupdates":
            return await updates.get_updates(self._world, params)
        if params.chat is not None and name not in _UNLIMITED:
            budget = Budget.PREVIEW if name in _PREVIEWS else Budget.MESSAGE
            count = media.album_size(params) if name == "sendmediagroup" else 1
            self._world.limits.spend(params.chat, budget, count)
        return _BY_NAME[name](self._world, params)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """The bytes of a file."""
        if request.match_info["token"] != self._world.token:
            return _refusal(_wrong_token(request))
        fault = self._world.faults.take(DOWNLOAD, None)
        file = self._world.files.by_path(request.match_info["path"])
        if fault is not None:
            return await _spoilt(request, fault)
        if file is None:
            return _refusal(Refused(404))
        return web.Response(body=file.content, content_type="application/octet-stream")

    async def nothing(self, request: web.Request) -> web.StreamResponse:
        """Any other address."""
        return _refusal(Refused(404))


async def _read(request: web.Request) -> Params:
    """Query and body together; the body wins. Raises `Refused`."""
    values = dict(request.query)
    uploads: dict[str, Upload] = {}
    if request.content_type == "application/json":
        values |= from_json(await request.read())
    elif request.method == "POST":
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                with value.file as content:
                    uploads[name] = Upload(value.filename, value.content_type, content.read())
            elif isinstance(value, str):
                values[name] = value
    return Params(values, uploads)


def _wrong_token(request: web.Request) -> Refused:
    """Malformed tokens are told apart from unknown ones (ClientManager.cpp)."""
    number, colon, _ = request.match_info["token"].partition(":")
    well_formed = colon and number.isdigit() and not number.startswith("0")
    return Refused(401, "" if well_formed else "invalid token specified")


def _refusal(refused: Refused) -> web.Response:
    body: Json = {"ok": False, "error_code": refused.code, "description": refused.description}
    headers = {}
    if refused.parameters:
        body["parameters"] = refused.parameters
        if "retry_after" in refused.parameters:
            headers["Retry-After"] = str(refused.parameters["retry_after"])
    return web.json_response(body, status=refused.code, headers=headers)


def _proxy_page(status: int) -> web.Response:
    """What stands between the bot and Telegram says it as HTML."""
    page = f"<html><head><title>{status}</title></head></html>"
    return web.Response(status=status, text=page, content_type="text/html")


async def _spoilt(request: web.Request, fault: Fault) -> web.StreamResponse:
    """A download that goes wrong."""
    if fault.kind is FaultKind.HANG:
        await asyncio.get_running_loop().create_future()
    if fault.kind is FaultKind.REFUSE:
        return _refusal(TooManyRequests(fault.seconds))
    if fault.kind is FaultKind.DROP:
        _drop(request)
    return _proxy_page(fault.status or 502)


def _drop(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
