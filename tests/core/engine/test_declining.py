"""Floods: what is one message too many is said once, and never lost without a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.types import IncomingMessage, Sender, UserId
from bot.errors import RateLimited
from bot.sandbox.openai.faults import Hang
from tests.changes import deletion
from tests.house import House, open_house
from tests.patience import PATIENCE, until

EVE = Sender(UserId("2"), "Eve")
LEFT_OUT = (
    "Too many messages are waiting here already. I leave out this one, and what you write after "
    "it, until I have answered some of them. Please send it again then."
)


async def crowd(house: House, *, group: bool = False) -> None:
    """Let as much wait in the chat as may."""
    house.api.faults.add(Hang(), on="/chat/completions")
    await house.write("first", group=group)
    await house.api.traffic.until(lambda seen: seen.in_flight == 1)
    await house.write(*map(str, range(5)), group=group)


async def flood(house: House, count: int) -> Sequence[IncomingMessage]:
    """Somebody writes more than may wait; returns what was left out, once they are told."""
    await crowd(house)
    messages = await house.write(*(f"too much {number}" for number in range(count)))
    await house.sees("Too many")
    return messages


def lines(house: House) -> int:
    """How often it is said that something was left out."""
    return sum(text.endswith(LEFT_OUT) for text in house.platform.kept())


async def test_of_a_flood_it_is_said_once_that_it_was_left_out(house: House) -> None:
    await flood(house, 30)
    await house.say("/stop")
    assert lines(house) == 1
    asked = [house.asked(at) for at in range(len(house.api.traffic.to("/chat/completions")))]
    assert len(asked) == 6 and "too much" not in str(asked)
    kept = await house.say("are you there?")  # there is room again
    assert kept[-1].startswith("**You said:** are you there?")


async def test_who_writes_too_much_again_is_told_again(house: House) -> None:
    await flood(house, 3)
    with house.api.held():
        await house.happen(house.platform.message("/stop"))
        await house.api.traffic.until(lambda seen: len(seen.to("/chat/completions")) == 2)
        await house.write("there was room", "once more too much", "and this")
        await until(lambda: lines(house) == 2)
    assert lines(house) == 2


async def test_in_a_group_everybody_who_is_left_out_is_told_once(house: House) -> None:
    await crowd(house, group=True)
    for number in range(3):
        await house.write(f"mine {number}", group=True)
        await house.write(f"hers {number}", group=True, sender=EVE)
    await until(lambda: lines(house) == 2)
    kept = await house.say("/stop")
    assert [text for text in kept if LEFT_OUT in text] == [f"Ann: {LEFT_OUT}", f"Eve: {LEFT_OUT}"]


async def test_in_a_group_the_flood_of_one_person_leaves_room_for_others(house: House) -> None:
    await crowd(house, group=True)
    await house.write("hers", group=True, sender=EVE)
    await house.write("mine, too", group=True)
    kept = await house.say("/stop")
    assert lines(house) == 1
    assert any(text.startswith("**You said:** Eve: hers") for text in kept)


async def test_an_album_that_is_left_out_is_left_out_once_and_as_a_whole(house: House) -> None:
    await crowd(house)
    for number in range(10):
        await house.happen(replace(house.platform.message(f"picture {number}"), album="7"))
    await house.say("/stop")
    assert lines(house) == 1
    assert len(house.api.traffic.to("/chat/completions")) == 6


async def test_of_an_album_that_is_left_out_no_part_is_answered_when_there_is_room_again(
    house: House,
) -> None:
    await crowd(house)
    album = [replace(house.platform.message(f"picture {number}"), album="7") for number in range(6)]
    await house.happen(*album[:3])
    await house.say("/stop")
    await house.happen(*album[3:])
    assert await house.say("and now?") and lines(house) == 1
    asked = [house.asked(at) for at in range(len(house.api.traffic.to("/chat/completions")))]
    assert "picture" not in str(asked)


async def test_the_line_goes_with_the_last_of_the_messages_that_it_speaks_for(
    house: House,
) -> None:
    first, second, third = await flood(house, 3)
    for each in (first, third):
        await house.happen(deletion(each))
    await house.write("too much, too")
    assert lines(house) == 1  # it speaks for the second, and for this one
    [last] = await house.write("this as well")
    assert lines(house) == 1
    for each in (second, last):
        await house.happen(deletion(each))
    assert lines(house) == 1


async def test_what_is_left_out_after_its_line_was_deleted_is_told_of_anew(house: House) -> None:
    [message] = await flood(house, 1)
    await house.happen(deletion(message))
    await until(lambda: lines(house) == 0)
    await house.write("one more")
    await until(lambda: lines(house) == 1)


async def test_a_line_that_nobody_needs_any_more_when_it_stands_is_taken_away(
    house: House,
) -> None:
    await crowd(house)
    house.platform.fail_next(RateLimited(0.1))
    messages = await house.write("too much", "this as well")
    await house.happen(*map(deletion, messages))
    await house.say("/stop")
    assert lines(house) == 0


async def test_who_could_not_be_told_before_a_restart_is_told_after_it_and_only_once(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path) as house:
        platform = house.platform
        await crowd(house)
        platform.fail_next(RateLimited(PATIENCE))
        refused = await house.write("too much", "this as well")
    async with open_house(tmp_path, platform=platform) as house:
        house.api.script.answer_with(lambda question: f"re {question.last_text}")
        await house.happen(*refused)  # a platform may offer them again
        await until(lambda: lines(house) and "re 4" in platform.kept())
        changed = replace(refused[0], key="edit", text="too much, please", edited=True)
        kept = await house.tell(changed)
        assert lines(house) == 1
        assert "re too much, please" in kept and "re too much" not in kept


@pytest.mark.parametrize("count", [3, 250])
async def test_a_line_that_stands_stays_and_is_not_said_again_after_a_restart(
    tmp_path: Path, count: int
) -> None:
    async with open_house(tmp_path) as house:
        platform = house.platform
        refused = await flood(house, count)
    async with open_house(tmp_path, platform=platform) as house:
        house.api.faults.add(Hang(), on="/chat/completions")
        await house.happen(*refused)
        await house.write("too much, too")
        await house.api.traffic.until(lambda seen: seen.in_flight == 1)
        await house.say("/stop")
        assert lines(house) == 1


async def test_what_was_left_out_and_is_answered_when_changed_can_be_changed_again(
    house: House,
) -> None:
    [refused] = await flood(house, 1)
    await house.say("/stop")
    await house.say("something between")
    await house.tell(replace(refused, key="first edit", edited=True, text="right wrods"))
    await house.tell(replace(refused, key="second edit", edited=True, text="right words"))
    assert house.platform.buttons().count("🔁 Answer it anew") == 1


async def test_who_changes_what_was_left_out_while_there_is_no_room_is_not_told_again(
    house: House,
) -> None:
    [refused] = await flood(house, 1)
    for number in range(30):
        edit = replace(refused, key=f"edit {number}", edited=True, text=f"version {number}")
        await house.happen(edit)
    await house.say("/stop")
    assert lines(house) == 1
    await house.happen(deletion(refused))
    await until(lambda: lines(house) == 0)


async def test_what_was_left_out_is_let_be_when_its_link_gets_a_preview(house: House) -> None:
    await crowd(house)
    [refused] = await house.write("what does https://example.org say?")
    await house.sees("Too many")
    # Telegram tells of a preview, or a first reaction, as of an edit that nobody made.
    await house.happen(replace(refused, key="preview", edited=True, late=True))
    await house.say("/stop")
    assert lines(house) == 1
    await house.happen(replace(refused, key="reaction", edited=True, late=True))
    await house.say("are you there?")
    sent = house.api.traffic.to("/chat/completions")
    assert not any("example.org" in str(each.json["messages"]) for each in sent)
