"""Files that a turn has made and not yet delivered, kept so that they are not made twice."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from bot.core.types import OutgoingFile
from bot.store.drivers.connection import Connection
from bot.store.schema import turn_files


async def keep(connection: Connection, turn_id: int, made: Sequence[OutgoingFile]) -> None:
    """Keep these files in place of those that the turn had."""
    await drop(connection, turn_id)
    rows = [
        {
            "turn_id": turn_id,
            "number": number,
            "name": file.name,
            "mime": file.mime,
            "content": file.content,
        }
        for number, file in enumerate(made)
    ]
    if rows:
        await connection.execute(sa.insert(turn_files), rows)


async def made(connection: Connection, turn_id: int) -> Sequence[OutgoingFile]:
    """The files of a turn, in order."""
    query = (
        sa.select(turn_files.c.name, turn_files.c.mime, turn_files.c.content)
        .where(turn_files.c.turn_id == turn_id)
        .order_by(turn_files.c.number)
    )
    rows = (await connection.execute(query)).all()
    return [OutgoingFile(name=row.name, mime=row.mime, content=row.content) for row in rows]


async def drop(connection: Connection, turn_id: int) -> None:
    """The turn is over, or has made others."""
    await connection.execute(sa.delete(turn_files).where(turn_files.c.turn_id == turn_id))
