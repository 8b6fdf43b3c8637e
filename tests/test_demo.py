"""`bot demo` as somebody without any account uses it: a process, and a browser."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from bot.sandbox.demo import serve_demo
from bot.sandbox.openai import ScriptedApi, serve_scripted
from tests.patience import PATIENCE
from tests.processes import Launcher
from tests.sandbox.pages.browser import in_a_browser, opened
from tests.shell import COMMAND, bot, settings


@asynccontextmanager
async def demo(folder: Path, api: ScriptedApi) -> AsyncGenerator[str]:
    """The demo in a process of its own, which is ended by Ctrl-C; yields its address."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "demo", "--port", "0", cwd=folder, env=settings(api), stdout=-1, stderr=-1
    )
    assert process.stdout is not None and process.stderr is not None
    try:
        async with asyncio.timeout(PATIENCE):
            line = (await process.stdout.readline()).decode()
            address = re.search(r"http://127\.0\.0\.1:\d+/", line)
            assert address is not None
            yield address[0]
            process.send_signal(signal.SIGINT)
            assert await process.stderr.read() == b""
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_one_demo_is_chatted_with_on_both_platforms_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    async with (
        serve_scripted(key="k-sandbox") as api,
        demo(tmp_path, api) as address,
        ClientSession(address) as browser,
    ):
        async with browser.ws_connect("/live/ming") as socket:
            await socket.send_json({"send": "你好"})
            while "You said: 你好" not in str(await socket.receive_json()):
                pass
        async with browser.ws_connect("/slack/live/ming") as socket:
            channel, direct = (await socket.receive_json())["screen"]["rooms"]
            asked = {"room": direct["id"], "thread": "", "send": "早上好"}
            await socket.send_json(asked)
            while not _is_answered(await socket.receive_json(), "早上好", at=1):
                pass
            await socket.send_json(asked | {"room": channel["id"], "send": "@Chinwag hello"})
            while not _is_answered(await socket.receive_json(), "小明: hello", at=0):
                pass
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - the other way is refused in async code


def _is_answered(news: dict[str, Any], words: str, *, at: int) -> bool:
    """Whether a room shows a whole answer in the thread of the question."""
    question, *answers = news["screen"]["rooms"][at]["messages"] or [None]
    return any(
        each["thread"] == question["ts"]
        and f"<strong>You said:</strong> {words}" in each["html"]
        and each["buttons"] == [["🔁 重新生成"]]
        and each["thumbs"]
        for each in answers
    )


async def test_a_port_that_is_taken_is_said_with_the_way_out(
    launcher: Launcher, tmp_path: Path
) -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, serve_scripted(key="k-sandbox") as api:
        ended = await bot(launcher, "demo", "--port", str(port), folder=tmp_path, env=settings(api))
    assert ended.code != 0
    assert f"port {port} is taken; choose another with --port" in ended.err


@in_a_browser
async def test_a_browser_is_shown_the_screen_of_who_speaks_its_language() -> None:
    async with serve_demo(0) as made_up, opened(made_up.address) as page:
        shown = "document.querySelector('#seats .here')?.innerText"
        for language, person in (("zh-CN", "小明"), ("en-GB", "Ann"), ("de-DE", "Ann")):
            agent = {"userAgent": "a browser", "acceptLanguage": language}
            await page.call("Emulation.setUserAgentOverride", **agent)
            for path in ("", "slack"):
                await page.call("Page.navigate", url=made_up.address + path)
                await page.until(f"navigator.language === '{language}' && {shown} === '{person}'")
