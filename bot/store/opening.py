"""Opens the database for a running bot: checked, migrated, and one owner per SQLite file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

import sqlalchemy as sa

from bot.core.errands import beside
from bot.core.limits.calendar import Calendar
from bot.core.ports import Clock
from bot.core.stores import Stores
from bot.store import health, migrate
from bot.store.actions import ActionTable
from bot.store.archive import ArchiveTable
from bot.store.broadcasts import BroadcastTable
from bot.store.chat_settings import ChatSettingsTable
from bot.store.conversations import ConversationTable
from bot.store.database import Database, connected
from bot.store.drivers.errors import located
from bot.store.drivers.poolers import sessions_must_be_ours
from bot.store.facts import FactTable
from bot.store.grants import GrantTable
from bot.store.ledger import LedgerTable
from bot.store.moving import MoveTable
from bot.store.overheard import OverheardTable
from bot.store.owner_lock import sole_owner
from bot.store.privacy import PrivacyTable
from bot.store.purging import Purging
from bot.store.queue.intake import Rules
from bot.store.queue.news import Listener, heard
from bot.store.queue.turns import Turns
from bot.store.ratings import RatingTable
from bot.store.schema import users
from bot.store.settings import StorageSettings
from bot.store.statistics import StatisticsTable
from bot.store.summaries import SummaryTable
from bot.store.users import UserTable


@asynccontextmanager
async def opened(
    settings: StorageSettings, rules: Rules, clock: Clock, calendar: Calendar
) -> AsyncIterator[Stores]:
    """See `bot.store.open_store`."""
    file = settings.sqlite_file
    if file is not None:
        health.folder_must_exist(file)
    with sole_owner(file) if file is not None else nullcontext():
        with located(settings.place):
            await health.file_must_be_sound(settings)
            await sessions_must_be_ours(settings)
            await migrate.upgrade(settings)
        async with connected(settings) as database:
            with located(settings.place):  # a read-only file is opened without complaint
                await database.change(sa.delete(users).where(sa.false()))
            database.empty_log_soon()  # a process that was killed has left one
            turns = Turns(database, rules, clock=clock, calendar=calendar)
            async with nullcontext() if database.sqlite else _sharing(settings, database, turns):
                yield _stores(settings, database, turns, calendar)


def _stores(
    settings: StorageSettings, database: Database, turns: Turns, calendar: Calendar
) -> Stores:
    return Stores(
        turns=turns,
        conversations=ConversationTable(database),
        archive=ArchiveTable(database, calendar),
        summaries=SummaryTable(database, calendar),
        overheard=OverheardTable(database),
        privacy=PrivacyTable(database, calendar),
        settings=ChatSettingsTable(database),
        users=UserTable(database),
        actions=ActionTable(database),
        ratings=RatingTable(database),
        ledger=LedgerTable(database, calendar),
        grants=GrantTable(database),
        moves=MoveTable(database),
        broadcasts=BroadcastTable(database),
        statistics=StatisticsTable(database),
        facts=FactTable(database),
        upkeep=Purging(database, settings.keeping, calendar),
    )


@asynccontextmanager
async def _sharing(
    settings: StorageSettings, database: Database, turns: Turns
) -> AsyncIterator[None]:
    """Share a PostgreSQL with other processes: hear of their work, and keep our own turns."""
    from bot.store.drivers.postgres import listening_engine

    leases = turns.leases

    def cut_off() -> None:
        leases.unseen()
        database.abandon()

    listener = Listener(
        leases.owner,
        seen=leases.seen,
        met=leases.met,
        hear=turns.hear,
        stop=turns.hear_stop,
        cut_off=cut_off,
    )
    # Signs of life of our turns, and an eye on what others have left behind.
    async with beside(leases.keep()), heard(listening_engine(settings), listener):
        yield
