"""What is written about the bot keeps up with it."""

from __future__ import annotations

import re
from configparser import ConfigParser

from bot.__main__ import EXIT_CONFIG
from bot.serving import DRAIN
from tests.commands_page import PAGE, page
from tests.environment import ROOT


def test_the_page_of_commands_says_what_the_bot_says() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.commands_page"


def test_every_picture_of_the_page_is_there() -> None:
    pictures = re.findall(r'src="([^"]+)"', page())
    assert pictures
    assert [name for name in pictures if not (PAGE.parent / name).is_file()] == []


def test_the_unit_of_systemd_runs_the_bot_as_the_image_does() -> None:
    unit = ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # as systemd reads its keys
    unit.read_string((PAGE.parent / "chinwag.service").read_text("utf-8"))
    service, image = unit["Service"], (ROOT / "Dockerfile").read_text("utf-8")
    program, command = service["ExecStart"].split()
    assert (program.rpartition("/")[2], command) == ("bot", "run")
    assert all(re.search(rf"\b{each}\b", image) for each in service["Environment"].split())
    assert service["WorkingDirectory"] == service["ReadWritePaths"]
    assert int(service["RestartPreventExitStatus"]) == EXIT_CONFIG
    assert int(service["TimeoutStopSec"]) > DRAIN + 2  # and parting, and leaving


def test_whoever_is_led_through_the_code_finds_the_files() -> None:
    told = (PAGE.parent / "how-it-works.md").read_text("utf-8")
    paths = set(re.findall(r"`([\w/]+(?:\.py|/))`", told))
    assert paths
    files = [str(file) for room in ("bot", "tests") for file in (ROOT / room).rglob("*.py")]
    assert [path for path in sorted(paths) if not any(f"/{path}" in file for file in files)] == []
