from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.core.capabilities import Streaming
from bot.core.delivery.delivery import Delivery
from bot.core.fakes.platform import CHAT
from bot.core.types import MessageRef, Reply
from bot.errors import (
    MessageGone,
)
from tests.core.delivery.scene import AGAIN, NOTE, Scene

# ---------------------------------------------------------------- previews that vanish


async def test_what_vanishes_is_shown_again_in_time() -> None:
    scene = Scene(vanishes=30)
    async with scene.deliver() as delivery:
        delivery.write("One")
        await scene.clock.advance(100)
        assert scene.platform.frames == [["One"]] * 6
        delivery.write(" two")
        await scene.clock.settle()
        assert scene.platform.screen() == ["One two"] and scene.platform.kept() == []
        await delivery.finish()
    assert scene.platform.kept() == scene.platform.screen() == ["One two"]


async def test_a_status_that_vanishes_becomes_the_text() -> None:
    scene = Scene(vanishes=30)
    async with scene.deliver() as delivery:
        delivery.status("Thinking…")
        await scene.clock.advance(40)
        assert scene.platform.frames == [["Thinking…"]] * 3
        delivery.write("One")
        await scene.clock.advance(1)
        assert scene.platform.screen() == ["One"]
        await delivery.finish()
    assert scene.platform.kept() == ["One"]


async def test_a_status_that_vanishes_leaves_nothing_behind() -> None:
    scene = Scene(vanishes=30)
    async with scene.deliver() as delivery:
        delivery.status("Drawing…")
        await scene.clock.settle()
        await delivery.finish(files=(NOTE,))
    assert scene.platform.screen() == [""] and scene.platform.files() == [NOTE]
    async with scene.deliver() as delivery:
        delivery.status("Drawing…")
        await scene.clock.settle()
        assert await delivery.finish() == ()
    assert scene.platform.kept() == [""]


async def test_a_text_that_would_vanish_while_the_bot_is_away_stays() -> None:
    scene = Scene(vanishes=30)
    entries: list[tuple[str, Sequence[MessageRef]]] = []

    async def remember(text: str, messages: Sequence[MessageRef]) -> None:
        entries.append((text, messages))

    with pytest.raises(asyncio.CancelledError):
        async with scene.deliver(checkpoint=remember, paused="⏸") as delivery:
            delivery.write("One")
            await scene.clock.settle()
            assert entries == [("One", ())]  # for a kill it would be too late
            raise asyncio.CancelledError
    assert scene.platform.kept() == scene.platform.screen() == ["One\n\n⏸"]
    assert entries[-1] == ("One", tuple(scene.platform.refs()))
    async with scene.deliver(resume=scene.platform.refs()) as delivery:
        delivery.write("One two")
        await delivery.finish()
    assert scene.platform.kept() == ["One two"]


async def test_a_text_that_vanishes_is_written_anew_without_a_trace() -> None:
    scene = Scene(vanishes=30)
    async with scene.deliver() as delivery:
        delivery.write("The first try")
        await scene.clock.settle()
        delivery.rewrite("Another")
        await scene.clock.advance(1)
        await delivery.finish()
    assert scene.platform.kept() == ["Another"]


async def test_pages_of_which_one_vanishes_are_written_anew_without_a_trace() -> None:
    scene = Scene(vanishes=30)
    async with scene.deliver() as delivery:
        delivery.write("word " * 25)
        await scene.clock.advance(5)
        assert len(scene.platform.kept()) == 1 and len(scene.platform.screen()) == 2
        delivery.rewrite("Sorry, no.")
        await scene.clock.drive(delivery.finish())
    assert scene.platform.kept() == ["Sorry, no."]


async def test_a_placeholder_says_what_goes_on_and_then_the_text(scene: Scene) -> None:
    ref = await scene.platform.send(CHAT, Reply(text="⏳ 1 message before yours"))
    async with scene.deliver(resume=(ref,), placeholder=True) as delivery:
        delivery.status("Thinking…")
        await scene.clock.settle()
        assert scene.platform.kept() == ["Thinking…"]
        delivery.write("One")
        await delivery.finish()
    assert scene.platform.kept() == ["One"]


# ---------------------------------------------------------------- pace


async def test_the_first_text_is_shown_at_once(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("One")
        await scene.clock.settle()
        assert scene.platform.screen() == ["One"]
        assert scene.clock.monotonic() == 0


async def test_later_texts_wait_for_the_interval_and_the_newest_wins(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("One")
        await scene.clock.settle()
        delivery.write(" two")
        await scene.clock.advance(0.5)
        delivery.write(" three")
        assert scene.platform.screen() == ["One"]
        await scene.clock.advance(0.5)
        assert scene.platform.frames == [["One"], ["One two three"]]


async def test_the_end_is_shown_at_once(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("One")
        await scene.clock.settle()
        delivery.write(" two")
        refs = await delivery.finish()
    assert scene.clock.monotonic() == 0
    assert scene.platform.kept() == ["One two"]
    assert refs == tuple(scene.platform.refs())
    assert delivery.text == "One two"


async def test_nothing_is_edited_without_a_visible_change(scene: Scene) -> None:
    async with Delivery(scene.platform, scene.platform.message(), clock=scene.clock) as delivery:
        delivery.write("One")
        await scene.clock.settle()
        delivery.write("")
        delivery.write("\n")
        await scene.clock.advance(10)
        await delivery.finish()
    assert scene.platform.frames == [["One"]]


async def test_half_a_link_is_not_shown(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("See [this](https://e.exa")
        await scene.clock.advance(5)
        assert scene.platform.screen() == ["See"]
        delivery.write("mple) now")
        await scene.clock.advance(5)
        assert scene.platform.screen() == ["See [this](https://e.example) now"]


async def test_a_text_that_is_held_back_does_not_delay_the_first_one(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("**")
        await scene.clock.advance(0.1)
        delivery.write("Bold**")
        await scene.clock.settle()
        assert scene.platform.screen() == ["**Bold**"]


async def test_where_only_whole_messages_can_be_sent_nothing_is_shown_before_the_end() -> None:
    scene = Scene(Streaming.NONE)
    async with scene.deliver() as delivery:
        delivery.status("Thinking…")
        delivery.write("One two. " * 20)
        await scene.clock.advance(60)
        assert scene.platform.frames == []
        await delivery.finish()
    assert " ".join(scene.platform.kept()).split() == ["One", "two."] * 20
    assert len(scene.platform.frames) == len(scene.platform.kept()) == 2


@pytest.mark.parametrize("streaming", [Streaming.NONE, Streaming.NATIVE])
async def test_leaving_where_only_whole_messages_can_be_sent_says_nothing(
    streaming: Streaming,
) -> None:
    scene = Scene(streaming, ephemeral=True)
    with pytest.raises(asyncio.CancelledError):
        async with scene.deliver(paused="⏸") as delivery:
            delivery.write("One")
            await scene.clock.settle()
            raise asyncio.CancelledError
    assert scene.platform.kept() == []


# ---------------------------------------------------------------- status, mark, stop, files


async def test_a_status_is_shown_until_there_is_a_text(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.status("Thinking… 1 s")
        await scene.clock.settle()
        assert scene.platform.screen() == ["Thinking… 1 s"]
        assert scene.platform.buttons() == ["Stop"]
        delivery.status("Thinking… 2 s")
        await scene.clock.advance(1)
        assert scene.platform.screen() == ["Thinking… 2 s"]
        delivery.write("One")
        await scene.clock.settle()
        assert scene.platform.screen() == ["One"]
        delivery.status("Thinking… 3 s")
        await scene.clock.advance(2)
        await delivery.finish()
    assert scene.platform.kept() == ["One"]
    assert scene.platform.buttons() == []


async def test_a_status_is_never_part_of_the_answer(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.status("Drawing…")
        await scene.clock.settle()
        refs = await scene.clock.drive(delivery.finish(files=(NOTE,)))
    assert scene.platform.kept() == [""]
    assert scene.platform.files() == [NOTE]
    assert refs == tuple(scene.platform.refs())


async def test_a_status_that_somebody_deleted_comes_back(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.status("Thinking… 1 s")
        await scene.clock.settle()
        scene.platform.remove(scene.platform.refs()[0])
        delivery.status("Thinking… 2 s")
        await scene.clock.advance(3)
        assert scene.platform.screen() == ["Thinking… 2 s"]


async def test_a_status_never_takes_the_place_of_a_text(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.status("Thinking… 1 s")
        await scene.clock.settle()
        delivery.write("One two")
        await scene.clock.advance(2)
        delivery.rewrite("")
        delivery.status("Thinking… 2 s")
        await scene.clock.advance(2)
        assert scene.platform.screen() == ["One two"]


async def test_a_status_that_cannot_be_sent_is_tried_again(scene: Scene) -> None:
    scene.platform.fail_next(MessageGone("the question was deleted"))
    async with scene.deliver() as delivery:
        delivery.status("Thinking…")
        await scene.clock.advance(2)
        assert scene.platform.screen() == ["Thinking…"]


async def test_a_native_draft_shows_no_status() -> None:
    scene = Scene(Streaming.NATIVE)
    async with scene.deliver() as delivery:
        delivery.status("Thinking…")
        await scene.clock.advance(2)
        await delivery.finish(mark="Nothing to say.")
    assert scene.platform.frames == [["Nothing to say."]]
    assert scene.platform.statuses == []


async def test_a_native_draft_that_can_says_what_goes_on_beside_its_text() -> None:
    scene = Scene(Streaming.NATIVE, status=True)
    async with scene.deliver() as delivery:
        delivery.status("Thinking… 1 s")
        await scene.clock.settle()
        delivery.status("Thinking… 2 s")
        await scene.clock.advance(2)
        assert scene.platform.statuses == ["Thinking… 1 s", "Thinking… 2 s"]
        delivery.write("One")
        await scene.clock.settle()
        delivery.status("Thinking… 3 s")  # too late: there is a text
        await scene.clock.advance(2)
        refs = await delivery.finish()
    assert scene.platform.statuses == ["Thinking… 1 s", "Thinking… 2 s"]
    assert scene.platform.kept() == ["One"]
    assert refs == tuple(scene.platform.refs())


async def test_a_status_beside_the_text_comes_back_when_somebody_deleted_it() -> None:
    scene = Scene(Streaming.NATIVE, status=True)
    async with scene.deliver() as delivery:
        delivery.status("Thinking…")
        await scene.clock.settle()
        scene.platform.fail_next(MessageGone("somebody deleted it"))
        delivery.status("Thinking… 2 s")
        await scene.clock.advance(5)
        delivery.write("One")
        await scene.clock.drive(delivery.finish())
    assert scene.platform.statuses == ["Thinking…", "Thinking… 2 s"]
    assert scene.platform.kept() == ["One"]


async def test_a_status_beside_the_text_ends_with_files_alone() -> None:
    scene = Scene(Streaming.NATIVE, status=True)
    async with scene.deliver() as delivery:
        delivery.status("Drawing…")
        await scene.clock.settle()
        refs = await scene.clock.drive(delivery.finish(files=(NOTE,)))
    assert scene.platform.statuses == ["Drawing…"]
    assert scene.platform.files() == [NOTE]
    assert refs == tuple(scene.platform.refs())


async def test_a_message_that_stands_already_is_told_no_status() -> None:
    scene = Scene(Streaming.NATIVE, status=True)
    ref = await scene.platform.send(CHAT, Reply(text="half an ans"))
    async with scene.deliver(resume=(ref,)) as delivery:
        delivery.status("Thinking…")
        await scene.clock.advance(2)
        await delivery.finish(mark="Nothing to say.")
    assert scene.platform.statuses == []
    assert scene.platform.kept() == ["Nothing to say."]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("One", "One\n\nstopped"),
        ("One\n", "One\n\nstopped"),
        ("One\n\n\n", "One\n\n\nstopped"),
        ("```py\nx = 1", "```py\nx = 1\n```\n\nstopped"),
        ("It **is** so: **this is `one", "It **is** so: this is one\n\nstopped"),
        ("- **It** is [in the docs](https://docs.exam", "- **It** is in the docs\n\nstopped"),
        ("| a |\n|---|\n| *one", "| a |\n|---|\n| one\n\nstopped"),
        ("5 * 3 = 15 [see", "5 * 3 = 15 [see\n\nstopped"),
        ("**", "**\n\nstopped"),
        ("", "stopped"),
        (" \n", "stopped"),
    ],
)
async def test_the_mark_is_a_line_of_its_own(scene: Scene, text: str, kept: str) -> None:
    async with scene.deliver() as delivery:
        delivery.write(text)
        await delivery.finish(mark="stopped")
    assert scene.platform.kept() == [kept]
    assert delivery.text == text


async def test_an_answer_of_nothing_sends_nothing(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        assert await delivery.finish() == ()
    assert scene.platform.frames == []


async def test_files_go_with_the_last_page(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("Here it is")
        await delivery.finish(files=(NOTE,))
    assert scene.platform.kept() == ["Here it is"]
    assert scene.platform.files() == [NOTE]


async def test_a_file_that_is_too_large_does_not_take_the_text_with_it(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("Here it is")
        refs = await delivery.finish(files=(replace(NOTE, content=b"x" * 2000),))
    assert scene.platform.kept() == ["Here it is\n\nthe file is larger than 1000 bytes"]
    assert refs == tuple(scene.platform.refs())


async def test_files_get_through_although_what_they_answer_is_gone(scene: Scene) -> None:
    scene.platform.fail_next(MessageGone("deleted"))
    async with scene.deliver() as delivery:
        await scene.clock.drive(delivery.finish(files=(NOTE,)))
    assert scene.platform.files() == [NOTE]


@pytest.mark.parametrize("pages", [1, 2])
async def test_files_get_through_although_the_last_page_is_deleted(
    scene: Scene, pages: int
) -> None:
    text = ("x" * 99 + "\n") * pages
    async with scene.deliver() as delivery:
        delivery.write(text + "y" * 60)
        await scene.clock.advance(5)
        delivery.rewrite(text)
        scene.platform.remove(scene.platform.refs()[pages - 1])
        refs = await scene.clock.drive(delivery.finish(files=(NOTE,), buttons=((AGAIN,),)))
    assert scene.platform.files() == [NOTE]
    assert scene.platform.buttons() == ["Again"]
    assert refs == tuple(scene.platform.refs())


async def test_where_files_are_forbidden_the_text_says_so_under_how_it_ended(scene: Scene) -> None:
    scene.platform.takes_files = False
    async with scene.deliver() as delivery:
        delivery.write("Here it is")
        await delivery.finish(files=(NOTE,), mark="stopped", buttons=((AGAIN,),))
    assert scene.platform.kept() == ["Here it is\n\nstopped\n\nno files in this chat"]
    assert scene.platform.buttons() == ["Again"]


async def test_where_files_are_forbidden_one_without_words_leaves_words(scene: Scene) -> None:
    scene.platform.takes_files = False
    async with scene.deliver() as delivery:
        await delivery.finish(files=(NOTE,))
    assert scene.platform.kept() == ["no files in this chat"]
