from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.commands import COMMANDS
from bot.core.commands.table import parse


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("/model", ("model", "")),
        ("  /model  gpt 4 ", ("model", "gpt 4")),
        ("/image a cat\non a mat", ("image", "a cat\non a mat")),
        ("/image\na cat", ("image", "a cat")),
        ("/etc/hosts is a file", None),
        ("/ hello", None),
        ("/2fast", None),
        ("what does /model do", None),
        ("/" + "x" * 33, None),
        ("", None),
    ],
)
def test_what_is_a_command(text: str, parsed: tuple[str, str] | None) -> None:
    assert parse(text) == parsed


def test_commands_are_found_by_name_alias_and_any_case() -> None:
    assert COMMANDS.find("MODEL") is COMMANDS.find("models") is not None
    assert COMMANDS.find("imgae") is None
    assert COMMANDS.nearest("imgae") == "image"
    assert COMMANDS.nearest("qqqqqq") is None


def test_every_command_says_what_it_does_in_a_line_a_menu_can_show() -> None:
    for command in COMMANDS.commands:
        assert 0 < len(command.summary) <= 100, command.name


def test_the_readme_lists_every_command() -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    for command in COMMANDS.commands:
        assert f"`/{command.name}" in readme, command.name
