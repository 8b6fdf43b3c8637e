from __future__ import annotations

import asyncio

import pytest
from telegram import Bot, Update
from telegram.error import Conflict

from bot.core.fakes.clock import ManualClock
from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.telegram.view import ChatView
from tests.sandbox.telegram.conftest import connected, raw


def texts(updates: tuple[Update, ...]) -> list[str | None]:
    return [update.message.text for update in updates if update.message]


async def test_an_update_comes_again_until_a_higher_offset_confirms_it(
    bot: Bot, ann: ChatView
) -> None:
    ann.send("one")
    ann.send("two")
    first = await bot.get_updates()
    again = await bot.get_updates()
    assert texts(first) == texts(again) == ["one", "two"]
    rest = await bot.get_updates(offset=first[0].update_id + 1)
    assert texts(rest) == ["two"]
    assert texts(await bot.get_updates()) == ["two"]
    assert await bot.get_updates(offset=first[1].update_id + 1) == ()


async def test_a_negative_offset_keeps_only_the_end(bot: Bot, ann: ChatView) -> None:
    for text in ("one", "two", "three"):
        ann.send(text)
    assert texts(await bot.get_updates(offset=-1)) == ["three"]
    assert texts(await bot.get_updates()) == ["three"]


async def test_ids_may_go_on_at_a_lower_number(telegram: Telegram, bot: Bot, ann: ChatView) -> None:
    ann.send("one")
    [before] = await bot.get_updates()
    assert await bot.get_updates(offset=before.update_id + 1) == ()
    telegram.updates.begin_anew(5)
    ann.send("two")
    assert [update.update_id for update in await bot.get_updates()] == [5]
    assert await bot.get_updates(offset=before.update_id + 1) == ()  # which confirms it


async def test_the_limit_is_kept_and_the_rest_waits(bot: Bot, ann: ChatView) -> None:
    for text in ("one", "two", "three"):
        ann.send(text)
    first = await bot.get_updates(limit=2)
    assert texts(first) == ["one", "two"]
    assert texts(await bot.get_updates(offset=first[-1].update_id + 1)) == ["three"]


async def test_a_long_poll_is_answered_when_somebody_writes(
    telegram: Telegram, bot: Bot, ann: ChatView
) -> None:
    poll = asyncio.ensure_future(bot.get_updates(timeout=50))
    await polling(telegram)
    ann.send("hello")
    assert texts(await poll) == ["hello"]


async def test_a_long_poll_ends_empty_when_its_time_is_up(
    telegram: Telegram, bot: Bot, clock: ManualClock
) -> None:
    poll = asyncio.ensure_future(bot.get_updates(timeout=50))
    await polling(telegram)
    await clock.advance(49)
    assert not poll.done()
    await clock.advance(1)
    assert await poll == ()


async def test_the_newer_of_two_pollers_wins(telegram: Telegram, bot: Bot, ann: ChatView) -> None:
    async with connected(telegram) as rival:
        poll = asyncio.ensure_future(bot.get_updates(timeout=50))
        await polling(telegram)
        second = asyncio.ensure_future(rival.get_updates(timeout=50))
        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await poll
        await polling(telegram)
        ann.send("hello")
        assert texts(await second) == ["hello"]


async def test_what_was_fetched_by_a_killed_bot_comes_again(
    telegram: Telegram, bot: Bot, ann: ChatView
) -> None:
    poll = asyncio.ensure_future(bot.get_updates(timeout=50))
    await polling(telegram)
    poll.cancel()
    await asyncio.wait([poll])
    ann.send("hello")
    assert texts(await bot.get_updates()) == ["hello"]


async def test_only_the_kinds_asked_for_arrive(bot: Bot, ann: ChatView) -> None:
    await bot.get_updates(allowed_updates=["edited_message"])
    number = ann.send("hello")
    ann.edit(number, "hello!")
    (update,) = await bot.get_updates()
    assert update.edited_message is not None
    assert update.edited_message.text == "hello!"
    await bot.get_updates(offset=update.update_id + 1, allowed_updates=[])
    ann.send("and now")
    assert texts(await bot.get_updates()) == ["and now"]


async def test_the_kinds_stay_when_the_next_poll_does_not_name_them(
    telegram: Telegram, ann: ChatView
) -> None:
    await raw(telegram, "getUpdates", allowed_updates=["edited_message"])
    await raw(telegram, "getUpdates", allowed_updates="nonsense")
    await raw(telegram, "getUpdates")
    ann.send("unheard")
    _, body = await raw(telegram, "getUpdates")
    assert body["result"] == []


async def test_with_a_webhook_polling_is_a_conflict(
    telegram: Telegram, bot: Bot, ann: ChatView
) -> None:
    telegram.updates.webhook_url = "https://bot.example/hook"
    ann.send("hello")
    info = await bot.get_webhook_info()
    assert (info.url, info.pending_update_count) == ("https://bot.example/hook", 1)
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    assert texts(await bot.get_updates()) == ["hello"]


async def test_an_update_nobody_can_parse_is_delivered_as_it_is(
    telegram: Telegram,
) -> None:
    telegram.updates.add_raw({"message": {"broken": True}})
    _, body = await raw(telegram, "getUpdates")
    assert body["result"] == [{"update_id": 1000, "message": {"broken": True}}]


async def polling(telegram: Telegram) -> None:
    """Let the poll reach the server."""
    await telegram.changes.until(lambda: telegram.updates.polling)
