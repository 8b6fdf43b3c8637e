"""The language that somebody is spoken to in, and how its texts name commands."""

from __future__ import annotations

import pytest

from bot.core.i18n import best_language, language_of, texts


def test_a_client_is_spoken_to_in_its_language() -> None:
    words = "⏹ Stopped."
    assert texts("zh-hans").gettext(words) == "⏹ 已停止。"
    assert texts("zh_TW").gettext(words) == "⏹ 已停止。"
    assert texts("de").gettext(words) == words
    assert texts("").gettext(words) == words
    assert best_language("EN-gb") == "en"


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh-CN"),
        ({"LANG": "zh_CN.GB2312@stroke"}, "zh-CN"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en-GB"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "zh_TW", "LC_ALL": ""}, "zh-TW"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "zh_SG:en"}, "zh-SG"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "de:en_GB:zh"}, "en-GB"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "tlh"}, "zh-CN"),
        ({"LANG": "C.UTF-8", "LANGUAGE": "zh"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "POSIX"}, "en"),
        ({}, "en"),
    ],
)
def test_a_terminal_s_language_is_its_locale_s(environ: dict[str, str], language: str) -> None:
    assert language_of(environ) == language


@pytest.mark.parametrize(("encoding", "language"), [("gbk", "zh-CN"), ("latin-1", "en")])
def test_a_terminal_without_its_letters_is_spoken_to_in_english(
    encoding: str, language: str
) -> None:
    assert language_of({"LANG": "zh_CN"}, encoding) == language


def test_commands_are_named_with_their_mark_also_beside_numbers() -> None:
    one = "{count} older message no longer fits and is left out. /new starts afresh."
    many = "{count} older messages no longer fit and are left out. /new starts afresh."
    said = [texts(tag, mark="!").ngettext(one, many, 2) for tag in ("en", "zh")]
    assert [text.partition("!")[2] for text in said] == ["new starts afresh.", "new 可重新开始。"]
