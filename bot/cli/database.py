"""`bot db …`: looks after the database."""

from __future__ import annotations

import argparse
import asyncio

from bot.cli.service import prepare


def upgrade(arguments: argparse.Namespace) -> int:
    """Bring the tables to what this version expects."""
    config = prepare(arguments.config, quiet=True)
    from bot.store import migrate

    migrated = asyncio.run(migrate.upgrade(config.storage))
    print(f"{config.storage.place}: {'migrated' if migrated else 'up to date already'}")
    return 0
