from __future__ import annotations

import asyncio
import sqlite3
from base64 import b64encode
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.answer.buttons import REGENERATE
from bot.core.answer.seam import GO_ON, seam
from bot.core.chat import FinishReason
from bot.core.fakes.platform import ANN, CHAT
from bot.core.stores import Action
from bot.core.types import ButtonPress, Sender, UserId
from bot.sandbox.openai.backend import Question
from bot.sandbox.openai.faults import Cut, Hang, Refuse, Stall
from bot.sandbox.openai.scripted import Answer
from tests.attached import png, recording
from tests.house import QUICK, House, open_house
from tests.patience import PATIENCE

EVE = Sender(UserId("666"), "Eve")
AGAIN = "🔁 Regenerate"
SLOW = Answer(text="word " * 1000, chunk=5, pace=0.02)


def stored(folder: Path) -> list[tuple[str, int]]:
    """The words of all messages in the database, and whether they are hidden."""
    with closing(sqlite3.connect(folder / "house.db")) as database:
        query = "SELECT json_extract(parts, '$[0].text'), hidden FROM messages ORDER BY id"
        return database.execute(query).fetchall()


# ---------------------------------------------------------------- Regenerate


async def test_regenerate_replaces_the_answer_in_its_place(house: House, tmp_path: Path) -> None:
    house.api.script.answer("Heads.", "Tails.", "Because.")
    await house.say("flip a coin")
    assert await house.press(AGAIN) == ["Tails."]
    assert house.asked() == [("system", "Be brief."), ("user", "flip a coin")]
    assert house.platform.buttons() == [AGAIN]
    await house.say("why?")
    assert house.asked() == [
        ("system", "Be brief."),
        ("user", "flip a coin"),
        ("assistant", "Tails."),
        ("user", "why?"),
    ]
    assert ("Heads.", 1) in stored(tmp_path)


async def test_the_same_answer_can_be_regenerated_again_and_again(house: House) -> None:
    house.api.script.answer("one", "two", "three")
    await house.say("count")
    await house.press(AGAIN)
    assert await house.press(AGAIN) == ["three"]
    assert len(house.api.traffic.to("/chat/completions")) == 3


async def test_a_button_pressed_twice_asks_once(house: House) -> None:
    house.api.script.answer("Heads.", "Tails.")
    await house.say("flip a coin")
    first, second = house.platform.press(AGAIN), house.platform.press(AGAIN)
    with house.api.held():
        await asyncio.gather(house.happen(first), house.happen(second))
    await house.answered()
    assert len(house.api.traffic.to("/chat/completions")) == 2
    assert house.platform.kept() == ["Tails."]
    await house.happen(first)  # delivered once more: known
    assert house.platform.notices[:2] == ["", ""]


async def test_an_answer_on_many_pages_is_replaced_by_one_on_few(tmp_path: Path) -> None:
    async with open_house(tmp_path, capabilities=replace(QUICK, max_text=100)) as house:
        house.api.script.answer("long " * 100, "short", "long " * 50)
        assert len(await house.say("go")) > 4
        assert await house.press(AGAIN) == ["short"]
        assert len(await house.press(AGAIN)) > 2


async def test_what_is_regenerated_waits_for_its_turn(house: House) -> None:
    house.api.script.answer("Heads.", "slow " * 20, "Tails.")
    await house.say("flip a coin")
    press = house.platform.press(AGAIN)
    with house.api.held():
        await house.write("and then?")
        await house.happen(press)
    await house.answered()
    assert house.api.traffic.most_in_flight == 1
    assert house.platform.notices == ["⏳ 1 message before yours"]
    assert [text.split()[0] for text in house.platform.kept()] == ["Heads.", "slow", "The"]
    assert house.platform.kept()[-1].startswith("The conversation has gone on since")


async def test_a_button_pressed_before_its_answer_is_written_down_waits_for_that(
    house: House, tmp_path: Path
) -> None:
    house.api.script.answer("Heads it is.", "Tails.")
    async with house.answering("flip a coin", shows="Heads"):
        with closing(sqlite3.connect(tmp_path / "house.db", isolation_level=None)) as other:
            [(turn,)] = other.execute("SELECT id FROM turns").fetchall()
            values = await house.services.stores.actions.offer(
                CHAT, [Action(name=REGENERATE, argument=str(turn), owner=ANN.id)]
            )
        ref = house.platform.refs()[0]
        await house.happen(ButtonPress(key="early", ref=ref, sender=ANN, value=values[0]))
    assert await house.answered() == ["Tails."]


async def test_an_old_answer_stays_when_the_conversation_has_gone_on(house: House) -> None:
    house.api.script.answer("Heads.", "Because.")
    await house.say("flip a coin")
    old = house.platform.press(AGAIN)
    before = await house.say("why?")
    assert await house.tell(old) == before
    assert house.platform.notices[-1].startswith("The conversation has gone on since")
    assert len(house.api.traffic.to("/chat/completions")) == 2


async def test_after_new_the_old_answer_stays(house: House) -> None:
    await house.say("hello")
    old = house.platform.press(AGAIN)
    before = await house.say("/new")
    assert await house.tell(old) == before


async def test_somebody_else_cannot_use_up_the_button(house: House) -> None:
    house.api.script.answer("Heads.", "Tails.")
    await house.say("flip a coin")
    assert await house.press(AGAIN, sender=EVE) == ["Heads."]
    assert house.platform.notices == ["This button belongs to somebody else."]
    assert await house.press(AGAIN) == ["Tails."]


async def test_a_regeneration_can_be_stopped(house: House) -> None:
    house.api.script.answer("Heads.", SLOW)
    await house.say("flip a coin")
    await house.happen(house.platform.press(AGAIN))
    await house.sees("word word")
    [text] = await house.press("⏹ Stop")
    assert text.startswith("word word") and text.endswith("⏹ Stopped.")
    await house.api.traffic.until(lambda seen: seen.abandoned == 1)


async def test_stopped_before_its_first_word_it_leaves_the_old_answer(house: House) -> None:
    house.api.script.answer("Heads.")
    await house.say("flip a coin")
    house.api.faults.add(Hang(), on="/chat/completions")
    await house.happen(house.platform.press(AGAIN))
    await house.api.traffic.until(lambda seen: seen.in_flight == 1)
    [text] = await house.say("/stop")
    assert text == "Heads.\n\n⏹ Stopped. The answer from before stays."
    assert house.platform.buttons() == [AGAIN]
    await house.say("why?")
    assert house.asked()[2] == ("assistant", "Heads.")


async def test_a_regeneration_that_fails_leaves_the_old_answer(house: House) -> None:
    house.api.script.answer("Heads.")
    await house.say("flip a coin")
    house.api.faults.add(Refuse(500), on="/chat/completions")
    [text] = await house.press(AGAIN)
    assert text.startswith("Heads.\n\n⚠️ The API is having trouble.")
    assert text.endswith("The answer from before stays.")
    house.api.script.answer("Tails.")
    assert await house.press(AGAIN) == ["Tails."]  # its new button works


async def test_a_retry_that_fails_does_not_say_the_old_answer_again(house: House) -> None:
    house.api.script.answer("Heads.")
    await house.say("flip a coin")
    house.api.faults.add(Refuse(500), on="/chat/completions")
    first, text = await house.say("/retry")
    assert first == "Heads."
    assert text.startswith("⚠️ The API is having trouble.")
    assert text.endswith("The answer from before stays.")
    await house.say("why?")
    assert house.asked()[2] == ("assistant", "Heads.")


async def test_a_regeneration_cut_twice_leaves_the_old_answer(house: House) -> None:
    torn = Answer(text="Tails it is, I am sure.", chunk=5)
    house.api.script.answer("Heads.", torn, torn)
    await house.say("flip a coin")
    house.api.faults.add(Cut(after=4), on="/chat/completions", times=2)
    [text] = await house.press(AGAIN)
    assert text.startswith("Heads.\n\n⚠️ The answer broke off")
    assert len(house.api.traffic.to("/chat/completions")) == 3


async def test_an_empty_second_answer_leaves_the_first(house: House) -> None:
    house.api.script.answer("Heads.", "")
    await house.say("flip a coin")
    [text] = await house.press(AGAIN)
    assert text.startswith("Heads.\n\nThe model gave an empty answer.")


def drawn() -> str:
    """A picture, as a model that draws writes it into its answer."""
    return f"![image](data:image/png;base64,{b64encode(png()).decode()})"


async def test_a_picture_takes_the_place_of_the_first_answer(house: House) -> None:
    house.api.script.answer("I cannot draw.", drawn(), f"A cat: {drawn()}", "Grey.")
    await house.say("draw a cat")
    assert await house.press(AGAIN) == [""]
    await house.press(AGAIN)
    assert len(house.platform.files()) == 2
    await house.say("which colour?")
    assert house.asked()[1:] == [
        ("user", "draw a cat"),
        ("assistant", "A cat: "),
        ("user", "which colour?"),
    ]


@pytest.mark.parametrize("changed", [False, True])
async def test_what_a_picture_has_replaced_is_told_no_model(house: House, changed: bool) -> None:
    house.api.script.answer("I cannot draw.", drawn(), "Grey.")
    message, now = house.platform.message("draw a cat"), "draw a cat"
    await house.tell(message)
    if changed:
        now = "draw a dog"
        await house.tell(replace(message, key="changed", text=now, edited=True))
    await house.press("🔁 Answer it anew" if changed else AGAIN)
    await house.say("which colour?")
    assert house.asked()[1:] == [("user", now), ("user", "which colour?")]


async def test_a_regenerated_answer_is_another_one_also_where_answers_are_remembered(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path, remember_answers=60) as house:
        house.api.script.answer("Heads.", "Tails.")
        await house.say("/set temperature 0")
        await house.say("flip a coin")
        assert (await house.press(AGAIN))[-1] == "Tails."


async def test_a_regeneration_goes_on_after_a_restart(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.api.script.answer("Heads.", SLOW)
        await house.say("flip a coin")
        await house.happen(house.platform.press(AGAIN))
        await house.sees("word word")
    async with open_house(tmp_path, platform=house.platform) as house:
        house.api.script.answer("Tails.")
        await house.sees("Tails.")
        assert house.platform.kept() == ["Tails."]
    assert [text for text, hidden in stored(tmp_path) if not hidden] == ["flip a coin", "Tails."]


async def test_a_regeneration_interrupted_too_often_says_so_and_can_be_retried(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path) as house:
        house.api.script.answer("Heads.", SLOW)
        await house.say("flip a coin")
        await house.happen(house.platform.press(AGAIN))
        await house.sees("word word")
    with closing(sqlite3.connect(tmp_path / "house.db", isolation_level=None)) as database:
        database.execute("UPDATE turns SET attempt = 4 WHERE state = 'waiting'")
    async with open_house(tmp_path, platform=house.platform) as house:
        house.api.script.answer("Tails.")
        await house.sees("⏸ This answer was interrupted")
        [text] = house.platform.kept()
        assert text.startswith("word")
        assert house.platform.buttons() == ["🔁 Retry"]
        await house.press("🔁 Retry")
        await house.sees("Tails.")
    assert [text for text, hidden in stored(tmp_path) if not hidden] == ["flip a coin", "Tails."]


@pytest.mark.parametrize("reason", [FinishReason.STOP, FinishReason.LENGTH])
async def test_without_the_database_there_is_an_answer_without_buttons(
    house: House, tmp_path: Path, reason: FinishReason
) -> None:
    with closing(sqlite3.connect(tmp_path / "house.db", isolation_level=None)) as other:

        def answer(question: Question) -> Answer:
            other.execute("BEGIN IMMEDIATE")
            return Answer(text="Heads.", finish_reason=reason)

        house.api.script.answer_with(answer)
        await house.write("flip a coin")
        await house.sees("Heads.")
        async with asyncio.timeout(PATIENCE):
            while "⏹ Stop" in house.platform.buttons():  # noqa: ASYNC110 - a view
                await asyncio.sleep(0.002)
        assert house.platform.buttons() == []
        other.execute("COMMIT")
    await house.answered()
    assert ("Heads.", 0) in stored(tmp_path)


async def test_what_was_heard_stays_above_a_regenerated_answer(house: House) -> None:
    house.api.script.transcribe("Hello?")
    house.api.script.answer("Heads.", "Tails.")
    voice = recording(house)
    await house.tell(house.platform.message("", attachments=(voice,)))
    assert await house.press(AGAIN) == ["> 🎤 Hello?\n\nTails."]
    house.api.faults.add(Refuse(500), on="/chat/completions")
    assert (await house.press(AGAIN))[0].startswith("> 🎤 Hello?\n\nTails.\n\n⚠️")
    assert house.api.traffic.to("/audio/transcriptions")[1:] == []


async def test_in_a_group_the_model_is_told_again_who_asked(house: House) -> None:
    await house.tell(house.platform.message("flip a coin", group=True))
    await house.tell(replace(house.platform.press(AGAIN), group=True))
    assert house.asked()[-1] == ("user", "Ann: flip a coin")


# ---------------------------------------------------------------- Continue


async def test_continue_goes_on_after_the_answer(house: House, tmp_path: Path) -> None:
    cut = Answer(text="Once upon a", finish_reason=FinishReason.LENGTH)
    house.api.script.answer(cut, "time there was a fox.", "The end.")
    await house.say("a story")
    assert house.platform.buttons() == ["➡️ Continue", AGAIN]
    assert await house.press("➡️ Continue") == ["Once upon a time there was a fox."]
    assert house.asked()[-2:] == [("assistant", "Once upon a"), ("user", GO_ON)]
    assert house.platform.buttons() == [AGAIN]
    await house.say("and then?")
    assert house.asked()[1:] == [
        ("user", "a story"),
        ("assistant", "Once upon a time there was a fox."),
        ("user", "and then?"),
    ]
    assert ("Once upon a", 1) in stored(tmp_path)


async def test_a_continuation_that_fails_leaves_the_answer_and_its_buttons(house: House) -> None:
    house.api.script.answer(Answer(text="Once upon a", finish_reason=FinishReason.LENGTH))
    await house.say("a story")
    house.api.faults.add(Refuse(500), on="/chat/completions")
    [text] = await house.press("➡️ Continue")
    assert text.startswith("Once upon a\n\n⚠️ The API is having trouble.")
    house.api.script.answer("time.")
    assert await house.press("➡️ Continue") == ["Once upon a time."]


async def test_a_continuation_that_fails_after_a_restart_stands_there_once(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        cut = Answer(text="Once upon a", finish_reason=FinishReason.LENGTH)
        house.api.script.answer(cut, Answer(text="time there was a fox", chunk=5))
        await house.say("a story")
        house.api.faults.add(Stall(after=4), on="/chat/completions")
        await house.happen(house.platform.press("➡️ Continue"))
        await house.sees("Once upon a time there")
    async with open_house(tmp_path, platform=house.platform) as house:
        house.api.faults.add(Refuse(401), on="/chat/completions")
        await house.sees("⚠️")
        await house.say("go on")
        assert str(house.asked()).count("Once") == 1  # the model reads it once, too
    assert all(text.count("Once") < 2 for frame in house.platform.frames for text in frame)


async def test_a_continuation_that_is_cut_keeps_what_came(house: House) -> None:
    torn = Answer(text="time there was a fox", chunk=5)
    cut = Answer(text="Once upon a", finish_reason=FinishReason.LENGTH)
    house.api.script.answer(cut, torn, torn, "time.")
    await house.say("a story")
    house.api.faults.add(Cut(after=4), on="/chat/completions", times=2)
    [text] = await house.press("➡️ Continue")
    assert text.startswith("Once upon a time") and "⚠️ The answer broke off" in text
    assert house.platform.buttons() == ["➡️ Continue", AGAIN]


@pytest.mark.parametrize(
    ("before", "after", "between"),
    [
        ("Once upon a", "time", " "),
        ("The end.", "Next", " "),
        ("Once upon a ", "time", ""),
        ("Once upon a", " time", ""),
        ("天地玄", "黃", ""),
        ("snake_", "case", ""),
        ("", "Hello", ""),
        ("a", "", ""),
    ],
)
def test_a_blank_goes_where_the_model_left_it_out(before: str, after: str, between: str) -> None:
    assert seam(before, after) == between


# ---------------------------------------------------------------- Retry


async def test_a_failed_answer_can_be_tried_again(house: House) -> None:
    house.api.faults.add(Refuse(500), on="/chat/completions")
    house.api.script.answer("Here I am.")
    await house.say("are you there?")
    assert house.platform.buttons() == ["🔁 Retry"]
    assert await house.press("🔁 Retry") == ["Here I am."]
    assert house.asked() == [("system", "Be brief."), ("user", "are you there?")]
    await house.say("good")
    roles = [role for role, _ in house.asked()]
    assert roles == ["system", "user", "assistant", "user"]


async def test_a_retry_that_fails_can_be_retried(house: House) -> None:
    house.api.faults.add(Refuse(500), on="/chat/completions", times=2)
    house.api.script.answer("Here I am.")
    await house.say("are you there?")
    [text] = await house.press("🔁 Retry")
    assert text.startswith("⚠️")
    assert await house.press("🔁 Retry") == ["Here I am."]


async def test_an_answer_cut_twice_can_be_retried_and_the_whole_one_replaces_it(
    house: House,
) -> None:
    torn = Answer(text="The first try was torn in two.", chunk=6)
    house.api.script.answer(torn, torn, "The whole answer.")
    house.api.faults.add(Cut(after=3), on="/chat/completions", times=2)
    await house.say("tell me")
    assert house.platform.buttons() == ["🔁 Retry"]
    assert await house.press("🔁 Retry") == ["The whole answer."]


async def test_of_two_halves_of_an_answer_the_longer_one_stays(house: House) -> None:
    torn = Answer(text="The first try was torn in two.", chunk=6)
    house.api.script.answer(torn, torn, torn, torn)
    house.api.faults.add(Cut(after=5), on="/chat/completions", times=2)
    [first] = await house.say("tell me")
    half, _, _ = first.partition("\n\n")
    house.api.faults.add(Cut(after=3), on="/chat/completions", times=2)
    [second] = await house.press("🔁 Retry")
    assert half and second.startswith(half)


async def test_what_can_never_work_gets_no_button(house: House) -> None:
    house.api.faults.add(Refuse(400, "bad"), on="/chat/completions")
    await house.say("poison")
    await house.say("  ")
    assert house.platform.buttons() == []


async def test_stopped_before_the_first_word_there_is_a_retry(house: House) -> None:
    house.api.faults.add(Hang(), on="/chat/completions")
    await house.write("hello?")
    await house.api.traffic.until(lambda seen: seen.in_flight == 1)
    await house.say("/stop")
    assert house.platform.buttons() == ["🔁 Retry"]
    assert (await house.press("🔁 Retry"))[0].startswith("**You said:** hello?")


# ---------------------------------------------------------------- where there are no buttons


@pytest.mark.parametrize(
    "capabilities", [replace(QUICK, answer_buttons=False), replace(QUICK, max_buttons=0)]
)
async def test_where_buttons_would_be_a_nuisance_words_say_it(
    tmp_path: Path, capabilities: object
) -> None:
    assert isinstance(capabilities, type(QUICK))
    async with open_house(tmp_path, capabilities=capabilities) as house:
        cut = Answer(text="Once upon a", finish_reason=FinishReason.LENGTH)
        house.api.script.answer(cut)
        [text] = await house.say("a story")
        assert text.endswith("The model’s length limit is reached. Write “go on” for more.")
        assert house.platform.buttons() == []


async def test_a_press_that_finds_no_room_is_told_so(house: House) -> None:
    await house.say("hello")
    press = house.platform.press(AGAIN)
    house.api.faults.add(Hang(), on="/chat/completions")
    await house.write("first")
    await house.api.traffic.until(lambda seen: seen.in_flight == 1)
    await house.write(*map(str, range(5)))
    await house.happen(press)
    assert house.platform.notices[-1].startswith("Too many messages are waiting here already")
    assert press.sender == ANN
