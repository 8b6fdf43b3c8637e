"""What a model is told of a document."""

from __future__ import annotations

from bot.core.documents import Document, Section, tell


def told(document: Document, room: int) -> str:
    return tell("a.txt", document, room=room, count=lambda text: len(text.split()))


def test_a_document_that_fits_is_told_whole() -> None:
    document = Document(sections=(Section(mark="page 1", text="We sold"),), extent="1 page")
    assert told(document, 100) == (
        "[File “a.txt”, 1 page]\n\n[page 1]\nWe sold\n\n[End of “a.txt”]"
    )


def test_what_does_not_fit_is_named() -> None:
    pages = tuple(Section(mark=f"page {n}", text="word " * 30) for n in range(1, 10))
    text = told(Document(sections=pages, left_out="pages 10–500"), 100)
    assert "[page 3]" in text and "[page 5]" not in text
    assert "[Left out for want of room: page 4 to page 9; pages 10–500]" in text
    assert len(text.split()) < 130


def test_a_section_larger_than_the_room_is_told_from_its_beginning() -> None:
    text = told(Document(sections=(Section(mark="page 1", text="word " * 500),)), 50)
    assert "[page 1]\nword word" in text and "Left out" in text
    assert len(text.split()) < 80


def test_of_a_section_for_which_nothing_is_left_there_is_not_even_a_beginning() -> None:
    pages = tuple(Section(mark=f"page {n}", text="so many words") for n in range(1, 5))
    assert told(Document(sections=pages), 10) == (
        "[File “a.txt”]\n\n[page 1]\nso many words\n\n[page 2]\nso many words\n\n"
        "[Left out for want of room: page 3 to page 4]\n\n[End of “a.txt”]"
    )
