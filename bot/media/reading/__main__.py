"""The process that reads one document: `python -m bot.media.reading ORDER`, an answer in JSON.

ORDER is JSON. The answer stands on standard output; pages to look at are files in a folder.
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

from bot.media.bounds import bound
from bot.media.reading.contents import Contents, Unreadable


def main(order: str) -> None:
    """Read what the order says, within its limits."""
    wanted = json.loads(order)
    bound(memory=int(wanted["memory"]), seconds=int(wanted["seconds"]))
    found = Contents(room=int(wanted["room"]), scans=int(wanted["scans"]))
    try:
        _read(Path(wanted["path"]), wanted["name"], wanted["mime"], found)
    except Unreadable as error:
        answer: dict[str, object] = {"error": error.kind, "detail": error.detail}
    else:
        folder = Path(wanted["folder"])
        for number, picture in enumerate(found.pictures):
            (folder / f"page-{number}.jpg").write_bytes(picture)
        answer = {
            "sections": found.sections,
            "pictures": len(found.pictures),
            "extent": found.extent,
            "left_out": found.left_out,
        }
    sys.stdout.write(json.dumps(answer))


def _read(path: Path, name: str, mime: str, found: Contents) -> None:
    from bot.media.reading.kinds import reader_of

    try:
        reader_of(path, name, mime)(path, found)
    except MemoryError as error:
        raise Unreadable("too_large", "memory") from error
    except (Unreadable, OSError):
        raise
    except zipfile.BadZipFile as error:
        raise Unreadable("not_document", "damaged") from error
    except Exception as error:
        # The libraries raise what they like at damaged files; which it was, only tests would tell.
        raise Unreadable("not_document", type(error).__name__) from error


if __name__ == "__main__":
    main(sys.argv[1])
