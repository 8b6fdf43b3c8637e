"""What a changed message means for its turn, and what is over meanwhile for those that wait."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.queue import Outcome
from bot.core.stores import Stores
from bot.core.types import Attachment, FileId, FileKind, IncomingMessage
from tests.store.events import accept, begun, claim, numbered, ref

PHOTO = Attachment(id=FileId("a"), kind=FileKind.IMAGE, mime="image/jpeg", size=10, name="")


def changed(key: str, text: str) -> IncomingMessage:
    return replace(numbered(1, text), key=key, edited=True)


@pytest.mark.parametrize("first", ["hello", "hello, you"])
async def test_a_change_that_is_delivered_again_undoes_no_later_one(
    stores: Stores, first: str
) -> None:
    again = changed("first", first)
    await accept(stores.turns, numbered(1, "hello"), again, changed("later", "hello, all"), again)
    turn = await claim(stores.turns)
    assert isinstance(turn.event, IncomingMessage)
    assert (turn.event.text, turn.event.edited) == ("hello, all", False)


async def test_another_photo_is_a_change_but_not_the_same_by_another_name(stores: Stores) -> None:
    message = replace(numbered(1), attachments=(PHOTO,))
    turn = await begun(stores.turns, message)
    await stores.turns.finish(turn.id, Outcome())
    edit = replace(message, edited=True)
    same = replace(edit, key="same", attachments=(replace(PHOTO, id=FileId("b")),))
    other = replace(edit, key="other", attachments=(replace(PHOTO, id=FileId("c"), size=11),))
    accepted = [await stores.turns.accept(each, urgent=False) for each in (same, other)]
    assert [each.fresh for each in accepted] == [False, True]


async def test_a_message_can_be_changed_after_a_command_that_was_quick(stores: Stores) -> None:
    turn = await begun(stores.turns, numbered(1))
    await stores.turns.finish(turn.id, Outcome())
    await stores.turns.accept(numbered(2, "/help"), urgent=True)
    assert (await stores.turns.accept(changed("edit", "new"), urgent=False)).fresh


async def test_what_is_over_beside_messages_in_a_row_does_not_part_them(stores: Stores) -> None:
    lead = await begun(stores.turns, numbered(1))
    await accept(stores.turns, numbered(2), changed("nothing new", "hello"))
    await stores.turns.accept(numbered(3, "/help"), urgent=True)
    await stores.turns.finish((await claim(stores.turns)).id, Outcome())
    assert [turn.event.key for turn in await stores.turns.following(lead.id)] == ["m2"]


async def test_of_many_changes_what_was_offered_is_known_once(stores: Stores) -> None:
    turn = await begun(stores.turns, numbered(1))
    await stores.turns.finish(turn.id, Outcome())
    for number in range(4):
        turn = await begun(stores.turns, changed(f"edit {number}", f"words {number}"))
        offered = await stores.turns.offered(turn.id)
        assert offered == ([ref(90)] if number else [])
        await stores.turns.checkpoint(turn.id, partial="", shown=[ref(90), *offered])
        await stores.turns.finish(turn.id, Outcome())
