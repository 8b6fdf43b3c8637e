from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.core.capabilities import Streaming
from bot.core.delivery.delivery import PATIENCE, Delivery
from bot.core.delivery.journal import EVERY, LONGEST_SILENCE, Journal
from bot.core.fakes.platform import CHAT, FAKE_CAPABILITIES, FakePlatform, ManualClock
from bot.core.types import Button, MessageRef, OutgoingFile, Reply
from bot.errors import (
    ChatGone,
    MessageGone,
    NotYourTurn,
    OutcomeUnknown,
    PlatformError,
    StoreBusy,
    TurnLost,
)

STOP = Button("Stop", "stop")
AGAIN = Button("Again", "again")
NOTE = OutgoingFile(name="note.txt", mime="text/plain", content=b"milk")


class Scene:
    """A chat, its clock, and an answer on its way to it."""

    def __init__(
        self,
        streaming: Streaming = Streaming.EDIT,
        max_text: int = 100,
        *,
        ephemeral: bool = False,
        status: bool = False,
        vanishes: float = 0.0,
    ) -> None:
        self.clock = ManualClock()
        capabilities = replace(
            FAKE_CAPABILITIES,
            streaming=streaming,
            max_text=max_text,
            max_file_out=1000,
            status=status,
            vanishes=vanishes,
        )
        self.platform = FakePlatform(capabilities, clock=self.clock, ephemeral=ephemeral)

    def deliver(
        self,
        *,
        resume: Sequence[MessageRef] = (),
        placeholder: bool = False,
        journal: Journal | None = None,
        paused: str = "",
    ) -> Delivery:
        return Delivery(
            self.platform,
            self.platform.message("hello"),
            clock=self.clock,
            stop=STOP,
            resume=resume,
            placeholder=placeholder,
            journal=journal,
            paused=paused,
        )


@pytest.fixture
def scene() -> Scene:
    return Scene()


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
        async with scene.deliver(journal=remember, paused="⏸") as delivery:
            delivery.write("One")
            await scene.clock.settle()
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
    assert refs == tuple(scene.platform.refs()) == delivery.messages
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


async def test_leaving_where_only_whole_messages_can_be_sent_says_nothing() -> None:
    scene = Scene(Streaming.NONE)
    async with scene.deliver() as delivery:
        delivery.write("One")
        await scene.clock.settle()
    assert scene.platform.frames == []


# ---------------------------------------------------------------- refusals and failures


async def test_while_the_chat_is_blocked_nothing_is_sent_to_it(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        scene.platform.refuse_next(30)
        delivery.write("One")
        await scene.clock.advance(29)
        assert scene.platform.screen() == []
        delivery.write(" two")
        await scene.clock.advance(1)
        assert scene.platform.frames == [["One two"]]
    assert scene.platform.offences == 0


async def test_the_end_gets_through_however_long_the_wait(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("One")
        await scene.clock.settle()
        delivery.write(" two")
        for seconds in (60, 3600, 7200):
            scene.platform.refuse_next(seconds)
        await scene.clock.drive(delivery.finish())
    assert scene.platform.kept() == ["One two"]
    assert scene.clock.monotonic() == 60 + 3600 + 7200
    assert scene.platform.offences == 0


async def test_a_preview_that_must_let_others_go_first_holds_up_no_end(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        scene.platform.fail_next(NotYourTurn(30))
        delivery.write("One")
        await scene.clock.advance(29)
        assert scene.platform.screen() == []
        await scene.clock.advance(1)
        assert scene.platform.screen() == ["One"]
        scene.platform.fail_next(NotYourTurn(30))
        delivery.write(" two")
        await scene.clock.advance(5)
        await scene.clock.drive(delivery.finish())
    assert scene.platform.kept() == ["One two"]
    assert scene.clock.monotonic() == 35


async def test_a_wait_in_one_chat_holds_up_no_other(scene: Scene) -> None:
    scene.platform.refuse_next(3600)
    async with scene.deliver() as refused, scene.deliver() as other:
        refused.write("One")
        await scene.clock.settle()
        other.write("Two")
        await scene.clock.settle()
        assert scene.platform.screen() == ["Two"]


async def test_an_end_that_fails_is_tried_again(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("One")
        for _ in range(5):
            scene.platform.fail_next(PlatformError("bad gateway"))
        await scene.clock.drive(delivery.finish())
    assert scene.platform.kept() == ["One"]
    assert scene.clock.monotonic() == 1 + 2 + 4 + 8 + 16


async def test_an_end_is_given_up_after_a_quarter_of_an_hour(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        for _ in range(100):
            scene.platform.fail_next(PlatformError("bad gateway"))
        delivery.write("One")
        with pytest.raises(PlatformError, match="bad gateway"):
            await scene.clock.drive(delivery.finish())
    assert PATIENCE <= scene.clock.monotonic() < PATIENCE + 60


async def test_a_chat_that_is_gone_ends_the_answer_at_once(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("One")
        await scene.clock.settle()
        scene.platform.leave(CHAT)
        delivery.write(" two")
        await scene.clock.advance(1)
        with pytest.raises(ChatGone):
            delivery.write(" three")
        with pytest.raises(ChatGone):
            await delivery.finish()
    assert scene.clock.monotonic() == 1


async def test_an_edit_of_unknown_outcome_is_made_again(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("One")
        await scene.clock.settle()
        delivery.write(" two")
        scene.platform.unknown_next(carried_out=True)
        await scene.clock.drive(delivery.finish())
    assert scene.platform.kept() == ["One two"]


@pytest.mark.parametrize(("carried_out", "kept"), [(True, ["One", "One"]), (False, ["One"])])
async def test_a_first_message_of_unknown_outcome_is_rather_doubled_than_lost(
    scene: Scene, carried_out: bool, kept: list[str]
) -> None:
    async with scene.deliver() as delivery:
        delivery.write("One")
        scene.platform.unknown_next(carried_out=carried_out)
        await scene.clock.drive(delivery.finish())
    assert scene.platform.kept() == kept


async def test_a_message_that_somebody_deleted_is_sent_anew(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("One")
        await scene.clock.settle()
        scene.platform.remove(scene.platform.refs()[0])
        delivery.write(" two")
        await scene.clock.drive(delivery.finish())
    assert scene.platform.kept() == ["One two"]


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
        delivery.write("a | b")
        await scene.clock.settle()
        delivery.write("\n--")  # a table, after all: its head would not have been shown
        await scene.clock.advance(5)
        assert scene.platform.screen() == ["a | b"]
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
        await scene.clock.drive(delivery.finish(files=(NOTE,)))
    assert scene.platform.statuses == ["Drawing…"]
    assert scene.platform.files() == [NOTE]


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


# ---------------------------------------------------------------- cancelled, resumed


async def test_what_is_shown_stays_when_the_block_is_left_by_an_error(scene: Scene) -> None:
    with pytest.raises(LookupError):
        async with scene.deliver() as delivery:
            delivery.write("One")
            await scene.clock.settle()
            raise LookupError
    assert scene.platform.kept() == ["One"]


async def test_a_cancelled_writer_does_not_break_the_call_under_way(scene: Scene) -> None:
    told: list[tuple[str, Sequence[MessageRef]]] = []

    async def remember(text: str, messages: Sequence[MessageRef]) -> None:
        told.append((text, messages))

    async def write() -> None:
        async with scene.deliver(journal=remember) as delivery:
            delivery.write("One")
            await delivery.finish()

    writer = asyncio.create_task(write())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    writer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writer
    assert set(told) == {("One", tuple(scene.platform.refs()))}
    assert scene.platform.kept() == ["One"]


async def test_an_end_that_was_interrupted_can_be_another_one(scene: Scene) -> None:
    async with scene.deliver() as delivery:
        delivery.write("One")
        await scene.clock.settle()
        scene.platform.refuse_next(60)
        ending = asyncio.create_task(delivery.finish(mark="done"))
        await scene.clock.advance(1)
        ending.cancel()
        await scene.clock.drive(delivery.finish(mark="interrupted"))
    assert scene.platform.kept() == ["One\n\ninterrupted"]


async def test_an_end_refused_on_a_native_draft_can_be_another_one() -> None:
    scene = Scene(Streaming.NATIVE)
    async with scene.deliver() as delivery:
        delivery.write("One")
        await scene.clock.settle()
        scene.platform.refuse_next(60)
        ending = asyncio.create_task(delivery.finish(mark="done"))
        await scene.clock.advance(1)
        ending.cancel()
        await scene.clock.drive(delivery.finish(mark="interrupted"))
    assert scene.platform.screen() == ["One\n\ninterrupted"]


async def test_leaving_while_blocked_does_not_wait(scene: Scene) -> None:
    scene.platform.refuse_next(3600)
    async with scene.deliver() as delivery:
        delivery.write("One")
        await scene.clock.settle()
    assert scene.clock.monotonic() == 0


async def test_an_answer_goes_on_in_the_messages_of_an_earlier_attempt(scene: Scene) -> None:
    async with scene.deliver() as first:
        first.write("word " * 25 + "and an ending that was never")
        await scene.clock.advance(5)
    standing = scene.platform.refs()
    async with scene.deliver(resume=standing) as delivery:
        assert delivery.messages == tuple(standing)
        delivery.status("Thinking…")  # there is a text already
        await scene.clock.advance(5)
        delivery.write("word " * 25 + "and an ending.")
        refs = await scene.clock.drive(delivery.finish())
    assert refs == tuple(standing) == tuple(scene.platform.refs())
    assert " ".join(scene.platform.kept()) == "word " * 25 + "and an ending."
    assert scene.platform.buttons() == []


async def test_a_message_of_an_earlier_attempt_that_is_gone_is_sent_anew(scene: Scene) -> None:
    async with scene.deliver() as first:
        first.write("One")
        await scene.clock.settle()
    standing = scene.platform.refs()
    scene.platform.remove(standing[0])
    async with scene.deliver(resume=standing) as delivery:
        delivery.write("One two")
        await scene.clock.drive(delivery.finish())
    assert scene.platform.kept() == ["One two"]


async def test_a_native_draft_that_differs_and_is_gone_is_sent_anew() -> None:
    scene = Scene(Streaming.NATIVE)
    async with scene.deliver() as delivery:
        delivery.write("One two")
        await scene.clock.settle()
        delivery.rewrite("Three")
        scene.platform.remove(scene.platform.refs()[0])
        scene.platform.fail_next(MessageGone("deleted"))
        await scene.clock.drive(delivery.finish())
    assert scene.platform.kept() == ["Three"]


# ---------------------------------------------------------------- the journal


async def test_the_journal_hears_of_a_new_message_at_once_and_of_text_now_and_then() -> None:
    scene = Scene()
    told: list[tuple[float, str, int]] = []

    async def remember(text: str, messages: Sequence[MessageRef]) -> None:
        told.append((scene.clock.monotonic(), text.strip(), len(messages)))

    async with scene.deliver(journal=remember) as delivery:
        for number in range(10):
            delivery.write(f"w{number} ")
            await scene.clock.advance(1)
        delivery.write("word " * 20)
        await delivery.finish()
    assert told[:2] == [(0, "w0", 1), (EVERY, "w0 w1 w2 w3", 1)]
    assert len(told) == 5
    _, _, messages = told.pop()
    assert messages == 2


async def test_a_journal_that_fails_stops_nothing(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    async def remember(text: str, messages: Sequence[MessageRef]) -> None:
        raise StoreBusy("locked")

    async with scene.deliver(journal=remember) as delivery:
        delivery.write("One")
        await delivery.finish()
    assert scene.platform.kept() == ["One"]
    assert "checkpoint failed" in caplog.messages


@pytest.mark.parametrize("end", ["finish", "cancel"])
async def test_an_answer_that_another_process_writes_is_left_alone(scene: Scene, end: str) -> None:
    lost = False

    async def remember(text: str, messages: Sequence[MessageRef]) -> None:
        if lost:
            raise TurnLost("turn 1")

    async def write() -> None:
        nonlocal lost
        async with scene.deliver(journal=remember, paused="⏸") as delivery:
            delivery.write("One")
            await scene.clock.settle()
            lost = True
            if end == "cancel":
                raise asyncio.CancelledError
            await scene.clock.advance(EVERY)
            delivery.write(" two")
            await scene.clock.advance(EVERY)
            delivery.write(" three")
            await delivery.finish()

    with pytest.raises(TurnLost):
        await write()
    assert scene.platform.kept() == ["One"]


async def test_who_wakes_up_with_nothing_new_to_say_ends_no_answer_of_another(
    scene: Scene,
) -> None:
    lost = False

    async def remember(text: str, messages: Sequence[MessageRef]) -> None:
        if lost:
            raise TurnLost("turn 1")

    async def write() -> None:
        nonlocal lost
        async with scene.deliver(journal=remember) as delivery:
            delivery.write("One")
            await scene.clock.settle()
            lost = True
            await scene.clock.advance(LONGEST_SILENCE)
            await delivery.finish(mark="the end")

    with pytest.raises(TurnLost):
        await write()
    assert scene.platform.kept() == ["One"]


# ---------------------------------------------------------------- mistakes of ours


async def test_a_mistake_in_the_painter_comes_out_at_the_end(scene: Scene) -> None:
    async def broken(text: str, messages: Sequence[MessageRef]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with scene.deliver(journal=broken) as delivery:
            delivery.write("One")
            await scene.clock.settle()
    with pytest.raises(ZeroDivisionError):
        async with scene.deliver(journal=broken) as delivery:
            delivery.write("One")
            await delivery.finish()


async def test_a_mistake_in_the_painter_does_not_hide_another(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(text: str, messages: Sequence[MessageRef]) -> None:
        raise ZeroDivisionError

    with pytest.raises(LookupError):
        async with scene.deliver(journal=broken) as delivery:
            delivery.write("One")
            await scene.clock.settle()
            raise LookupError
    assert "painter failed" in caplog.messages


async def test_a_delivery_must_be_entered(scene: Scene) -> None:
    with pytest.raises(RuntimeError):
        await scene.deliver().finish()


async def test_no_text_is_logged(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="bot")
    async with scene.deliver() as delivery:
        scene.platform.refuse_next(5)
        scene.platform.fail_next(OutcomeUnknown("timed out"))
        delivery.write("secret words")
        await scene.clock.drive(delivery.finish())
    assert "rate limited" in caplog.messages
    assert all("secret" not in str(record.__dict__) for record in caplog.records)
