from __future__ import annotations

import pytest

from bot.platforms.telegram.refusals import CHATS, PAUSE, REMEMBERED, Refusals
from tests.platform_contract import HastyClock


def test_what_a_server_does_not_know_is_asked_of_nobody_until_later() -> None:
    clock = HastyClock()
    refusals = Refusals("drafts", clock)
    refusals.note(1, unknown=True)
    assert refusals.without(1) and refusals.without(2)
    clock._now += PAUSE
    assert not refusals.without(2)


def test_many_chats_without_are_the_whole_bot_without() -> None:
    refusals = Refusals("drafts", HastyClock(), strikes=1)
    for chat in range(CHATS - 1):
        refusals.note(chat)
    assert refusals.without(0) and not refusals.without(99)
    refusals.note(CHATS)
    assert refusals.without(99)


@pytest.mark.parametrize(("others", "without"), [(1, True), (REMEMBERED, False)])
def test_of_very_many_chats_it_is_forgotten_who_refused_once(others: int, *, without: bool) -> None:
    refusals = Refusals("rich messages", HastyClock())
    refusals.note(0)
    for other in range(1, 1 + others):
        refusals.note(other)
    refusals.note(0)
    assert refusals.without(0) is without
