"""The command line: reads the arguments, runs one sub-command, turns errors into one sentence."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from bot.cli.arguments import parse
from bot.cli.speech import speech
from bot.core.phrases import told
from bot.core.punctuation import valued
from bot.errors import BotError, ConfigError

EXIT_FAILED = 1
EXIT_CONFIG = 2
EXIT_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run `bot ARGUMENTS…`; returns the exit code."""
    texts = speech(os.environ, sys.stdout)
    arguments = parse(argv, texts)
    try:
        return arguments.command(arguments)
    except ConfigError as error:
        print(told(error, texts), file=sys.stderr)
        return EXIT_CONFIG
    except BotError as error:
        print(valued(texts, "bot", told(error, texts)), file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # `bot manifest | head`
        # https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
