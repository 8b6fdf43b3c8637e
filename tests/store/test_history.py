"""Conversations, settings, users, buttons and usage, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import sqlalchemy as sa

from bot.core.chat import ImagePart, MessageState, NewMessage, Role, TextPart, ToolCall, Usage
from bot.core.models import UsageEntry, UsageKind
from bot.core.queue import Outcome
from bot.core.settings import ChatSettings
from bot.core.stores import Action, History, Stores
from bot.core.summaries import Summary
from bot.core.types import ChatRef, Sender, UserId
from bot.store import StorageSettings, open_store
from bot.store.database import connected
from bot.store.schema import files, messages, turns, usage, users
from tests.store.events import ANN, begun, chat, message, ref, said


async def keep(stores: Stores, conversation: int, *messages: NewMessage, key: str = "1") -> None:
    turn = await begun(stores.turns, message(key))
    await stores.turns.finish(turn.id, Outcome(conversation=conversation, messages=messages))


async def test_a_chat_keeps_its_conversation_over_a_restart(settings: StorageSettings) -> None:
    async with open_store(settings) as stores:
        conversation = await stores.conversations.current(chat())
        await keep(stores, conversation, said("hello"))
    async with open_store(settings) as stores:
        assert await stores.conversations.current(chat()) == conversation
        page = await stores.conversations.page(conversation)
        assert [kept.message for kept in page] == [said("hello")]


async def test_a_new_conversation_leaves_the_old_one_readable(stores: Stores) -> None:
    old = await stores.conversations.current(chat())
    await keep(stores, old, said("hello"))
    new = await stores.conversations.begin(chat())
    assert new != old
    assert await stores.conversations.current(chat()) == new
    assert await stores.conversations.page(new) == []
    assert len(await stores.conversations.page(old)) == 1
    assert await stores.conversations.current(chat("elsewhere")) not in (old, new)


async def test_a_chat_has_one_conversation_however_many_ask_at_once(stores: Stores) -> None:
    asked = [stores.conversations.current(chat()) for _ in range(8)]
    assert len(set(await asyncio.gather(*asked))) == 1
    begun = await asyncio.gather(*(stores.conversations.begin(chat()) for _ in range(8)))
    assert await stores.conversations.current(chat()) in begun


async def test_a_message_comes_back_whole(stores: Stores) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)
    whole = NewMessage(
        role=Role.ASSISTANT,
        parts=(TextPart("see \x00"), ImagePart("image/png", b"\x89PNG\x00"), TextPart("多")),
        sender_id="7",
        sender_name="Ann 👩‍👩‍👧",
        model="gpt",
        usage=Usage(prompt_tokens=5, completion_tokens=7, cached_tokens=2, estimated=True),
        state=MessageState.LENGTH,
        tool_calls=(ToolCall(id="c1", name="search", arguments='{"q": 1}'),),
        tool_call_id="c0",
        shown=(ref(3), ref(4)),
        heading="> 🎤 heard\n\n",
    )
    conversation = await stores.conversations.current(chat())
    await keep(stores, conversation, whole)
    [kept] = await stores.conversations.page(conversation)
    assert kept.message == whole
    assert before < kept.created < datetime.now(UTC) + timedelta(seconds=5)
    assert kept.created.utcoffset() == timedelta(0)


async def test_pages_go_back_from_the_newest_without_gap(stores: Stores) -> None:
    conversation = await stores.conversations.current(chat())
    other = await stores.conversations.current(chat("other"))
    for number in range(0, 9, 3):
        trio = [said(str(number + step)) for step in range(3)]
        await keep(stores, conversation, *trio, key=f"a{number}")
        await keep(stores, other, said("noise"), key=f"b{number}")
    read: list[NewMessage] = []
    before: int | None = None
    while page := await stores.conversations.page(conversation, before=before, limit=4):
        read = [*(kept.message for kept in page), *read]
        before = page[0].id
    assert read == [said(str(number)) for number in range(9)]


async def test_what_is_taken_out_of_a_conversation_stays_in_the_database(
    settings: StorageSettings,
) -> None:
    async with open_store(settings) as stores:
        conversation = await stores.conversations.current(chat())
        await keep(stores, conversation, said("first"), said("second"), said("third"), key="a")
        second = (await stores.conversations.page(conversation))[1].id
        turn = await begun(stores.turns, message("b"))
        instead = Outcome(conversation=conversation, messages=(said("new"),), hidden=(second,))
        await stores.turns.finish(turn.id, instead)
        page = await stores.conversations.page(conversation)
        assert [kept.message.text for kept in page] == ["first", "third", "new"]
        assert page[-1].turn_id == turn.id
        assert len(await stores.conversations.page(conversation, limit=2)) == 2
    async with connected(settings) as database:
        rows = await database.read(lambda c: c.execute(sa.select(messages.c.parts)))
        assert len(rows.all()) == 4


async def test_a_picture_sent_twice_is_stored_once(settings: StorageSettings) -> None:
    picture = ImagePart("image/png", b"the same bytes")
    async with open_store(settings) as stores:
        conversation = await stores.conversations.current(chat())
        for key in "ab":
            await keep(
                stores,
                conversation,
                NewMessage(role=Role.USER, parts=(picture, picture)),
                key=key,
            )
        page = await stores.conversations.page(conversation)
    assert [kept.message.parts for kept in page] == [(picture, picture)] * 2
    async with connected(settings) as database:
        rows = await database.read(lambda c: c.execute(sa.select(files.c.content)))
        assert rows.scalars().all() == [b"the same bytes"]


async def test_of_an_answer_nothing_is_kept_but_its_message(settings: StorageSettings) -> None:
    async with open_store(settings) as stores:
        turn = await begun(stores.turns, message("1"))
        await stores.turns.checkpoint(turn.id, partial="half an answer", shown=())
        await stores.turns.finish(turn.id, Outcome())
    async with connected(settings) as database:
        rows = await database.read(lambda c: c.execute(sa.select(turns.c.partial)))
        assert rows.scalars().all() == [""]


async def test_settings_are_kept_per_chat(stores: Stores) -> None:
    assert await stores.settings.load(chat()) == ChatSettings()
    chosen = ChatSettings(model="m", system_prompt="Be \x00 kind", language="zh")
    await stores.settings.change(chat(), lambda _: ChatSettings(model="first"))
    await stores.settings.change(chat(), lambda _: chosen)
    assert await stores.settings.load(chat()) == chosen
    assert await stores.settings.load(chat("other")) == ChatSettings()
    assert await stores.settings.load(ChatRef("other", chat().id)) == ChatSettings()


async def test_what_a_channel_has_chosen_holds_in_a_thread_until_that_chooses_itself(
    stores: Stores,
) -> None:
    settings, thread, channel = stores.settings, chat("C/1"), chat("C")
    assert await settings.load(thread, channel) == ChatSettings()
    await settings.change(channel, lambda _: ChatSettings(model="m", listening="on"))
    assert await settings.load(thread, channel) == ChatSettings(model="m")
    await settings.change(thread, lambda chosen: replace(chosen, language="zh"), channel)
    await settings.change(channel, lambda chosen: replace(chosen, model="other"))
    assert await settings.load(thread, channel) == ChatSettings(model="m", language="zh")
    await settings.change(thread, lambda _: ChatSettings(), channel)
    assert await settings.load(thread, channel) == ChatSettings()


async def test_a_user_is_remembered_under_the_latest_name(settings: StorageSettings) -> None:
    async with open_store(settings) as stores:
        await stores.users.seen("test", ANN)
        await stores.users.seen("test", Sender(ANN.id, "Anna \x00\ud800", "en"))
        await stores.users.seen("other", ANN)
    async with connected(settings) as database:
        query = sa.select(users.c.platform, users.c.name, users.c.language).order_by("platform")
        rows = await database.read(lambda c: c.execute(query))
        assert rows.all() == [("other", "Ann", "de"), ("test", "Anna \ufffd\ufffd", "en")]


async def test_a_button_does_what_it_was_made_for_in_its_chat_only(stores: Stores) -> None:
    actions = [Action(name="model", argument="gpt", owner=UserId("7")), Action(name="stop")]
    values = await stores.actions.offer(chat(), actions)
    assert [await stores.actions.find(chat(), value) for value in values] == actions
    assert await stores.actions.find(chat("other"), values[0]) is None
    assert await stores.actions.find(chat(), "made up \x00") is None
    assert await stores.actions.offer(chat(), []) == []
    assert all(len(value.encode()) <= 64 for value in values)  # what Telegram carries


async def test_usage_is_kept_with_who_asked_and_money_exact(settings: StorageSettings) -> None:
    odd = Decimal("0.000000012345")
    entries = (
        UsageEntry(kind=UsageKind.CHAT, model="m", prompt_tokens=3, cost=odd, first_token=0.25),
        UsageEntry(kind=UsageKind.IMAGE, model="i", images=2, cost=Decimal("1234.56")),
        UsageEntry(kind=UsageKind.AUDIO, model="a", seconds=1.5, estimated=True),
    )
    async with open_store(settings) as stores:
        turn = await begun(stores.turns, message("1"))
        await stores.turns.finish(turn.id, Outcome(usage=entries))
    async with connected(settings) as database:
        query = sa.select(usage.c.user_id, usage.c.chat, usage.c.model, usage.c.cost)
        rows = await database.read(lambda c: c.execute(query.order_by(usage.c.id)))
        assert rows.all() == [
            ("7", "home", "m", odd),
            ("7", "home", "i", Decimal("1234.56")),
            ("7", "home", "a", None),
        ]
        total = await database.read(lambda c: c.execute(sa.select(sa.func.sum(usage.c.cost))))
        assert total.scalar_one() == odd + Decimal("1234.56")


async def test_a_history_is_the_conversation_with_its_newest_messages_and_its_summary(
    stores: Stores,
) -> None:
    assert await stores.conversations.history(chat()) == History()
    await keep(stores, await stores.conversations.current(chat("other")), said("noise"), key="o")
    assert await stores.conversations.history(chat()) == History()  # looking begins none

    conversation = await stores.conversations.current(chat())
    await keep(stores, conversation, *(said(str(number)) for number in range(6)))
    page = await stores.conversations.page(conversation)
    for through, text in ((page[1].id, "at first"), (page[3].id, "and then")):
        summary = Summary(text=text, through=through)
        await stores.summaries.keep(conversation, summary, of=page, asker=ANN.id, usage=())
    found = await stores.conversations.history(chat(), limit=4)
    assert found == History(conversation=conversation, newest=page[2:], summary=summary)
    earlier = await stores.conversations.history(chat(), before=page[3].id, limit=2)
    assert [kept.message.text for kept in earlier.newest] == ["1", "2"]


async def test_what_is_kept_without_a_conversation_goes_into_the_current_one(
    stores: Stores,
) -> None:
    for number, key in enumerate(("a", "b")):
        turn = await begun(stores.turns, message(key))
        await stores.turns.finish(turn.id, Outcome(messages=(said(str(number)),)))
    history = await stores.conversations.history(chat())
    assert [kept.message.text for kept in history.newest] == ["0", "1"]
