from __future__ import annotations

import pytest
from aiohttp import ClientSession, FormData
from telegram import Bot
from telegram.error import InvalidToken

from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.telegram.view import ChatView
from tests.sandbox.telegram.conftest import raw


def method(telegram: Telegram, name: str) -> str:
    return f"{telegram.base_url}/bot{telegram.token}/{name}"


@pytest.mark.parametrize(
    ("token", "description"),
    [("1000:wrong", "Unauthorized"), ("nonsense", "Unauthorized: invalid token specified")],
)
async def test_a_wrong_token_is_refused(telegram: Telegram, token: str, description: str) -> None:
    url = f"{telegram.base_url}/bot{token}/getMe"
    async with ClientSession() as session, session.get(url) as response:
        assert await response.json() == {
            "ok": False,
            "error_code": 401,
            "description": description,
        }
    with pytest.raises(InvalidToken):
        async with Bot(token, base_url=f"{telegram.base_url}/bot"):
            raise AssertionError("let in")


async def test_unknown_methods_files_and_addresses_are_not_found(telegram: Telegram) -> None:
    status, body = await raw(telegram, "sendLove")
    assert (status, body["description"]) == (404, "Not Found: method not found")
    file = f"{telegram.base_url}/file/bot{telegram.token}/photos/none.jpg"
    async with ClientSession() as session:
        for url in (file, f"{telegram.base_url}/", f"{telegram.base_url}/bot1:a"):
            async with session.get(url) as response:
                assert response.status == 404
                assert (await response.json())["description"] == "Not Found"


async def test_methods_are_found_whatever_their_case(telegram: Telegram) -> None:
    status, body = await raw(telegram, "GETME")
    assert (status, body["result"]["id"]) == (200, 1000)


async def test_parameters_come_by_query_form_multipart_or_json(
    telegram: Telegram, ann: ChatView
) -> None:
    call = {"chat_id": str(ann.id), "text": "hello"}
    multipart = FormData(call, default_to_multipart=True)
    url = method(telegram, "sendMessage")
    async with ClientSession() as session:
        for request in (
            session.get(url, params=call),
            session.post(url, data=call),
            session.post(url, data=multipart),
            session.post(url, json={"chat_id": ann.id, "text": "hello", "entities": None}),
            session.post(url, params={"chat_id": ann.id}, json={"text": "hello"}),
        ):
            async with request as response:
                assert (await response.json())["ok"]
    assert [message.text for message in ann.kept()] == ["hello"] * 5


@pytest.mark.parametrize("body", ["{", "[]", '"text"'])
async def test_a_body_that_is_no_json_object_is_refused(telegram: Telegram, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    url = method(telegram, "sendMessage")
    async with (
        ClientSession() as session,
        session.post(url, data=body, headers=headers) as response,
    ):
        assert response.status == 400
        assert "can't parse" in (await response.json())["description"]


async def test_malformed_numbers_and_replies_are_refused(telegram: Telegram, ann: ChatView) -> None:
    calls: list[tuple[dict[str, object], str]] = [
        ({"chat_id": "", "text": "a"}, "chat_id is empty"),
        ({"chat_id": "@nobody", "text": "a"}, "chat not found"),
        ({"chat_id": ann.id, "text": "a", "reply_parameters": "{"}, "can't parse reply parameters"),
        (
            {"chat_id": ann.id, "text": "a", "reply_parameters": {"message_id": "x"}},
            'Field "message_id" must be an Integer',
        ),
    ]
    for call, refusal in calls:
        status, body = await raw(telegram, "sendMessage", **call)
        assert status == 400
        assert refusal in body["description"]
    deletions: list[tuple[dict[str, object], str]] = [
        ({}, "chat identifier is not specified"),
        ({"chat_id": ann.id, "message_id": "x"}, "message identifier is not specified"),
    ]
    for call, refusal in deletions:
        _, body = await raw(telegram, "deleteMessage", **call)
        assert refusal in body["description"]


async def test_entities_that_are_no_json_are_ignored(telegram: Telegram, ann: ChatView) -> None:
    _, body = await raw(telegram, "sendMessage", chat_id=ann.id, text="a", entities="{")
    assert body["ok"]
