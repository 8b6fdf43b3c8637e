"""Judges `reply_markup`. The sentences are those of telegram-bot-api's Client.cpp and of TDLib."""

from __future__ import annotations

import json

from bot.sandbox.telegram.errors import BadRequest
from bot.sandbox.telegram.params import Params
from bot.sandbox.telegram.state import InlineButton, Json, Keyboard

MAX_ROW = 8
"""Buttons in a row; more are cut off."""

MAX_BUTTONS = 100
"""Buttons under a message. https://core.telegram.org/bots/features#inline-keyboards"""

MAX_SIZE = 10_000
"""Bytes of all buttons as JSON (users' reports: tginfo/Telegram-Limits, issue 187)."""

MAX_DATA = 64
"""Bytes of callback data."""


def inline_keyboard(params: Params) -> Keyboard:
    """The buttons of a call. Raises `BadRequest`."""
    value = params.parsed("reply_markup", "reply keyboard markup")
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise BadRequest("Object expected as reply markup")
    rows = value.get("inline_keyboard", [])
    if not isinstance(rows, list):
        raise BadRequest('Field "inline_keyboard" must be of type Array')
    keyboard = tuple(row for row in (_row(row) for row in rows) if row)
    size = len(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))
    if sum(map(len, keyboard)) > MAX_BUTTONS or size > MAX_SIZE:
        raise BadRequest("reply markup is too long")
    return keyboard


def _row(value: object) -> tuple[InlineButton, ...]:
    if not isinstance(value, list):
        raise BadRequest(
            'Field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays'
        )
    buttons = [_button(button) for button in value]
    return tuple(button for button in buttons if button.label)[:MAX_ROW]


def _button(value: object) -> InlineButton:
    prefix = "Can't parse inline keyboard button: "
    if not isinstance(value, dict):
        raise BadRequest(prefix + "InlineKeyboardButton must be an Object")
    if not isinstance(value.get("text"), str):
        raise BadRequest(prefix + 'Field "text" must be of type String')
    if value.get("callback_data"):
        data = str(value["callback_data"])
        if len(data.encode()) > MAX_DATA:
            raise BadRequest("BUTTON_DATA_INVALID")
        return InlineButton(label=value["text"], data=data)
    if value.keys() - {"text", "callback_data"}:
        raise BadRequest(prefix + "the sandbox has no buttons of this kind")
    raise BadRequest(prefix + "Text buttons are unallowed in the inline keyboard")


def to_json(keyboard: Keyboard) -> Json:
    """The buttons as the Bot API hands them out."""
    return {
        "inline_keyboard": [
            [{"text": button.label, "callback_data": button.data} for button in row]
            for row in keyboard
        ]
    }
