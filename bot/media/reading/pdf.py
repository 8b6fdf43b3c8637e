"""PDF: the text of each page; a page that is only a picture is drawn for a model that sees."""

from __future__ import annotations

import io
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]  # it ships no types
from pypdfium2 import raw

from bot.errors import MediaError, MediaErrorKind
from bot.media.reading.contents import Contents, amount

SIDE = 1568
"""Pixels of the longer side of a drawn page: models scale down what is larger."""
QUALITY = 80
FEW = 16
"""Characters up to which a page with a picture counts as scanned (a page number, a stamp)."""
PASSWORD = 4
"""`FPDF_ERR_PASSWORD` (pdfium, fpdfview.h)."""


def read(path: Path, found: Contents) -> None:
    """Read page by page while there is room."""
    try:
        document = pypdfium2.PdfDocument(path)
        pages = len(document)
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) == PASSWORD or "assword" in str(error)
        raise MediaError(
            MediaErrorKind.LOCKED if locked else MediaErrorKind.NOT_DOCUMENT
        ) from error
    unseen: list[int] = []
    for mark, (number,) in found.parts("page", range(pages)):
        page = document[number]
        words = page.get_textpage().get_text_range().replace("\r\n", "\n").replace("\0", "")
        if len(words.strip()) > FEW or not _has_picture(page):
            found.add(mark, words)
        elif len(found.pictures) < found.scans:
            found.pictures.append(_drawn(page))
            found.add(mark, f"{words}\n(a picture: number {len(found.pictures)} of those below)")
        else:
            unseen.append(number + 1)
        page.close()
    if unseen:
        found.leave_out(f"{amount(len(unseen), 'scanned page')} from page {unseen[0]} on")


def _has_picture(page: pypdfium2.PdfPage) -> bool:
    kinds = (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_SHADING)
    return any(True for _ in page.get_objects(filter=kinds, max_depth=4))


def _drawn(page: pypdfium2.PdfPage) -> bytes:
    width, height = page.get_size()
    scale = min(SIDE / max(width, height, 1), 4.0)
    image = page.render(scale=scale).to_pil().convert("RGB")
    out = io.BytesIO()
    image.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
