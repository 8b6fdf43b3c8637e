"""Conversations that a model finds too long, although they fit by all that is known of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Unpack

import pytest
from PIL import Image

from bot.api.settings import ModelSettings
from bot.core.fakes.platform import CHAT, FakePlatform
from bot.core.types import (
    Attachment,
    ChatId,
    FileId,
    FileKind,
    IncomingMessage,
    MessageId,
    MessageRef,
    Quote,
)
from bot.sandbox.openai import windows
from bot.sandbox.openai.backend import Question
from bot.sandbox.openai.faults import ErrorEvent, Raw, Refuse
from bot.sandbox.openai.scripted import Answer
from bot.sandbox.openai.traffic import Traffic
from bot.sandbox.openai.windows import Window, Wording
from tests.core.limits.test_meter import table
from tests.core.limits.test_quota import own
from tests.core.memory.test_memory import summed
from tests.house import DEFAULTS, House, Options, open_house
from tests.media import papers

MODEL = "gpt-4o-mini"
TALK = 12
"""Exchanges of a conversation that was fine with another model, or before a restart."""


@asynccontextmanager
async def small(
    folder: Path, window: Window, platform: FakePlatform | None = None, **options: Unpack[Options]
) -> AsyncGenerator[House]:
    """A bot that believes in a window of 32,000 tokens, and a model with a smaller one."""
    async with open_house(folder, platform=platform, **options) as house:
        house.api.script.windows[MODEL] = window
        yield house


async def talk(house: House, words: str = "word " * 150) -> None:
    """A long conversation, with a model that takes all of it."""
    window = house.api.script.windows.pop(MODEL)
    await exchanged(house, TALK, words)
    house.api.script.windows[MODEL] = window


async def exchanged(house: House, times: int, words: str = "word " * 150) -> None:
    for number in range(times):
        house.api.script.answer(f"Answer {number}. {words}")
        await house.say(f"Question {number}? {words}")


def askings(house: House) -> int:
    """How often the model was asked."""
    return len(house.api.traffic.to("/chat/completions"))


@pytest.mark.parametrize(
    "wording",
    [windows.openai, windows.llama_cpp, windows.anthropic, windows.dashscope, windows.bedrock],
)
async def test_the_oldest_part_is_left_out_and_the_next_question_fits_at_once(
    tmp_path: Path, wording: Wording
) -> None:
    async with small(tmp_path, Window(tokens=2_000, wording=wording)) as house:
        await talk(house)
        before = askings(house)
        house.api.script.answer("It is blue.", "It is green.")
        assert (await house.say("And the sky?"))[-1] == "It is blue."
        assert askings(house) == before + 2
        asked = house.asked()
        assert asked[0] == ("system", "Be brief.") and asked[-1] == ("user", "And the sky?")
        assert "Answer 11." in str(asked) and "Question 0?" not in str(asked)
        assert (await house.say("And the grass?"))[-1] == "It is green."
        assert askings(house) == before + 3
        assert ("assistant", "It is blue.") in house.asked()


async def test_what_was_learnt_is_shown_and_what_was_refused_costs_nothing(tmp_path: Path) -> None:
    async with small(tmp_path, Window(tokens=2_000)) as house:
        await talk(house)
        await house.say("And the sky?")
        assert len(table(tmp_path)) == TALK + 1
        view = (await house.say("/context"))[-1]
        assert "of 2,000 tokens" in view and "no longer fit and are left out" in view
        assert "window 2,000 tokens" in (await house.say("/model gpt-4o-mini"))[-1]


async def test_a_tokenizer_that_knows_no_chinese_is_reckoned_with(tmp_path: Path) -> None:
    dear = Window(tokens=4_000, count=windows.count_dear)
    known = {MODEL: ModelSettings(context_window=4_000)}
    async with small(tmp_path, dear, prices=known) as house:
        await talk(house, "天地玄黃宇宙洪荒" * 12)
        before = askings(house)
        house.api.script.answer("是。", "不是。")
        assert (await house.say("天是藍色的嗎？"))[-1] == "是。"
        assert askings(house) > before + 1
        before = askings(house)
        assert (await house.say("草呢？"))[-1] == "不是。"
        assert askings(house) == before + 1
        assert ("assistant", "是。") in house.asked()


async def test_answers_are_not_cut_again_and_again_for_want_of_room(tmp_path: Path) -> None:
    known = {MODEL: ModelSettings(context_window=4_000)}
    async with small(tmp_path, Window(tokens=4_000), prices=known) as house:
        await talk(house)  # of words that take a quarter more than we count
        house.api.script.answer("so " * 800, "so " * 800)
        assert "length limit" in (await house.say("Tell me a story"))[-1]
        assert (await house.say("Tell me another"))[-1].endswith("so")


def picture(house: House, name: str) -> IncomingMessage:
    content = BytesIO()
    Image.new("RGB", (64, 64), "red").save(content, "PNG")
    house.platform.contents[FileId(name)] = content.getvalue()
    photo = Attachment(id=FileId(name), kind=FileKind.IMAGE, mime="image/png")
    return house.platform.message(f"What is on {name}?", attachments=(photo,))


def looks_closely(question: Question) -> int:
    return windows.count(question) + 3_000 * windows.pictures(question)


async def test_pictures_that_take_more_than_usual_make_way(tmp_path: Path) -> None:
    window = Window(tokens=10_000, count=looks_closely)
    async with small(tmp_path, window) as house:
        for number in range(3):
            house.api.script.answer(f"A red square, number {number}.")
            [*_, text] = await house.tell(picture(house, f"p{number}"))
            assert text == f"A red square, number {number}."
        before = askings(house)
        house.api.script.answer("Red.")
        assert (await house.say("What colour is it?"))[-1] == "Red."
        assert askings(house) == before + 1  # learnt with the third picture
        pictures = [content for _, content in house.asked() if isinstance(content, list)]
        assert len(pictures) == 1 and "What is on p2?" in str(pictures)


async def test_a_second_picture_takes_the_place_of_the_first_where_only_one_is_taken(
    tmp_path: Path,
) -> None:
    async with small(tmp_path, Window(tokens=32_000, images=1)) as house:
        for number in range(3):
            house.api.script.answer(f"A red square, number {number}.")
            [*_, text] = await house.tell(picture(house, f"p{number}"))
            assert text == f"A red square, number {number}."
        assert askings(house) == 4  # learnt with the second picture
        assert ("user", "What is on p1?\n[picture]") in house.asked()


@pytest.mark.parametrize("known", [False, True])
async def test_a_talk_about_a_picture_goes_on_with_a_model_that_sees_none(
    tmp_path: Path, known: bool
) -> None:
    blind = {"deepseek-chat": ModelSettings(vision=False if known else None)}
    async with small(tmp_path, Window(tokens=32_000), prices=blind) as house:
        house.api.script.windows["deepseek-chat"] = Window(
            tokens=32_000, images=0, blind="unknown variant `image_url`, expected `text`"
        )
        await house.tell(picture(house, "p0"))
        await house.say("/model deepseek-chat")
        for _ in range(2):
            house.api.script.answer("Red.")
            assert (await house.say("What colour was it?"))[-1] == "Red."
        assert askings(house) == (3 if known else 4)
        assert ("user", "What is on p0?\n[picture]") in house.asked()


async def test_a_picture_for_a_model_that_sees_none_is_said_to_be_one_too_many(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path) as house:
        house.api.script.windows[MODEL] = Window(
            tokens=32_000, images=0, blind="unknown variant `image_url`, expected `text`"
        )
        for refused in (1, 0):  # then it is known
            before = askings(house)
            [*_, text] = await house.tell(picture(house, "p0"))
            assert "“gpt-4o-mini” cannot see pictures." in text
            assert askings(house) == before + refused


async def test_pictures_too_large_for_what_stands_before_the_model_make_way(
    house: House,
) -> None:
    await house.tell(picture(house, "p0"))
    house.api.faults.add(Raw(b"<html>too large</html>", status=413, content_type="text/html"))
    house.api.script.answer("Red.")
    assert (await house.say("What colour is it?"))[-1] == "Red."
    assert house.asked()[1:] == [
        ("user", "What is on p0?\n[picture]"),
        house.asked()[2],
        ("user", "What colour is it?"),
    ]


@pytest.mark.parametrize("history", [False, True])
async def test_a_question_that_is_too_long_by_itself_is_said_to_be(
    tmp_path: Path, history: bool
) -> None:
    async with small(tmp_path, Window(tokens=2_000)) as house:
        if history:
            await talk(house)
        before = askings(house)
        [*_, text] = await house.say("word " * 2_000)
        assert text.startswith("⚠️ That is too long for the model “gpt-4o-mini”.")
        assert askings(house) <= before + 3
        house.api.script.answer("Hello.")
        assert (await house.say("hi"))[-1] == "Hello."


async def test_a_short_question_that_is_refused_as_too_long_makes_no_other_chat_forget(
    house: House,
) -> None:
    other = replace(CHAT, id=ChatId("other"))
    await house.say("/system " + "Speak of the sea. " * 20, chat=other)
    await house.say("I am Ann, and this is what I know of the sea.", chat=other)
    house.api.faults.add(
        Refuse(400, "Input is too long for requested model."), on="/chat/completions"
    )
    assert "too long for the model" in (await house.say("hi"))[-1]
    house.api.script.answer("Ann.")
    assert (await house.say("Who am I?", chat=other))[-1] == "Ann."
    assert "I am Ann" in str(house.asked())


async def test_an_answer_is_written_anew_and_gone_on_with(tmp_path: Path) -> None:
    async with small(tmp_path, Window(tokens=2_000)) as house:
        await talk(house)
        house.api.script.answer("It is " + "very " * 3_000 + "blue.", "Heads.", "or tails.")
        [*_, text] = await house.say("And the sky?")
        assert text.startswith("It is very") and "length limit" in text
        assert (await house.press("🔁 Regenerate"))[-1] == "Heads."
        assert house.asked()[-1] == ("user", "And the sky?")


async def test_an_answer_longer_than_the_window_can_be_gone_on_with(tmp_path: Path) -> None:
    async with small(tmp_path, Window(tokens=2_000)) as house:
        house.api.script.answer("One " + "more " * 3_000, "and more, " * 800, "and the end.")
        await house.say("Count")
        for _ in range(2):
            assert "length limit" in house.platform.kept()[-1]
            await house.press("➡️ Continue")
        text = "".join(house.platform.kept())
        assert text.startswith("One more") and text.endswith("and the end.")
        role, told = house.asked()[-2]
        assert role == "assistant" and str(told).startswith("… ") and "and more," in str(told)


async def test_a_document_is_cut_to_what_the_model_takes(tmp_path: Path) -> None:
    async with small(tmp_path, Window(tokens=3_000)) as house:
        pages = papers.pdf(["We sold 42 boats. " + "Boats float well. " * 100] * 12)
        house.platform.contents[FileId("boats.pdf")] = pages
        sent = Attachment(id=FileId("boats.pdf"), kind=FileKind.DOCUMENT, mime="", name="boats.pdf")
        house.api.script.answer("42.", "Well.")
        [*_, text] = await house.tell(
            house.platform.message("How many boats?", attachments=(sent,))
        )
        assert text.startswith("42.\n\n✂️ I have read only a part of boats.pdf, which is too long.")
        assert "42 boats" in str(house.asked()[-1]) and "left out for want" in str(house.asked())
        assert (await house.say("How do they float?"))[-1] == "Well."
        assert "42 boats" in str(house.asked()[-3])  # the document is still there


async def test_at_another_address_it_is_learnt_again(tmp_path: Path) -> None:
    async with small(tmp_path, Window(tokens=2_000)) as house:
        await talk(house)
        await house.say("And the sky?")
    async with small(tmp_path, Window(tokens=2_000), house.platform) as house:
        house.api.script.answer("Green.")
        assert (await house.say("And the grass?"))[-1] == "Green."
        assert askings(house) == 2


async def test_what_others_said_in_a_group_makes_way_too(tmp_path: Path) -> None:
    async with small(tmp_path, Window(tokens=600)) as house:
        await tell(house, "/settings listening on")
        for number in range(20):
            await tell(house, f"Remark {number}: " + "long " * 90, addressed=False)
        house.api.script.answer("Blue.")
        assert (await tell(house, "And the sky?"))[-1] == "Blue."
        assert house.asked()[-1] == ("user", "Ann: And the sky?")


async def tell(house: House, text: str, *, addressed: bool = True) -> list[str]:
    return await house.tell(house.platform.message(text, group=True, addressed=addressed))


async def test_a_cheap_model_with_a_small_window_sums_up_what_it_takes(tmp_path: Path) -> None:
    defaults = replace(DEFAULTS, context_window=6_000, summary_model="gpt-4o")
    async with open_house(tmp_path, defaults=defaults) as house:
        house.api.script.windows["gpt-4o"] = Window(tokens=2_000)
        house.api.script.answer_with(
            lambda question: "They spoke of words." if question.model == "gpt-4o" else "yes " * 300
        )
        for number in range(8):
            await house.say(f"Question {number}? " + "word " * 200)
        assert await summed(house) == "They spoke of words."
        await house.say("And now?")
        assert "They spoke of words." in str(house.asked_for("And now?")[0])


async def test_a_wish_for_a_long_answer_is_cut_to_the_window(tmp_path: Path) -> None:
    async with small(tmp_path, Window(tokens=2_000)) as house:
        await house.say("/set max_tokens 3000")
        house.api.script.answer("Blue.", "Green.")
        assert (await house.say("And the sky?"))[-1] == "Blue."
        before = askings(house)
        assert (await house.say("And the grass?"))[-1] == "Green."
        assert askings(house) == before + 1
        assert 1_500 < int(house.api.traffic.requests[-1].json["max_tokens"]) < 2_000


async def test_a_wish_for_a_long_answer_costs_no_memory_where_minutes_have_limits(
    tmp_path: Path,
) -> None:
    async with small(tmp_path, Window(tokens=6_000, wording=windows.groq)) as house:
        await house.say("/set max_tokens 3000")
        await talk(house, "sea " * 190)
        house.api.script.answer("It is blue.", "It is green.")
        before = askings(house)
        assert (await house.say("And the sky?"))[-1] == "It is blue."
        assert (await house.say("And the grass?"))[-1] == "It is green."
        assert askings(house) == before + 3
        assert "Answer 6." in str(house.asked())


async def test_an_answer_that_runs_into_the_end_of_the_window_can_be_gone_on_with(
    house: House,
) -> None:
    full = ErrorEvent(after=4, message="the context is full", code="context_length_exceeded")
    house.api.faults.add(full, on="/chat/completions")
    house.api.script.answer("Once upon a time there was a fox.", "a fox.")
    [text] = await house.say("a story")
    assert text.startswith("Once upon") and "length limit" in text
    assert "too long for the model" not in text
    assert (await house.press("➡️ Continue"))[-1].endswith("a fox.")


async def test_of_a_long_message_that_was_replied_to_so_much_is_told_as_there_is_room_for(
    tmp_path: Path,
) -> None:
    known = {MODEL: ModelSettings(context_window=2_000)}
    async with small(tmp_path, Window(tokens=2_000), prices=known) as house:
        ref = MessageRef(CHAT, MessageId("77"))
        quote = Quote(ref=ref, author="Eve", text="The moon is cheese. " * 550)
        asked = replace(house.platform.message("Sum it up"), reply_to=quote)
        house.api.script.answer("Cheese.")
        assert (await house.tell(asked))[-1] == "Cheese."
        told = str(house.asked()[-1][1])
        assert told.startswith("[In reply to Eve: “The moon is cheese.")
        assert told.endswith("[The rest is left out for want of room]\n\nSum it up")
        assert told.count("cheese") > 100


async def test_an_instruction_that_is_too_long_is_said_to_be_that(tmp_path: Path) -> None:
    known = {MODEL: ModelSettings(context_window=2_000)}
    async with open_house(tmp_path, prices=known) as house:
        await house.say("/system " + "word " * 1_550)
        [*_, text] = await house.say("hello")
        assert text.startswith("⚠️ The instruction of this chat is too long for the model")
        await house.say("/system default")
        assert "You said" in (await house.say("hello"))[-1]


async def test_a_chat_in_english_does_not_suffer_from_one_in_chinese(tmp_path: Path) -> None:
    window = Window(tokens=4_000, count=windows.count_dear)
    async with small(tmp_path, window) as house:
        await talk(house, "天地玄黃宇宙洪荒" * 20)
        await house.say("天是藍色的嗎？")
        other = replace(CHAT, id=ChatId("other"))
        for number in range(9):
            house.api.script.answer("word " * 150)
            await house.say(f"Question {number}? " + "word " * 150, chat=other)
        assert "Question 1?" in str(house.asked())


async def test_a_refusal_inside_of_a_stream_is_one_too(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        for number in range(4):
            await house.say(f"Question {number}? " + "word " * 300)
        told = "This model's maximum context length is 2000 tokens."
        refused = ErrorEvent(after=0, message=told, code="context_length_exceeded")
        house.api.faults.add(refused, on="/chat/completions")
        house.api.script.answer("never seen", "Blue.")
        assert (await house.say("And the sky?"))[-1] == "Blue."
        assert "Question 0?" not in str(house.asked())


async def test_with_a_smaller_model_all_that_was_said_is_summed_up(tmp_path: Path) -> None:
    defaults = replace(DEFAULTS, summary_model="gpt-4o")
    async with small(tmp_path, Window(tokens=1_000), defaults=defaults) as house:
        house.api.script.answer_with(lambda question: "They spoke of words.")
        await talk(house)
        await house.say("And the sky?")
        assert await summed(house) == "They spoke of words."
        requests = house.api.traffic.to("/chat/completions")
        told = [str(request.json["messages"]) for request in requests]
        assert any("Sum up" in each and "Question 0?" in each for each in told)


async def test_a_cheap_model_that_takes_little_sums_up_part_by_part(tmp_path: Path) -> None:
    defaults = replace(DEFAULTS, summary_model="gpt-4o")
    async with small(tmp_path, Window(tokens=1_000), defaults=defaults) as house:
        house.api.script.windows["gpt-4o"] = Window(tokens=4_000)
        house.api.script.answer_with(lambda question: "They spoke of words.")
        await talk(house)
        await house.say("And the sky?")

        def summaries(seen: Traffic) -> int:
            asked = seen.to("/chat/completions")
            done = [each for each in asked if each.status == 200]
            return sum("Sum up" in str(each.json["messages"]) for each in done)

        await house.api.traffic.until(lambda seen: summaries(seen) > 1)
        [*_, last] = house.api.traffic.to("/chat/completions")
        assert "Question 11?" not in str(last.json) and "They spoke of words." in str(last.json)


async def test_where_a_gateway_adds_to_the_request_half_is_left_out(tmp_path: Path) -> None:
    def adds(question: Question) -> int:
        return windows.count(question) + 1_500  # an instruction of its own

    known = {MODEL: ModelSettings(context_window=4_000)}
    window = Window(tokens=4_000, count=adds, wording=windows.dashscope)
    async with small(tmp_path, window, prices=known) as house:
        await talk(house)
        house.api.script.answer("Blue.", "Green.")
        before = askings(house)
        assert (await house.say("And the sky?"))[-1] == "Blue."
        assert (await house.say("And the grass?"))[-1] == "Green."
        assert askings(house) == before + 3
        assert "Answer 11." in str(house.asked())


async def test_what_is_too_long_for_an_unknown_reason_is_asked_without_the_history_in_the_end(
    tmp_path: Path,
) -> None:
    async with small(tmp_path, Window(tokens=1_000, wording=windows.bedrock)) as house:
        await talk(house)
        before = askings(house)
        house.api.script.answer("Blue.")
        assert (await house.say("And the sky?"))[-1] == "Blue."
        assert askings(house) == before + 3
        assert house.asked() == [("system", "Be brief."), ("user", "And the sky?")]


async def test_a_request_that_is_refused_although_it_should_fit_is_made_with_half_of_it(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path) as house:
        await exchanged(house, TALK)
        told = Refuse(400, "prompt is too long: 9000 tokens")  # of how many is not told
        house.api.faults.add(told, on="/chat/completions")
        house.api.script.answer("Blue.")
        assert (await house.say("And the sky?"))[-1] == "Blue."
        assert "Answer 11." in str(house.asked()) and "Question 0?" not in str(house.asked())


async def test_what_is_set_aside_for_an_answer_holds_when_less_is_asked(tmp_path: Path) -> None:
    async with open_house(tmp_path, quotas=own(daily_tokens=6_000)) as house:
        await exchanged(house, 4)
        house.api.script.windows[MODEL] = Window(tokens=1_000)
        house.api.script.answer("Blue.")
        assert (await house.say("And the sky?"))[-1] == "Blue."
        refused, granted = [r.json for r in house.api.traffic.to("/chat/completions")[-2:]]
        assert len(str(granted["messages"])) < len(str(refused["messages"]))
        assert granted["max_tokens"] == refused["max_tokens"]


async def test_an_answer_interrupted_by_a_restart_is_finished(tmp_path: Path) -> None:
    async with small(tmp_path, Window(tokens=2_000)) as house:
        await talk(house)
        with house.api.held(after=4):
            house.api.script.answer("It is bl" + "ue" * 50)
            house.api.script.windows.clear()  # what is held is the first request
            await house.write("And the sky?")
            await house.sees("It is bl")
            await house.lanes.drain(0.01)
    async with small(tmp_path, Window(tokens=2_000), house.platform) as house:
        house.api.script.answer("It is blue.")
        await house.sees("It is blue.")
        assert askings(house) == 2
        assert [text for text in house.platform.kept() if text.startswith("It is")] == [
            "It is blue."
        ]


async def test_a_picture_too_large_by_itself_is_asked_about_once(house: House) -> None:
    too_large = Raw(b"<html>too large</html>", status=413, content_type="text/html")
    house.api.faults.add(too_large, on="/chat/completions")
    [text] = await house.tell(picture(house, "p0"))
    assert "larger than the server takes" in text
    assert askings(house) == 1


async def test_an_ollama_that_counts_nothing_is_told_all(house: House) -> None:
    cards = house.api.script.cards
    cards[:] = [
        replace(card, owner="library", refuses=frozenset({"stream_options"})) for card in cards
    ]
    await house.say("word " * 8_000 + "What is it?")
    await house.say("What is it?")
    assert len(str(house.asked())) > 8_000 * 5


async def test_an_ollama_that_took_all_of_a_question_is_told_as_much_again(house: House) -> None:
    cards = house.api.script.cards
    cards[:] = [replace(card, owner="library") for card in cards]
    house.api.script.answer(Answer(text="Words.", prompt_tokens=2_051))
    await house.say("word " * 2_040 + "What is it?")
    await house.say("What is it?")
    assert len(str(house.asked())) > 2_040 * 5


@pytest.mark.parametrize("left", [2_051, 4_096])
async def test_an_ollama_that_cut_a_question_without_a_word_is_told_less(
    house: House, left: int
) -> None:
    cards = house.api.script.cards
    cards[:] = [replace(card, owner="library") for card in cards]
    house.api.script.answer(Answer(text="Hm?", prompt_tokens=left), "A report.")
    await house.say("word " * 8_000 + "What is it?")
    await house.say("What is it?")
    assert len(str(house.asked())) < 4 * 4_096
    assert "of 4,096 tokens" in (await house.say("/context"))[-1]
