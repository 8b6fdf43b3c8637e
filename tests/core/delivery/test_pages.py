from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.core.capabilities import Streaming
from bot.core.delivery.delivery import Delivery
from bot.core.fakes.platform import CHAT, FAKE_CAPABILITIES, FakePlatform, ManualClock
from bot.core.types import Reply
from tests.core.delivery.scene import AGAIN, NOTE, Scene

# ---------------------------------------------------------------- pages


async def test_a_long_answer_goes_on_in_a_second_message(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        for number in range(30):
            delivery.write(f"word{number} ")
            await scene.clock.advance(0.3)
        await delivery.finish(buttons=((AGAIN,),))
    assert len(scene.platform.kept()) == 3
    assert " ".join(scene.platform.kept()).split() == [f"word{n}" for n in range(30)]
    assert scene.platform.buttons() == ["Again"]
    assert scene.platform.press("Again").ref == scene.platform.refs()[-1]


async def test_pages_keep_the_pace_while_the_answer_is_written(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("word " * 100)
        await scene.clock.settle()
        assert len(scene.platform.frames) == 1
        await scene.clock.advance(2.5)
        assert len(scene.platform.frames) == 3


async def test_after_a_pause_the_newest_text_is_shown_at_once(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("One")
        await scene.clock.settle()
        scene.platform.refuse_next(0.5)
        delivery.write(" two")
        await scene.clock.advance(1)
        assert scene.platform.screen() == ["One"]
        await scene.clock.advance(0.5)
        assert scene.platform.screen() == ["One two"]


async def test_a_page_ends_after_a_paragraph_that_the_reader_sees_whole(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        for word in ("one " * 22 + "end.\n\n" + "two " * 22).split(" "):
            delivery.write(word + " ")
            await scene.clock.advance(0.5)
        await delivery.finish()
    first, second = scene.platform.kept()
    assert first.endswith("one end.")
    assert second.startswith("two two")


async def test_a_word_without_end_is_cut(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        for _ in range(25):
            delivery.write("x" * 10)
            await scene.clock.advance(0.5)
        await delivery.finish()
    assert "".join(scene.platform.kept()) == "x" * 250


async def test_a_preview_never_takes_back_what_was_shown() -> None:
    scene = Scene(Streaming.NATIVE)  # where it could not be taken back
    async with scene.deliver() as delivery:
        delivery.write("a")
        await scene.clock.settle()
        delivery.write(" | b\n--")  # a table, after all: its head would not have been shown
        await scene.clock.advance(5)
        assert scene.platform.screen() == ["a"]
        delivery.write("|--\n1 | 2")
        await delivery.finish()
    assert scene.platform.kept() == ["a | b\n--|--\n1 | 2"]


async def test_a_preview_that_would_not_fit_is_not_tried(caplog: pytest.LogCaptureFixture) -> None:
    def measure(text: str) -> int:
        return len(text) + 60 * text.endswith("end.")

    clock = ManualClock()
    platform = FakePlatform(replace(FAKE_CAPABILITIES, max_text=100, measure=measure), clock=clock)
    async with Delivery(platform, platform.message(), clock=clock) as delivery:
        for word in ["word"] * 17 + ["is", "the", "end.", "And"] + ["more"] * 20:
            delivery.write(word + " ")
            await clock.advance(2)
        await clock.drive(delivery.finish())
    assert "delivery failed" not in caplog.messages
    assert len(" ".join(platform.kept()).split()) == 41


async def test_what_is_written_while_a_page_is_being_finished_is_kept(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("one " * 40)
        scene.platform.refuse_next(10)
        await scene.clock.advance(1)
        delivery.write("two " * 40)
        await scene.clock.drive(delivery.finish())
    assert " ".join(scene.platform.kept()).split() == ["one"] * 40 + ["two"] * 40


async def test_a_very_long_answer_is_cut_without_looking_at_all_of_it() -> None:
    sizes: list[int] = []

    def measure(text: str) -> int:
        sizes.append(len(text))
        return len(text)

    scene = Scene()
    capabilities = replace(FAKE_CAPABILITIES, max_text=1000, measure=measure)
    platform = FakePlatform(capabilities, clock=scene.clock)
    async with Delivery(platform, platform.message(), clock=scene.clock) as delivery:
        delivery.write("word " * 20_000)
        await scene.clock.drive(delivery.finish())
    assert " ".join(platform.kept()).split() == ["word"] * 20_000
    assert sum(sizes) < 10 * 100_000


async def test_blanks_as_long_as_a_page_are_no_page(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write(" " * 450 + "One")
        await scene.clock.advance(10)
        delivery.write(" two")
        await scene.clock.drive(delivery.finish())
    assert [text.strip() for text in scene.platform.kept()] == ["One two"]


async def test_a_blank_rest_is_no_page_but_the_buttons_stand_under_the_last(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("word " * 25)
        await scene.clock.advance(5)
        full = len(scene.platform.kept())
        delivery.rewrite(" ".join(scene.platform.kept()[:1]) + " \n\n ")
        await scene.clock.advance(5)
        scene.platform.refuse_next(5)
        await scene.clock.drive(delivery.finish(buttons=((AGAIN,),), files=(NOTE,)))
    assert full == 2
    assert len(scene.platform.kept()) == 1
    assert scene.platform.buttons() == ["Again"]
    assert scene.platform.files() == [NOTE]


async def test_buttons_for_a_page_that_somebody_deleted_are_left_out(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("word " * 25)
        await scene.clock.advance(5)
        delivery.rewrite(scene.platform.kept()[0] + " ")
        await scene.clock.advance(5)
        scene.platform.remove(scene.platform.refs()[0])
        await scene.clock.drive(delivery.finish(buttons=((AGAIN,),)))
    assert scene.platform.kept() == []


# ---------------------------------------------------------------- written anew


async def test_what_is_the_same_stays_untouched(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("word " * 25 + "and a first ending")
        await scene.clock.advance(5)
        first, second = scene.platform.refs()
        frames = len(scene.platform.frames)
        delivery.rewrite("")
        for _ in range(25):
            delivery.write("word ")
            await scene.clock.advance(1)
        assert len(scene.platform.frames) == frames
        delivery.write("and a second ending")
        await scene.clock.drive(delivery.finish())
    assert scene.platform.refs() == [first, second]
    assert " ".join(scene.platform.kept()) == "word " * 25 + "and a second ending"
    assert all(frame[0] == scene.platform.kept()[0] for frame in scene.platform.frames[frames:])


async def test_an_answer_that_becomes_shorter_leaves_nothing_behind(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("word " * 60)
        await scene.clock.advance(9)
        assert len(scene.platform.kept()) == 3
        delivery.rewrite("Sorry, no.")
        await scene.clock.drive(delivery.finish())
    assert scene.platform.kept() == ["Sorry, no."]


async def test_an_answer_that_is_only_a_beginning_of_the_first_takes_its_place(
    scene: Scene,
) -> None:
    async with scene.deliver() as delivery:
        delivery.write("One two three")
        await scene.clock.settle()
        delivery.rewrite("One")
        await scene.clock.advance(5)
        assert scene.platform.screen() == ["One two three"]
        await delivery.finish()
    assert scene.platform.kept() == ["One"]


@pytest.mark.parametrize("ephemeral", [False, True])
async def test_a_native_draft_that_differs_is_closed_and_edited(ephemeral: bool) -> None:
    scene = Scene(Streaming.NATIVE, ephemeral=ephemeral)
    async with scene.deliver() as delivery:
        delivery.write("One two")
        await scene.clock.settle()
        delivery.rewrite("Three")
        await scene.clock.advance(5)
        assert scene.platform.screen() == ["Three"]
        await delivery.finish()
    assert scene.platform.screen() == scene.platform.kept() == ["Three"]


async def test_a_page_that_was_refused_can_still_be_written_anew(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("one " * 20)
        await scene.clock.advance(1)
        scene.platform.refuse_next(5)
        delivery.write("two " * 20)
        await scene.clock.advance(1)
        delivery.rewrite("three " * 20)
        await scene.clock.drive(delivery.finish())
    assert " ".join(scene.platform.kept()).split() == ["three"] * 20


async def test_a_fence_that_a_page_closed_is_not_taken_for_the_text_written_anew(
    scene: Scene,
) -> None:
    code = "```py\n" + "x = 1\n" * 12
    async with scene.deliver() as delivery:
        delivery.write(code)
        await scene.clock.settle()
        scene.platform.refuse_next(5)
        delivery.write("x = 1\n" * 10)
        await scene.clock.advance(1)
        (given,) = scene.platform.screen()
        lines = (100 - len("```py\n" + "```")) // len("x = 1\n")
        delivery.rewrite("```py\n" + "x = 1\n" * lines + "```sh\nmore\n```")
        await scene.clock.drive(delivery.finish())
    assert given == code.rstrip()
    assert not any(page.startswith("sh") for page in scene.platform.kept())
    assert "".join(scene.platform.kept()).count("```sh\nmore") == 1


async def test_a_page_that_was_refused_takes_nothing_of_the_text_written_anew(
    scene: Scene,
) -> None:
    async with scene.deliver() as delivery:
        delivery.write("word " * 15)
        await scene.clock.settle()
        scene.platform.refuse_next(5)
        delivery.write("word " * 10)  # the page would take the blank after the 20th word
        await scene.clock.advance(1)
        delivery.rewrite("word " * 19 + "word, and more")
        await scene.clock.drive(delivery.finish())
    assert "".join(scene.platform.kept()).replace(" ", "") == "word" * 20 + ",andmore"


async def test_a_first_text_that_was_refused_leaves_no_trace_when_written_anew(
    scene: Scene,
) -> None:
    async with scene.deliver() as delivery:
        scene.platform.refuse_next(5)
        delivery.write("One")
        await scene.clock.advance(1)
        delivery.rewrite("Two")
        await scene.clock.drive(delivery.finish())
    assert scene.platform.frames == [["Two"]]


async def test_a_message_that_stands_is_written_anew_although_its_first_text_was_refused(
    scene: Scene,
) -> None:
    ref = await scene.platform.send(CHAT, Reply(text="⏳ 1 message before yours"))
    async with scene.deliver(resume=(ref,)) as delivery:
        scene.platform.refuse_next(5)
        delivery.write("One")
        await scene.clock.advance(1)
        delivery.rewrite("Two")
        await scene.clock.drive(delivery.finish())
    assert scene.platform.kept() == ["Two"]


async def test_a_page_that_cannot_be_deleted_stays(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene.deliver() as delivery:
        delivery.write("word " * 25)
        await scene.clock.advance(5)
        delivery.rewrite("Sorry, no.")
        await scene.clock.advance(5)
        scene.platform.deletable = False
        await scene.clock.drive(delivery.finish())
    assert scene.platform.kept()[0] == "Sorry, no."
    assert len(scene.platform.kept()) == 2
    assert "old page not deleted" in caplog.messages


async def test_a_page_that_cannot_be_deleted_at_first_is_deleted_later(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("word " * 25)
        await scene.clock.advance(5)
        delivery.rewrite("Sorry, no.")
        await scene.clock.advance(5)
        scene.platform.deletable = False
        ending = asyncio.create_task(delivery.finish())
        await scene.clock.advance(3)
        assert len(scene.platform.kept()) == 2
        scene.platform.deletable = True
        scene.platform.refuse_next(9)
        await scene.clock.advance(30)
        await ending
    assert scene.platform.kept() == ["Sorry, no."]
