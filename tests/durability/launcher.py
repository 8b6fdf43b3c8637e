"""Starts `bot run` processes quickly, and kills them where it is told: run as a program.

Python needs most of a second to import the bot. This program imports it once, then forks a process
for every line of JSON on its standard input (`Order`), and answers with lines of JSON: the id of
the process, later how it ended. Each is a process of its own, with its own memory and connections.

With `fail_at` the process kills itself, as SIGKILL does, at the failpoint of that number, or at the
first of that name. There is one before and
one after every transaction that writes, and before and after every request over HTTP: the parts
are wrapped here, and the bot knows nothing of it.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import aiohttp

import bot.app
import bot.platforms.slack.sockets
import bot.platforms.telegram.adapter
import bot.store.admin  # noqa: F401 - imported before the fork, like the others
from bot.__main__ import main as bot_main
from bot.store.drivers.engines import Job
from bot.store.drivers.writer import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A process to start: its environment, its working directory, and where it dies."""

    env: dict[str, str]
    folder: str
    fail_at: int | str = 0


class Failpoints:
    """Counts the places where a process may die; at number `fail_at` it does, or at that name."""

    def __init__(self, fail_at: int | str) -> None:
        self._fail_at = fail_at
        self._count = 0

    def passed(self, where: str) -> None:
        """The process comes by a place."""
        self._count += 1
        if self._fail_at in (self._count, where):
            sys.stderr.write(f"failpoint {self._count}: {where}\n")
            sys.stderr.flush()
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        """Wrap the transactions and the requests of this process."""
        transaction, request = Writer._transaction, aiohttp.ClientSession._request
        points = self

        async def failing_transaction(self: Writer, jobs: Sequence[Job[object]]) -> list[object]:
            points.passed("before a transaction")
            done = await transaction(self, jobs)
            points.passed("after a transaction")
            return done

        async def failing_request(
            self: aiohttp.ClientSession, method: str, url: object, **more: object
        ) -> aiohttp.ClientResponse:
            path = str(url).partition("?")[0].rpartition("/")[2]
            points.passed(f"before {path}")
            answer = await request(self, method, url, **more)  # type: ignore[arg-type]  # as it came
            points.passed(f"after {path}")
            return answer

        Writer._transaction = failing_transaction  # type: ignore[method-assign]  # in tests only
        aiohttp.ClientSession._request = failing_request  # type: ignore[assignment,method-assign]  # in tests only


def serve() -> None:
    """Fork a process per order, and tell how each ends, until the input ends."""
    ended, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ)
        selector.register(ended, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd == ended:
                    os.read(ended, 4096)
                    _bury()
                elif line := sys.stdin.readline():
                    order = Order(**json.loads(line))
                    if (pid := os.fork()) == 0:
                        _become_bot(order)
                    _say(started=pid)
                else:
                    return


def _bury() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _say(ended=pid, code=os.waitstatus_to_exitcode(status))


def _say(**words: int) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def _become_bot(order: Order) -> NoReturn:
    code = 70
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.chdir(order.folder)
        nothing = os.open(os.devnull, os.O_RDWR)
        log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for target, source in ((0, nothing), (1, nothing), (2, log)):
            os.dup2(source, target)
        os.environ.clear()
        os.environ.update(order.env)
        if order.fail_at:
            Failpoints(order.fail_at).install()
        code = bot_main(["run"])
    finally:
        os._exit(code)


if __name__ == "__main__":
    serve()
