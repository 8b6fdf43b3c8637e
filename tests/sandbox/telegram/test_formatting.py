from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telegram import Bot, MessageEntity
from telegram.error import BadRequest

from bot.errors import ConfigError
from bot.sandbox.telegram.entities import utf16_length, utf16_slice
from bot.sandbox.telegram.errors import BadRequest as Judged
from bot.sandbox.telegram.judge import Formatted, Judge, Lenient, Tdlib
from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.telegram.view import ChatView

JUDGE = Tdlib()
KINDS = ["bold", "italic", "spoiler", "code", "pre", "blockquote", "expandable_blockquote"]


@pytest.fixture
def judge(telegram: Telegram) -> Judge:
    return telegram.judge


def entity(kind: str, offset: int, length: int, **details: object) -> dict[str, object]:
    return {"type": kind, "offset": offset, "length": length, **details}


async def test_entities_count_utf16_units(bot: Bot, ann: ChatView) -> None:
    text = "😀 bold"
    await bot.send_message(ann.id, text, entities=[MessageEntity("bold", 3, 4)])
    (shown,) = ann.kept()
    (bold,) = shown.entities
    assert utf16_slice(shown.text, bold["offset"], bold["length"]) == "bold"
    with pytest.raises(BadRequest, match="in a middle of a utf-16 symbol"):
        await bot.send_message(ann.id, text, entities=[MessageEntity("bold", 1, 2)])
    with pytest.raises(BadRequest, match="ends after the end of the text"):
        await bot.send_message(ann.id, text, entities=[MessageEntity("bold", 3, 5)])


async def test_a_link_without_a_host_is_refused(bot: Bot, ann: ChatView) -> None:
    link = MessageEntity("text_link", 0, 1, url="/relative")
    with pytest.raises(BadRequest, match="Entity url '/relative' is invalid"):
        await bot.send_message(ann.id, "a", entities=[link])


async def test_the_addresses_of_a_messages_links_are_not_to_be_endless(
    bot: Bot, ann: ChatView
) -> None:
    url = f"https://example.com/{'a' * 180}"
    links = [MessageEntity("text_link", at, 1, url=url) for at in range(0, 100, 2)]
    await bot.send_message(ann.id, "a " * 50, entities=links[:40])
    with pytest.raises(BadRequest, match=r"(?i)entities_too_long"):
        await bot.send_message(ann.id, "a " * 50, entities=links)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"type": "bold", "offset": 0}, "length"),
        ({"type": "shiny", "offset": 0, "length": 1}, "Unsupported type specified"),
        ("bold", "expected an Object"),
    ],
)
def test_malformed_entities_are_refused(judge: Judge, wrong: object, reason: str) -> None:
    with pytest.raises(Judged, match="can't parse MessageEntity: ") as refused:
        judge.fix("a", [wrong])
    assert reason in refused.value.description


def test_white_space_at_the_ends_goes_and_entities_move_along(judge: Judge) -> None:
    fixed = judge.fix("\n  hello world  ", [entity("bold", 9, 7)])
    assert fixed.text == "hello world"
    assert fixed.entities == (entity("bold", 6, 5),)


def test_leading_white_space_under_an_entity_stays(judge: Judge) -> None:
    fixed = judge.fix("  x = 1", [entity("pre", 0, 7, language="py")])
    assert fixed.text == "  x = 1"
    assert fixed.entities == (entity("pre", 0, 7, language="py"),)


def test_neighbours_of_a_kind_become_one(judge: Judge) -> None:
    fixed = judge.fix("abc", [entity("bold", 0, 1), entity("bold", 1, 1)])
    assert fixed.entities == (entity("bold", 0, 2),)


def test_an_entity_over_white_space_at_the_end_vanishes(judge: Judge) -> None:
    assert judge.fix("ab  ", [entity("bold", 2, 2)]).entities == ()


def test_bold_inside_code_is_dropped(judge: Judge) -> None:
    fixed = judge.fix("ab cd", [entity("code", 0, 5), entity("bold", 0, 2)])
    assert fixed.entities == (entity("code", 0, 5),)


def test_links_and_commands_are_found_and_split_what_covers_them(judge: Judge) -> None:
    fixed = judge.fix("go /start example.com", [entity("bold", 0, 6)])
    assert fixed.entities == (
        entity("bold", 0, 3),
        entity("bot_command", 3, 6),
        entity("bold", 3, 3),
        entity("url", 10, 11),
    )
    assert judge.fix("example.com", [entity("code", 0, 11)]).entities == (entity("code", 0, 11),)


@pytest.mark.parametrize(
    "text", ["**a** __b__ ~~c~~ ||d|| `e` [f](g.com/h)", "```py\nx\n```", "[["]
)
def test_markdown_is_just_text(judge: Judge, text: str) -> None:
    assert judge.fix(text, None).text == text


def test_private_use_characters_survive(judge: Judge) -> None:
    text = "\ue000*\ue001_\ue002"
    assert judge.fix(text, None).text == text


def test_more_than_100_entities_are_silently_cut(judge: Judge) -> None:
    many = [entity("bold", 3 * index, 1) for index in range(150)]
    assert len(judge.fix("ab " * 150, many).entities) == 100


def test_every_kind_of_entity_comes_back_as_it_went(judge: Judge) -> None:
    kinds = [
        entity("italic", 0, 1),
        entity("underline", 2, 1),
        entity("strikethrough", 4, 1),
        entity("spoiler", 6, 1),
        entity("pre", 8, 1),
        entity("text_link", 10, 1, url="https://example.com/"),
        entity("custom_emoji", 12, 1, custom_emoji_id="5368324170671202286"),
        entity("blockquote", 14, 1),
        entity("expandable_blockquote", 16, 1),
        entity("date_time", 18, 1, unix_time=1700000000),
    ]
    assert judge.fix("a b c d e f g h i j", kinds).entities == tuple(kinds)
    mention = judge.fix("Ann", [entity("text_mention", 0, 3, user={"id": 1001})])
    assert mention.entities[0]["user"]["id"] == 1001


@pytest.mark.parametrize("text", ["", " \n", "\u00a0", "\u2800\u200b", "\ufeff \u3000"])
def test_a_text_that_shows_nothing_is_empty(judge: Judge, text: str) -> None:
    assert judge.fix(text, None) == Formatted("")


def test_control_characters_are_cleaned_and_offsets_follow(judge: Judge) -> None:
    fixed = judge.fix("a\tb\r\nc\u202ed", [entity("bold", 7, 1)])
    assert fixed == Formatted("a b\ncd", (entity("bold", 5, 1),))


def test_times_are_marked_for_people_but_not_for_bots(judge: Judge) -> None:
    assert judge.fix("at 12:30", None).entities == ()


def test_links_in_a_quote_are_found_but_not_across_its_end(judge: Judge) -> None:
    quote = entity("blockquote", 0, 7)
    assert judge.fix("see a.com", [quote]).entities == (quote,)
    whole = entity("blockquote", 0, 9)
    assert judge.fix("see a.com", [whole]).entities == (whole, entity("url", 4, 5))


@settings(max_examples=60)
@given(st.data())
def test_what_was_accepted_is_accepted_again_unchanged(data: st.DataObject) -> None:
    text = data.draw(st.text(alphabet="ab \n*_`[]()é😀\u0301\u200d.com/@", max_size=40))
    wanted = []
    for _ in range(data.draw(st.integers(0, 4))):
        start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        offset, length = utf16_length(text[:start]), utf16_length(text[start:end])
        wanted.append(entity(data.draw(st.sampled_from(KINDS)), offset, length))
    once = JUDGE.fix(text, wanted)
    again = JUDGE.fix(once.text, list(once.entities))
    assert again.text == once.text
    # Of those with the same place, either may come first: one of them may have been cut to it.
    assert sorted(map(str, again.entities)) == sorted(map(str, once.entities))
    assert text.strip(" \n").startswith(once.text.strip(" \n"))


def test_lone_surrogates_are_refused(judge: Judge) -> None:
    with pytest.raises(Judged, match="strings must be encoded in UTF-8"):
        judge.fix("\ud800", None)


def test_what_people_write_is_marked_as_telegram_does() -> None:
    text = "😀 /start@sandbox_bot and @someone"
    found = Tdlib().detect(text)
    assert found == (entity("bot_command", 3, 18), entity("mention", 26, 8))
    assert Lenient().detect(text) == found


def test_without_tdjson_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tdjson", None)
    with pytest.raises(ConfigError, match=r"pip install 'chinwag\[sandbox\]'"):
        Tdlib()


def test_the_lenient_judge_believes_everything() -> None:
    wild = entity("bold", 0, 99)
    assert Lenient().fix("hello ", [wild]).entities == (wild,)
    assert Lenient().fix(" hello ", None).text == "hello"
