"""The list of a chat's conversations, on both databases."""

from __future__ import annotations

import pytest

from bot.core.chat import ImagePart, MessageState, NewMessage, Role, TextPart
from bot.core.queue import Outcome
from bot.core.stores import Stores
from bot.core.summaries import Summary
from bot.core.types import ChatRef
from bot.store import StorageSettings, open_store
from bot.store.database import connected
from bot.store.schema import files
from tests.store.events import ANN, begun, chat, message, said

PICTURE = ImagePart("image/png", b"not really")


def answered(text: str) -> NewMessage:
    return NewMessage(
        role=Role.ASSISTANT, parts=(TextPart(text),), model="m", state=MessageState.COMPLETE
    )


async def keep(stores: Stores, where: ChatRef, key: str, *messages: NewMessage) -> int:
    """What a turn leaves in the chat's conversation; returns the conversation."""
    turn = await begun(stores.turns, message(key, where.id))
    conversation = await stores.conversations.current(where)
    await stores.turns.finish(turn.id, Outcome(conversation=conversation, messages=messages))
    return conversation


async def numbers(stores: Stores, where: ChatRef) -> list[int]:
    return [each.number for each in await stores.archive.listed(where)]


async def test_conversations_are_listed_the_latest_first_without_empty_ones(
    stores: Stores,
) -> None:
    for key in ("a", "b", "c"):
        await stores.conversations.begin(chat())
        await keep(stores, chat(), key, said(key), answered("yes"))
    empty = await stores.conversations.begin(chat())
    assert await stores.conversations.begin(chat()) == empty  # a fresh one is fresh enough
    assert await numbers(stores, chat()) == [3, 2, 1]
    assert await stores.archive.count(chat()) == 3
    [second] = await stores.archive.listed(chat(), offset=1, limit=1)
    assert second.number == 2 and not second.current
    assert await stores.archive.listed(chat("elsewhere")) == []


async def test_a_resumed_conversation_goes_on_and_is_the_latest(stores: Stores) -> None:
    first = await keep(stores, chat(), "a", said("first"), answered("yes"))
    await stores.conversations.begin(chat())
    await keep(stores, chat(), "b", said("second"))
    found = await stores.archive.find(chat(), 1)
    assert found is not None and found.id == first
    assert await stores.archive.resume(chat(), first)
    assert await stores.conversations.current(chat()) == first
    await keep(stores, chat(), "c", said("more"))
    assert await numbers(stores, chat()) == [1, 2]


async def test_another_chats_conversation_is_out_of_reach(stores: Stores) -> None:
    theirs = await keep(stores, chat("theirs"), "a", said("secret"))
    assert await stores.archive.find(chat(), 1) is None
    assert not await stores.archive.resume(chat(), theirs)
    assert not await stores.archive.rename(chat(), theirs, "mine now")
    assert not await stores.archive.delete(chat(), theirs)
    assert len(await stores.conversations.page(theirs)) == 1


async def test_a_deleted_conversation_takes_its_pictures_along(settings: StorageSettings) -> None:
    async with open_store(settings) as stores:
        picture = NewMessage(role=Role.USER, parts=(PICTURE,), sender_id=ANN.id)
        first = await keep(stores, chat(), "a", picture)
        assert await stores.archive.delete(chat(), first)
        assert await numbers(stores, chat()) == []
        assert await stores.conversations.current(chat()) != first
    async with connected(settings) as database:
        rows = await database.read(lambda connection: connection.execute(files.select()))
        assert rows.all() == []


async def test_what_ends_in_a_deleted_conversation_is_not_kept_and_harms_nothing(
    stores: Stores,
) -> None:
    gone = await keep(stores, chat(), "a", said("hello"))
    turn = await begun(stores.turns, message("b"))
    await stores.archive.delete(chat(), gone)
    await stores.turns.finish(turn.id, Outcome(conversation=gone, messages=(said("late"),)))
    assert await stores.conversations.page(gone) == []
    assert await stores.turns.claim() is None


async def test_what_is_taken_back_is_in_no_summary_and_may_leave_nothing(stores: Stores) -> None:
    this = await keep(stores, chat(), "a", said("one"), answered("1"))
    await keep(stores, chat(), "b", said("two"), answered("2"))
    page = await stores.conversations.page(this)
    ids = [kept.id for kept in page]
    summary = Summary(text="they count", through=ids[-1])
    await stores.summaries.keep(this, summary, of=page, asker=ANN.id, usage=())
    await hide(stores, "c", *ids[2:])
    assert [kept.id for kept in await stores.conversations.page(this)] == ids[:2]
    assert await stores.summaries.latest(this) is None  # it told of what was taken back
    assert await numbers(stores, chat()) == [1]
    await hide(stores, "d", *ids[:2])
    assert await numbers(stores, chat()) == []  # nothing was ever said


async def hide(stores: Stores, key: str, *ids: int) -> None:
    turn = await begun(stores.turns, message(key))
    await stores.turns.finish(turn.id, Outcome(hidden=ids))


async def test_a_title_is_given_once_and_changed_by_hand(stores: Stores) -> None:
    this = await keep(stores, chat(), "a", said("hello"))
    assert await stores.archive.untitled(this)
    page = await stores.conversations.page(this)
    await stores.archive.entitle(this, "Greetings", of=page, asker=ANN.id)
    await stores.archive.entitle(this, "Too late", of=page, asker=ANN.id)
    assert [each.title for each in await stores.archive.listed(chat())] == ["Greetings"]
    assert await stores.archive.rename(chat(), this, "By hand")
    assert [each.title for each in await stores.archive.listed(chat())] == ["By hand"]
    assert not await stores.archive.untitled(this)


async def test_the_summary_that_reaches_furthest_counts(stores: Stores) -> None:
    this = await keep(stores, chat(), "a", said("one"), answered("1"), said("two"), answered("2"))
    page = await stores.conversations.page(this)
    before = await stores.summaries.size(this)
    for place in (3, 1):
        summary = Summary(text=f"up to {place}", through=page[place].id)
        await stores.summaries.keep(this, summary, of=page, asker=ANN.id, usage=())
    assert await stores.summaries.latest(this) == Summary(text="up to 3", through=page[3].id)
    assert before > await stores.summaries.size(this) == 0


@pytest.mark.parametrize("keep_newest", [1, 3])
async def test_remarks_are_kept_once_and_only_the_newest(stores: Stores, keep_newest: int) -> None:
    for key in ("a", "b", "b", "c", "d"):
        await stores.overheard.note(message(key, text=key), keep=keep_newest)
    await stores.overheard.note(message("x", "elsewhere"), keep=keep_newest)
    remarks = await stores.overheard.remarks(chat())
    assert [each.text for each in remarks] == list("bcd")[-keep_newest:]
    assert remarks[0].sender_name == ANN.name
    turn = await begun(stores.turns, message("q"))
    await stores.turns.finish(turn.id, Outcome(overheard=remarks[-1].id))
    assert await stores.overheard.remarks(chat()) == []
    assert len(await stores.overheard.remarks(chat("elsewhere"))) == 1
    await stores.overheard.drop(chat("elsewhere"))
    assert await stores.overheard.remarks(chat("elsewhere")) == []
