"""What is written about the bot keeps up with it."""

from __future__ import annotations

import re

from tests.commands_page import PAGE, page
from tests.environment import ROOT


def test_the_page_of_commands_says_what_the_bot_says() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.commands_page"


def test_every_picture_of_the_page_is_there() -> None:
    pictures = re.findall(r'src="([^"]+)"', page())
    assert pictures
    assert [name for name in pictures if not (PAGE.parent / name).is_file()] == []


def test_whoever_is_led_through_the_code_finds_the_files() -> None:
    told = (PAGE.parent / "how-it-works.md").read_text("utf-8")
    paths = set(re.findall(r"`([\w/]+(?:\.py|/))`", told))
    assert paths
    files = [str(file) for room in ("bot", "tests") for file in (ROOT / room).rglob("*.py")]
    assert [path for path in sorted(paths) if not any(f"/{path}" in file for file in files)] == []
