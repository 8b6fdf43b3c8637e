"""A PgBouncer between the bot and the tests' PostgreSQL, if it is installed."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.store.postgres import Server, unprivileged

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
"""None where it is not installed."""

_SETTINGS = """\
[databases]
* = host={server} port=5432
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
listen_port = 5432
auth_type = trust
auth_file = {folder}/users
pool_mode = {mode}
"""
_SECONDS = 30.0


@contextlib.contextmanager
def running_pooler(server: Server, *, mode: str) -> Iterator[Server]:
    """A pooler with nothing but its defaults before a server; `mode` is session or transaction."""
    assert PROGRAM is not None
    with tempfile.TemporaryDirectory(prefix="chinwag-pool-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        home = folder / "pooler"
        home.mkdir()
        who = unprivileged(home)
        (home / "users").write_text('"chinwag" ""\n')
        settings = folder / "pgbouncer.ini"
        settings.write_text(_SETTINGS.format(server=server.home, folder=home, mode=mode))
        with (folder / "log").open("wb") as log:
            pooler = subprocess.Popen([PROGRAM, settings], stdout=log, stderr=log, **who)
        try:
            socket, end = home / ".s.PGSQL.5432", time.monotonic() + _SECONDS
            while not socket.exists():
                if pooler.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"PgBouncer does not start: {(folder / 'log').read_text()}")
                time.sleep(0.01)
            yield Server(home)
        finally:
            pooler.send_signal(signal.SIGTERM)  # at once
            pooler.wait(_SECONDS)
