"""`bot db …`: looks after the database; all but `upgrade` may be used beside a running bot."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.cli.service import prepare

if TYPE_CHECKING:
    from bot.core.facts import Fact

DAY = 86_400  # seconds
MOST_DAYS = 36_500
SHOWN = 50
"""Models of which it is shown what was learnt."""


def upgrade(arguments: argparse.Namespace) -> int:
    """Bring the tables to what this version expects."""
    from bot.store import migrate

    settings = prepare(arguments.config, quiet=True).storage
    migrated = asyncio.run(migrate.upgrade(settings))
    print(f"{settings.place}: {'migrated' if migrated else 'up to date already'}")
    return 0


def status(arguments: argparse.Namespace) -> int:
    """Count the turns, and list those that are not over and those that were given up."""
    from bot.store import admin

    settings = prepare(arguments.config, quiet=True).storage
    now, dead = asyncio.run(admin.status(settings)), asyncio.run(admin.dead_turns(settings))
    unfinished = asyncio.run(admin.open_turns(settings))
    print(f"{now.place}: revision {now.revision}, {now.size / 1e6:.1f} MB")
    print(f"waiting {now.waiting}, running {now.running}, given up {now.dead}")
    print(f"answers liked {now.liked}, disliked {now.disliked}")
    for each in unfinished:
        tried = f", attempt {each.attempt}" if each.attempt > 1 else ""
        place = f"{each.platform}:{each.chat}"
        print(f"  {each.id}  {_minute(each.since)} UTC  {place}  {each.state}{tried}")
    if now.waiting + now.running > len(unfinished):
        print(f"  and {now.waiting + now.running - len(unfinished)} more")
    for turn in dead:
        place = f"{turn.platform}:{turn.chat}"
        print(f"  {turn.id}  {_minute(turn.finished)} UTC  {place}  given up: {turn.error}")
    if now.dead > len(dead):
        print(f"  and {now.dead - len(dead)} older ones")
    _print_learnt(asyncio.run(admin.facts(settings)))
    return 0


def _print_learnt(facts: Sequence[Fact]) -> None:
    """A line for each model at each address; nothing where nothing was learnt."""
    told: dict[tuple[str, str], list[str]] = {}
    for fact in facts:
        told.setdefault((fact.model, fact.address), []).append(f"{fact.name} {fact.value}")
    if told:
        print("learnt about models (`bot db unlearn` forgets it)")
    for (model, address), known in list(told.items())[:SHOWN]:
        print(f"  {model} at {address}: {'; '.join(known)}")
    if len(told) > SHOWN:
        print(f"  and {len(told) - SHOWN} more")


def retry(arguments: argparse.Namespace) -> int:
    """Let turns that were given up wait again."""
    from bot.store import admin

    settings = prepare(arguments.config, quiet=True).storage
    again = asyncio.run(admin.retry(settings, arguments.turns or None))
    print(f"{again} wait again")
    return 0


def unlearn(arguments: argparse.Namespace) -> int:
    """Forget what servers have told about models."""
    from bot.store import admin

    settings = prepare(arguments.config, quiet=True).storage
    count = asyncio.run(admin.unlearn(settings, arguments.models or None))
    print(f"facts forgotten: {count}; a running bot knows them until it is started again")
    return 0


def purge(arguments: argparse.Namespace) -> int:
    """Delete what is only kept to recognise repetitions."""
    from bot.store import admin

    settings = prepare(arguments.config, quiet=True).storage
    purged = asyncio.run(admin.purge(settings, older_than=timedelta(seconds=arguments.age)))
    print(f"deleted: {purged.turns} turns, {purged.actions} buttons, {purged.files} files")
    return 0


def backup(arguments: argparse.Namespace) -> int:
    """Copy the database to a new file."""
    from bot.store import admin

    settings = prepare(arguments.config, quiet=True).storage
    size = asyncio.run(admin.backup(settings, arguments.file))
    print(f"{arguments.file}: {size / 1e6:.1f} MB")
    return 0


def _minute(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")


def days(text: str) -> float:
    """A number of days, as seconds; at least one, since a platform may repeat an event so long."""
    number = float(text)
    if number > MOST_DAYS:
        raise argparse.ArgumentTypeError(f"at most {MOST_DAYS}")
    if not number >= 1:
        raise argparse.ArgumentTypeError("at least 1: a platform may repeat an event for a day")
    return number * DAY
