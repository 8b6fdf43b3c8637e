"""`bot run`, `bot chat`, `bot demo`, `bot check` and `bot manifest`."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
from pathlib import Path

from bot.cli.speech import tame
from bot.config import Config, load_config, require_platform
from bot.core.i18n import N_
from bot.core.phrases import told
from bot.core.punctuation import valued
from bot.logs import configure_logging

log = logging.getLogger(__name__)

SWITCH_SECONDS = 0.001
"""How long the event loop waits for a thread that holds the interpreter: 5 ms, Python's own, is
longer than most of what the database's threads do, and everybody's answer waits with the loop."""
LOCAL = N_(
    "No API key is set, so a small model on this machine answers; it is quick, not clever. "
    "Set BOT_API__KEY and BOT_API__MODEL for a real one."
)


def run(arguments: argparse.Namespace) -> int:
    """Serve the configured platforms until a signal ends it."""
    config = prepare(arguments.config)
    require_platform(config)
    _warn_of_gaps(config)
    # In C++, aiohttp's lists of signals would bring a library of a megabyte for C++ alone.
    os.environ.setdefault("FROZENLIST_NO_EXTENSIONS", "1")
    from bot import app  # imports every room: not for `--help`

    sys.setswitchinterval(SWITCH_SECONDS)
    asyncio.run(app.run(config))
    return 0


def chat(arguments: argparse.Namespace) -> int:
    """Talk in the terminal; only what goes wrong is logged between the lines."""
    config = prepare(arguments.config, quiet=True)
    if not config.api.key:
        print(arguments.texts.gettext(LOCAL), file=sys.stderr)
    from bot import app

    return asyncio.run(app.chat(config))


def demo(arguments: argparse.Namespace) -> int:
    """Serve the sandbox Telegram and Slack, to be used in the browser."""
    config = prepare(arguments.config, quiet=True)
    if not config.api.key:
        print(arguments.texts.gettext(LOCAL), file=sys.stderr)
    from bot import app

    def tell(address: str) -> None:
        text = arguments.texts.gettext(
            "Open {address} in a browser. Ctrl-C ends the demo and forgets it."
        )
        print(text.format(address=address), flush=True)

    asyncio.run(app.demo(config, arguments.port, tell))
    return 0


def check(arguments: argparse.Namespace) -> int:
    """Print a line per finding; 0 when everything works."""
    config = prepare(arguments.config, quiet=True, level="error")  # the findings say the rest
    from bot.check import check as findings_of

    texts = arguments.texts

    async def tell() -> bool:
        fine = True
        async for finding in findings_of(config):
            fine = fine and finding.ok
            subject, text = told(finding.subject, texts), told(finding.text, texts)
            print(tame(f"{'✓' if finding.ok else '✗'} {valued(texts, subject, text)}"))
            if finding.fix:
                print(tame(f"    → {told(finding.fix, texts)}"))
        return fine

    return 0 if asyncio.run(tell()) else 1


def manifest(arguments: argparse.Namespace) -> int:
    """Print the Slack app to create, as JSON; needs no configuration."""
    from bot.core.commands import COMMANDS
    from bot.platforms.slack.manifest import manifest as manifest_for

    app = manifest_for(COMMANDS.commands, url=arguments.url)
    print(json.dumps(app, indent=2, ensure_ascii=False))
    return 0


def _warn_of_gaps(config: Config) -> None:
    """Say what is not set without which few can be answered: a server may ask for no key."""
    if config.api.key is None:
        log.warning(
            "no API key is set: nobody is answered unless the API asks for none",
            extra={"fix": "set BOT_API__KEY"},
        )
    if not config.api.model:
        log.warning(
            "no model is set: nobody is answered who has not chosen one with /model",
            extra={"fix": "set BOT_API__MODEL"},
        )
    if config.slack.lacks_token:
        log.warning(
            "slack is off: its bot token is not set", extra={"fix": "set BOT_SLACK__BOT_TOKEN"}
        )


def prepare(path: Path | None, *, quiet: bool = False, level: str = "warning") -> Config:
    """Load the configuration and set up logging.

    `quiet` is for commands that speak to a person: from `level` up only, and as text, unless the
    operator says otherwise.
    """
    config = load_config(path, os.environ)
    chosen, wanted = config.log.model_fields_set, config.log
    configure_logging(
        level=level if quiet and "level" not in chosen else wanted.level,
        style="text" if quiet and wanted.format == "auto" else wanted.format,
        secrets=config.secrets(),
    )
    return config
