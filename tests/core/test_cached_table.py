from __future__ import annotations

import asyncio
from collections.abc import Mapping

from bot.core.cached_table import CachedTable
from bot.core.fakes.clock import ManualClock


class Table:
    """A table that is read when it is let go; what is written meanwhile is not seen."""

    def __init__(self) -> None:
        self.rows = {"ann": 1}
        self.looks = 0
        self.go = asyncio.Event()

    async def read(self) -> Mapping[str, int]:
        self.looks += 1
        found = dict(self.rows)
        await self.go.wait()
        return found


async def test_a_crowd_has_the_table_read_once() -> None:
    table = Table()
    table_copy = CachedTable("rows", table.read, ManualClock())
    asking = [asyncio.create_task(table_copy.refresh()) for _ in range(300)]
    await asyncio.sleep(0)
    table.go.set()
    await asyncio.gather(*asking)
    assert table.looks == 1
    assert table_copy.known == {"ann": 1}


async def test_what_is_changed_while_the_table_is_read_holds() -> None:
    table = Table()
    table_copy = CachedTable("rows", table.read, ManualClock())
    asking = asyncio.create_task(table_copy.refresh())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert table.looks == 1
    table.rows["bob"] = 2
    table_copy.change("bob", 2)
    table.go.set()
    await asking
    assert table_copy.known == {"ann": 1, "bob": 2}
