"""What an operator reads in the log, and what must never stand there."""

from __future__ import annotations

import json
import logging
import sys
from typing import Literal
from urllib.parse import quote

import pytest

from bot.core.types import ChatId, ChatRef, MessageId, MessageRef
from bot.logs import Redactor, configure_logging, formatter
from tests.logging_state import logging_restored

CHAT = ChatRef("telegram", ChatId("42"))
KEY = 'key"with\\quotes/and:ü'


def logged(
    style: Literal["text", "json"],
    secrets: tuple[str, ...] = (),
    *,
    terminal: bool = False,
    message: str = "turn finished",
    error: BaseException | None = None,
    quoting: bool = False,
    **fields: object,
) -> str:
    record = logging.makeLogRecord(
        {
            "name": "bot.core.engine.lanes",
            "levelno": logging.WARNING,
            "levelname": "WARNING",
            "msg": message,
            "exc_info": (type(error), error, error.__traceback__) if error else None,
            **fields,
        }
    )
    shape = formatter(style, Redactor(secrets), terminal=terminal, quoting=quoting)
    return shape.format(record)


def raised(text: str) -> Exception:
    secret_local = "what a person wrote"
    try:
        raise ValueError(text) from KeyError(len(secret_local))
    except ValueError as error:
        return error


def test_json_has_one_object_per_line_with_the_fields_beside_the_event() -> None:
    line = logged("json", chat=CHAT, turn=7, message="turn finished")
    entry = json.loads(line)
    assert "\n" not in line
    assert entry.pop("timestamp").endswith("Z")
    assert entry == {
        "event": "turn finished",
        "level": "warning",
        "logger": "bot.core.engine.lanes",
        "chat": "telegram:42",
        "turn": 7,
    }


def test_a_field_never_hides_the_phrase() -> None:
    entry = json.loads(
        logged("json", message="accepted", event="StopPressed", level="x", logger="y")
    )
    assert entry["event"] == "accepted"
    assert entry["event_"] == "StopPressed"
    assert (entry["level"], entry["logger"]) == ("warning", "bot.core.engine.lanes")


def test_json_keeps_a_traceback_on_the_same_line() -> None:
    line = logged("json", error=raised("broken"), quoting=True)
    assert "\n" not in line
    lines = json.loads(line)["exception"].splitlines()
    assert lines[-1] == "ValueError: broken"
    assert lines.count("Traceback (most recent call last):") == 1
    assert "KeyError: 19" in lines[0]


def test_text_is_one_readable_line_without_colours_where_there_is_no_terminal() -> None:
    line = logged("text", chat=CHAT, shown=MessageRef(CHAT, MessageId("9")))
    assert "turn finished" in line
    assert "chat=telegram:42" in line
    assert "shown=telegram:42:9" in line
    assert "\x1b" not in line


def test_text_is_coloured_on_a_terminal() -> None:
    assert "\x1b[" in logged("text", terminal=True)


def test_text_shows_fields_as_they_are_and_several_lines_as_one() -> None:
    line = logged("text", model="甲\u3000乙", mood="👩‍🔬", why="no\nwords")
    assert all(field in line for field in ("model=甲\u3000乙", "mood=👩‍🔬", r"why='no\nwords'"))


HOSTILE = "gpt\x1b]52;c;cm0gLXJm\x07\x1b[2J\x9b31m\u202e\n12:00:00 [info] all is well"
"""It would write to the clipboard, empty the screen, and make up a line."""


@pytest.mark.parametrize("style", ["text", "json"])
def test_no_word_of_a_stranger_drives_the_terminal(style: Literal["text", "json"]) -> None:
    error = raised(HOSTILE.replace("\n", " "))
    line = logged(style, model=HOSTILE, error=error, quoting=True)
    assert not set(line) & set("\x1b\x07\x9b\u202e")
    assert "\x1b" not in logged(style, model="gpt\x1b[8m")
    assert not any(part.startswith("12:00:00") for part in line.splitlines())
    if style == "json":
        assert json.loads(line)["model"] == HOSTILE


@pytest.mark.parametrize("style", ["text", "json"])
def test_what_an_exception_quotes_stands_in_the_log_for_who_asks_only(
    style: Literal["text", "json"],
) -> None:
    told = ExceptionGroup("two", [raised("dear diary"), TypeError("no len()")])
    line = logged(style, error=told)
    assert "dear diary" not in line
    assert "ValueError: (what it says is logged at the level debug only)" in line
    assert "TypeError: no len()" in line
    assert "in raised" in line
    assert "dear diary" in logged(style, error=told, quoting=True)


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_traceback_shows_no_local_variables(style: Literal["text", "json"]) -> None:
    line = logged(style, error=raised("broken"))
    assert "ValueError" in line
    assert "what a person wrote" not in line


@pytest.mark.parametrize("style", ["text", "json"])
@pytest.mark.parametrize(
    "secret",
    [
        KEY,
        "hunter22",
        "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw4",
        "pass word/+&",
    ],
)
def test_a_configured_secret_stands_nowhere(style: Literal["text", "json"], secret: str) -> None:
    line = logged(
        style,
        (secret, "unrelated"),
        message=f"asking https://host/{secret}/x",
        error=raised(f"refused {secret!r}"),
        quoting=True,
        url=f"https://host/?key={secret}",
        headers={"key": [secret]},
        quoted=f"https://host/?key={quote(secret, safe='')}",
    )
    for form in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], quote(secret, safe="")):
        assert form not in line
    if style == "json":
        entry = json.loads(line)
        for field in ("event", "url", "headers", "exception"):
            assert secret not in str(entry[field])
            assert "***" in str(entry[field])
    assert line.count("***") >= 4


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("POST https://api.telegram.org/bot123:AA-b_c/getMe", "/bot***/getMe"),
        ("/file/bot123:AAb/photos/1.jpg", "/file/bot***/photos"),
        ("InvalidToken 123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw4", "InvalidToken ***"),
        ("token xoxb-12-ab", "token ***"),
        ("token xapp-1-A0-b", "token ***"),
        ("key sk-proj-abcdefgh", "key ***"),
        ("'Authorization': 'Bearer abc.def'", "Bearer ***'"),
        ("'Proxy-Authorization': 'Basic am9lOnNlY3JldA=='", "Basic ***'"),
    ],
)
def test_what_looks_like_a_token_is_blacked_out_unasked(text: str, left: str) -> None:
    cleaned = Redactor()(text)
    assert left in cleaned
    assert not any(
        part in cleaned for part in ("AA", "12-ab", "A0-b", "abcdefgh", "abc.def", "am9")
    )


def test_a_token_is_blacked_out_whole_though_a_known_secret_is_part_of_it() -> None:
    text = "InvalidToken 123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw4"
    assert Redactor(["CH1vGW"])(text) == "InvalidToken ***"


def test_a_secret_is_blacked_out_whole_though_another_begins_it() -> None:
    assert Redactor(["hunter", "hunter2-and-more"])("key hunter2-and-more") == "key ***"


def test_ordinary_words_stay() -> None:
    text = "robot 7: the bot wrote 12:30, task-force, xox, sk-1"
    assert Redactor(["abc"])(text) == text


def test_other_packages_are_heard_from_warning_up(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_restored():
        configure_logging(level="debug", style="json", secrets=["hunter22"])
        logging.getLogger("httpx").info("HTTP Request: GET https://host/")
        logging.getLogger("httpx").warning("connection pool is full")
        logging.getLogger("bot.api.client").debug("key hunter22")
        sys.excepthook(RuntimeError, RuntimeError("hunter22 again"), None)
    events = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert events == ["connection pool is full", "key ***", "crashed"]
