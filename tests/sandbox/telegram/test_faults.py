from __future__ import annotations

import pytest
from telegram import Bot
from telegram.error import BadRequest, NetworkError, RetryAfter, TimedOut

from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.telegram.view import ChatView
from tests.sandbox.telegram.conftest import connected


async def test_the_next_call_is_refused_for_a_while(
    telegram: Telegram, bot: Bot, ann: ChatView
) -> None:
    telegram.faults.refuse_next(17)
    with pytest.raises(RetryAfter) as refused:
        await bot.send_message(ann.id, "a")
    assert refused.value.retry_after == 17
    assert await bot.send_message(ann.id, "a")


async def test_a_fault_waits_for_its_method_its_chat_and_its_number_of_times(
    telegram: Telegram, bot: Bot, ann: ChatView
) -> None:
    telegram.faults.fail_next(400, "chat is busy", method="editMessageText", chat=ann.id, times=2)
    await bot.get_updates()
    sent = await bot.send_message(ann.id, "a")
    for _ in range(2):
        with pytest.raises(BadRequest, match="Chat is busy"):
            await bot.edit_message_text("b", ann.id, sent.message_id)
    assert await bot.edit_message_text("b", ann.id, sent.message_id)
    telegram.faults.refuse_next(1, chat=4)
    telegram.faults.clear()
    assert await bot.send_message(ann.id, "c")


async def test_polls_meet_only_faults_meant_for_them(
    telegram: Telegram, bot: Bot, ann: ChatView
) -> None:
    telegram.faults.fail_next(500, method="getUpdates")
    with pytest.raises(NetworkError, match="Internal Server Error"):
        await bot.get_updates()
    telegram.faults.fail_next(500)
    await bot.get_updates()
    with pytest.raises(NetworkError, match="Internal Server Error"):
        await bot.send_message(ann.id, "a")


async def test_a_proxys_error_is_an_html_page(telegram: Telegram, bot: Bot, ann: ChatView) -> None:
    telegram.faults.fail_next(502)
    with pytest.raises(NetworkError, match="Bad Gateway"):
        await bot.send_message(ann.id, "a")


async def test_a_hanging_call_is_never_carried_out(telegram: Telegram, ann: ChatView) -> None:
    async with connected(telegram, read_timeout=0.2) as bot:
        telegram.faults.hang_next()
        with pytest.raises(TimedOut):
            await bot.send_message(ann.id, "a")
    assert ann.kept() == ()


async def test_a_dropped_call_is_carried_out_without_an_answer(
    telegram: Telegram, bot: Bot, ann: ChatView
) -> None:
    telegram.faults.drop_next()
    with pytest.raises(NetworkError):
        await bot.send_message(ann.id, "a")
    assert ann.screen().text == "a"
    assert await bot.send_message(ann.id, "b")


async def test_a_download_goes_wrong_only_when_it_is_named(
    telegram: Telegram, ann: ChatView
) -> None:
    ann.send_document("notes.txt", b"hello")
    async with connected(telegram, read_timeout=0.2) as bot:
        (update,) = await bot.get_updates()
        assert update.message is not None
        assert update.message.document is not None
        file = await update.message.document.get_file()
        telegram.faults.fail_next(500)
        assert await file.download_as_bytearray() == b"hello"
        telegram.faults.clear()
        telegram.faults.fail_next(503, method="download")
        with pytest.raises(NetworkError, match="Service Unavailable"):
            await file.download_as_bytearray()
        telegram.faults.refuse_next(3, method="download")
        with pytest.raises(RetryAfter):
            await file.download_as_bytearray()
        telegram.faults.drop_next(method="download")
        with pytest.raises(NetworkError):
            await file.download_as_bytearray()
        telegram.faults.hang_next(method="download")
        with pytest.raises(TimedOut):
            await file.download_as_bytearray()


async def test_the_log_knows_what_was_called_where_when_and_how_it_went(
    telegram: Telegram, bot: Bot, ann: ChatView
) -> None:
    telegram.calls.clear()
    telegram.faults.refuse_next(3)
    with pytest.raises(RetryAfter):
        await bot.send_message(ann.id, "a")
    await bot.send_message(ann.id, "a")
    telegram.faults.drop_next()
    with pytest.raises(NetworkError):
        await bot.delete_message(ann.id, 1)
    assert [(call.method, call.chat, call.status) for call in telegram.calls] == [
        ("sendMessage", ann.id, 429),
        ("sendMessage", ann.id, 200),
        ("deleteMessage", ann.id, 0),
    ]
    assert telegram.calls.refused == 1
    assert len(telegram.calls.of("sendmessage", chat=ann.id)) == 2
    assert telegram.calls.of(chat=4) == []
    assert len(telegram.calls) == 3
