from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from tests.house import House, open_house


@pytest.fixture
def tmp_path(tmp_path: Path, sqlite_template: Path) -> Path:
    """A folder in which a house finds its database migrated."""
    shutil.copy(sqlite_template, tmp_path / "house.db")
    return tmp_path


@pytest.fixture(autouse=True)
def watched(request: pytest.FixtureRequest) -> Iterator[None]:
    """Coverage watches the event loop's thread: in the others, as good as nothing of the core runs.

    And no test that comes by the same lines thousands of times, or is about time: what is watched
    takes twice as long. Not with `no_cover` of pytest-cov: its 7.1 stops one of two watchers in a
    worker of xdist.
    """
    watcher, of_threads = sys.gettrace(), threading.gettrace()
    threading.settrace(None)
    if request.node.get_closest_marker("unwatched"):
        sys.settrace(None)
    yield
    sys.settrace(watcher)
    threading.settrace(of_threads)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with open_house(tmp_path) as house:
        yield house
