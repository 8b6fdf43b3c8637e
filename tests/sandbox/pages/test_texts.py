"""What the pages say themselves, in the languages that people of the demo speak."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files


def sources() -> Iterator[tuple[str, str]]:
    for folder in ("pages", "phone", "desk"):
        for file in files(f"bot.sandbox.{folder}").iterdir():
            if file.name.endswith((".js", ".html")):
                yield file.name, file.read_text("utf-8")


def test_everything_that_a_page_says_has_its_translation() -> None:
    texts = dict(sources())
    said: set[str] = set()
    for name, text in texts.items():
        said |= set(re.findall(r'say\("(.+?)"\)', text))
        if name.endswith(".html"):
            said |= set(re.findall(r'(?:title|placeholder|aria-label)="(.+?)"', text))
    translated = re.findall(r'^    "(.+)": "(.+)",$', texts["texts.js"], re.MULTILINE)
    assert said == {english for english, _ in translated}
    assert all(re.search(r"[\u4e00-\u9fff]", chinese) for _, chinese in translated)
