"""`bot run`, `bot chat` and `bot check`."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from bot.config import Config, load_config, require_platform
from bot.logs import configure_logging


def run(arguments: argparse.Namespace) -> int:
    """Serve the configured platforms until a signal ends it."""
    config = prepare(arguments.config)
    require_platform(config)
    from bot import app  # imports every room: not for `--help`

    asyncio.run(app.run(config))
    return 0


def chat(arguments: argparse.Namespace) -> int:
    """Talk in the terminal; only what goes wrong is logged between the lines."""
    config = prepare(arguments.config, quiet=True)
    from bot import app

    return asyncio.run(app.chat(config))


def check(arguments: argparse.Namespace) -> int:
    """Print a line per finding; 0 when everything works."""
    config = prepare(arguments.config, quiet=True)
    from bot.check import check as findings_of

    async def tell() -> bool:
        fine = True
        async for finding in findings_of(config):
            fine = fine and finding.ok
            print(f"{'✓' if finding.ok else '✗'} {finding.subject}: {finding.text}")
            if finding.fix:
                print(f"    → {finding.fix}")
        return fine

    return 0 if asyncio.run(tell()) else 1


def prepare(path: Path | None, *, quiet: bool = False) -> Config:
    """Load the configuration and set up logging; `quiet` keeps it to warnings by default."""
    config = load_config(path, os.environ)
    level = config.log.level
    configure_logging(
        level="warning" if quiet and "level" not in config.log.model_fields_set else level,
        style=config.log.format,
        secrets=config.secrets(),
    )
    return config
