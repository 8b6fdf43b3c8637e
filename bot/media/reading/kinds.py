"""What kind of document a file is, by its bytes first: names and types lie."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from bot.errors import MediaError, MediaErrorKind
from bot.media.reading.contents import Contents

Reader: TypeAlias = Callable[[Path, Contents], None]

MEMBERS = 10_000
"""Files in an archive: a presentation of 500 slides has about 3,000."""
UNPACKED = 300_000_000
"""Bytes that an archive says it takes when unpacked."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OUTDATED = frozenset(("doc", "dot", "ppt", "pps", "pot", "wps", "wpt", "dps", "dpt"))
"""Word and PowerPoint before 2007, and what WPS Office, which many Chinese use, has for them."""
_PACKED = (b"Rar!\x1a\x07", b"7z\xbc\xaf'\x1c", b"\x1f\x8b\x08", b"BZh91AY&SY", b"\xfd7zXZ\0")
"""How archives begin, apart from ZIP, which documents are, too: RAR, 7z, gzip, bzip2, xz."""
_DOCUMENT_IN_ZIP = (
    *("mimetype", "Index.zip", "Index/Document.iwa"),
    *("[Content_Types].xml", "_rels/.rels"),
)
"""What stands in documents that nobody reads here: e-books, OpenDocument, Apple's, damaged ones."""
_HTML = (b"<!doctype html", b"<html", b"<head", b"<body")


def reader_of(path: Path, name: str, mime: str) -> Reader:
    """Who can read this file. Raises `MediaError`."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        raise MediaError(MediaErrorKind.EMPTY)
    if b"%PDF-" in head[:1024]:
        from bot.media.reading.pdf import read

        return read
    if head.startswith(b"PK\x03\x04"):
        return _archive(path)
    if head.startswith(_OLE):
        return _old_office(path, name)
    if head.startswith(_PACKED):
        raise MediaError(MediaErrorKind.PACKED)
    from bot.media.reading.words import read_html, read_text

    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if mime == "text/html" or start.startswith(_HTML):
        return read_html
    return read_text


def _archive(path: Path) -> Reader:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise MediaError(MediaErrorKind.NOT_DOCUMENT, "damaged") from error
    if len(members) > MEMBERS or sum(member.file_size for member in members) > UNPACKED:
        raise MediaError(MediaErrorKind.TOO_LARGE, "it unpacks to too much")
    names = {member.filename for member in members}
    if "word/document.xml" in names:
        from bot.media.reading.office import read_docx

        return read_docx
    if "ppt/presentation.xml" in names:
        from bot.media.reading.office import read_pptx

        return read_pptx
    if names & {"xl/workbook.xml", "xl/workbook.bin"} or {"mimetype", "content.xml"} <= names:
        from bot.media.reading.tables import read

        return read
    is_archive = names.isdisjoint(_DOCUMENT_IN_ZIP)
    raise MediaError(MediaErrorKind.PACKED if is_archive else MediaErrorKind.NOT_DOCUMENT)


def _old_office(path: Path, name: str) -> Reader:
    """Before 2007, of WPS, or a new file that is locked, which looks the same from outside."""
    if "EncryptedPackage".encode("utf-16-le") in path.read_bytes():
        raise MediaError(MediaErrorKind.LOCKED)
    suffix = name.lower().rpartition(".")[2]
    if suffix in _OUTDATED:
        raise MediaError(MediaErrorKind.OUTDATED, suffix)
    if suffix == "msg":
        raise MediaError(MediaErrorKind.NOT_DOCUMENT, "a mail")
    from bot.media.reading.tables import read

    return read
