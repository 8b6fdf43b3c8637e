from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from bot.core.chat import FinishReason
from bot.core.fakes.platform import CHAT
from bot.core.types import (
    Attachment,
    ChatId,
    ChatRef,
    FileId,
    FileKind,
    MessageId,
    MessageRef,
    Quote,
    Sender,
    UserId,
)
from bot.sandbox.openai.faults import Cut, ErrorEvent, Fault, Hang, Refuse, html_page, out_of_quota
from bot.sandbox.openai.scripted import Answer
from tests.attached import attached, picture
from tests.house import DEFAULTS, QUICK, House, open_house
from tests.media import papers

WU = Sender(UserId("2"), "小吴", language="zh-hans")


async def test_a_question_is_answered(house: House) -> None:
    house.api.script.answer("**Forty-two.**")
    assert await house.say("What is six times seven?") == ["**Forty-two.**"]
    assert house.asked() == [("system", "Be brief."), ("user", "What is six times seven?")]


async def test_an_answer_without_a_word_does_not_stop_the_conversation(house: House) -> None:
    """Claude refuses what holds one, from then on."""
    house.api.script.answer("\n\n", "Hello.")
    await house.say("Hm")
    assert (await house.say("Hi"))[-1] == "Hello."
    assert house.asked() == [("system", "Be brief."), ("user", "Hm"), ("user", "Hi")]


async def test_the_answer_grows_on_the_screen_with_a_stop_button(house: House) -> None:
    house.api.script.answer(Answer(text="one two three four five", chunk=4))
    with house.api.held():
        await house.write("count")
        await house.sees("one")
    await house.answered()
    grown = [frame[0] for frame in house.platform.frames]
    assert len(grown) > 1
    assert all(later.startswith(text) for text, later in pairwise(grown))
    assert house.platform.sent[0].buttons[0][0].label == "⏹ Stop"
    assert house.platform.buttons() == ["🔁 Regenerate"]


async def test_the_model_remembers_what_was_said(house: House) -> None:
    house.api.script.answer("Hello Bob.", "Bob.")
    await house.say("I am Bob")
    assert (await house.say("Who am I?"))[-1] == "Bob."
    assert house.asked() == [
        ("system", "Be brief."),
        ("user", "I am Bob"),
        ("assistant", "Hello Bob."),
        ("user", "Who am I?"),
    ]


async def test_the_conversation_is_there_after_a_restart(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.say("I am Bob")
    async with open_house(tmp_path, platform=house.platform) as house:
        await house.say("Who am I?")
        assert ("user", "I am Bob") in house.asked()


async def test_chats_do_not_mix(house: House) -> None:
    other = ChatRef("fake", ChatId("2"))
    await house.say("I am Bob")
    await house.say("Who am I?", chat=other)
    assert house.asked() == [("system", "Be brief."), ("user", "Who am I?")]


async def test_new_starts_afresh(house: House) -> None:
    await house.say("I am Bob")
    assert (await house.say("/new"))[-1].startswith("✨ A fresh start")
    await house.say("Who am I?")
    assert house.asked() == [("system", "Be brief."), ("user", "Who am I?")]


async def test_stop_keeps_what_was_written_and_closes_the_connection(house: House) -> None:
    house.api.script.answer(Answer(text="word " * 1000, chunk=5, pace=0.02))
    question = house.platform.message("go on for ever")
    await house.happen(question)
    await house.sees("word word")
    await house.say("/stop")
    await house.api.traffic.until(lambda seen: seen.abandoned == 1)
    [text] = house.platform.kept()
    assert text.startswith("word word") and text.endswith("⏹ Stopped.")
    assert house.platform.buttons() == ["🔁 Regenerate"]
    await house.say("what did you say?")
    assert house.asked()[2][0] == "assistant"  # what was written is part of the conversation


@pytest.mark.parametrize("by", ["button", "platform"])
async def test_the_stop_button_and_the_platforms_own_stop_stop(house: House, by: str) -> None:
    house.api.script.answer(Answer(text="word " * 1000, chunk=5, pace=0.02))
    await house.write("go on for ever")
    await house.sees("word")
    platform = house.platform
    stop = platform.press("⏹ Stop") if by == "button" else platform.press_stop()
    [text] = await house.tell(stop)
    assert text.endswith("⏹ Stopped.")
    assert platform.notices == ([""] if by == "button" else [])


async def test_stop_before_the_first_word_says_so(house: House) -> None:
    house.api.faults.add(Hang(), on="/chat/completions")
    await house.write("hello?")
    await house.api.traffic.until(lambda seen: seen.in_flight == 1)
    assert await house.say("/stop") == ["⏹ Stopped."]
    assert house.platform.typing_now == 0


async def test_stop_with_nothing_to_stop(house: House) -> None:
    assert await house.say("/stop") == ["Nothing is being written right now."]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Refuse(401), "⚠️ I am not set up properly: the API refuses my key."),
        (Refuse(404), "⚠️ The API does not know the model “gpt-4o-mini”."),
        (Refuse(404, "Not found", type="e", code="e"), "⚠️ The API does not offer this."),
        (Refuse(429), "⚠️ The API is getting too many requests."),
        (out_of_quota(), "⚠️ The API account has run out of credit."),
        (Refuse(500), "⚠️ The API is having trouble."),
        (Refuse(400, "max_tokens is too large"), "⚠️ The API did not accept the request: max_tok"),
        (html_page(), "⚠️ The API sent something I cannot read."),
    ],
)
async def test_a_refused_request_is_one_clear_sentence(
    house: House, fault: Fault, sentence: str
) -> None:
    house.api.faults.add(fault, on="/chat/completions")
    [text] = await house.say("hello")
    assert text.startswith(sentence)
    assert (await house.say("hello again"))[-1].startswith("**You said:** hello again")


async def test_an_api_that_hangs_is_one_clear_sentence(tmp_path: Path) -> None:
    async with open_house(tmp_path, first_event_timeout=0.2) as house:
        house.api.faults.add(Hang(), on="/chat/completions")
        [text] = await house.say("hello")
        assert text.startswith("⚠️ The API took too long")


async def test_a_question_that_failed_for_a_passing_reason_is_remembered(house: House) -> None:
    house.api.faults.add(Refuse(500), on="/chat/completions")
    await house.say("I am Bob")
    await house.say("Who am I?")
    assert house.asked() == [
        ("system", "Be brief."),
        ("user", "I am Bob"),
        ("user", "Who am I?"),
    ]


@pytest.mark.parametrize("code", ["", "context_length_exceeded", "content_policy_violation"])
async def test_a_question_that_can_never_work_is_forgotten(house: House, code: str) -> None:
    house.api.faults.add(Refuse(400, "bad", code=code), on="/chat/completions")
    await house.say("poison")
    await house.say("hello")
    assert house.asked() == [("system", "Be brief."), ("user", "hello")]


async def test_an_answer_cut_in_the_middle_is_asked_for_again_in_its_place(house: House) -> None:
    house.api.script.answer("The first try is lost here.", "The first try was not whole.")
    house.api.faults.add(Cut(after=3), on="/chat/completions")
    assert await house.say("tell me") == ["The first try was not whole."]
    assert len(house.api.traffic.to("/chat/completions")) == 2


async def test_an_answer_cut_twice_is_kept_and_marked(house: House) -> None:
    long, short = "The first try was much longer. " * 3, "Short"
    house.api.script.answer(Answer(text=long, chunk=10), Answer(text=short, chunk=1))
    house.api.faults.add(Cut(after=6), on="/chat/completions", times=2)
    [text] = await house.say("tell me")
    assert text.startswith("The first try was much longer.")
    assert text.endswith("⚠️ The answer broke off here. Ask again, or write “go on”.")
    await house.say("go on")
    assert house.asked()[2][0] == "assistant"


async def test_an_answer_cut_and_then_empty_is_kept_and_marked(house: House) -> None:
    house.api.script.answer(Answer(text="The first try was longer. " * 3, chunk=10), "")
    house.api.faults.add(Cut(after=6), on="/chat/completions")
    [text] = await house.say("tell me")
    assert text.startswith("The first try was longer.")
    assert text.endswith("⚠️ The answer broke off here. Ask again, or write “go on”.")


async def test_stop_keeps_what_was_read_of_a_torn_answer(house: House) -> None:
    long = "The first try was much longer. " * 3
    house.api.script.answer(Answer(text=long, chunk=10), "never")
    house.api.faults.add(Cut(after=6), on="/chat/completions")
    house.api.faults.add(Hang(), on="/chat/completions")
    await house.write("tell me")
    await house.sees("The first try")
    await house.api.traffic.until(lambda traffic: len(traffic.to("/chat/completions")) == 2)
    [text] = await house.press("⏹ Stop")
    assert text.startswith("The first try was much longer.")
    assert text.endswith("⏹ Stopped.")
    await house.say("go on")
    assert house.asked()[2][0] == "assistant"


async def test_an_error_inside_the_stream_is_said_under_what_was_written(house: House) -> None:
    house.api.script.answer(Answer(text="Half of an answer and more", chunk=5))
    house.api.faults.add(ErrorEvent(after=4), on="/chat/completions", times=2)
    [text] = await house.say("tell me")
    assert "⚠️" in text


async def test_an_answer_at_the_length_limit_says_so(house: House) -> None:
    house.api.script.answer(Answer(text="Once upon a", finish_reason=FinishReason.LENGTH))
    [text] = await house.say("a story")
    assert text == "Once upon a\n\n✂️ The model’s length limit is reached."


async def test_a_filtered_answer_says_so(house: House) -> None:
    house.api.script.answer(Answer(text="Once", finish_reason=FinishReason.CONTENT_FILTER))
    assert (await house.say("a story"))[0].endswith("content filter ended the answer here.")


async def test_an_empty_answer_says_so(house: House) -> None:
    house.api.script.answer(Answer(text=""))
    assert (await house.say("hello"))[0].startswith("The model gave an empty answer.")


async def test_thinking_is_shown_until_the_first_word(house: House) -> None:
    house.api.script.answer(Answer(reasoning="hm " * 20, text="Yes."))
    with house.api.held():
        await house.write("is it?")
        await house.sees("💭 Thinking…")
    assert await house.answered() == ["Yes."]
    assert house.platform.typing_now == 0


async def test_history_is_trimmed_to_the_window(tmp_path: Path) -> None:
    small = replace(DEFAULTS, context_window=600, system_prompt="")
    async with open_house(tmp_path, defaults=small) as house:
        for number in range(30):
            house.api.script.answer(f"answer {number} " + "x " * 20)
            await house.say(f"question {number} " + "y " * 20)
        asked = house.asked()
        assert 4 < len(asked) < 40
        roles = [role for role, _ in asked]
        assert roles == ["user", "assistant"] * (len(asked) // 2) + ["user"]
        assert str(asked[-1][1]).startswith("question 29")


async def test_a_hundred_thousand_characters_are_too_long_for_a_small_window(house: House) -> None:
    [text] = await house.say("天地玄黃" * 25_000)
    assert text.startswith("⚠️ That is too long for the model “gpt-4o-mini”.")
    assert house.api.traffic.to("/chat/completions") == []  # said before it costs money
    await house.say("hello")
    assert house.asked() == [("system", "Be brief."), ("user", "hello")]


async def test_an_answer_longer_than_a_message_goes_on_in_the_next(tmp_path: Path) -> None:
    async with open_house(tmp_path, capabilities=replace(QUICK, max_text=100)) as house:
        words = [f"word{number}" for number in range(100)]
        house.api.script.answer(" ".join(words))
        kept = await house.say("go")
        assert len(kept) > 5
        assert " ".join(kept).split() == words


async def test_a_picture_is_shown_to_the_model(house: House) -> None:
    await house.tell(house.platform.message("what is it?", attachments=(picture(house),)))
    _, content = house.asked()[-1]
    assert isinstance(content, list)
    assert content[0] == {"type": "text", "text": "what is it?"}
    assert str(content[1]["image_url"]["url"]).startswith("data:image/")
    await house.say("and its colour?")
    assert isinstance(house.asked()[1][1], list)  # it is part of the conversation


async def test_a_picture_sent_as_a_file_is_a_picture(house: House) -> None:
    shot = replace(picture(house), kind=FileKind.DOCUMENT)
    await house.tell(house.platform.message("what is it?", attachments=(shot,)))
    assert isinstance(house.asked()[-1][1], list)


async def test_a_damaged_picture_is_one_clear_sentence(house: House) -> None:
    bad = picture(house, b"not a picture")
    kept = await house.tell(house.platform.message("look", attachments=(bad,)))
    assert kept == ["I cannot open that picture. Send it as JPEG, PNG or WebP."]


async def test_a_sticker_gets_a_kind_sentence_and_no_request(house: House) -> None:
    sticker = Attachment(id=FileId("s"), kind=FileKind.STICKER, mime="image/webp")
    kept = await house.tell(house.platform.message("", attachments=(sticker,)))
    assert kept == ["I cannot read a sticker yet. Send me words, a picture or a voice message."]
    assert house.api.traffic.to("/chat/completions") == []


async def test_a_question_beside_an_unreadable_file_is_still_answered(house: House) -> None:
    file = attached(house, papers.archive("a.log"), kind=FileKind.DOCUMENT, name="logs.zip")
    await house.tell(house.platform.message("what is a zip?", attachments=(file,)))
    assert house.asked()[-1] == (
        "user",
        "what is a zip?\n\n[Also sent, but not readable to you: logs.zip]",
    )


async def test_a_file_that_is_too_large_is_not_fetched(house: House) -> None:
    large = Attachment(
        id=FileId("l"), kind=FileKind.VOICE, mime="audio/ogg", size=25_000_000, name="long.ogg"
    )
    kept = await house.tell(house.platform.message("", attachments=(large,)))
    assert kept == ["That file is too large: I can fetch at most 20 MB here."]


async def test_an_empty_message_is_asked_back(house: House) -> None:
    assert (await house.say("  "))[0].startswith("Yes? Write me a question")


async def test_what_was_replied_to_is_told_to_the_model(house: House) -> None:
    ref = MessageRef(CHAT, MessageId("77"))
    message = house.platform.message("is that true?")
    message = replace(message, reply_to=Quote(ref=ref, author="Eve", text="The moon is cheese."))
    await house.tell(message)
    assert house.asked()[-1][1] == "[In reply to Eve: “The moon is cheese.”]\n\nis that true?"


@pytest.mark.parametrize(("by_bot", "told"), [(False, 4_000), (True, 999)])
async def test_of_a_long_message_that_was_replied_to_all_is_told_but_of_an_answer(
    house: House, *, by_bot: bool, told: int
) -> None:
    ref = MessageRef(CHAT, MessageId("77"))
    quote = Quote(ref=ref, author="Eve", text="x" * 4_000, by_bot=by_bot)
    await house.tell(replace(house.platform.message("Sum it up"), reply_to=quote))
    assert str(house.asked()[-1][1]).count("x") == told


async def test_in_a_group_the_model_knows_who_speaks(house: House) -> None:
    await house.tell(house.platform.message("I am hungry", group=True))
    await house.tell(house.platform.message("so am I", group=True, sender=WU))
    said = [content for role, content in house.asked() if role == "user"]
    assert said == ["Ann: I am hungry", "小吴: so am I"]


async def test_what_is_not_said_to_the_bot_is_left_alone(house: House) -> None:
    assert await house.tell(house.platform.message("hi Eve", group=True, addressed=False)) == []


async def test_a_client_in_chinese_is_answered_in_chinese(house: House) -> None:
    house.api.faults.add(Refuse(500), on="/chat/completions")
    assert await house.say("你好", sender=WU) == ["⚠️ API 出了故障。请过一分钟再试。"]


async def test_without_a_model_the_person_is_told_how_to_choose_one(tmp_path: Path) -> None:
    async with open_house(tmp_path, defaults=replace(DEFAULTS, model="")) as house:
        assert await house.say("hi") == ["⚠️ No model is chosen yet. Choose one with /model."]


async def test_start_greets_by_name_and_help_lists_the_commands(house: House) -> None:
    assert (await house.say("/start"))[0].startswith("Hello Ann! Write me anything")
    assert (
        "- `/image PROMPT [OPTIONS]` – Draw a picture, or change one"
        in (await house.say("/help"))[1]
    )


async def test_an_unknown_command_brings_the_nearest(house: House) -> None:
    [text] = await house.say("/imgae a cat")
    assert text == "There is no command /imgae. Did you mean /image?"
    assert (await house.say("/qqqqq"))[1].endswith("/help lists them.")
