from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest_asyncio

from tests.durability.processes import Launcher, launching


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def launcher() -> AsyncGenerator[Launcher]:
    """One for all of a module: to start it takes as long as a scene."""
    async with launching() as launcher:
        yield launcher
