"""What every platform must do. A platform's tests inherit this class and give it a stage.

Inherit it once per platform and capability profile (private chat, group, topic; thread, channel,
direct message), with a fixture `stage` that yields a fresh chat:

    class TestTelegramPrivate(PlatformContract):
        @pytest.fixture
        async def stage(self) -> AsyncIterator[Stage]:
            ...

The stage stands behind the platform: at the wire, where a person looks at the chat. Texts are
compared as they are seen, so the contract says only plain words; how Markdown is rendered is
each platform's own to test, and so is how it hears people. A stage skips (`pytest.skip`) what its
platform cannot do at all. `test_commands_everywhere.py` plays all commands on a platform that has
a seat in `seats.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import pytest

from bot.core.capabilities import Streaming
from bot.core.delivery.delivery import Delivery
from bot.core.ports import Platform
from bot.core.types import (
    Button,
    ButtonPress,
    CommandInfo,
    IncomingMessage,
    MessageRef,
    OutgoingFile,
    Reply,
    Thoughts,
)
from bot.errors import MessageGone, OutcomeUnknown, RateLimited

AGAIN = Button("Again", "again")
STOP = Button("Stop it", "stop")
NOTE = OutgoingFile(name="note.txt", mime="text/plain", content=b"remember the milk\n")


class Stage(Protocol):
    """A platform, and the chat behind it as a person sees it.

    `platform` must be usable for sending; it need not be running. `incoming` is a message that
    stands in the chat already and asks for an answer. `screen` and `kept` list the bot's texts,
    oldest first, without what the person wrote.
    """

    @property
    def platform(self) -> Platform: ...

    @property
    def incoming(self) -> IncomingMessage: ...

    async def screen(self) -> list[str]:
        """What somebody sees now, previews of unfinished answers included."""
        ...

    async def kept(self) -> list[str]:
        """What somebody will see tomorrow."""
        ...

    async def buttons(self) -> list[str]:
        """The labels of the buttons of all messages that somebody sees now."""
        ...

    async def files(self) -> list[str]:
        """The names of the files that the bot has posted."""
        ...

    async def refuse_next(self, seconds: int) -> None:
        """Let the platform refuse the next call: too many requests, wait for so long."""
        ...

    async def drop_next(self) -> None:
        """Let the next call be carried out, but break the connection before its answer."""
        ...

    async def delete(self, ref: MessageRef) -> None:
        """Somebody deletes a message of the bot. Skips where nobody can."""
        ...


class HastyClock:
    """A clock on which every wait is over at once; others get their turn in it."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        """The sum of all waits."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Let real time pass for a moment, and ours for `seconds`."""
        await asyncio.sleep(0.001)
        self._now += max(0.0, seconds)

    def later(self, seconds: float, call: Callable[[], None]) -> Callable[[], object]:
        """Call it after that moment."""

        def due() -> None:
            self._now += max(0.0, seconds)
            call()

        return asyncio.get_running_loop().call_later(0.001, due).cancel


class PlatformContract:
    # ------------------------------------------------------------ ids

    async def test_its_own_ids_are_told_from_names(self, stage: Stage) -> None:
        incoming, platform = stage.incoming, stage.platform
        ids = [incoming.sender.id, *platform.places(incoming.ref.chat)]
        assert [id for id in ids if not platform.is_id(id)] == []
        names = ["Ann", "Ivan2", "Иван2", "Иван", "7 of 9", "٣", ""]
        assert [name for name in names if platform.is_id(name)] == []

    # ------------------------------------------------------------ whole messages

    async def test_a_sent_reply_is_kept(self, stage: Stage) -> None:
        ref = await stage.platform.send(stage.incoming.ref.chat, Reply(text="hello"))
        assert ref.chat == stage.incoming.ref.chat
        assert await stage.kept() == ["hello"]

    async def test_replies_keep_their_order(self, stage: Stage) -> None:
        chat = stage.incoming.ref.chat
        first = await stage.platform.send(chat, Reply(text="one"))
        second = await stage.platform.send(chat, Reply(text="two"))
        assert first != second
        assert await stage.kept() == ["one", "two"]

    async def test_a_reply_may_name_the_message_it_answers(self, stage: Stage) -> None:
        reply = Reply(text="hello", answering=stage.incoming.ref)
        await stage.platform.send(stage.incoming.ref.chat, reply)
        assert await stage.kept() == ["hello"]

    async def test_letters_that_mean_something_to_a_machine_arrive_as_they_are(
        self, stage: Stage
    ) -> None:
        text = "1 < 2 & 3 > 2; 你好, café 🙂 – a@b.example"
        await stage.platform.send(stage.incoming.ref.chat, Reply(text=text))
        assert await stage.kept() == [text]

    async def test_an_edit_replaces_the_text(self, stage: Stage) -> None:
        ref = await stage.platform.send(stage.incoming.ref.chat, Reply(text="hello"))
        await stage.platform.edit(ref, Reply(text="bye"))
        assert await stage.kept() == ["bye"]

    async def test_an_edit_that_changes_nothing_is_success(self, stage: Stage) -> None:
        ref = await stage.platform.send(stage.incoming.ref.chat, Reply(text="hello"))
        await stage.platform.edit(ref, Reply(text="hello"))
        assert await stage.kept() == ["hello"]

    async def test_a_deleted_message_is_off_the_screen(self, stage: Stage) -> None:
        chat = stage.incoming.ref.chat
        await stage.platform.send(chat, Reply(text="one"))
        ref = await stage.platform.send(chat, Reply(text="two"))
        await stage.platform.delete([ref])
        assert await stage.screen() == ["one"]
        await stage.platform.delete([ref])  # gone already: success

    async def test_a_message_that_somebody_deleted_cannot_be_edited(self, stage: Stage) -> None:
        ref = await stage.platform.send(stage.incoming.ref.chat, Reply(text="hello"))
        await stage.delete(ref)
        with pytest.raises(MessageGone):
            await stage.platform.edit(ref, Reply(text="bye"))

    async def test_files_go_with_a_reply(self, stage: Stage) -> None:
        self._needs_files(stage)
        await stage.platform.send(stage.incoming.ref.chat, Reply(text="a note", files=(NOTE,)))
        assert await stage.files() == ["note.txt"]
        assert "a note" in "\n".join(await stage.kept())

    # ------------------------------------------------------------ buttons

    async def test_buttons_stand_under_a_reply_until_an_edit_takes_them_away(
        self, stage: Stage
    ) -> None:
        self._needs_buttons(stage)
        chat = stage.incoming.ref.chat
        rows = ((AGAIN,), (Button("Left", "left"), Button("Right", "right")))
        ref = await stage.platform.send(chat, Reply(text="pick one", buttons=rows))
        assert await stage.buttons() == ["Again", "Left", "Right"]
        await stage.platform.edit(ref, Reply(text="picked"))
        assert await stage.buttons() == []

    async def test_a_toast_never_raises(self, stage: Stage) -> None:
        press = ButtonPress(
            key="test:press",
            ref=await stage.platform.send(stage.incoming.ref.chat, Reply(text="hello")),
            sender=stage.incoming.sender,
            value="again",
        )
        await stage.platform.notice(press, "done")

    # ------------------------------------------------------------ drafts

    async def test_opening_a_draft_shows_nothing(self, stage: Stage) -> None:
        draft = stage.platform.draft(stage.incoming, stop=STOP)
        assert draft.ref is None
        assert await stage.screen() == []

    async def test_a_draft_grows_and_then_stays(self, stage: Stage) -> None:
        self._needs_streaming(stage)
        draft = stage.platform.draft(stage.incoming)
        await draft.show("one")
        assert await stage.screen() == ["one"]
        await draft.show("one two")
        assert await stage.screen() == ["one two"]
        await draft.show("one two")
        assert await stage.screen() == ["one two"]
        ref = await draft.finish(Reply(text="one two three"))
        assert await stage.screen() == ["one two three"]
        assert await stage.kept() == ["one two three"]
        assert draft.ref == ref

    async def test_a_draft_may_finish_unseen(self, stage: Stage) -> None:
        draft = stage.platform.draft(stage.incoming)
        await draft.finish(Reply(text="all at once"))
        assert await stage.kept() == ["all at once"]

    async def test_a_draft_may_finish_with_what_it_shows(self, stage: Stage) -> None:
        self._needs_streaming(stage)
        draft = stage.platform.draft(stage.incoming)
        await draft.show("that is all")
        await draft.finish(Reply(text="that is all"))
        assert await stage.kept() == ["that is all"]

    async def test_a_finished_draft_can_be_edited(self, stage: Stage) -> None:
        draft = stage.platform.draft(stage.incoming)
        ref = await draft.finish(Reply(text="all at once"))
        await stage.platform.edit(ref, Reply(text="something else"))
        assert await stage.kept() == ["something else"]

    async def test_a_finished_draft_carries_buttons(self, stage: Stage) -> None:
        self._needs_buttons(stage)
        draft = stage.platform.draft(stage.incoming)
        await draft.show("pick")
        await draft.finish(Reply(text="pick one", buttons=((AGAIN,),)))
        assert await stage.buttons() == ["Again"]

    async def test_a_finished_draft_carries_files(self, stage: Stage) -> None:
        self._needs_files(stage)
        draft = stage.platform.draft(stage.incoming)
        await draft.show("here")
        await draft.finish(Reply(text="here it is", files=(NOTE,)))
        assert await stage.files() == ["note.txt"]
        assert "here it is" in "\n".join(await stage.kept())

    async def test_a_stop_button_is_there_while_writing_and_gone_at_the_end(
        self, stage: Stage
    ) -> None:
        self._needs_streaming(stage)
        self._needs_buttons(stage)
        caps = stage.platform.capabilities(stage.incoming.ref.chat)
        if caps.stop_button:
            pytest.skip("the platform brings its own")
        draft = stage.platform.draft(stage.incoming, stop=STOP)
        await draft.show("one")
        assert await stage.buttons() == ["Stop it"]
        await draft.show("one two")
        assert await stage.buttons() == ["Stop it"]
        await draft.finish(Reply(text="one two three"))
        assert await stage.buttons() == []

    async def test_a_message_that_stands_can_be_gone_on_with(self, stage: Stage) -> None:
        ref = await stage.platform.send(stage.incoming.ref.chat, Reply(text="half an ans"))
        draft = stage.platform.draft(stage.incoming, ref=ref)
        assert draft.ref == ref
        await draft.finish(Reply(text="a whole answer"))
        assert await stage.kept() == ["a whole answer"]

    async def test_a_reopened_message_grows(self, stage: Stage) -> None:
        self._needs_streaming(stage)
        ref = await stage.platform.send(stage.incoming.ref.chat, Reply(text="half an ans"))
        draft = stage.platform.draft(stage.incoming, ref=ref, stop=STOP)
        await draft.show("a new")
        assert await stage.screen() == ["a new"]
        assert await draft.finish(Reply(text="a new answer")) == ref
        assert await stage.kept() == ["a new answer"]
        assert await stage.buttons() == []

    # ------------------------------------------------------------ refusals and lost answers

    async def test_a_refusal_says_how_long_to_wait(self, stage: Stage) -> None:
        chat = stage.incoming.ref.chat
        await stage.refuse_next(7)
        with pytest.raises(RateLimited) as refusal:
            await stage.platform.send(chat, Reply(text="hello"))
        assert refusal.value.retry_after == 7
        assert await stage.kept() == []

    async def test_a_refused_edit_leaves_the_message_as_it_was(self, stage: Stage) -> None:
        ref = await stage.platform.send(stage.incoming.ref.chat, Reply(text="hello"))
        await stage.refuse_next(7)
        with pytest.raises(RateLimited):
            await stage.platform.edit(ref, Reply(text="bye"))
        assert await stage.kept() == ["hello"]

    async def test_a_refused_draft_can_be_finished_later(self, stage: Stage) -> None:
        draft = stage.platform.draft(stage.incoming)
        await stage.refuse_next(1)
        with pytest.raises(RateLimited):
            await draft.finish(Reply(text="all at once"))
        await draft.finish(Reply(text="all at once"))
        assert await stage.kept() == ["all at once"]

    async def test_a_lost_answer_says_that_the_outcome_is_unknown(self, stage: Stage) -> None:
        await stage.drop_next()
        with pytest.raises(OutcomeUnknown):
            await stage.platform.send(stage.incoming.ref.chat, Reply(text="hello"))
        assert await stage.kept() == ["hello"]

    # ------------------------------------------------------------ whole answers

    async def test_an_answer_shorter_than_a_page_arrives_exactly(self, stage: Stage) -> None:
        async with self._delivery(stage) as delivery:
            for word in ("one", " two", " three"):
                delivery.write(word)
                await asyncio.sleep(0.002)
            refs = await delivery.finish()
        assert await stage.kept() == ["one two three"]
        assert [ref.chat for ref in refs] == [stage.incoming.ref.chat]

    async def test_a_long_answer_arrives_whole_on_pages(self, stage: Stage) -> None:
        caps = stage.platform.capabilities(stage.incoming.ref.chat)
        words = [f"word{n}" for n in range(caps.max_text // 3)]
        await stage.refuse_next(1)
        async with self._delivery(stage) as delivery:
            for n, word in enumerate(words):
                delivery.write(word + " ")
                if n % 100 == 0:
                    await asyncio.sleep(0.001)
            refs = await delivery.finish()
        kept = await stage.kept()
        assert len(refs) == len(kept) > 1
        assert all(caps.measure(text) <= caps.max_text for text in kept)
        assert "\n".join(kept).split() == words

    async def test_an_answer_gets_through_a_lost_answer_at_its_end(self, stage: Stage) -> None:
        self._needs_streaming(stage)
        async with self._delivery(stage) as delivery:
            delivery.write("one two")
            await self._something_is_shown(stage)
            delivery.write(" three")
            await stage.drop_next()
            await delivery.finish()
        assert (await stage.kept())[-1] == "one two three"

    async def test_an_answer_that_is_written_anew_takes_the_place_of_the_first(
        self, stage: Stage
    ) -> None:
        self._needs_streaming(stage)
        async with self._delivery(stage) as delivery:
            delivery.write("The first try br")
            await self._something_is_shown(stage)
            delivery.rewrite("")
            delivery.write("The second try is whole")
            await delivery.finish()
        assert await stage.screen() == ["The second try is whole"]
        assert await stage.kept() == ["The second try is whole"]

    async def test_a_status_gives_way_to_the_text(self, stage: Stage) -> None:
        async with self._delivery(stage) as delivery:
            delivery.status("Thinking… 1 s")
            await asyncio.sleep(0.01)
            delivery.status("Thinking… 2 s")
            await asyncio.sleep(0.01)
            delivery.write("done")
            await delivery.finish()
        assert await stage.screen() == ["done"]
        assert await stage.buttons() == []

    async def test_an_answer_goes_on_in_the_message_it_stands_in(self, stage: Stage) -> None:
        ref = await stage.platform.send(stage.incoming.ref.chat, Reply(text="half an ans"))
        async with self._delivery(stage, resume=(ref,)) as delivery:
            delivery.write("half an answer and more")
            await delivery.finish(mark="interrupted")
        (kept,) = await stage.kept()
        assert " ".join(kept.split()) == "half an answer and more interrupted"

    async def test_an_answer_may_end_with_buttons_and_thoughts(self, stage: Stage) -> None:
        thoughts = Thoughts(title="Thought for 3 s", text="two and two, well")
        async with self._delivery(stage) as delivery:
            delivery.write("It is four")
            await delivery.finish(mark="That is all", buttons=((AGAIN,),), thoughts=thoughts)
        (kept,) = await stage.kept()
        assert " ".join(kept.split()).startswith("It is four That is all")
        if stage.platform.capabilities(stage.incoming.ref.chat).max_buttons:
            assert await stage.buttons() == ["Again"]

    async def test_a_longer_answer_makes_way_for_a_shorter_one(self, stage: Stage) -> None:
        caps = stage.platform.capabilities(stage.incoming.ref.chat)
        async with self._delivery(stage) as delivery:
            delivery.write("a long answer ")
            if caps.streaming is not Streaming.NONE:
                await self._something_is_shown(stage)
            delivery.write("a long answer " * (caps.max_text // 6))
            refs = await delivery.finish(buttons=((AGAIN,),) if caps.max_buttons else ())
        assert len(refs) > 1
        async with self._delivery(stage, resume=refs) as delivery:
            delivery.write("a short one")
            assert await delivery.finish() == refs[:1]
        assert await stage.kept() == ["a short one"]
        assert await stage.buttons() == []

    async def test_a_line_about_waiting_makes_way_for_what_goes_on_and_for_the_answer(
        self, stage: Stage
    ) -> None:
        ref = await stage.platform.send(stage.incoming.ref.chat, Reply(text="1 before yours"))
        delivery = self._delivery(stage, resume=(ref,), placeholder=True)
        async with delivery:
            delivery.status("Thinking… 1 s")
            await asyncio.sleep(0.01)
            delivery.write("done")
            await delivery.finish()
        assert await stage.screen() == await stage.kept() == ["done"]

    # ------------------------------------------------------------ the rest

    async def test_the_menu_of_commands_can_be_published(self, stage: Stage) -> None:
        await stage.platform.publish([CommandInfo(name="help", summary="What I can do")])

    async def test_a_chat_is_admitted_by_its_own_name_and_never_by_an_empty_one(
        self, stage: Stage
    ) -> None:
        chat = stage.incoming.ref.chat
        places = stage.platform.places(chat)
        assert chat.id in places and all(places)

    def _delivery(
        self,
        stage: Stage,
        resume: tuple[MessageRef, ...] = (),
        *,
        placeholder: bool = False,
    ) -> Delivery:
        return Delivery(
            stage.platform,
            stage.incoming,
            clock=HastyClock(),
            stop=STOP,
            resume=resume,
            placeholder=placeholder,
        )

    async def _something_is_shown(self, stage: Stage) -> None:
        """Wait for the painter; bounded by the number of looks."""
        for _ in range(1000):
            if await stage.screen():
                return
            await asyncio.sleep(0.002)  # the platform is real: there is no event to wait for
        pytest.fail("nothing was shown")

    def _needs_streaming(self, stage: Stage) -> None:
        caps = stage.platform.capabilities(stage.incoming.ref.chat)
        if caps.streaming is Streaming.NONE:
            pytest.skip("only whole messages here")

    def _needs_buttons(self, stage: Stage) -> None:
        if not stage.platform.capabilities(stage.incoming.ref.chat).max_buttons:
            pytest.skip("no buttons here")

    def _needs_files(self, stage: Stage) -> None:
        if not stage.platform.capabilities(stage.incoming.ref.chat).max_file_out:
            pytest.skip("no files here")
