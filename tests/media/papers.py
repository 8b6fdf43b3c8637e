"""Documents made up for tests, good and hostile."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence

import docx
import pptx
import xlsxwriter  # type: ignore[import-untyped]  # it ships no types
from PIL import Image, ImageDraw


def pdf(pages: Sequence[str], *, trailer: str = "") -> bytes:
    """A PDF with a line of text on each page."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, words in enumerate(pages):
        content = f"BT /F1 18 Tf 72 700 Td ({words}) Tj ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {5 + 2 * number} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    root = f"<< /Size {len(objects) + 1} /Root 1 0 R {trailer} >>"
    return bytes(out + f"trailer\n{root}\nstartxref\n{start}\n%%EOF".encode())


def locked_pdf() -> bytes:
    """A PDF that opens with a password only."""
    mark = "00" * 16
    handler = f"/Filter /Standard /V 1 /R 2 /P -4 /O <{'11' * 32}> /U <{'22' * 32}>"
    return pdf(["secret"], trailer=f"/Encrypt << {handler} >> /ID [<{mark}> <{mark}>]")


def scan(*pages: str) -> bytes:
    """A PDF of pictures."""
    pictures = []
    for words in pages:
        picture = Image.new("RGB", (400, 560), "white")
        ImageDraw.Draw(picture).text((40, 40), words, "black")
        pictures.append(picture)
    out = io.BytesIO()
    pictures[0].save(out, "PDF", save_all=True, append_images=pictures[1:])
    return out.getvalue()


def word(*paragraphs: str) -> bytes:
    """A DOCX: a heading, these paragraphs, a table."""
    document = docx.Document()
    document.add_heading("Boats", 1)
    for words in paragraphs:
        document.add_paragraph(words)
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Dory", "1200"
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def slides(*titles: str) -> bytes:
    """A PPTX with a slide for each title, and notes."""
    show = pptx.Presentation()
    for title in titles:
        slide = show.slides.add_slide(show.slide_layouts[5])
        assert slide.shapes.title is not None
        slide.shapes.title.text = title
        notes = slide.notes_slide.notes_text_frame
        assert notes is not None
        notes.text = f"about {title}"
    out = io.BytesIO()
    show.save(out)
    return out.getvalue()


def sheet(rows: Sequence[Sequence[object]]) -> bytes:
    """An XLSX with one sheet, Prices."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    page = book.add_worksheet("Prices")
    for number, row in enumerate(rows):
        page.write_row(number, 0, row)
    book.close()
    return out.getvalue()


def repacked(package: bytes, member: str, content: bytes) -> bytes:
    """An office file with another content in one of its members."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(package)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for name in old.namelist():
            new.writestr(name, content if name == member else old.read(name))
    return out.getvalue()


def archive(*members: str) -> bytes:
    """A ZIP of files by these names."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name in members:
            packed.writestr(name, "words")
    return out.getvalue()


def claiming(package: bytes, member: str, size: int) -> bytes:
    """An archive whose directory says that a member unpacks to so many bytes."""
    data, at = bytearray(package), 0
    name = member.encode()
    while (at := data.find(b"PK\x01\x02", at)) >= 0:
        length = struct.unpack_from("<H", data, at + 28)[0]
        if data[at + 46 : at + 46 + length] == name:
            struct.pack_into("<I", data, at + 24, size)
        at += 46
    return bytes(data)
