"""Texts that are told in the language of whoever reads them."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from bot.core.i18n import N_, texts
from bot.core.phrases import Phrase, below, listed, placed, reason, said, told

CHINESE = texts("zh")
TAKEN = N_("{variable} is set too; keep one of the two")


def test_a_phrase_is_english_where_nobody_translates_it() -> None:
    phrase = Phrase(TAKEN, variable="A")
    assert phrase == "A is set too; keep one of the two"
    assert f"{ValueError(phrase)}" == "A is set too; keep one of the two"
    assert told(phrase, texts("en")) == phrase


def test_it_is_told_with_all_that_is_filled_in() -> None:
    inner = Phrase("no such file or directory")
    phrase = Phrase("{reason}; check the path", reason=ValueError(inner))
    assert phrase == "no such file or directory; check the path"
    assert told(ValueError(phrase), CHINESE) == "没有这个文件或目录；请检查路径"


def test_braces_of_somebody_else_are_left_alone() -> None:
    assert told(placed("{a}", "{}"), CHINESE) == "{a}：{}"
    assert told("{a}", CHINESE) == told(Phrase("{a}"), CHINESE) == "{a}"


def test_what_is_no_phrase_stays_as_it_is() -> None:
    assert told("no such file or directory", CHINESE) == "no such file or directory"
    assert told(ValueError(), CHINESE) == ""
    assert said(OSError(errno.EIO, "the disk")) == f"[Errno {errno.EIO}] the disk"


def test_phrases_are_put_together() -> None:
    parts = [Phrase("a number"), Phrase("a table"), "x"]
    assert listed(parts) == "a number, a table, x"
    assert told(listed(parts), CHINESE) == "数字、表、x"
    assert told(below(parts), CHINESE) == "数字\n表\nx"
    assert listed(parts[:1]) == "a number"


def test_why_the_system_refuses_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError) as refused:
        tmp_path.read_bytes()
    assert reason(refused.value) == "is a directory"
    assert told(reason(refused.value), CHINESE) == "是一个目录"
    assert reason(OSError(-2, "Name or service not known")) == "name or service not known"
    assert reason(OSError()) == ""
