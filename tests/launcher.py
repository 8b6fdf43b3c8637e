"""Starts processes of the bot quickly, and kills them where it is told: run as a program.

Python needs most of a second to import the bot. This program imports it once, then forks a process
for everybody who connects to the socket whose descriptor is its argument, and sends an `Order` in
a line of JSON. Each is a process of its own, with its own memory and connections; it is killed when
the connection closes. The answers are lines: the id of the process, later its exit code. All ends
when the standard input does.

With `fail_at` the process kills itself, as SIGKILL does, at the failpoint of that number, or at the
first of that name. There is one before and one after every transaction that writes, and before and
after every request over HTTP: the parts are wrapped here, and the bot knows nothing of it.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import aiohttp

import bot.app
import bot.platforms.slack.adapter
import bot.platforms.slack.sockets
import bot.platforms.telegram.adapter
import bot.store.admin  # noqa: F401 - imported before the fork, like the others
from bot.__main__ import main as bot_main
from bot.store.drivers.engines import Job
from bot.store.drivers.writer import Writer
from tests.processes import Order

LARGEST_PART = 65_536
"""Bytes of an order that are read at a time."""


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


class Launcher:
    """Forks a process per connection, tells how it ends, and ends it when nobody listens."""

    def __init__(self, door: socket.socket) -> None:
        self._door = door
        self._clients: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()

    def serve(self) -> None:
        """Do so until the standard input ends."""
        ended, told = os.pipe()
        os.set_blocking(told, False)
        signal.set_wakeup_fd(told)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(ended, selectors.EVENT_READ)
        for each in (self._door, sys.stdin):
            self._selector.register(each, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is sys.stdin:
                    for pid in self._clients:
                        os.kill(pid, signal.SIGKILL)
                    return
                if key.fileobj is self._door:
                    self._start()
                elif key.fd == ended:
                    os.read(ended, 4096)
                    self._bury()
                elif key.data in self._clients:
                    self._selector.unregister(key.fileobj)
                    os.kill(key.data, signal.SIGKILL)

    def _start(self) -> None:
        client, _ = self._door.accept()
        words, streams, _, _ = socket.recv_fds(client, LARGEST_PART, 3)
        while not words.endswith(b"\n"):
            words += client.recv(LARGEST_PART) or b"\n"
        if (pid := os.fork()) == 0:
            _become_bot(Order(**json.loads(words)), streams)
        for each in streams:
            os.close(each)
        self._clients[pid] = client
        self._selector.register(client, selectors.EVENT_READ, pid)
        _say(client, pid)

    def _bury(self) -> None:
        with suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = found
                with self._clients.pop(pid) as client:
                    if client in self._selector.get_map():
                        self._selector.unregister(client)
                    _say(client, os.waitstatus_to_exitcode(status))


def _say(client: socket.socket, number: int) -> None:
    with suppress(OSError):  # it is gone
        client.send(f"{number}\n".encode())


def _become_bot(order: Order, streams: Sequence[int]) -> NoReturn:
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.chdir(order.folder)
        for target, source in enumerate(streams):
            os.dup2(source, target)
            os.close(source)
        if order.fresh:
            command = (sys.executable, "-m", "bot", *order.arguments)
            os.execve(sys.executable, command, order.env)
        os.environ.clear()
        os.environ.update(order.env)
        exec(order.prelude, {})
        if order.fail_at:
            Failpoints(order.fail_at).install()
        code = bot_main(order.arguments)
    except SystemExit as end:  # argparse
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(BrokenPipeError):
                stream.flush()
        os._exit(code)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as door:
        Launcher(door).serve()
