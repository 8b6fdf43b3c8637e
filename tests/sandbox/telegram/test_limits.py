from __future__ import annotations

import pytest
from telegram import Bot
from telegram.error import RetryAfter

from bot.core.fakes.clock import ManualClock
from bot.sandbox.limits import Mode
from bot.sandbox.telegram.errors import TooManyRequests
from bot.sandbox.telegram.limits import Budget, Limits
from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.telegram.view import ChatView
from tests.sandbox.telegram.conftest import raw


@pytest.fixture
def limits(clock: ManualClock) -> Limits:
    return Limits(clock, Mode.ON)


def spent(limits: Limits, chat: int, budget: Budget = Budget.MESSAGE, count: int = 1) -> int:
    """The wait demanded for one call, 0 when it passes."""
    try:
        limits.spend(chat, budget, count)
    except TooManyRequests as refused:
        return refused.parameters["retry_after"]
    return 0


async def test_off_by_default(bot: Bot, ann: ChatView) -> None:
    for number in range(5):
        await bot.send_message(ann.id, str(number))
    assert len(ann.kept()) == 5


async def test_sends_and_edits_share_one_per_second_with_a_burst_of_three(
    telegram: Telegram, bot: Bot, ann: ChatView, clock: ManualClock
) -> None:
    telegram.limits.mode = Mode.ON
    sent = await bot.send_message(ann.id, "1")
    await bot.edit_message_text("2", ann.id, sent.message_id)
    await bot.edit_message_text("3", ann.id, sent.message_id)
    with pytest.raises(RetryAfter) as refused:
        await bot.edit_message_text("4", ann.id, sent.message_id)
    assert refused.value.retry_after == 1
    assert ann.screen().text == "3"
    await clock.advance(1)
    assert await bot.edit_message_text("4", ann.id, sent.message_id)
    assert telegram.calls.refused == 1


async def test_the_refusal_says_how_long_to_wait(telegram: Telegram, ann: ChatView) -> None:
    telegram.limits.mode = Mode.ON
    for _ in range(3):
        await raw(telegram, "sendMessage", chat_id=ann.id, text="a")
    status, body = await raw(telegram, "sendMessage", chat_id=ann.id, text="a")
    assert status == 429
    assert body == {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 1",
        "parameters": {"retry_after": 1},
    }


async def test_one_chat_does_not_hold_up_another(limits: Limits) -> None:
    assert [spent(limits, 1) for _ in range(4)] == [0, 0, 0, 1]
    assert spent(limits, 2) == 0


async def test_a_group_takes_20_a_minute(limits: Limits, clock: ManualClock) -> None:
    for _ in range(20):
        assert spent(limits, -1) == 0
        await clock.advance(1)
    assert spent(limits, -1) == 40
    await clock.advance(40)
    assert spent(limits, -1) == 0


async def test_the_bot_takes_30_a_second_over_all_chats(limits: Limits, clock: ManualClock) -> None:
    assert [spent(limits, chat) for chat in range(1, 32)] == [0] * 30 + [1]
    await clock.advance(1)
    assert spent(limits, 31) == 0


async def test_drafts_and_typing_have_a_budget_of_their_own(
    limits: Limits, clock: ManualClock
) -> None:
    assert [spent(limits, 1, Budget.PREVIEW) for _ in range(21)] == [0] * 20 + [5]
    assert spent(limits, 1) == 5  # a refusal blocks the chat, whatever is called
    await clock.advance(5)
    assert spent(limits, 1) == 0
    assert [spent(limits, 1, Budget.PREVIEW) for _ in range(21)] == [0] * 20 + [25]


async def test_an_album_counts_every_message(limits: Limits, clock: ManualClock) -> None:
    assert spent(limits, 1, count=5) == 0
    assert spent(limits, 1) == 3
    await clock.advance(3)
    assert spent(limits, 1) == 0


async def test_calling_while_blocked_changes_nothing_when_on_and_doubles_when_hard(
    limits: Limits, clock: ManualClock
) -> None:
    assert [spent(limits, 1) for _ in range(6)] == [0, 0, 0, 1, 1, 1]
    limits.mode = Mode.HARD
    assert [spent(limits, 1) for _ in range(3)] == [2, 4, 8]
    assert spent(limits, 2) == 0
    await clock.advance(8)
    assert spent(limits, 1) == 0
