"""Updates as they come, most of which nobody in the sandbox can cause."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.types import ButtonPress, FileKind, Forward, IncomingMessage, StopPressed
from bot.platforms.telegram.inbound import parse_update
from bot.platforms.telegram.spoken import Me
from bot.platforms.telegram.updates import MALFORMED

ME = Me(id=1000, username="sandbox_bot")
CHAT = {"id": 1001, "type": "private", "first_name": "Ann"}
ANN = {"id": 1001, "is_bot": False, "first_name": "Ann", "language_code": "zh-hans"}


KEYBOARD = {"inline_keyboard": [[{"text": "Again", "callback_data": "v"}]]}
LETTERS = {"id": -7, "type": "supergroup", "title": "News", "is_direct_messages": True}


def message(**content: object) -> dict[str, Any]:
    return {"message_id": 5, "date": 1, "chat": CHAT, "from": ANN, **content}


def read(written: dict[str, Any]) -> IncomingMessage:
    """What the bot makes of a message."""
    event = parse_update({"update_id": 1, "message": written}, ME)
    assert isinstance(event, IncomingMessage)
    return event


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"location": {"latitude": 52.5, "longitude": 13.4}}, "📍 52.500000, 13.400000"),
        ({"contact": {"phone_number": "+49 30", "first_name": "Bo"}}, "👤 Bo, +49 30"),
        ({"dice": {"emoji": "🎲", "value": 4}}, "🎲 4"),
        (
            {
                "checklist": {
                    "title": "Boat",
                    "tasks": [
                        {"id": 1, "text": "sand", "completed_by_user": ANN, "completion_date": 9},
                        {"id": 2, "text": "paint"},
                    ],
                }
            },
            "📋 Boat\n☑ sand\n☐ paint",
        ),
        (
            {
                "rich_message": {
                    "blocks": [
                        {"type": "heading", "size": 1, "text": "Title"},
                        {"type": "paragraph", "text": ["It is ", {"type": "bold", "text": "so"}]},
                        {"type": "mathematical_expression", "expression": "a^2"},
                        {
                            "type": "list",
                            "items": [
                                {"label": "1.", "blocks": [{"type": "paragraph", "text": "one"}]},
                                {
                                    "label": "•",
                                    "has_checkbox": True,
                                    "is_checked": True,
                                    "blocks": [{"type": "paragraph", "text": "done"}],
                                },
                            ],
                        },
                        {"type": "table", "cells": [[{"text": "a"}, {}], [{"text": "1"}, {}]]},
                        {
                            "type": "details",
                            "summary": "More",
                            "blocks": [
                                {
                                    "type": "paragraph",
                                    "text": [
                                        {"type": "mathematical_expression", "expression": "x"},
                                        " is ",
                                        {"type": "custom_emoji", "alternative_text": "🙂"},
                                    ],
                                }
                            ],
                        },
                        {"type": "photo", "caption": {"text": "A cat", "credit": "Zoe"}},
                        {"type": "divider"},
                    ]
                }
            },
            "Title\nIt is so\n$$a^2$$\n1. one\n☑ done\na | \n1 | \nMore\n$x$ is 🙂\nA cat",
        ),
    ],
)
def test_what_is_neither_text_nor_file_is_put_into_words(
    content: dict[str, Any], text: str
) -> None:
    event = read(message(**content))
    assert event.text == text
    assert event.sender.language == "zh-hans"


@pytest.mark.parametrize(
    "content",
    [
        {"story": {"id": 1, "chat": CHAT}},
        {"giveaway": {"chats": [], "winners_selection_date": 2, "winner_count": 1}},
    ],
)
def test_a_kind_of_message_that_nobody_can_read_still_arrives(content: dict[str, Any]) -> None:
    event = read(message(**content))
    assert event.attachments[0].kind is FileKind.DOCUMENT


def test_an_animation_is_shown_as_a_still() -> None:
    still = {"file_id": "still", "file_unique_id": "s", "width": 320, "height": 200}
    film = {"file_id": "film", "file_unique_id": "f", "width": 1, "height": 1, "duration": 1}
    content = {"animation": {**film, "thumbnail": still}, "document": {**film}}
    event = read(message(**content))
    assert [(file.id, file.kind) for file in event.attachments] == [("still", FileKind.IMAGE)]


def test_of_the_sizes_of_a_photo_the_smallest_that_is_enough_is_taken() -> None:
    sizes = [
        {"file_id": str(side), "file_unique_id": str(side), "width": side, "height": side // 2}
        for side in (90, 320, 800, 1280, 2560)
    ]
    event = read(message(photo=sizes))
    assert event.attachments[0].id == "1280"


@pytest.mark.parametrize(
    "update",
    [
        {"message": message(**{"from": {**ANN, "id": 7, "is_bot": True}, "text": "beep"})},
        {"message": message(new_chat_title="new title")},
        {"message": message(is_automatic_forward=True, text="from the channel")},
        {"message": {**message(text="/help"), "chat": LETTERS}},
        {"channel_post": {**message(text="news"), "chat": {"id": -5, "type": "channel"}}},
        {"something_new_in_2030": {"a": 1}},
    ],
)
def test_what_does_not_speak_to_the_bot_is_passed_over(update: dict[str, Any]) -> None:
    assert parse_update({"update_id": 1, **update}, ME) is None


@pytest.mark.parametrize(
    ("bot", "username", "sender"),
    [
        (1087968824, "GroupAnonymousBot", {"id": -100, "type": "supergroup", "title": "Friends"}),
        (136817688, "Channel_Bot", {"id": -200, "type": "channel", "title": "Ann's news"}),
    ],
)
def test_who_writes_as_a_group_or_a_channel_speaks_as_that(
    bot: int, username: str, sender: dict[str, Any]
) -> None:
    stand_in = {"id": bot, "is_bot": True, "first_name": "Somebody", "username": username}
    chat = {"id": -100, "type": "supergroup", "title": "Friends"}
    written = {"message_id": 5, "date": 1, "chat": chat, "from": stand_in, "sender_chat": sender}
    event = read({**written, "text": "hi"})
    assert (event.sender.id, event.sender.name) == (str(sender["id"]), sender["title"])


@pytest.mark.parametrize(
    ("more", "addressed"),
    [
        ({"reply_markup": KEYBOARD}, True),
        ({}, False),
        (
            {"reply_markup": KEYBOARD, "via_bot": {"id": 9, "is_bot": True, "first_name": "x"}},
            False,
        ),
        ({"reply_markup": KEYBOARD, "sender_chat": {"id": -200, "type": "channel"}}, False),
    ],
)
def test_a_reply_to_a_bot_that_stays_anonymous_is_told_from_one_to_a_person_who_does(
    more: dict[str, Any], addressed: bool
) -> None:
    stand_in = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    chat = {"id": -100, "type": "supergroup", "title": "Friends"}
    here = {"chat": chat, "text": "an answer", "sender_chat": chat}
    original = {**message(), **here, "from": stand_in, "message_id": 4, **more}
    reply = {**message(text="why?", reply_to_message=original), "chat": chat}
    event = read(reply)
    assert event.addressed is addressed


@pytest.mark.parametrize("is_seen", [True, False])
def test_a_part_that_was_quoted_is_the_quote_also_of_what_the_bot_may_not_see(
    *, is_seen: bool
) -> None:
    original = {**message(text="a long text about many things"), "message_id": 4}
    whole = {"reply_to_message": original} if is_seen else {}
    event = read(message(text="why?", quote={"text": "many things", "position": 18}, **whole))
    assert event.reply_to is not None
    assert event.reply_to.text == "many things"


PHOTO = {"file_id": "cat", "file_unique_id": "c", "width": 90, "height": 90}


@pytest.mark.parametrize(
    "picture",
    [{"photo": [PHOTO]}, {"live_photo": {"photo": [PHOTO], "file_id": "film", "duration": 2}}],
)
def test_what_was_answered_in_another_chat_comes_with_its_author_and_its_picture(
    picture: dict[str, Any],
) -> None:
    news = {"id": -1, "type": "channel", "title": "News"}
    origin = {"type": "channel", "date": 1, "chat": news, "message_id": 3}
    other = {"origin": origin, "chat": news, "message_id": 3, **picture}
    event = read(message(text="what is this?", external_reply=other))
    assert event.reply_to is not None
    assert event.reply_to.author == "News"
    assert [file.id for file in event.reply_to.attachments] == ["cat"]


def test_a_post_of_a_channel_is_answered_as_that_of_the_channel() -> None:
    telegram = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
    news = {"id": -1, "type": "channel", "title": "News"}
    post = {**message(text="It rains.", sender_chat=news), "from": telegram, "message_id": 4}
    event = read(message(text="really?", reply_to_message=post))
    assert event.reply_to is not None
    assert (event.reply_to.author, event.reply_to.text) == ("News", "It rains.")


def test_a_mention_by_name_is_a_mention() -> None:
    chat = {"id": -100, "type": "group", "title": "Friends"}
    me = {"id": ME.id, "is_bot": True, "first_name": "Sandbox"}
    entity = {"type": "text_mention", "offset": 3, "length": 7, "user": me}
    written = {**message(text="🙂 Sandbox hi"), "chat": chat, "entities": [entity]}
    event = read(written)
    assert (event.text, event.addressed) == ("🙂 hi", True)


def test_the_native_stop_says_in_which_chat() -> None:
    stop = {"chat": CHAT, "draft_id": "77", "message_thread_id": 9}
    event = parse_update({"update_id": 3, "stopped_message_generation": stop}, ME)
    assert isinstance(event, StopPressed)
    assert (event.chat.id, event.sender.id) == ("1001/9", "1001")


def test_keys_of_two_bots_are_never_the_same() -> None:
    update = {"update_id": 3, "message": message(text="hi")}
    keys = {
        event.key
        for me in (ME, Me(2000, "other_bot"))
        if isinstance(event := parse_update(update, me), IncomingMessage)
    }
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("origin", "author"),
    [
        ({"type": "user", "sender_user": {"id": 9, "is_bot": False, "first_name": "Zoe"}}, "Zoe"),
        ({"type": "hidden_user", "sender_user_name": "Shy Zoe"}, "Shy Zoe"),
        ({"type": "chat", "sender_chat": {"id": -1, "type": "group", "title": "Pals"}}, "Pals"),
        (
            {
                "type": "channel",
                "chat": {"id": -1, "type": "channel", "title": "News"},
                "message_id": 3,
            },
            "News",
        ),
    ],
)
def test_what_is_forwarded_is_told_with_its_author_and_is_no_command(
    origin: dict[str, Any], author: str
) -> None:
    forwarded = message(text="/new @somebody", forward_origin={"date": 1, **origin})
    event = read(forwarded)
    assert event.text == ""
    assert event.forwards == (Forward(author=author, text="/new @somebody"),)


def test_it_is_told_where_the_links_under_a_forwarded_picture_lead() -> None:
    picture = {"file_id": "p", "file_unique_id": "u", "width": 1, "height": 1}
    links = [
        {"type": "bold", "offset": 0, "length": 11},
        {"type": "text_link", "offset": 3, "length": 4, "url": "https://a.example/"},
        {"type": "text_link", "offset": 8, "length": 3, "url": "https://b.example/"},
    ]
    origin = {"type": "channel", "chat": {"title": "News"}}
    post = {"photo": [picture], "caption": "🗞 this and", "caption_entities": links}
    forwarded = message(forward_origin=origin, **post)
    event = parse_update({"update_id": 1, "message": forwarded}, ME)
    assert isinstance(event, IncomingMessage)
    told = "🗞 this (https://a.example/) and (https://b.example/)"
    assert event.forwards == (Forward(author="News", text=told),)


def test_a_live_location_that_moves_is_no_edit() -> None:
    place = {"latitude": 52.5, "longitude": 13.4, "live_period": 3600}
    assert parse_update({"update_id": 1, "message": message(location=place)}, ME) is not None
    moved = message(location=place | {"latitude": 52.6}, edit_date=2)
    assert parse_update({"update_id": 2, "edited_message": moved}, ME) is None


FULL = message(
    text="/ask@sandbox_bot what",
    entities=[{"type": "bot_command", "offset": 0, "length": 16}],
    photo=[{"file_id": "p", "width": 90, "height": 90, "file_size": 3}],
    voice={"file_id": "v", "duration": 3},
    animation={"file_id": "a", "thumbnail": {"file_id": "t", "width": 9, "height": 9}},
    venue={"title": "T", "address": "A", "location": {"latitude": 1.0, "longitude": 2.0}},
    poll={"question": "Q", "options": [{"text": "yes"}]},
    forward_origin={"type": "user", "sender_user": ANN},
    quote={"text": "part"},
    reply_to_message=message(caption="before"),
)
UPDATES: list[dict[str, Any]] = [
    {"update_id": 1, "message": FULL},
    {"update_id": 2, "edited_message": FULL},
    {"update_id": 3, "callback_query": {"id": "q", "from": ANN, "message": FULL, "data": "d"}},
    {"update_id": 4, "stopped_message_generation": {"chat": CHAT, "draft_id": 7}},
]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@given(st.data())
def test_whatever_stands_in_an_update_it_is_read_or_kept(data: st.DataObject) -> None:
    def spoilt(value: object) -> object:
        """The same with something else in one place, or without it."""
        if isinstance(value, dict) and value:
            key = data.draw(st.sampled_from(sorted(value)))
            changed = {**value, key: spoilt(value[key])}
            return changed if data.draw(st.integers(0, 3)) else value | {key: data.draw(JUNK)}
        if isinstance(value, list) and value:
            return [spoilt(value[0]), *value[1:]]
        return data.draw(JUNK)

    update = spoilt(data.draw(st.sampled_from(UPDATES)))
    assert isinstance(update, dict)
    with suppress(*MALFORMED):  # the poller keeps it as it came
        parse_update(update, ME)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("/allow Zoe", "/allow <@20>"),
        ("/quota Zoe off", "/quota <@20> off"),
        ("/cost Zoe", "/cost <@20>"),
        ("ask Zoe", None),
    ],
)
def test_who_is_mentioned_in_a_command_about_people_is_told_by_id(
    words: str, text: str | None
) -> None:
    zoe = {"id": 20, "is_bot": False, "first_name": "Zoe"}
    entity = {"type": "text_mention", "offset": words.index("Zoe"), "length": 3, "user": zoe}
    written = {**message(text=words), "entities": [entity]}
    event = read(written)
    assert event.text == (text or words)


def test_what_is_forwarded_into_a_group_is_not_said_to_the_bot() -> None:
    group = {"id": -5, "type": "supergroup", "title": "Pals"}
    origin = {"type": "hidden_user", "sender_user_name": "Zoe", "date": 1}
    mention = {"type": "mention", "offset": 0, "length": 12}
    said = message(text="@sandbox_bot tell me", entities=[mention], chat=group)
    forwarded = {**said, "forward_origin": origin}
    spoken = parse_update({"update_id": 1, "message": said}, ME)
    passed_on = parse_update({"update_id": 2, "message": forwarded}, ME)
    assert isinstance(spoken, IncomingMessage) and spoken.addressed
    assert isinstance(passed_on, IncomingMessage) and not passed_on.addressed


def test_a_button_that_is_pressed_in_a_group_is_pressed_in_a_group() -> None:
    for kind in ("private", "group", "supergroup"):
        chat = {"id": -5, "type": kind, "title": "Pals"}
        query = {"id": "1", "from": ANN, "data": "v", "message": message(chat=chat)}
        event = parse_update({"update_id": 1, "callback_query": query}, ME)
        assert isinstance(event, ButtonPress)
        assert (event.group, event.sender.id) == (kind != "private", "1001")
