from __future__ import annotations

import pytest

from bot.core.access import REMIND_AFTER, STRANGERS, Access, Gate, Verdict
from bot.core.types import (
    ButtonPress,
    ChatId,
    ChatRef,
    Event,
    IncomingMessage,
    MessageId,
    MessageRef,
    Sender,
    StopPressed,
    UserId,
)

GROUP = ChatRef("telegram", ChatId("-100:7"))


class SetClock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("the gate never waits")


def places(chat: ChatRef) -> tuple[str, ...]:
    return (chat.id, chat.id.split(":")[0])


def message(user: str, *, addressed: bool = True) -> IncomingMessage:
    ref = MessageRef(GROUP, MessageId("1"))
    return IncomingMessage(
        key="k", ref=ref, sender=Sender(UserId(user), "Ann"), text="hi", addressed=addressed
    )


def gate(access: Access, clock: SetClock | None = None) -> Gate:
    return Gate(access, clock or SetClock(), places)


def test_without_a_list_nobody_is_let_in_and_a_stranger_is_told_once_an_hour() -> None:
    clock = SetClock()
    door = gate(Access(), clock)
    assert door.check(message("5")) is Verdict.TURN_AWAY
    assert door.check(message("5")) is Verdict.IGNORE
    assert door.check(message("6")) is Verdict.TURN_AWAY
    clock.now = REMIND_AFTER
    assert door.check(message("5")) is Verdict.TURN_AWAY


def test_a_crowd_of_strangers_does_not_fill_the_memory() -> None:
    door = gate(Access())
    for user in range(STRANGERS):
        assert door.check(message(str(user))) is Verdict.TURN_AWAY
    assert door.check(message("one more")) is Verdict.TURN_AWAY
    assert door.check(message("0")) is Verdict.TURN_AWAY  # all were forgotten


@pytest.mark.parametrize(
    "access",
    [
        Access(open=True),
        Access(admins=frozenset({"telegram:5"})),
        Access(users=frozenset({"telegram:5"})),
        Access(chats=frozenset({"telegram:-100"})),
        Access(chats=frozenset({"telegram:-100:7"})),
    ],
)
def test_who_is_on_a_list_is_let_in(access: Access) -> None:
    assert gate(access).check(message("5")) is Verdict.ADMIT


@pytest.mark.parametrize(
    "access",
    [
        Access(users=frozenset({"slack:5", "telegram:55", "5"})),
        Access(chats=frozenset({"telegram:7", "slack:-100"})),
    ],
)
def test_a_similar_entry_lets_nobody_in(access: Access) -> None:
    assert gate(access).check(message("5")) is Verdict.TURN_AWAY


def test_what_is_not_said_to_the_bot_is_ignored_even_of_admins() -> None:
    assert gate(Access(open=True)).check(message("5", addressed=False)) is Verdict.IGNORE


def test_buttons_and_stop_pass_the_same_gate() -> None:
    stranger = Sender(UserId("5"), "Mallory")
    ref = MessageRef(GROUP, MessageId("1"))
    events: list[Event] = [
        ButtonPress(key="b", ref=ref, sender=stranger, value="stop"),
        StopPressed(key="s", chat=GROUP, sender=stranger),
    ]
    for event in events:
        assert gate(Access()).check(event) is Verdict.IGNORE
        assert gate(Access(users=frozenset({"telegram:5"}))).check(event) is Verdict.ADMIT


def test_the_terminal_belongs_to_whoever_sits_at_it() -> None:
    assert gate(Access()).may(ChatRef("console", ChatId("local")), Sender(UserId("x"), "Me"))
