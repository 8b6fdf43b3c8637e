from __future__ import annotations

import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Message
from telegram.error import BadRequest

from bot.core.fakes.clock import ManualClock
from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.telegram.view import ChatView
from tests.sandbox.telegram.conftest import raw


def keyboard(*rows: list[InlineKeyboardButton]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(rows)


def button(label: str, data: str = "x") -> InlineKeyboardButton:
    return InlineKeyboardButton(label, callback_data=data)


async def test_a_pressed_button_comes_back_with_its_data(bot: Bot, ann: ChatView) -> None:
    markup = keyboard([button("Stop", "stop:1"), button("More", "more:1")], [button("Page")])
    sent = await bot.send_message(ann.id, "writing", reply_markup=markup)
    assert sent.reply_markup == markup
    assert ann.kept()[-1].buttons == (("Stop", "More"), ("Page",))
    press = ann.press("More")
    (update,) = await bot.get_updates()
    assert update.callback_query is not None
    assert update.callback_query.data == "more:1"
    assert isinstance(update.callback_query.message, Message)
    assert update.callback_query.message.message_id == sent.message_id
    await update.callback_query.answer("coming")
    assert (press.answered, press.toast) == (True, "coming")
    with pytest.raises(LookupError):
        ann.press("Less")


async def test_a_press_is_answered_once_and_soon(
    bot: Bot, ann: ChatView, clock: ManualClock
) -> None:
    await bot.send_message(ann.id, "writing", reply_markup=keyboard([button("Stop")]))
    first, second = ann.press("Stop"), ann.press("Stop")
    with pytest.raises(BadRequest, match="Message_too_long"):
        await bot.answer_callback_query(first.id, "x" * 201)
    await bot.answer_callback_query(first.id)
    await clock.advance(60)
    for number in (first.id, second.id, "nonsense"):
        with pytest.raises(BadRequest, match="Query is too old"):
            await bot.answer_callback_query(number)


async def test_an_edit_without_buttons_takes_them_away(bot: Bot, ann: ChatView) -> None:
    sent = await bot.send_message(ann.id, "writing", reply_markup=keyboard([button("Stop")]))
    await bot.edit_message_text("more", ann.id, sent.message_id)
    assert ann.kept()[-1].buttons == ()
    await bot.edit_message_reply_markup(
        ann.id, sent.message_id, reply_markup=keyboard([button("Again")])
    )
    assert ann.kept()[-1].buttons == (("Again",),)


async def test_a_button_that_is_gone_can_still_be_pressed_on_an_old_screen(
    bot: Bot, ann: ChatView
) -> None:
    sent = await bot.send_message(ann.id, "writing", reply_markup=keyboard([button("Stop", "s")]))
    await bot.edit_message_text("done", ann.id, sent.message_id)
    ann.press_data(sent.message_id, "s")
    (update,) = await bot.get_updates()
    assert update.callback_query is not None
    assert update.callback_query.data == "s"


async def test_callback_data_has_at_most_64_bytes(bot: Bot, ann: ChatView) -> None:
    assert await bot.send_message(ann.id, "a", reply_markup=keyboard([button("A", "é" * 32)]))
    with pytest.raises(BadRequest, match="Button_data_invalid"):
        await bot.send_message(ann.id, "a", reply_markup=keyboard([button("A", "é" * 32 + "x")]))


async def test_rows_are_cut_at_8_and_too_many_buttons_refused(bot: Bot, ann: ChatView) -> None:
    await bot.send_message(ann.id, "a", reply_markup=keyboard([button(str(n)) for n in range(9)]))
    assert len(ann.kept()[-1].buttons[0]) == 8
    rows = [[button(str(number)) for number in range(8)] for _ in range(13)]
    large = [[button("x" * 60, "y" * 60) for _ in range(8)] for _ in range(12)]
    for too_much in (rows, large):
        with pytest.raises(BadRequest, match="Reply markup is too long"):
            await bot.send_message(ann.id, "a", reply_markup=keyboard(*too_much))


@pytest.mark.parametrize(
    ("markup", "refusal"),
    [
        ("{", "can't parse reply keyboard markup JSON object"),
        ("[]", "object expected as reply markup"),
        ({"inline_keyboard": [{}]}, "must be an Array of Arrays"),
        ({"inline_keyboard": 1}, "must be of type Array"),
        ({"inline_keyboard": [["x"]]}, "InlineKeyboardButton must be an Object"),
        ({"inline_keyboard": [[{"callback_data": "x"}]]}, 'Field "text" must be of type String'),
        ({"inline_keyboard": [[{"text": "x"}]]}, "Text buttons are unallowed"),
        ({"inline_keyboard": [[{"text": "x", "web_app": {}}]]}, "no buttons of this kind"),
    ],
)
async def test_malformed_buttons_are_refused(
    telegram: Telegram, ann: ChatView, markup: object, refusal: str
) -> None:
    status, body = await raw(telegram, "sendMessage", chat_id=ann.id, text="a", reply_markup=markup)
    assert status == body["error_code"] == 400
    assert refusal in body["description"]
