"""The arguments of the command line and their help."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from gettext import NullTranslations
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

from bot.cli import database, service
from bot.cli.speech import HelpFormatter, Say
from bot.core.upkeep import MOST_DAYS

Command: TypeAlias = Callable[[argparse.Namespace], int]
"""Carries out a sub-command and returns the exit code."""

EXIT_USAGE = 2
"""The exit code of argparse."""
DAY = 86_400  # seconds

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


class Arguments(argparse.Namespace):
    """What was asked for, and the catalogue to answer with.

    `--config` may stand before the command or after it.
    """

    command: Command
    texts: NullTranslations
    config: Path | None = None


def parse(argv: Sequence[str] | None, texts: NullTranslations) -> Arguments:
    """Parse the arguments; argparse itself ends the process on `--help` and on mistakes."""
    return _parser(texts.gettext).parse_args(argv, namespace=Arguments(texts=texts))


def _parser(_: Say) -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=argparse.SUPPRESS,
        help=_(
            "settings in TOML (default: chinwag.toml here, if there is one); "
            "BOT_TABLE__KEY variables win over it"
        ),
    )
    parser = argparse.ArgumentParser(
        prog="bot",
        parents=[common],
        formatter_class=HelpFormatter,
        description=_("Chinwag: an LLM assistant for Telegram, Slack and the terminal."),
        epilog=_("First steps: `bot chat` needs no account; `bot check` says what is missing."),
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"chinwag {version('chinwag')}",
        help=_("show the version and exit"),
    )
    parser.set_defaults(command=_helps(parser))
    commands = parser.add_subparsers(title=_("commands"), metavar="COMMAND")

    add = _adder(commands, common)
    add("run", service.run, _("Serve every chat platform that is configured, until stopped."))
    text = _("Chat here in the terminal; without an API key, with a local model.")
    add("chat", service.chat, text)
    text = _("Chat in a browser with a made-up Telegram and Slack; no account.")
    page = add("demo", service.demo, text)
    page.add_argument(
        "--port",
        type=_port(_),
        default=8765,
        metavar="N",
        help=_("where the page is (default: 8765)"),
    )
    add("check", service.check, _("Say what works and what to do about the rest."))
    app = add("manifest", service.manifest, _("Print the manifest of the Slack app to create."))
    app.add_argument(
        "--url",
        type=_url(_),
        default="",
        metavar="URL",
        help=_("for slack.mode = http: where Slack posts events, https://…/slack"),
    )
    _add_database(commands, common, _)
    return parser


def _helps(parser: argparse.ArgumentParser) -> Command:
    """What is done where no command is given: show what there is; nothing was asked for."""

    def show(arguments: argparse.Namespace) -> int:
        parser.print_help(sys.stderr)
        return EXIT_USAGE

    return show


def _add_database(commands: Commands, common: argparse.ArgumentParser, _: Say) -> None:
    db = _adder(commands, common)("db", None, _("Look after the database."))
    add = _adder(db.add_subparsers(title=_("commands"), metavar="COMMAND"), common)
    text = _("Migrate the database now; `bot run` does it at its start.")
    add("upgrade", database.upgrade, text)
    text = _("Count what waits and runs; list what was given up and learnt.")
    add("status", database.status, text)
    again = add("retry", database.retry, _("Try again what was given up."))
    again.add_argument("turns", nargs="*", type=int, metavar="ID", help=_("only these of the list"))
    text = _("Forget what servers have told about models: what they take, refuse and lack.")
    known = add("unlearn", database.unlearn, text)
    known.add_argument("models", nargs="*", metavar="MODEL", help=_("only of these models"))
    text = _("Delete now what is old, as a running bot does every day: turns, buttons.")
    old = add("purge", database.purge, text)
    old.add_argument(
        "--days",
        dest="age",
        type=_days(_),
        metavar="N",
        help=_("older than this (default: storage.keep_days, or 30)"),
    )
    text = _("Copy the SQLite database, also while it is in use.")
    copy = add("backup", database.backup, text)
    copy.add_argument("file", type=Path, metavar="FILE", help=_("a new file"))
    text = _("Copy a SQLite database into the empty PostgreSQL of storage.url; no bot may run.")
    moved = add("import", database.bring, text)
    moved.add_argument("file", type=Path, metavar="FILE", help=_("the SQLite file, which stays"))


def _url(_: Say) -> Callable[[str], str]:
    def address(text: str) -> str:
        if text and not text.startswith(("https://", "http://")):  # the default is none
            raise argparse.ArgumentTypeError(_("must begin with https:// or http://"))
        return text

    return address


def _port(_: Say) -> Callable[[str], int]:
    def number(text: str) -> int:
        found = int(text) if text.isdecimal() else -1
        if not 0 <= found <= 65_535:
            raise argparse.ArgumentTypeError(_("a port is a number from 0 to 65535"))
        return found

    return number


def _days(_: Say) -> Callable[[str], float]:
    """A number of days, as seconds; at least one, since a platform may repeat an event so long."""

    def number(text: str) -> float:
        found = float(text)
        if found > MOST_DAYS:
            raise argparse.ArgumentTypeError(_("at most {most}").format(most=MOST_DAYS))
        if not found >= 1:
            text = _("at least 1: a platform may repeat an event for a day")
            raise argparse.ArgumentTypeError(text)
        return found * DAY

    return number


def _adder(
    commands: Commands, common: argparse.ArgumentParser
) -> Callable[[str, Command | None, str], argparse.ArgumentParser]:
    """Adds a sub-command; without a function it is one that has commands of its own."""

    def add(name: str, command: Command | None, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name, parents=[common], formatter_class=HelpFormatter, help=text, description=text
        )
        sub.set_defaults(command=command or _helps(sub))
        return sub

    return add
