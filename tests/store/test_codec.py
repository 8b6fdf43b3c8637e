"""Rows that an earlier or a later version wrote stay readable."""

from __future__ import annotations

import json

import pytest

from bot.core.chat import ImagePart, TextPart
from bot.core.settings import ChatSettings
from bot.core.types import ButtonPress, IncomingMessage
from bot.store import codec
from tests.store.events import message, press


def test_a_field_of_a_later_version_is_left_out() -> None:
    later = json.loads(codec.dump_event(message("1")))
    later["mood"] = "sunny"
    later["sender"]["pronouns"] = "they"
    assert codec.load_event("message", json.dumps(later)) == message("1")


def test_a_field_an_earlier_version_did_not_have_takes_its_default() -> None:
    earlier = json.loads(codec.dump_event(message("1")))
    del earlier["group"], earlier["reply_to"], earlier["sender"]["language"]
    event = codec.load_event("message", json.dumps(earlier))
    assert isinstance(event, IncomingMessage)
    assert (event.group, event.reply_to, event.sender.language) == (False, None, "en")
    assert codec.SETTINGS.load('{"model": "m"}') == ChatSettings(model="m")


def test_events_of_the_same_shape_keep_their_kind() -> None:
    event = codec.load_event(codec.kind_of(press("1")), codec.dump_event(press("1")))
    assert isinstance(event, ButtonPress)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("message", "{}"), ("message", "no JSON"), ("wish", "{}"), ("unreadable", "{}")],
)
def test_what_cannot_be_read_says_so(kind: str, text: str) -> None:
    with pytest.raises(codec.UndecodableError):
        codec.load_event(kind, text)


def test_a_picture_is_kept_beside_its_message() -> None:
    text, pictures = codec.dump_parts((TextPart("see"), ImagePart("image/png", b"\x00bytes")))
    assert list(pictures.values()) == [b"\x00bytes"]
    assert "bytes" not in text
    assert codec.load_parts(text, pictures)[1] == ImagePart("image/png", b"\x00bytes")
    with pytest.raises(codec.UndecodableError, match="picture"):
        codec.load_parts(text, {})
