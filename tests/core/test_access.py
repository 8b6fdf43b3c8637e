from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from bot.core.access import REMIND_AFTER, STRANGERS, Access, Gate
from bot.core.cached_table import FRESH
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
from bot.errors import StoreError

GROUP = ChatRef("telegram", ChatId("-100:7"))


class SetClock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("the gate never waits")

    def later(self, seconds: float, call: Callable[[], None]) -> Callable[[], object]:
        raise AssertionError("the gate never waits")


class Decided:
    """What admins have decided, in memory; `fail` as a database that refuses."""

    def __init__(self) -> None:
        self.kept: dict[str, bool] = {}
        self.fail = False

    async def all(self) -> Mapping[str, bool]:
        if self.fail:
            raise StoreError("locked")
        return self.kept

    async def put(self, subject: str, *, allowed: bool, by: str) -> None:
        self.kept[subject] = allowed


def places(chat: ChatRef) -> tuple[str, ...]:
    return (chat.id, chat.id.split(":")[0])


def message(user: str, *, addressed: bool = True) -> IncomingMessage:
    ref = MessageRef(GROUP, MessageId("1"))
    return IncomingMessage(
        key="k", ref=ref, sender=Sender(UserId(user), "Ann"), text="hi", addressed=addressed
    )


def gate(access: Access, clock: SetClock | None = None) -> Gate:
    return Gate(access, clock or SetClock(), places, Decided())


def test_without_a_list_nobody_is_let_in_and_a_stranger_is_told_once_an_hour() -> None:
    clock = SetClock()
    door = gate(Access(), clock)
    assert door.takes_in(message("5"))
    assert not door.takes_in(message("5"))
    assert door.takes_in(message("6"))
    clock.now = REMIND_AFTER
    assert door.takes_in(message("5"))


def test_a_crowd_of_strangers_does_not_fill_the_memory() -> None:
    door = gate(Access())
    for user in range(STRANGERS):
        assert door.takes_in(message(str(user)))
    assert door.takes_in(message("one more"))
    assert door.takes_in(message("0"))  # all were forgotten


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
    assert gate(access).may(GROUP, message("5").sender)


@pytest.mark.parametrize(
    "access",
    [
        Access(users=frozenset({"slack:5", "telegram:55", "5"})),
        Access(chats=frozenset({"telegram:7", "slack:-100"})),
    ],
)
def test_a_similar_entry_lets_nobody_in(access: Access) -> None:
    assert not gate(access).may(GROUP, message("5").sender)


def test_what_is_not_said_to_the_bot_is_ignored_even_of_admins() -> None:
    assert not gate(Access(open=True)).takes_in(message("5", addressed=False))


def test_buttons_and_stop_pass_the_same_gate() -> None:
    stranger = Sender(UserId("5"), "Mallory")
    ref = MessageRef(GROUP, MessageId("1"))
    events: list[Event] = [
        ButtonPress(key="b", ref=ref, sender=stranger, value="stop"),
        StopPressed(key="s", chat=GROUP, sender=stranger),
    ]
    for event in events:
        assert not gate(Access()).takes_in(event)
        assert gate(Access(users=frozenset({"telegram:5"}))).takes_in(event)


def test_the_terminal_belongs_to_whoever_sits_at_it() -> None:
    assert gate(Access()).may(ChatRef("console", ChatId("local")), Sender(UserId("x"), "Me"))
    assert gate(Access()).administers("console:local")
    assert not gate(Access()).administers("telegram:console:local")


async def test_what_an_admin_decides_holds_at_once_and_shutting_out_wins() -> None:
    door = gate(Access(users=frozenset({"telegram:6"})))
    await door.refresh()
    await door.decide("telegram:5", allowed=True, by="telegram:1")
    assert door.takes_in(message("5"))
    await door.decide("telegram:5", allowed=False, by="telegram:1")
    assert door.takes_in(message("5"))
    await door.decide("telegram:6", allowed=False, by="telegram:1")
    assert door.takes_in(message("6"))
    await door.decide("telegram:-100", allowed=True, by="telegram:1")  # the whole group
    assert door.takes_in(message("7"))
    assert not door.takes_in(message("6"))


async def test_one_who_is_shut_out_of_an_open_bot_stays_out_but_no_admin() -> None:
    door = gate(Access(open=True, admins=frozenset({"telegram:1"})))
    for user in ("1", "5"):
        await door.decide(f"telegram:{user}", allowed=False, by="telegram:1")
    assert door.takes_in(message("1"))
    assert door.takes_in(message("5"))


async def test_what_another_replica_decided_is_known_after_a_while() -> None:
    clock, decided = SetClock(), Decided()
    door = Gate(Access(), clock, places, decided)
    decided.fail = True
    with pytest.raises(StoreError):  # before anything is known, nobody is turned away
        await door.refresh()
    decided.fail = False
    await door.refresh()
    await decided.put("telegram:5", allowed=True, by="telegram:1")
    await door.refresh()
    assert not door.may(GROUP, Sender(UserId("5"), "Ann"))
    clock.now += FRESH
    decided.fail = True
    await door.refresh()  # what was known holds on
    clock.now += FRESH
    decided.fail = False
    await door.refresh()
    assert door.may(GROUP, Sender(UserId("5"), "Ann"))


def test_a_reserved_model_is_for_people_chats_and_admins() -> None:
    access = Access(
        admins=frozenset({"telegram:1"}),
        models={
            "gpt-5*": frozenset({"telegram:5", "telegram:-100"}),
            "o3": frozenset({"telegram:6"}),
            "gpt-5-nano": frozenset({"telegram:6"}),
        },
    )
    door = gate(access)
    private = ChatRef("telegram", ChatId("9"))

    def may(user: str, model: str, chat: ChatRef = private) -> bool:
        return door.may_use(chat, Sender(UserId(user), "Ann"), model)

    assert [may(user, "gpt-5-mini") for user in ("1", "5", "6")] == [True, True, False]
    assert [may(user, "o3") for user in ("1", "5", "6")] == [True, False, True]
    assert [may(user, "gpt-5-nano") for user in ("5", "6", "7")] == [True, True, False]
    assert may("7", "gpt-4o")
    assert may("7", "gpt-5", GROUP)


async def test_a_group_is_shut_out_with_all_its_topics() -> None:
    door = gate(Access(open=True))
    await door.decide("telegram:-100", allowed=False, by="telegram:1")
    assert door.is_shut_out(GROUP) and door.takes_in(message("5"))


async def test_a_chat_that_moves_stays_as_it_was_unless_somebody_has_decided_anew() -> None:
    old, new = ChatRef("telegram", ChatId("-100")), ChatRef("telegram", ChatId("-200"))
    ann = Sender(UserId("5"), "Ann")
    door = gate(Access())
    await door.decide("telegram:-100", allowed=True, by="telegram:1")
    assert await door.follow(old, new) and door.may(new, ann)
    await door.decide("telegram:-200", allowed=False, by="telegram:1")
    assert not await door.follow(old, new) and not door.may(new, ann)
