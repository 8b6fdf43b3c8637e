"""The page as a browser uses it: over real HTTP and WebSocket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSServerHandshakeError
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup

from bot.errors import ConfigError
from bot.sandbox.pages.server import serve_pages
from bot.sandbox.phone import Phone, Seat, server
from bot.sandbox.telegram.telegram import Telegram
from tests.patience import PATIENCE
from tests.sounds import beeps

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154"
    "78da63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


@pytest.fixture
async def browser(telegram: Telegram) -> AsyncGenerator[ClientSession]:
    seat = Seat(name="ann", title="Ann", view=telegram.person(name="Ann").private())
    page = Phone(telegram, [seat])
    async with serve_pages(page) as address, ClientSession(address) as session:
        yield session


async def seen(
    socket: ClientWebSocketResponse, what: Callable[[dict[str, Any]], object]
) -> dict[str, Any]:
    """The first news for which `what` is true."""
    async with asyncio.timeout(PATIENCE):
        while True:
            news: dict[str, Any] = await socket.receive_json()
            if what(news):
                return news


def texts(news: dict[str, Any]) -> list[str]:
    return [message["text"] for message in news.get("screen", {}).get("messages", [])]


async def test_what_is_written_reaches_the_bot_and_its_answer_the_page(
    browser: ClientSession, bot: Bot
) -> None:
    async with browser.ws_connect("/live/ann") as socket:
        await socket.send_json({"send": "is 1 < 2?"})
        (update,) = await bot.get_updates(timeout=5)
        assert update.message is not None
        assert update.message.text == "is 1 < 2?"
        await bot.send_message(update.message.chat_id, "Hi there", reply_to_message_id=1)
        news = await seen(socket, lambda news: "Hi there" in texts(news))
    mine, answer = news["screen"]["messages"]
    assert (mine["mine"], mine["html"]) == (True, "is 1 &lt; 2?")
    assert (answer["byBot"], answer["author"], answer["replyTo"]) == (True, "Sandbox", 1)


async def test_the_screen_can_be_asked_for_once(telegram: Telegram, browser: ClientSession) -> None:
    telegram.person(name="Ann").private().send("hello")
    async with browser.get("/screen/ann") as answer:
        assert texts({"screen": await answer.json()}) == ["hello"]


async def test_a_button_is_pressed_and_a_toast_is_shown(browser: ClientSession, bot: Bot) -> None:
    async with browser.ws_connect("/live/ann") as socket:
        await socket.send_json({"send": "go"})
        await bot.get_updates(timeout=5)
        keys = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="y")]])
        sent = await bot.send_message(1001, "Sure?", reply_markup=keys)
        await seen(socket, lambda news: "Sure?" in texts(news))
        await socket.send_json({"press": sent.message_id, "row": 0, "column": 0})
        (update,) = await bot.get_updates(timeout=5, offset=1001)
        assert update.callback_query is not None
        assert update.callback_query.data == "y"
        await bot.answer_callback_query(update.callback_query.id, "Done")
        assert await seen(socket, lambda news: news.get("toast") == "Done")


async def test_a_person_can_write_while_the_bot_has_not_answered_a_press(
    telegram: Telegram, browser: ClientSession, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "ANSWER_SECONDS", 10 * PATIENCE)
    telegram.person(name="Ann").private().send("go")
    keys = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="y")]])
    sent = await bot.send_message(1001, "Sure?", reply_markup=keys)
    async with browser.ws_connect("/live/ann") as socket:
        await socket.send_json({"press": sent.message_id, "row": 0, "column": 0})
        await socket.send_json({"send": "are you there?"})
        await seen(socket, lambda news: "are you there?" in texts(news))


@pytest.mark.parametrize(("among_others", "left"), [(False, []), (True, ["Gone?"])])
async def test_messages_are_deleted_where_telegram_lets_people(
    telegram: Telegram, bot: Bot, among_others: bool, left: list[str]
) -> None:
    ann = telegram.person(name="Ann")
    view = telegram.group("Friends").seen_by(ann) if among_others else ann.private()
    asked = view.send("go")
    told = (await bot.send_message(view.id, "Gone?")).message_id
    seat = Seat(name="ann", title="Ann", view=view)
    async with (
        serve_pages(Phone(telegram, [seat])) as address,
        ClientSession(address) as browser,
        browser.ws_connect("/live/ann") as socket,
    ):
        mine, answer = (await seen(socket, texts))["screen"]["messages"]
        assert (mine["deletable"], answer["deletable"]) == (True, not among_others)
        assert abs(time.time() * 1000 - mine["at"]) < 60_000
        for message in (told, asked, 4711):
            await socket.send_json({"delete": message})
        await seen(socket, lambda news: texts(news) == left)


async def test_files_go_to_the_bot_and_can_be_looked_at(browser: ClientSession, bot: Bot) -> None:
    png = {"Content-Type": "image/png"}
    await browser.post("/upload/ann?caption=look", data=PIXEL, headers=png)
    await browser.post("/upload/ann?kind=voice&seconds=2", data=beeps(1))
    photo, voice = (update.message for update in await bot.get_updates(timeout=5))
    assert photo is not None and voice is not None
    assert (photo.caption, bool(photo.photo)) == ("look", True)
    assert voice.voice is not None
    async with browser.get("/file/ann/1") as answer:
        assert (answer.content_type, await answer.read()) == ("image/jpeg", PIXEL)


async def test_another_page_may_not_speak_for_the_person(browser: ClientSession) -> None:
    with pytest.raises(WSServerHandshakeError, match="403"):
        await browser.ws_connect("/live/ann", origin="https://evil.example")
    async with browser.post("/upload/ann", data=b"x", headers={"Origin": "null"}) as answer:
        assert answer.status == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [("evil.example:8765", 403), ("evil.example", 403), ("localhost:8765", 200), ("[::1]", 200)],
)
async def test_a_page_whose_name_points_to_this_machine_is_another_page(
    browser: ClientSession, host: str, status: int
) -> None:
    headers = {"Host": host, "Origin": f"http://{host}"}
    async with browser.get("/screen/ann?still", headers=headers) as answer:
        assert answer.status == status


async def test_a_document_of_a_person_is_downloaded_not_opened(
    telegram: Telegram, browser: ClientSession
) -> None:
    ann = telegram.person(name="Ann").private()
    ann.send_document("a 文件.html", b"<script>", mime="text/html")
    async with browser.get("/file/ann/1") as answer:
        assert answer.content_type == "application/octet-stream"
        assert answer.content_disposition is not None
        assert answer.content_disposition.type == "attachment"
        assert answer.content_disposition.filename == "a 文件.html"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_who_is_not_there_is_not_found(browser: ClientSession) -> None:
    for path in ("/file/bob/1", "/file/ann/7", "/live/bob"):
        async with browser.get(path) as answer:
            assert answer.status == 404


@pytest.mark.parametrize("name", ["", "phone.css", "phone.js", "common.css", "texts.js"])
async def test_the_page_comes_with_its_style_and_script(browser: ClientSession, name: str) -> None:
    async with browser.get(f"/{name}") as answer:
        assert answer.status == 200
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert await answer.text()


async def test_a_port_that_is_taken_is_said(telegram: Telegram, browser: ClientSession) -> None:
    port = browser._base_url.port if browser._base_url else 0
    with pytest.raises(ConfigError, match=f"port {port} is taken"):
        async with serve_pages(Phone(telegram, []), port=port or 0):
            pass
