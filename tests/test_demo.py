"""`bot demo` as somebody without any account uses it: a process, and a browser."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path

from aiohttp import ClientSession

from bot.sandbox.openai import serve_scripted
from tests.test_cli import COMMAND, SECONDS, bot, settings


async def test_the_demo_is_chatted_with_in_a_browser_and_leaves_nothing(tmp_path: Path) -> None:
    async with serve_scripted(key="k-sandbox") as api:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "demo", "--port", "0", cwd=tmp_path, env=settings(api), stdout=-1
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(SECONDS), ClientSession() as browser:
                line = (await process.stdout.readline()).decode()
                address = re.search(r"http://127\.0\.0\.1:\d+/", line)
                assert address is not None
                async with browser.ws_connect(f"{address[0]}live/ming") as socket:
                    await socket.send_json({"send": "你好"})
                    while "You said: 你好" not in str(await socket.receive_json()):
                        pass
                process.send_signal(signal.SIGINT)
                assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - the other way is refused in async code


async def test_a_port_that_is_taken_is_said_with_the_way_out(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, serve_scripted(key="k-sandbox") as api:
        ended = await bot("demo", "--port", str(port), folder=tmp_path, env=settings(api))
    assert ended.code != 0
    assert f"port {port} is taken; choose another with --port" in ended.err
