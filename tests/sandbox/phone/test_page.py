"""The page as a person sees it, in a real browser."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, MessageEntity

from bot.sandbox.pages.server import serve_pages
from bot.sandbox.phone import Phone, Seat
from bot.sandbox.telegram.telegram import Telegram
from tests.sandbox.pages.browser import in_a_browser, opened

MING = 1002
KEY = "document.querySelector('.newest')"


@pytest.fixture
async def address(telegram: Telegram) -> AsyncGenerator[str]:
    ming = telegram.person(id=MING, name="小明", language="zh-hans").private()
    ming.send("你好")
    seat = Seat(name="ming", title="小明", view=ming, language="zh")
    async with serve_pages(Phone(telegram, [seat])) as url:
        yield url


@in_a_browser
async def test_the_page_speaks_the_language_of_the_seat(address: str) -> None:
    async with opened(address) as page:
        assert await page.run("document.documentElement.lang") == "zh"
        assert await page.run("words.placeholder") == "输入消息"
        assert await page.run("document.querySelector('.attach').title") == "发送文件"
        assert await page.run("document.querySelector('.attach').ariaLabel") == "发送文件"
        await page.until("document.querySelector('.tools')")
        assert await page.run("document.querySelector('.tools').innerText") == "↩ 回复✎ 编辑🗑 删除"
        await page.run("socket.onclose = null, socket.close(), tell({})")
        assert await page.run("$('toast').textContent") == "连接已断开，请稍后再试。"


@in_a_browser
async def test_what_was_written_is_changed_and_deleted_by_keys_alone(
    address: str, telegram: Telegram
) -> None:
    ming = telegram.person(id=MING).private()
    async with opened(address) as page:
        await page.until("document.querySelector('time')?.innerText.includes(':')")
        await page.type("ArrowUp")
        assert await page.run("words.value") == "你好"
        await page.type("Escape")
        assert await page.run("words.value + about.line.hidden") == "true"
        await page.type("ArrowUp")
        await page.write("吗")
        await page.until("chat.innerText.includes('已编辑')")
        assert [(seen.text, seen.edited) for seen in ming.kept()] == [("你好吗", True)]
        await page.run("confirm = (words) => words !== '要删除这条消息吗？'")
        await page.run("chat.querySelector('.tools').lastChild.focus()")
        await page.type("Enter", "\r")
        await page.run("confirm = () => true")
        assert len(ming.kept()) == 1  # somebody thought better of it
        await page.type("Enter", "\r")
        await page.until("!chat.children.length")
    assert ming.kept() == ()


@in_a_browser
async def test_what_comes_while_somebody_reads_above_is_one_key_away(
    address: str, bot: Bot
) -> None:
    at_the_end = "chat.scrollHeight - chat.scrollTop - chat.clientHeight < 2"
    await bot.send_message(MING, "line\n" * 100)
    async with opened(address) as page:
        await page.until(f"chat.innerText.includes('line') && {at_the_end}")
        await page.run("chat.scrollTop = 0")
        await page.until("!log.following")
        assert await page.run(f"{KEY}.hidden")
        sent = await bot.send_message(MING, "news")
        await page.until(
            "chat.innerText.includes('news') && !document.querySelector('.newest').hidden"
        )
        assert await page.run("chat.scrollTop") == 0
        last = "chat.lastChild.querySelector('.tools button:last-child')"
        await page.run(f"{last}.focus({{ preventScroll: true }})")
        await page.type("Tab")
        assert await page.run("document.activeElement.className") == "newest"
        await page.type("Enter", "\r")
        await page.until(f"{at_the_end} && {KEY}.hidden")
        assert await page.run("document.activeElement.id") == "chat"
        await page.run("chat.scrollTop = 0")
        await page.until("!log.following")
        await bot.edit_message_text("changed", MING, sent.message_id)
        await page.until("chat.innerText.includes('changed')")
        assert await page.run(f"{KEY}.hidden")  # nothing new has come


@in_a_browser
async def test_all_words_stand_out_enough_to_be_read(
    address: str, telegram: Telegram, bot: Bot
) -> None:
    ming = telegram.person(id=MING).private()
    entities = [
        MessageEntity("blockquote", 0, 4),
        MessageEntity("code", 5, 1),
        MessageEntity("text_link", 7, 5, url="https://a.example"),
        MessageEntity("bot_command", 13, 5),
    ]
    keys = InlineKeyboardMarkup([[InlineKeyboardButton("Again", callback_data="again")]])
    sent = await bot.send_message(MING, "Well x there /help", entities=entities, reply_markup=keys)
    answer = ming.send("see https://a.example", reply_to=sent.message_id)
    ming.edit(answer, "see https://a.example again")
    async with opened(address) as page:
        await page.until("document.querySelector('.quote') && document.querySelector('.note')")
        await page.call("Input.insertText", text="/")
        assert await page.faint("light") == []
        assert await page.faint("dark") == []
