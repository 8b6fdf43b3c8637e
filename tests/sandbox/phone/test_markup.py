from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.phone import markup
from bot.sandbox.telegram.blocks import from_markdown
from bot.sandbox.telegram.entities import Entity, utf16_length

KINDS = ("bold", "italic", "code", "pre", "text_link", "blockquote", "spoiler", "bot_command")


class Reader(HTMLParser):
    """The words of a page, and whether its tags are closed in their order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words = ""
        self.open: list[str] = []
        self.links: list[str | None] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "hr":
            self.open.append(tag)
        if tag == "a":
            self.links.append(dict(attrs).get("href"))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


@st.composite
def formatted(draw: st.DrawFn) -> tuple[str, list[Entity]]:
    text = draw(st.text(st.sampled_from("ab<>&\"'\n 中😀"), min_size=1, max_size=30))
    length = utf16_length(text)
    starts = {utf16_length(text[:index]) for index in range(len(text) + 1)}
    places = st.sampled_from(sorted(starts))
    entities: list[Entity] = []
    for _ in range(draw(st.integers(0, 5))):
        start, end = sorted((draw(places), draw(places)))
        kind = draw(st.sampled_from(KINDS))
        entities.append({"type": kind, "offset": start, "length": end - start, "url": "a.example"})
    assert all(each["offset"] + each["length"] <= length for each in entities)
    return text, entities


@given(formatted())
def test_no_word_is_lost_and_every_tag_is_closed(given: tuple[str, list[Entity]]) -> None:
    text, entities = given
    reader = Reader(markup.from_entities(text, entities))
    assert reader.words == text
    assert reader.open == []


def test_a_link_leads_only_where_a_browser_may_follow() -> None:
    def link(url: str) -> str | None:
        entity = {"type": "text_link", "offset": 0, "length": 4, "url": url}
        return Reader(markup.from_entities("here", [entity])).links[0]

    assert link("https://example.com/?a=1&b=2") == "https://example.com/?a=1&b=2"
    assert link("example.com") == "http://example.com"
    assert link("ann@example.com") == "mailto:ann@example.com"
    assert link("javascript://%0aalert(1)") is None
    assert link("http://[") is None


def test_a_rich_message_shows_its_blocks() -> None:
    source = (
        "# Title\n\n1. one\n2. **two**\n\n| a | b |\n|---|---|\n| <i> | 2 |\n\n"
        "```py\nx = 1 < 2\n```\n\n> said\n\n---\n\n<details><summary>Why</summary>\n\n"
        "Because [so](https://x.example)\n\n</details>"
    )
    reader = Reader(markup.from_blocks(from_markdown(source)))
    for words in ("Title", "1.", "two", "x = 1 < 2", "said", "Why", "Because "):
        assert words in reader.words
    assert "https://x.example" in reader.links
    assert reader.open == []
