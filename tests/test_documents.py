"""What is written about the bot keeps up with it."""

from __future__ import annotations

import re

from tests.commands_page import PAGE, page


def test_the_page_of_commands_says_what_the_bot_says() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.commands_page"


def test_every_picture_of_the_page_is_there() -> None:
    pictures = re.findall(r'src="([^"]+)"', page())
    assert pictures
    assert [name for name in pictures if not (PAGE.parent / name).is_file()] == []
