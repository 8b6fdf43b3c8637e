"""How every server of the sandbox comes to the loopback, and goes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def listening(
    app: web.Application, *, port: int = 0, grace: float = 0.1, cancels: bool = False
) -> AsyncGenerator[str]:
    """Serve an application while the block runs; yields `http://127.0.0.1:PORT`.

    Port 0 takes a free one. What is under way at the end has `grace` seconds; with `cancels`, what
    a client does not wait for any more ends at once. Raises `OSError` when the port is taken.
    """
    runner = web.AppRunner(
        app, access_log=None, handler_cancellation=cancels, shutdown_timeout=grace
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
