from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.types import Attachment, FileId, FileKind, Forward, IncomingMessage, Sender, UserId
from bot.platforms.telegram.ids import make_chat, make_message
from bot.platforms.telegram.pastes import NEXT, SHORTEST, Pastes

LONG = "x" * (SHORTEST + 1)


def message(number: int, text: str, *, chat: int = 1001, sender: str = "1001") -> IncomingMessage:
    return IncomingMessage(
        key=str(number),
        ref=make_message(make_chat(chat), number),
        sender=Sender(UserId(sender), "Ann"),
        text=text,
    )


def test_the_parts_of_a_text_belong_together_and_the_next_text_does_not() -> None:
    pastes = Pastes()
    parts = [pastes.join(message(n, text), 100 + n) for n, text in enumerate([LONG, LONG, "end"])]
    assert parts[0].album and {part.album for part in parts} == {parts[0].album}
    assert not pastes.join(message(4, "and?"), 103).album
    later = pastes.join(message(5, LONG), 103)
    assert later.album not in ("", parts[0].album)


def test_a_part_that_comes_again_is_the_same_part() -> None:
    pastes = Pastes()
    parts = [message(1, LONG), message(2, LONG), message(3, "end")]
    found = [pastes.join(part, 100) for part in parts for _ in range(3)]
    assert found[0].album and {part.album for part in found} == {found[0].album}
    assert not pastes.join(message(4, "and?"), 100).album


def test_emoji_count_twice_as_telegram_counts_them() -> None:
    assert Pastes().join(message(1, "👍" * (SHORTEST // 2 + 1)), 100).album


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(message(2, "short", sender="1002"), id="somebody else"),
        pytest.param(message(2, "short", chat=-100), id="elsewhere"),
        pytest.param(replace(message(2, "short"), edited=True), id="a change"),
        pytest.param(message(2, "/new"), id="a command"),
        pytest.param(
            replace(message(2, ""), forwards=(Forward(author="Bo", text=LONG),)), id="passed on"
        ),
        pytest.param(
            replace(
                message(2, "what is this?"),
                attachments=(Attachment(id=FileId("f"), kind=FileKind.IMAGE, mime="image/png"),),
            ),
            id="a picture",
        ),
    ],
)
def test_what_else_comes_in_the_same_moment_is_no_part(other: IncomingMessage) -> None:
    pastes = Pastes()
    first = pastes.join(message(1, LONG), 100)
    assert pastes.join(other, 100) == other
    assert pastes.join(message(3, "end"), 101).album == first.album


def test_what_somebody_had_time_to_write_is_no_part() -> None:
    pastes = Pastes()
    pastes.join(message(1, LONG), 100)
    assert not pastes.join(message(2, "thanks"), 101 + NEXT).album
