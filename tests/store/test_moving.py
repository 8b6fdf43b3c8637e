"""A chat under another id, on both databases: what was said and chosen there goes with it."""

from __future__ import annotations

from dataclasses import replace

from bot.core.models import UsageEntry, UsageKind
from bot.core.queue import Outcome
from bot.core.settings import ChatSettings
from bot.core.stores import Action, Stores
from bot.core.types import ChatRef, MessageId, Person
from tests.store.events import ANN, accept, begun, chat, claim, message, ref, said

OLD, NEW = chat("group"), chat("supergroup")


async def answered(stores: Stores, where: ChatRef, key: str, text: str) -> None:
    """A message of the chat is answered, and the answer stands in its message 5."""
    turn = await begun(stores.turns, message(key, where.id, text))
    outcome = Outcome(messages=(said(text),), usage=(UsageEntry(kind=UsageKind.CHAT, model="m"),))
    await stores.turns.finish(turn.id, outcome, stood=ref(5, where.id))


async def words(stores: Stores, where: ChatRef) -> list[str]:
    """What is said in the chat's conversation."""
    return [kept.message.text for kept in (await stores.conversations.history(where)).newest]


async def test_everything_is_there_under_the_new_id_and_nothing_under_the_old(
    stores: Stores,
) -> None:
    await answered(stores, OLD, "a", "first")
    await stores.settings.change(OLD, lambda _: ChatSettings(model="gpt"))
    [value] = await stores.actions.offer(OLD, [Action(name="again")])
    await stores.overheard.note(message("b", OLD.id, "by the way"), keep=10)
    number = await stores.broadcasts.draft("news", Person("test", ANN.id))
    await stores.broadcasts.start(number, [OLD])
    assert await stores.moves.move(OLD, NEW)
    assert await words(stores, NEW) == ["first"] and await words(stores, OLD) == []
    assert (await stores.settings.load(NEW)).model == "gpt"
    assert await stores.settings.load(OLD) == ChatSettings()
    assert await stores.actions.find(NEW, value) is not None
    assert [each.text for each in await stores.overheard.remarks(NEW)] == ["by the way"]
    assert await stores.broadcasts.next(number) == NEW
    assert not await stores.moves.move(OLD, NEW), "said twice, it is done already"


async def test_what_waits_and_what_runs_goes_on_there_in_order(stores: Stores) -> None:
    for key in ("a", "b"):
        await accept(stores.turns, message(key, OLD.id, key))
    running = await claim(stores.turns)
    await stores.moves.move(OLD, NEW)
    await accept(stores.turns, message("c", NEW.id, "c"))
    assert await stores.turns.claim() is None, "one at a time in a chat"
    await stores.turns.finish(running.id, Outcome(messages=(said("a"),)))
    assert await words(stores, NEW) == ["a"]
    waiting = await stores.turns.claim()
    assert waiting is not None and waiting.event.key == "b" and waiting.chat == NEW
    assert waiting.stood is None, "nothing of the bot stands in the new chat"


async def test_a_chat_that_was_spoken_in_already_keeps_its_own(stores: Stores) -> None:
    await answered(stores, OLD, "a", "before")
    await stores.settings.change(OLD, lambda _: ChatSettings(model="old"))
    await answered(stores, NEW, "b", "after")
    await stores.settings.change(NEW, lambda _: ChatSettings(model="new"))
    for where, key in ((OLD, "c"), (NEW, "d")):
        await accept(stores.turns, message(key, where.id, key))
        assert await stores.turns.claim() is not None
    assert await stores.moves.move(OLD, NEW)
    assert await words(stores, NEW) == ["after"]
    assert (await stores.settings.load(NEW)).model == "new"
    listed = await stores.archive.listed(NEW)
    assert sorted((each.number, each.current) for each in listed) == [(1, False), (2, True)]
    first = await stores.archive.find(NEW, 1)
    assert first is not None
    [kept] = await stores.conversations.page(first.id)
    assert kept.message.text == "before"


async def test_a_message_of_the_new_chat_is_not_taken_for_one_with_its_id_in_the_old(
    stores: Stores,
) -> None:
    await answered(stores, OLD, "a", "first")
    await stores.moves.move(OLD, NEW)
    edited = replace(message("b", NEW.id, "other words"), edited=True)
    assert edited.ref.id == MessageId("1")  # as in the old chat
    accepted = await stores.turns.accept(edited, urgent=False)
    assert accepted.fresh, "it was never taken in: so it is new"


async def test_the_threads_of_a_chat_are_found_and_no_chat_beside_it(stores: Stores) -> None:
    await answered(stores, chat("T1:G_1:17.1"), "a", "first")
    await accept(stores.turns, message("b", chat("T1:G_1:17.2").id, "b"))
    await stores.settings.change(chat("T1:G_1:17.3"), lambda _: ChatSettings(model="gpt"))
    for beside in ("T1:G_1:", "T1:G21:17.4", "t1:g_1:17.5"):
        await stores.settings.change(chat(beside), lambda _: ChatSettings(model="gpt"))
    threads = {chat(f"T1:G_1:17.{number}") for number in (1, 2, 3)}
    assert set(await stores.moves.threads(chat("T1:G_1:"))) == threads
