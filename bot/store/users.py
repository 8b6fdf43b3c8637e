"""Who has spoken to the bot: the port `Users`."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.types import Sender
from bot.store.columns import utc_now
from bot.store.database import Database, insert
from bot.store.schema import users


class UserTable:
    """`Users`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def seen(self, platform: str, sender: Sender) -> None:
        """Remember name and language of somebody who wrote."""

        async def job(connection: AsyncConnection) -> None:
            new = insert(connection, users).values(
                platform=platform,
                id=sender.id,
                name=sender.name,
                language=sender.language,
                first_seen=utc_now(),
                last_seen=utc_now(),
            )
            seen_again = new.on_conflict_do_update(
                index_elements=["platform", "id"],
                set_={
                    "name": new.excluded.name,
                    "language": new.excluded.language,
                    "last_seen": new.excluded.last_seen,
                },
            )
            await connection.execute(seen_again)

        await self._database.write(job)
