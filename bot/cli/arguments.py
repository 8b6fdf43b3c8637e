"""The arguments of the command line and their help."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

from bot.cli import database, service

Command: TypeAlias = Callable[[argparse.Namespace], int]
"""Carries out a sub-command and returns the exit code."""

EXIT_USAGE = 2
"""The exit code of argparse."""

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


class Arguments(argparse.Namespace):
    """What was asked for. `--config` may stand before the command or after it."""

    command: Command
    config: Path | None = None


def parse(argv: Sequence[str] | None) -> Arguments:
    """Parse the arguments; argparse itself ends the process on `--help` and on mistakes."""
    return _parser().parse_args(argv, namespace=Arguments())


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="settings in TOML (default: chinwag.toml here, if there is one); "
        "BOT_TABLE__KEY variables win over it",
    )
    parser = argparse.ArgumentParser(
        prog="bot",
        parents=[common],
        description="Chinwag: an LLM assistant for Telegram, Slack and the terminal.",
        epilog="First steps: `bot chat` needs no account; `bot check` says what is missing.",
    )
    parser.add_argument("--version", action="version", version=f"chinwag {version('chinwag')}")
    parser.set_defaults(command=_helps(parser))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    add = _adder(commands, common)
    add("run", service.run, "Serve every chat platform that is configured, until stopped.")
    add("chat", service.chat, "Chat here in the terminal; without an API key, with a local model.")
    text = "Chat in a browser with a made-up Telegram and Slack; no account."
    page = add("demo", service.demo, text)
    page.add_argument(
        "--port", type=_port, default=8765, metavar="N", help="where the page is (default: 8765)"
    )
    add("check", service.check, "Say what works and what to do about the rest.")
    app = add("manifest", service.manifest, "Print the manifest of the Slack app to create.")
    app.add_argument(
        "--url",
        default="",
        metavar="URL",
        help="for slack.mode = http: where Slack posts events, https://…/slack",
    )
    _add_database(commands, common)
    return parser


def _helps(parser: argparse.ArgumentParser) -> Command:
    """What is done where no command is given: show what there is; nothing was asked for."""

    def show(arguments: argparse.Namespace) -> int:
        parser.print_help(sys.stderr)
        return EXIT_USAGE

    return show


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65_535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return number


def _add_database(commands: Commands, common: argparse.ArgumentParser) -> None:
    text = "Look after the database."
    sub = commands.add_parser("db", parents=[common], help=text, description=text)
    sub.set_defaults(command=_helps(sub))
    add = _adder(sub.add_subparsers(title="commands", metavar="COMMAND"), common)
    add("upgrade", database.upgrade, "Migrate the database now; `bot run` does it at its start.")
    add("status", database.status, "Count what waits and runs; list what was given up and learnt.")
    again = add("retry", database.retry, "Try again what was given up.")
    again.add_argument("turns", nargs="*", type=int, metavar="ID", help="only these of the list")
    text = "Forget what servers have told about models: what they take, refuse and lack."
    known = add("unlearn", database.unlearn, text)
    known.add_argument("models", nargs="*", metavar="MODEL", help="only of these models")
    old = add(
        "purge",
        database.purge,
        "Delete turns that ended or were given up, and old buttons; messages stay.",
    )
    old.add_argument(
        "--days",
        dest="age",
        type=database.days,
        default=database.days("30"),
        metavar="N",
        help="older than this (default: 30)",
    )
    copy = add("backup", database.backup, "Copy the SQLite database, also while it is in use.")
    copy.add_argument("file", type=Path, metavar="FILE", help="a new file")


def _adder(
    commands: Commands, common: argparse.ArgumentParser
) -> Callable[[str, Command, str], argparse.ArgumentParser]:
    def add(name: str, command: Command, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, parents=[common], help=text, description=text)
        sub.set_defaults(command=command)
        return sub

    return add
