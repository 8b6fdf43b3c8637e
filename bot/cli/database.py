"""`bot db …`: looks after the database; all but `upgrade` may be used beside a running bot."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.cli.service import prepare
from bot.cli.speech import Say, tame
from bot.core.i18n import N_
from bot.core.queue import TurnState

if TYPE_CHECKING:
    from bot.core.facts import Fact

_STATES = {
    TurnState.WAITING.value: N_("waiting"),
    TurnState.RUNNING.value: N_("running"),
    TurnState.JOINED.value: N_("joined"),
}
"""The turns that are not over."""
SHOWN = 50
"""Models of which it is shown what was learnt."""
DAYS = 30
"""How old something must be that is purged by hand, where the bot does not purge by itself."""


def upgrade(arguments: argparse.Namespace) -> int:
    """Bring the tables to what this version expects."""
    from bot.store import migrate

    _ = arguments.texts.gettext
    settings = prepare(arguments.config, quiet=True).storage
    migrated = asyncio.run(migrate.upgrade(settings))
    text = _("{database}: migrated") if migrated else _("{database}: up to date already")
    print(text.format(database=settings.place))
    return 0


def status(arguments: argparse.Namespace) -> int:
    """Count the turns, and list those that are not over and those that were given up."""
    from bot.store import admin

    _ = arguments.texts.gettext
    settings = prepare(arguments.config, quiet=True).storage
    now, dead = asyncio.run(admin.status(settings)), asyncio.run(admin.dead_turns(settings))
    unfinished = asyncio.run(admin.open_turns(settings))
    size, free = f"{now.extent.size / 1e6:.1f} MB", f"{now.extent.free / 1e6:.1f} MB"
    text = _("{database}: revision {revision}, {size}")
    if now.extent.free:
        text = _("{database}: revision {revision}, {size}, {free} of it free")
    print(text.format(database=now.place, revision=now.revision, size=size, free=free))
    text = _("last purged {when} UTC") if now.extent.purged else _("never purged")
    print(text.format(when=now.extent.purged and _minute(now.extent.purged)))
    text = _("waiting {waiting}, running {running}, given up {dead}")
    print(text.format(waiting=now.waiting, running=now.running, dead=now.dead))
    text = _("answers liked {liked}, disliked {disliked}")
    print(text.format(liked=now.liked, disliked=now.disliked))
    for each in unfinished:
        state = _(_STATES[each.state])
        if each.attempt > 1:
            state = _("{state}, attempt {number}").format(state=state, number=each.attempt)
        print(f"  {each.id}  {_minute(each.since)} UTC  {each.platform}:{each.chat}  {state}")
    if now.waiting + now.running > len(unfinished):
        more = now.waiting + now.running - len(unfinished)
        print("  " + _("and {count} more").format(count=more))
    for turn in dead:
        state = _("given up: {reason}").format(reason=turn.error)
        where = f"{turn.platform}:{turn.chat}"
        print(tame(f"  {turn.id}  {_minute(turn.since)} UTC  {where}  {state}"))
    if now.dead > len(dead):
        print("  " + _("and {count} older ones").format(count=now.dead - len(dead)))
    _print_learnt(asyncio.run(admin.facts(settings)), _)
    return 0


def _print_learnt(facts: Sequence[Fact], _: Say) -> None:
    """A line for each model at each address; nothing where nothing was learnt."""
    told: dict[tuple[str, str], list[str]] = {}
    for fact in facts:
        told.setdefault((fact.model, fact.address), []).append(f"{fact.name} {fact.value}")
    if told:
        print(_("learnt about models (`bot db unlearn` forgets it)"))
    for (model, address), known in list(told.items())[:SHOWN]:
        text = _("{model} at {address}: {facts}")
        print("  " + tame(text.format(model=model, address=address, facts="; ".join(known))))
    if len(told) > SHOWN:
        print("  " + _("and {count} more").format(count=len(told) - SHOWN))


def retry(arguments: argparse.Namespace) -> int:
    """Let turns that were given up wait again."""
    from bot.store import admin

    _ = arguments.texts.gettext
    settings = prepare(arguments.config, quiet=True).storage
    again = asyncio.run(admin.retry(settings, arguments.turns or None))
    print(_("{count} wait again").format(count=again))
    return 0


def unlearn(arguments: argparse.Namespace) -> int:
    """Forget what servers have told about models."""
    from bot.store import admin

    _ = arguments.texts.gettext
    settings = prepare(arguments.config, quiet=True).storage
    count = asyncio.run(admin.unlearn(settings, arguments.models or None))
    text = _("facts forgotten: {count}; a running bot knows them until it is started again")
    print(text.format(count=count))
    return 0


def purge(arguments: argparse.Namespace) -> int:
    """Delete what is old, as a running bot does by itself."""
    from bot.core.limits.calendar import Calendar
    from bot.store import admin

    _ = arguments.texts.gettext
    config = prepare(arguments.config, quiet=True)
    age = timedelta(days=config.storage.keep_days or DAYS)
    purged = asyncio.run(
        admin.purge(
            config.storage,
            older_than=age if arguments.age is None else timedelta(seconds=arguments.age),
            calendar=Calendar(zone=config.quota.zone),
        )
    )
    text = _(
        "deleted: {turns} turns, {buttons} buttons, {entries} entries of usage, "
        "{messages} messages, {files} files"
    )
    print(text.format(buttons=purged.actions, **asdict(purged)))
    return 0


def backup(arguments: argparse.Namespace) -> int:
    """Copy the database to a new file."""
    from bot.store import admin

    settings = prepare(arguments.config, quiet=True).storage
    size = asyncio.run(admin.backup(settings, arguments.file))
    text = arguments.texts.gettext("{name}: {value}")
    print(text.format(name=arguments.file, value=f"{size / 1e6:.1f} MB"))
    return 0


def bring(arguments: argparse.Namespace) -> int:
    """Copy a SQLite database into the empty PostgreSQL of the settings."""
    from bot.store import transfer

    settings = prepare(arguments.config, quiet=True).storage
    count = asyncio.run(transfer.take_over(settings, arguments.file))
    text = arguments.texts.gettext("{file}: {count} rows copied into {database}")
    print(text.format(file=arguments.file, count=count, database=settings.place))
    return 0


def _minute(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")
