from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, web

from bot.core.delivery.delivery import Delivery
from bot.core.types import Button, CommandInfo, OutgoingFile, Reply, Style, Thoughts
from bot.errors import (
    ChatGone,
    MessageGone,
    NotYourTurn,
    OutcomeUnknown,
    PlatformDown,
    PlatformError,
    RateLimited,
)
from bot.platforms.telegram import TelegramSettings, adapter, connect, request
from bot.platforms.telegram.ids import make_chat
from bot.sandbox.telegram.telegram import Telegram
from tests.environment import free_port
from tests.platform_contract import HastyClock
from tests.platforms.telegram.stage import (
    Opener,
    TelegramStage,
    group,
    picture,
    private,
    settings_for,
    staged,
    topic,
)


@pytest.fixture
async def stage() -> AsyncIterator[TelegramStage]:
    async with staged(private, clock=HastyClock()) as stage:
        yield stage


# ---------------------------------------------------------------- text


async def test_what_is_about_one_of_many_messages_replies_to_it_in_a_private_chat_as_well(
    stage: TelegramStage,
) -> None:
    about = stage.incoming.ref
    for pointing in (False, True):
        reply = Reply(text="this one", answering=about, pointing=pointing)
        await stage.platform.send(about.chat, reply)
    assert [seen.reply_to for seen in stage.view.screen().answers] == [None, int(about.id)]


async def test_markdown_is_seen_as_formatting_without_link_previews(stage: TelegramStage) -> None:
    text = "**bold** and [a link](https://example.com) and `code`"
    ref = await stage.platform.send(stage.incoming.ref.chat, Reply(text=text))
    seen = stage.view.screen().answers[-1]
    assert seen.text == "bold and a link and code"
    assert [entity["type"] for entity in seen.entities] == ["bold", "text_link", "code"]
    assert not seen.link_preview
    await stage.platform.edit(ref, Reply(text=f"{text}, and more of it"))
    seen = stage.view.screen().answers[-1]
    assert seen.text == "bold and a link and code, and more of it" and not seen.link_preview


async def test_many_links_with_long_addresses_all_arrive(stage: TelegramStage) -> None:
    urls = [f"https://example.com/{n}?from={'a' * 250}" for n in range(60)]
    lines = [f"- [source {n}]({url})" for n, url in enumerate(urls)]
    await stage.platform.send(stage.incoming.ref.chat, Reply(text="\n".join(lines)))
    seen = [e for answer in stage.view.screen().answers for e in answer.entities]
    assert [entity["url"] for entity in seen] == urls


async def test_all_of_very_many_bold_words_are_bold(stage: TelegramStage) -> None:
    """Of a message, Telegram draws a hundred and leaves out the others without a word."""
    text = "\n".join(f"**{number}**" for number in range(150))
    await stage.platform.send(stage.incoming.ref.chat, Reply(text=text))
    assert sum(len(message.entities) for message in stage.view.screen().answers) == 150


async def test_a_text_that_is_too_long_arrives_whole_on_several_messages(
    stage: TelegramStage,
) -> None:
    words = [f"word{n}" for n in range(2000)]
    buttons = ((Button("Again", "again"),),)
    ref = await stage.platform.send(
        stage.incoming.ref.chat, Reply(text=" ".join(words), buttons=buttons)
    )
    seen = stage.view.screen().answers
    assert " ".join(message.text for message in seen).split() == words
    assert [bool(message.buttons) for message in seen] == [False] * (len(seen) - 1) + [True]
    assert int(ref.id) == seen[0].id


async def test_an_edit_that_is_too_long_goes_on_in_new_messages(stage: TelegramStage) -> None:
    words = [f"word{n}" for n in range(2000)]
    ref = await stage.platform.send(stage.incoming.ref.chat, Reply(text="short"))
    buttons = ((Button("Again", "again"),),)
    await stage.platform.edit(ref, Reply(text=" ".join(words), buttons=buttons))
    seen = stage.view.screen().answers
    assert " ".join(message.text for message in seen).split() == words
    assert [bool(message.buttons) for message in seen] == [False] * (len(seen) - 1) + [True]
    assert int(ref.id) == seen[0].id


@pytest.mark.parametrize("reply", [Reply(text="news", bulk=True), Reply(text="⏳", spare=True)])
async def test_what_goes_to_very_many_or_may_be_left_out_gives_way_to_answers(
    stage: TelegramStage, reply: Reply
) -> None:
    with pytest.raises(NotYourTurn):
        for _ in range(4):  # more than Telegram takes at once
            await stage.platform.send(stage.incoming.ref.chat, reply)


async def test_thoughts_are_folded_up_under_the_text(stage: TelegramStage) -> None:
    thoughts = Thoughts(title="💭 Thought for 3 s", text="First, **two** and two.\n\n- then 👩‍👩‍👧")
    reply = Reply(text="Four, *surely*.", thoughts=thoughts, buttons=((Button("Again", "again"),),))
    await stage.platform.send(stage.incoming.ref.chat, reply)
    seen = stage.view.screen().answers[-1]
    assert seen.text == "Four, surely.\n\n💭 Thought for 3 s\nFirst, two and two.\n\n• then 👩‍👩‍👧"
    assert [entity["type"] for entity in seen.entities] == ["italic", "expandable_blockquote"]
    assert seen.buttons == (("Again",),)


@pytest.mark.parametrize("length", [10, 3000, 4000, 4055, 4056, 4057, 4094, 4096, 5000])
async def test_as_many_thoughts_are_shown_as_there_is_room_for(
    stage: TelegramStage, length: int
) -> None:
    thoughts = Thoughts(title="💭 Thought for 3 s", text="well 👩‍👩‍👧 " * 1000)
    text = ("word " * 1000)[: length - 1] + "."
    ref = await stage.platform.send(stage.incoming.ref.chat, Reply(text="…"))
    await stage.platform.edit(ref, Reply(text=text, thoughts=thoughts))
    seen = stage.view.screen().answers
    assert len(seen) == 1 + (length > 4096)
    answer, _, folded = "\n".join(message.text for message in seen).partition("\n\n💭")
    assert " ".join(answer.split()) == " ".join(text.split())
    assert bool(folded) == (length <= 4056 or length > 4096)
    assert not folded or folded.removesuffix("…").rstrip().endswith(("s", "well", "👩‍👩‍👧"))


async def test_an_answer_in_a_group_says_what_it_answers() -> None:
    async with staged(group, clock=HastyClock()) as stage:
        reply = Reply(text="hello", answering=stage.incoming.ref)
        await stage.platform.send(stage.incoming.ref.chat, reply)
        assert stage.view.screen().answers[-1].reply_to == int(stage.incoming.ref.id)
        stage.view.delete(int(stage.incoming.ref.id))
        await stage.platform.send(stage.incoming.ref.chat, reply)
        assert stage.view.screen().answers[-1].reply_to is None


@pytest.mark.parametrize(
    ("method", "files"), [("sendMessage", ()), ("sendPhoto", (picture(),))], ids=["text", "photo"]
)
async def test_an_answer_to_what_was_deleted_meanwhile_answers_nothing(
    method: str, files: tuple[OutgoingFile, ...]
) -> None:
    async with staged(group, clock=HastyClock()) as stage:
        stage.telegram.faults.fail_next(400, "REPLY_MESSAGE_ID_INVALID", method=method)
        reply = Reply(text="hello", files=files, answering=stage.incoming.ref)
        await stage.platform.send(stage.incoming.ref.chat, reply)
        (answer,) = stage.view.screen().answers
        assert (answer.text, answer.reply_to) == ("hello", None)


async def test_an_answer_in_a_topic_stays_in_it() -> None:
    async with staged(topic, clock=HastyClock()) as stage:
        await stage.platform.send(stage.incoming.ref.chat, Reply(text="hello"))
        async with stage.platform.typing(stage.incoming.ref.chat):
            seen = await stage.view.wait_for(lambda screen: screen.typing)
        assert [message.text for message in seen.answers] == ["hello"]


async def test_long_rows_of_buttons_are_broken(stage: TelegramStage) -> None:
    row = tuple(Button(str(n), str(n)) for n in range(11))
    await stage.platform.send(stage.incoming.ref.chat, Reply(text="pick", buttons=(row,)))
    assert [len(line) for line in stage.view.screen().answers[-1].buttons] == [8, 3]


async def test_a_preview_closes_what_is_open_and_changes_only_what_is_seen(
    stage: TelegramStage,
) -> None:
    draft = stage.platform.draft(stage.incoming, stop=Button("Stop", "stop"))
    await draft.show("**bold that is not yet")
    seen = stage.view.screen().answers[-1]
    assert (seen.text, seen.entities[0]["type"]) == ("bold that is not yet", "bold")
    calls = len(stage.telegram.calls)
    await draft.show("**bold that is not yet**")
    assert len(stage.telegram.calls) == calls  # it looks the same
    await draft.finish(Reply(text="**bold that is not yet** closed"))
    assert await stage.kept() == ["bold that is not yet closed"]
    assert await stage.buttons() == []


# ---------------------------------------------------------------- what goes wrong


async def test_a_chat_that_blocked_the_bot_is_gone(stage: TelegramStage) -> None:
    stage.telegram.person().block()
    with pytest.raises(ChatGone):
        await stage.platform.send(stage.incoming.ref.chat, Reply(text="hello"))
    with pytest.raises(ChatGone):
        await stage.platform.send(make_chat(4711), Reply(text="hello"))


async def test_an_edit_is_repeated_until_it_got_through(stage: TelegramStage) -> None:
    ref = await stage.platform.send(stage.incoming.ref.chat, Reply(text="hello"))
    stage.telegram.faults.drop_next()
    stage.telegram.faults.fail_next(502)
    await stage.platform.edit(ref, Reply(text="bye"))
    assert await stage.kept() == ["bye"]


async def test_a_pause_is_understood_in_either_form_that_the_library_tells_it(
    stage: TelegramStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    stage.telegram.faults.refuse_next(7)
    with pytest.raises(RateLimited) as refusal:
        await stage.platform.send(stage.incoming.ref.chat, Reply(text="hello"))
    assert refusal.value.retry_after == 7


async def test_a_pause_of_untold_length_is_no_unknown_outcome(stage: TelegramStage) -> None:
    """A message that was refused so is not looked for: each call would make the pause longer."""
    ref = await stage.platform.send(stage.incoming.ref.chat, Reply(text="hello"))
    for call in ("sendMessage", "editMessageText"):
        stage.telegram.faults.fail_next(429, method=call)
    for act in (
        stage.platform.send(stage.incoming.ref.chat, Reply(text="again", answering=ref)),
        stage.platform.edit(ref, Reply(text="bye")),
    ):
        with pytest.raises(RateLimited):
            await act
    assert [call.status for call in stage.telegram.calls] == [200, 429, 429]


async def test_a_message_is_not_sent_twice_when_its_outcome_is_unknown(
    stage: TelegramStage,
) -> None:
    stage.telegram.faults.fail_next(502)
    with pytest.raises(OutcomeUnknown):
        await stage.platform.send(stage.incoming.ref.chat, Reply(text="hello"))
    assert len(stage.telegram.calls.of("sendMessage")) == 1


async def test_a_server_that_is_down_is_no_unknown_outcome_and_no_secret_comes_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = TelegramSettings.model_validate(
        {"token": "1000:secret", "base_url": "http://127.0.0.1:9"}
    )
    platform = connect(settings, clock=HastyClock())
    with caplog.at_level(logging.DEBUG), pytest.raises(PlatformError) as failure:
        await platform.send(make_chat(1), Reply(text="hello"))
    await platform.close()
    assert not isinstance(failure.value, OutcomeUnknown)
    seen = [repr(settings), repr(platform), str(platform), caplog.text]
    error: BaseException | None = failure.value
    while error is not None:
        seen += [str(error), repr(error)]
        error = error.__cause__ or error.__context__
    assert not any("secret" in text for text in seen)


async def test_a_message_that_finds_no_free_connection_is_no_unknown_outcome(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adapter, "CONNECTIONS", 1)
    monkeypatch.setattr(request, "CONNECT_SECONDS", 0.3)
    async with staged(private, clock=HastyClock()) as stage:
        ben = make_chat(stage.telegram.person(id=1002, name="Ben").private().id)
        stage.telegram.faults.hang_next(method="sendMessage")
        sending = {
            asyncio.create_task(stage.platform.send(chat, Reply(text="hello")))
            for chat in (stage.incoming.ref.chat, ben)
        }
        (refused,), (hanging,) = await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
        assert type(refused.exception()) is PlatformDown
        assert len(stage.telegram.calls.of("sendMessage")) == 1
        hanging.cancel()
        await asyncio.wait({hanging})
        await stage.platform.send(ben, Reply(text="hello"))  # the connection is free again


@asynccontextmanager
async def heard_once(telegram: Telegram) -> AsyncIterator[str]:
    """An address of Telegram's at which nobody listens any more after one call."""

    async def pass_on(call: web.Request) -> web.Response:
        async with (
            ClientSession() as session,
            session.post(f"{telegram.base_url}{call.path}", json=await call.json()) as answer,
        ):
            said = web.Response(body=await answer.read())
        said.force_close()
        await site.stop()
        return said

    app = web.Application()
    app.router.add_post("/{tail:.*}", pass_on)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port := free_port())
    try:
        await site.start()
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def test_a_reply_of_which_a_part_stands_is_looked_for_before_it_is_sent_again() -> None:
    parts = ["one " * 1000, "two " * 1000]
    async with staged(private) as stage, heard_once(stage.telegram) as address:
        asked = stage.incoming.ref
        reply = Reply(text="\n\n".join(parts), answering=asked)
        settings = settings_for(stage.telegram).model_copy(update={"base_url": address})
        cut_off = connect(settings, clock=HastyClock())
        with pytest.raises(OutcomeUnknown):
            await cut_off.send(asked.chat, reply)
        await cut_off.close()
        assert await stage.kept() == [parts[0].strip()]
        await stage.platform.sweep(asked.chat, after=[asked], keep=[])
        await stage.platform.send(asked.chat, reply)
        assert await stage.kept() == [part.strip() for part in parts]


@pytest.mark.parametrize("refusal", ["ENTITY_BOUNDS_INVALID", "ENTITIES_TOO_LONG"])
async def test_a_text_whose_formatting_is_refused_gets_through_without_it(
    stage: TelegramStage, refusal: str
) -> None:
    chat, faults = stage.incoming.ref.chat, stage.telegram.faults
    faults.fail_next(400, refusal, method="sendMessage")
    ref = await stage.platform.send(chat, Reply(text="**one**"))
    faults.fail_next(400, refusal, method="editMessageText")
    await stage.platform.edit(ref, Reply(text="**two**"))
    faults.fail_next(400, refusal, method="sendPhoto")
    await stage.platform.send(chat, Reply(text="**three**", files=(picture(),)))
    seen = stage.view.screen().answers
    assert [(answer.text, answer.entities) for answer in seen] == [("two", ()), ("three", ())]


async def test_the_menu_is_published_in_every_language(stage: TelegramStage) -> None:
    commands = [
        CommandInfo(name="help", summary="What I can do"),
        CommandInfo(name="not-a-name", summary="no"),
    ]
    await stage.platform.publish(commands)
    assert stage.telegram.menu() == {"help": "What I can do"}
    assert set(stage.telegram.menu("zh")) == {"help"}
    more = [CommandInfo(name=f"more{number}", summary="More") for number in range(100)]
    await stage.platform.publish([*commands, *more])
    assert len(stage.telegram.menu()) == 100


async def test_a_chat_is_told_that_the_bot_is_typing(stage: TelegramStage) -> None:
    async with stage.platform.typing(stage.incoming.ref.chat):
        await stage.view.wait_for(lambda screen: screen.typing == "typing")


async def test_typing_that_telegram_refuses_fails_nothing_and_is_tried_again(
    stage: TelegramStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "TYPING_SECONDS", 0.01)
    stage.telegram.faults.fail_next(500, method="sendChatAction")
    async with stage.platform.typing(stage.incoming.ref.chat):
        await stage.view.wait_for(lambda screen: screen.typing == "typing")
    assert len(stage.telegram.calls.of("sendChatAction")) > 1


async def test_halves_of_characters_are_joined_or_replaced(stage: TelegramStage) -> None:
    await stage.platform.send(stage.incoming.ref.chat, Reply(text="a \ud83d\ude00 b \ud83d c"))
    assert await stage.kept() == ["a 😀 b \ufffd c"]


@pytest.mark.parametrize("rich", [False, True])
async def test_a_ring_stays_on_its_letter(rich: bool) -> None:
    async with staged(private, clock=HastyClock(), style=Style(rich=rich)) as stage:
        text = "A\u030angstro\u0308m, `lu\u030ana`, x\u030a"  # the last is no letter of its own
        await stage.platform.send(stage.incoming.ref.chat, Reply(text=text))
        [kept] = await stage.kept()
        assert kept.replace("`", "") == "\u00c5ngstro\u0308m, l\u016fna, x"


@pytest.mark.parametrize(
    "refusal",
    [
        "CHAT_RESTRICTED",
        "CHAT_ADMIN_REQUIRED",
        "CHAT_FORBIDDEN",
        "CHAT_GUEST_SEND_FORBIDDEN",
        "CHANNEL_PRIVATE",
        "USER_BANNED_IN_CHANNEL",
        "ALLOW_PAYMENT_REQUIRED_50",
        "have no write access to the chat",
        "can't access the chat",
        "not enough rights to send text messages to the chat",
        "TOPIC_CLOSED",
    ],
)
async def test_a_chat_in_which_the_bot_may_not_write_is_gone(
    stage: TelegramStage, refusal: str
) -> None:
    stage.telegram.faults.fail_next(400, refusal, method="sendMessage")
    with pytest.raises(ChatGone):
        await stage.platform.send(stage.incoming.ref.chat, Reply(text="hello"))


@pytest.mark.parametrize("refusal", ["message not found", "MESSAGE_AUTHOR_REQUIRED"])
async def test_a_message_that_vanishes_during_the_edit_is_gone(
    stage: TelegramStage, refusal: str
) -> None:
    ref = await stage.platform.send(stage.incoming.ref.chat, Reply(text="hello"))
    stage.telegram.faults.fail_next(400, refusal, method="editMessageText")
    with pytest.raises(MessageGone):
        await stage.platform.edit(ref, Reply(text="hello again"))


async def test_the_old_pages_of_an_answer_that_became_short_go_at_once() -> None:
    async with staged(group, clock=HastyClock()) as stage:
        chat = stage.incoming.ref.chat
        old = [await stage.platform.send(chat, Reply(text=f"page {n}")) for n in range(12)]
        stage.telegram.calls.clear()
        async with Delivery(
            stage.platform, stage.incoming, clock=HastyClock(), resume=old
        ) as delivery:
            delivery.write("Short.")
            await delivery.finish()
        assert await stage.kept() == ["Short."]
        assert len(stage.telegram.calls.of("deleteMessages")) == 1
        assert stage.telegram.calls.of("deleteMessage") == []


async def test_a_message_that_goes_on_in_a_list_shows_it_at_its_depth(
    stage: TelegramStage,
) -> None:
    words = "some words of an item of a list in a list"
    items = [f"    {n}. {words}" for n in range(1, 120)]
    async with Delivery(stage.platform, stage.incoming, clock=HastyClock()) as delivery:
        delivery.write("- top\n  - inner\n")
        for item in items:
            delivery.write(f"{item}\n")
            await asyncio.sleep(0)
        delivery.write("  - inner\n- top")
        await delivery.finish()
    first, second = await stage.kept()
    assert first.startswith("• top\n  • inner\n    1. some")
    assert second.startswith("\u00a0\u00a0\u00a0\u00a0")
    assert second.endswith(f"\n    119. {words}\n  • inner\n• top")
    shown = f"{first}\n{second}".replace("\u00a0", " ").split("\n")
    assert shown[2:-2] == items


async def test_a_page_too_old_to_be_deleted_keeps_no_other_from_going(
    stage: TelegramStage,
) -> None:
    chat = stage.incoming.ref.chat
    old = [await stage.platform.send(chat, Reply(text=f"page {n}")) for n in range(2)]
    stage.telegram.let_pass(3 * 86_400)
    old += [await stage.platform.send(chat, Reply(text=f"page {n}")) for n in range(2, 4)]
    async with Delivery(stage.platform, stage.incoming, clock=HastyClock(), resume=old) as delivery:
        delivery.write("Short.")
        await delivery.finish()
    assert await stage.kept() == ["Short.", "page 1"]


@pytest.mark.parametrize("opener", [private, group])
async def test_a_page_that_is_too_old_to_be_deleted_does_not_keep_a_text_from_changing(
    opener: Opener,
) -> None:
    async with staged(opener, clock=HastyClock()) as stage:
        ref = await stage.platform.send(stage.incoming.ref.chat, Reply(text="word " * 1500))
        stage.telegram.let_pass(3 * 86_400)
        await stage.platform.edit(ref, Reply(text="shorter"))
        first, *old = await stage.kept()
        assert first == "shorter"
        assert len(old) == 1  # nobody can take it away


async def test_all_that_belongs_to_an_answer_in_a_group_says_what_it_answers() -> None:
    """Else the further pages and the files would not be seen among the comments of a channel."""
    async with staged(group, clock=HastyClock()) as stage:
        chat, question = stage.incoming.ref.chat, stage.incoming.ref
        note = OutgoingFile(name="c.txt", mime="text/plain", content=b"c")
        files = (picture("a.png"), picture("b.png"), note)
        await stage.platform.send(chat, Reply(text="word " * 1500, files=files, answering=question))
        answers = stage.view.screen().answers
        assert len(answers) == 5
        assert {answer.reply_to for answer in answers} == {int(question.id)}


@pytest.mark.parametrize("rich", [False, True])
async def test_signs_that_telegram_takes_for_nothing_are_not_sent_alone(rich: bool) -> None:
    async with staged(private, clock=HastyClock(), style=Style(rich=rich)) as stage:
        draft = stage.platform.draft(stage.incoming)
        await draft.show("\u2800\u2800")  # the beginning of a picture of dots
        assert await stage.screen() == []
        await draft.finish(Reply(text="\u2800\ufffc"))
        assert await stage.kept() == ["…"]
