from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.house import House, open_house


@pytest.fixture
def tmp_path(tmp_path: Path, sqlite_template: Path) -> Path:
    """A folder in which a house finds its database migrated."""
    shutil.copy(sqlite_template, tmp_path / "house.db")
    return tmp_path


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with open_house(tmp_path) as house:
        yield house
