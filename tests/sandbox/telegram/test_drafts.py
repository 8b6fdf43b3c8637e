from __future__ import annotations

import pytest
from telegram import Bot, MessageEntity
from telegram.error import BadRequest

from bot.core.fakes.clock import ManualClock
from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.telegram.view import ChatView
from tests.sandbox.telegram.conftest import raw


async def test_a_draft_is_seen_but_not_kept(bot: Bot, ann: ChatView) -> None:
    await bot.send_message_draft(ann.id, 7, "he", entities=[MessageEntity("bold", 0, 2)])
    draft = ann.screen().draft
    assert draft is not None
    assert (draft.id, draft.text, draft.entities[0]["type"]) == (7, "he", "bold")
    assert ann.kept() == ()
    await bot.send_message_draft(ann.id, 7, "hello")
    assert ann.screen().text == "hello"


async def test_an_empty_draft_shows_thinking(telegram: Telegram, ann: ChatView) -> None:
    await raw(telegram, "sendMessageDraft", chat_id=ann.id, draft_id=7, text="")
    assert ann.screen().text == "Thinking…"


async def test_a_draft_vanishes_after_30_seconds(
    bot: Bot, ann: ChatView, clock: ManualClock
) -> None:
    await bot.send_message_draft(ann.id, 7, "hello")
    await clock.advance(29)
    assert ann.screen().draft is not None
    await bot.send_message_draft(ann.id, 7, "hello again")
    await clock.advance(29)
    assert ann.screen().draft is not None
    await clock.advance(1)
    assert ann.screen().draft is None


async def test_a_message_takes_the_place_of_the_draft(bot: Bot, ann: ChatView) -> None:
    await bot.send_message_draft(ann.id, 7, "hel")
    await bot.send_message(ann.id, "hello")
    assert ann.screen().text == "hello"


async def test_drafts_are_for_private_chats_only(telegram: Telegram, bot: Bot) -> None:
    with pytest.raises(BadRequest, match="Textdraft_peer_invalid"):
        await bot.send_message_draft(telegram.group().id, 7, "hello")


async def test_a_draft_needs_an_id_and_an_end(bot: Bot, ann: ChatView) -> None:
    with pytest.raises(BadRequest, match="Random_id_invalid"):
        await bot.send_message_draft(ann.id, 0, "hello")
    with pytest.raises(BadRequest, match="Message_too_long"):
        await bot.send_message_draft(ann.id, 7, "x" * 4097)


@pytest.mark.parametrize("keep", [False, True])
async def test_stop_tells_the_bot_and_ends_the_draft(
    telegram: Telegram, bot: Bot, ann: ChatView, keep: bool
) -> None:
    call = {"chat_id": ann.id, "draft_id": 7, "can_stop": True, "keep_on_stop": keep}
    await raw(telegram, "sendMessageDraft", text="hel", **call)
    draft = ann.screen().draft
    assert draft is not None
    assert draft.stop
    ann.stop_draft()
    (update,) = await bot.get_updates()
    stopped = update.api_kwargs["stopped_message_generation"]
    assert stopped["draft_id"] == 7
    assert stopped["chat"]["id"] == ann.id
    assert (ann.screen().draft is not None) is keep
    await raw(telegram, "sendMessageDraft", text="hello", **call)
    assert ann.screen().text == ("hel" if keep else "")
    with pytest.raises(LookupError):
        ann.stop_draft()


async def test_without_can_stop_there_is_no_stop(bot: Bot, ann: ChatView) -> None:
    await bot.send_message_draft(ann.id, 7, "hel")
    with pytest.raises(LookupError):
        ann.stop_draft()
