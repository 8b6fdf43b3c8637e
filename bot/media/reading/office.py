"""Word and PowerPoint files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import docx
import pptx
from docx.table import Table
from docx.text.paragraph import Paragraph
from pptx.shapes.base import BaseShape
from pptx.shapes.graphfrm import GraphicFrame
from pptx.shapes.group import GroupShape

from bot.media.reading.contents import Contents, amount, span

PARAGRAPHS = 20
"""Paragraphs to a section, where there are no pages."""
DEEP = 8
"""Tables in tables, and groups in groups, beyond which nobody meant it."""


def read_docx(path: Path, found: Contents) -> None:
    """Paragraphs and tables in order; pages as Word last laid them out, where it said so."""
    blocks = list(docx.Document(str(path)).iter_inner_content())
    breaks = [len(b.rendered_page_breaks) if isinstance(b, Paragraph) else 0 for b in blocks]
    if not any(breaks):  # it was never laid out by Word
        _by_paragraphs(blocks, found)
        return
    found.extent = amount(1 + sum(breaks), "page")
    page, lines = 1, list[str]()
    for block, ends in zip(blocks, breaks, strict=True):
        lines += _lines(block)
        if ends:  # a paragraph that a break goes through counts to the page it begins on
            found.add(f"page {page}", "\n".join(lines))
            page, lines = page + ends, []
            if found.full:
                found.leave_out(span("page", page, 1 + sum(breaks)))
                return
    found.add(f"page {page}", "\n".join(lines))


def _by_paragraphs(blocks: Sequence[Paragraph | Table], found: Contents) -> None:
    for mark, part in found.parts("paragraph", blocks, PARAGRAPHS):
        found.add(mark, "\n".join(line for block in part for line in _lines(block)))


def _lines(block: Paragraph | Table) -> Iterable[str]:
    return [_paragraph(block)] if isinstance(block, Paragraph) else _rows(block)


def _paragraph(paragraph: Paragraph) -> str:
    style = (paragraph.style.name if paragraph.style else "") or ""
    level = style.removeprefix("Heading ")
    if style == "Title" or (level.isdigit() and level != style):
        return "#" * (1 if style == "Title" else min(6, int(level))) + " " + paragraph.text
    return f"- {paragraph.text}" if style.startswith("List") else paragraph.text


def _rows(table: Table, depth: int = 0) -> Iterator[str]:
    for row in table.rows:
        cells = [" ".join(cell.text.split()) for cell in row.cells]
        yield " | ".join(cells)
        if depth < DEEP:
            for cell in row.cells:
                for inner in cell.tables:
                    yield from _rows(inner, depth + 1)


def read_pptx(path: Path, found: Contents) -> None:
    """Slide by slide: titles, texts, tables, and the speaker's notes."""
    slides = list(pptx.Presentation(str(path)).slides)
    for mark, (slide,) in found.parts("slide", slides):
        lines = list(_shapes(slide.shapes))
        notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
        if notes is not None and notes.text.strip():
            lines.append(f"(Notes: {notes.text.strip()})")
        found.add(mark, "\n".join(lines))


def _shapes(shapes: Iterable[BaseShape], depth: int = 0) -> Iterator[str]:
    for shape in shapes:
        if isinstance(shape, GroupShape):
            if depth < DEEP:
                yield from _shapes(shape.shapes, depth + 1)
        elif isinstance(shape, GraphicFrame) and shape.has_table:
            for row in shape.table.rows:
                yield " | ".join(" ".join(cell.text.split()) for cell in row.cells)
        elif shape.has_text_frame:
            words = str(getattr(shape, "text_frame").text).strip()  # noqa: B009 - not every shape has it
            if words:
                yield words
