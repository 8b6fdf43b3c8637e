"""The process that reads one document: `python -m bot.media.reading ORDER`, an answer in JSON.

ORDER is JSON. The answer stands on standard output; pages to look at are files in a folder.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Any

from bot.errors import MediaError, MediaErrorKind
from bot.media.bounds import carry_out
from bot.media.reading.contents import Contents


def _read(order: dict[str, Any]) -> dict[str, object]:
    found = Contents(room=order["room"], scans=order["scans"])
    _read_file(Path(order["path"]), order["name"], order["mime"], found)
    for number, picture in enumerate(found.pictures):
        (Path(order["folder"]) / f"page-{number}.jpg").write_bytes(picture)
    return {
        "sections": found.sections,
        "pictures": len(found.pictures),
        "extent": found.extent,
        "left_out": found.left_out,
    }


def _read_file(path: Path, name: str, mime: str, found: Contents) -> None:
    from bot.media.reading.kinds import reader_of

    try:
        reader_of(path, name, mime)(path, found)
    except (MediaError, MemoryError, OSError):
        raise
    except zipfile.BadZipFile as error:
        raise MediaError(MediaErrorKind.NOT_DOCUMENT, "damaged") from error
    except Exception as error:
        # The libraries raise what they like at damaged files; which it was, only tests would tell.
        raise MediaError(MediaErrorKind.NOT_DOCUMENT, type(error).__name__) from error


if __name__ == "__main__":
    carry_out(sys.argv[1], _read)
