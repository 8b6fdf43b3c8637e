from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.calibration import Calibration, Ruler
from bot.core.chat import ChatMessage, ImagePart, NewMessage, Role, Sampling, TextPart, ToolCall
from bot.core.memory.history import PICTURES, chat_message, exchanges, fit
from bot.core.memory.shortening import question
from bot.core.memory.window import View, Window


def say(role: Role, text: str, **more: object) -> ChatMessage:
    return ChatMessage(role=role, parts=(TextPart(text),), **more)  # type: ignore[arg-type]  # tests pass tool fields through


def user(text: str) -> ChatMessage:
    return say(Role.USER, text)


def bot(text: str) -> ChatMessage:
    return say(Role.ASSISTANT, text)


def words(text: str) -> int:
    return len(text.split())


def history(count: int) -> list[ChatMessage]:
    return [m for n in range(count) for m in (user(f"question {n}"), bot(f"answer {n}"))]


def refuse(text: str) -> int:
    raise AssertionError("the tokenizer was loaded for a short talk")


def test_everything_fits_without_counting_tokens() -> None:
    asked = user("and now?")
    assert fit(history(3), [asked], budget=10_000, ruler=Ruler(refuse)) == (*history(3), asked)


@pytest.mark.parametrize("longest", [1_000, 9_000])
def test_there_is_room_for_a_long_answer_without_counting_tokens(longest: int) -> None:
    window = Window(size=10_000, known=True, ruler=Ruler(refuse))
    view = View(conversation=None, window=window, head=(), past=(), asked=(user("and now?"),))
    assert view.within(Sampling(max_tokens=longest)).max_tokens == longest


def test_a_document_is_cut_without_counting_it_over_and_over() -> None:
    counted: dict[str, int] = {}  # a text that was counted is known

    def count(text: str) -> int:
        counted[text] = len(text)
        return words(text)

    document = user("a " * 10_000 + "longer " * 10_000 + "what does it say?")
    kept = fit([document, *history(20)], [user("and now?")], budget=15_000, ruler=Ruler(count))
    assert 14_000 < words(kept[0].text) < 15_000
    assert sum(counted.values()) < 4 * len(document.text)


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_a_document_is_cut_to_the_room_however_many_tokens_its_words_have(scale: float) -> None:
    ruler = Ruler(words, Calibration(scale=scale))
    told = [user("word " * 20_000), bot("It says little.")]
    kept = fit(told, [user("and now?")], budget=5_000, ruler=ruler)
    assert len(kept) == 3 and 4_900 < ruler.all(kept) <= 5_000


def test_the_oldest_exchanges_are_left_out_whole() -> None:
    # each message costs 4 + 2 tokens; room for the question and two exchanges
    kept = fit(history(100), [user("and now?")], budget=6 * 5, ruler=Ruler(words))
    assert [m.text for m in kept] == [
        "question 98",
        "answer 98",
        "question 99",
        "answer 99",
        "and now?",
    ]


def test_a_tool_result_never_stands_without_its_call() -> None:
    call = ToolCall(id="1", name="clock", arguments="{}")
    old = [
        user("what time is it in Lima now"),
        say(Role.ASSISTANT, "", tool_calls=(call,)),
        say(Role.TOOL, "noon", tool_call_id="1"),
        bot("It is noon."),
    ]
    kept = fit([*old, *history(1)], [user("thanks")], budget=6 * 3 + 20, ruler=Ruler(words))
    assert [m.text for m in kept] == ["question 0", "answer 0", "thanks"]


@pytest.mark.parametrize("budget", [100, 100_000])
def test_the_tail_of_an_exchange_that_paging_cut_is_left_out(budget: int) -> None:
    kept = fit([bot("cut off"), *history(1)], [user("hi")], budget=budget, ruler=Ruler(words))
    assert [m.text for m in kept] == ["question 0", "answer 0", "hi"]


def test_the_newest_exchange_is_shortened_rather_than_left_out() -> None:
    old = [user("look: " + "word " * 500), bot("long " * 500 + "the end")]
    kept = fit([*history(9), *old], [user("and now?")], budget=600, ruler=Ruler(words))
    asked, answered, now = (message.text for message in kept[-3:])
    assert asked.startswith("look: word") and "left out for want of room" in asked
    assert answered.startswith("… long") and answered.endswith("the end")
    assert now == "and now?" and 500 < Ruler(words).all(kept) <= 600


def test_a_long_document_is_shortened_while_people_talk_about_it() -> None:
    old = [user("what is it? " + "word " * 500), bot("a report")]
    kept = fit([*history(9), *old, *history(9)], [user("so?")], budget=600, ruler=Ruler(words))
    assert [m.text for m in kept[-19:-1]] == [m.text for m in history(9)]
    assert kept[-21].text.startswith("what is it? word") and Ruler(words).all(kept) <= 600


def test_pictures_that_do_not_fit_become_words_and_what_is_older_stays() -> None:
    shots = tuple(ImagePart("image/png", b"%d" % n) for n in range(5))
    album = [ChatMessage(role=Role.USER, parts=(TextPart("compare"), *shots)), bot("they differ")]
    kept = fit([*history(2), *album], [user("how?")], budget=4_000, ruler=Ruler(words))
    assert [m.text for m in kept[:4]] == [m.text for m in history(2)]
    assert [p for p in kept[4].parts if isinstance(p, ImagePart)] == list(shots[-2:])


def test_of_what_is_asked_only_what_nobody_typed_is_cut() -> None:
    typed = TextPart("What is it? " + "thing " * 100, typed=(0, 11))
    asked = ChatMessage(role=Role.USER, parts=(typed, TextPart("page " * 500, typed=(0, 0))))
    [cut] = question([asked], room=300, ruler=Ruler(words))
    assert cut.text.startswith("What is it? thing") and cut.text.count("page") > 100
    assert Ruler(words).of(cut) <= 300
    own = user("my own " * 500)
    assert question([own], room=300, ruler=Ruler(words)) == (own,)


def test_old_pictures_are_replaced_by_words() -> None:
    shots = [
        ChatMessage(role=Role.USER, parts=(TextPart(f"{n}"), ImagePart("image/png", b"x")))
        for n in range(PICTURES + 2)
    ]
    kept = fit(shots[:-1], [shots[-1]], budget=1_000_000, ruler=Ruler(words))
    pictures = [sum(isinstance(p, ImagePart) for p in m.parts) for m in kept]
    assert pictures == [0, 0] + [1] * PICTURES
    assert kept[0].text == "0\n[picture]"
    assert kept[-1] == shots[-1]


def test_in_a_group_the_model_is_told_who_speaks() -> None:
    said = NewMessage(role=Role.USER, parts=(TextPart("hi"),), sender_name="Ann")
    assert chat_message(said, group=True).text == "Ann: hi"
    shot = NewMessage(role=Role.USER, parts=(ImagePart("image/png", b"x"),), sender_name="Ann")
    assert chat_message(shot, group=True).text == "Ann:"
    assert chat_message(said, group=False).text == "hi"


@given(
    st.lists(st.tuples(st.sampled_from(list(Role)), st.integers(0, 30))),
    st.integers(10, 200),
)
def test_what_is_kept_fits_and_is_the_newest(spec: list[tuple[Role, int]], budget: int) -> None:
    past = [say(role, "w " * n) for role, n in spec if role is not Role.SYSTEM]
    asked = user("so")
    kept = fit(past, [asked], budget=budget, ruler=Ruler(words))
    assert sum(Ruler(words).of(m) for m in kept) <= budget
    assert kept[-1] is asked
    assert list(kept[:-1]) == past[len(past) - len(kept) + 1 :]
    assert all(e[0].role is Role.USER for e in exchanges(kept))
