"""Files as people send them to a house: pictures, recordings, and others."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from bot.core.types import Attachment, FileId, FileKind
from tests.house import House
from tests.sounds import beeps


def png(width: int = 40, height: int = 30, *, see_through: bool = False) -> bytes:
    out = BytesIO()
    Image.new("RGBA" if see_through else "RGB", (width, height)).save(out, "PNG")
    return out.getvalue()


def attached(
    house: House, content: bytes, *, kind: FileKind, name: str, mime: str = ""
) -> Attachment:
    """A file that can be fetched from the platform."""
    house.platform.contents[FileId(name)] = content
    return Attachment(id=FileId(name), kind=kind, mime=mime, name=name)


def picture(house: House, content: bytes | None = None, *, name: str = "p.png") -> Attachment:
    content = png() if content is None else content
    return attached(house, content, kind=FileKind.IMAGE, name=name, mime="image/png")


def recording(
    house: House,
    content: bytes | None = None,
    *,
    name: str = "voice.ogg",
    kind: FileKind = FileKind.VOICE,
) -> Attachment:
    content = beeps(1.0) if content is None else content
    return attached(house, content, kind=kind, name=name, mime="audio/ogg")
