"""Files: kept in memory, found by their id, handed out by `/file/bot<token>/<path>`."""

from __future__ import annotations

import base64
import mimetypes
from io import BytesIO

from PIL import Image

from bot.sandbox.telegram.errors import BadRequest, Refused
from bot.sandbox.telegram.params import Params
from bot.sandbox.telegram.state import StoredFile

MAX_DOWNLOAD = 20 * 1024 * 1024
"""Bytes a bot can fetch. https://core.telegram.org/bots/api#getfile."""

MAX_UPLOAD = 50 * 1024 * 1024
"""Bytes a bot can send. https://core.telegram.org/bots/api#sending-files."""

MAX_PHOTO = 10 * 1024 * 1024
"""Bytes of a picture that is sent as a photo."""


class FileStore:
    """All files, sent by the bot or by people."""

    def __init__(self) -> None:
        self._by_id: dict[str, StoredFile] = {}
        self._by_path: dict[str, StoredFile] = {}

    def add(
        self, folder: str, name: str, content: bytes, *, mime: str = "", size: int | None = None
    ) -> StoredFile:
        """Keep a file; `size` claims another length than the content has."""
        number = len(self._by_id) + 1
        kind = mime or mimetypes.guess_type(name)[0] or "application/octet-stream"
        ending = name.rpartition(".")[2] if "." in name else "bin"
        key = (
            base64.urlsafe_b64encode(f"sandbox/{folder}/{number:06}".encode()).decode().rstrip("=")
        )
        file = StoredFile(
            id=f"AgAC{key}",
            unique_id=f"AQAD{number:06}",
            path=f"{folder}/file_{number}.{ending}",
            name=name,
            mime=kind,
            content=content,
            size=len(content) if size is None else size,
        )
        self._by_id[file.id] = file
        self._by_path[file.path] = file
        return file

    def by_id(self, file_id: str) -> StoredFile | None:
        """The file with this id; a photo's small size stands for the photo."""
        return self._by_id.get(file_id) or self._by_id.get(file_id.removesuffix("s"))

    def by_path(self, path: str) -> StoredFile | None:
        """The file at a `file_path`."""
        return self._by_path.get(path)


def take_upload(files: FileStore, params: Params, field: str, value: str) -> StoredFile:
    """The file a parameter means: an upload, `attach://NAME`, or the id of a known file."""
    name = value.removeprefix("attach://") if value.startswith("attach://") else field
    upload = params.uploads.get(name)
    if upload is None:
        if not value or value.startswith("attach://"):
            raise BadRequest(f"there is no {field} in the request")
        return _known(files, value)
    if not upload.content:
        raise BadRequest("file must be non-empty")
    if len(upload.content) > MAX_UPLOAD:
        raise Refused(413)
    return files.add(f"{field}s", upload.name, upload.content, mime=upload.mime)


def _known(files: FileStore, value: str) -> StoredFile:
    if value.startswith(("http://", "https://")):
        raise BadRequest("wrong HTTP URL specified")
    file = files.by_id(value)
    if file is None:
        raise BadRequest("wrong remote file identifier specified: Wrong character in the string")
    return file


def photo_size(content: bytes) -> tuple[int, int]:
    """Width and height of a picture that Telegram accepts as a photo. Raises `BadRequest`."""
    if len(content) > MAX_PHOTO:
        raise BadRequest(
            f"file of size {len(content)} bytes is too big for a photo; "
            f"the maximum size is {MAX_PHOTO} bytes"
        )
    size = picture_size(content)
    if size is None:
        raise BadRequest("IMAGE_PROCESS_FAILED")
    width, height = size
    if width + height > 10_000 or max(width, height) > 20 * min(width, height):
        raise BadRequest("PHOTO_INVALID_DIMENSIONS")
    return size


def picture_size(content: bytes) -> tuple[int, int] | None:
    """Width and height of a picture; None when it is none."""
    try:
        with Image.open(BytesIO(content)) as picture:
            return picture.size
    except OSError:
        return None
