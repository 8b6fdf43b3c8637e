"""The bot's web server, as its neighbours in the network meet it."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.core.ports import Post, Posted
from bot.web.server import CONNECTIONS, WebServer
from bot.web.settings import WebSettings

HEALTH = b"GET /healthz HTTP/1.0\r\n\r\n"


async def echo(post: Post) -> Posted:
    return Posted(text=post.body.decode())


@asynccontextmanager
async def serving(patience: float = 10.0) -> AsyncIterator[int]:
    server = WebServer(WebSettings(port=0), patience=patience)
    server.on_post("/echo", echo)
    async with server.running(lambda: True):
        yield server.port


async def said(port: int, request: bytes) -> bytes:
    """All that is answered to a request, until the server ends the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def post(size: int, body: bytes) -> bytes:
    head = f"POST /echo HTTP/1.1\r\nConnection: close\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
    return head.encode() + body


async def test_what_is_posted_is_handed_on_whatever_its_size() -> None:
    async with serving() as port:
        for size in (3, 1_900_000):
            assert (await said(port, post(size, b"x" * size))).endswith(b"\r\n\r\n" + b"x" * size)


@pytest.mark.parametrize("beginning", [b"", b"POST /echo HT", post(2, b"h")])
async def test_who_opens_connections_without_end_shuts_nobody_out(beginning: bytes) -> None:
    """Nor does a proxy that keeps its own."""
    async with serving() as port:
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)]
        for _, writer in opened:
            writer.write(beginning)
        assert (await said(port, post(2, b"hi"))).endswith(b"hi")
        assert await opened[0][0].read() == b""  # it has made room
        for _, writer in opened:
            writer.close()


async def test_one_connection_more_is_refused_while_something_is_asked_on_all() -> None:
    arrived, going_on = asyncio.Semaphore(0), asyncio.Event()

    async def wait(post: Post) -> Posted:
        arrived.release()
        await going_on.wait()
        return await echo(post)

    server = WebServer(WebSettings(port=0))
    server.on_post("/echo", wait)
    async with server.running(lambda: True):
        asking = [
            asyncio.create_task(said(server.port, post(2, b"hi"))) for _ in range(CONNECTIONS)
        ]
        for _ in asking:
            await arrived.acquire()
        assert await said(server.port, HEALTH) == b""
        going_on.set()
        assert all(answer.endswith(b"hi") for answer in await asyncio.gather(*asking))


async def test_who_does_not_finish_a_request_is_sent_away() -> None:
    async with serving(patience=0.1) as port:
        assert b" 408 " in await said(port, post(100, b"only half"))


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"POST /echo HTTP/1.0\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["TLS", "no gzip", "no chunk"],
)
async def test_what_is_no_request_is_refused_and_not_written_about(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving() as port:
        assert b" 400 " in await said(port, sent)
    assert not [each for each in caplog.records if each.levelno > logging.INFO]


async def test_who_leaves_amid_a_request_is_not_written_about(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving() as port:
        _, writer = await begun(port)
        writer.transport.abort()
        assert await said(port, HEALTH)
    assert not [each for each in caplog.records if each.levelno > logging.INFO]


async def test_what_goes_wrong_here_is_written_down(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(post: Post) -> Posted:
        raise KeyError

    server = WebServer(WebSettings(port=0))
    server.on_post("/echo", fail)
    async with server.running(lambda: True):
        assert b" 500 " in await said(server.port, post(2, b"hi"))
    (line,) = (each for each in caplog.records if each.levelno > logging.INFO)
    assert line.exc_info and line.exc_info[0] is KeyError


SERVER = """
import asyncio, pathlib, re, sys
from bot.core.ports import Posted
from bot.web.server import WebServer
from bot.web.settings import WebSettings

async def nothing(post):
    return Posted()

def peak():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search("VmHWM:\\s+(\\d+)", status)[1])

async def main():
    server = WebServer(WebSettings(port=0))
    server.on_post("/echo", nothing)
    async with server.running(lambda: True):
        print(server.port, peak(), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        print(peak())

asyncio.run(main())
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the peak")
async def test_what_nobody_has_signed_yet_does_not_fill_the_memory() -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdin is not None and child.stdout is not None
    port, before = map(int, (await child.stdout.readline()).split())
    beginnings = [await begun(port) for _ in range(CONNECTIONS)]
    ends = await asyncio.gather(*(ended(*each) for each in beginnings))
    assert all(b" 200 " in end for end in ends)
    written, _ = await child.communicate(b"\n")
    assert int(written) - before < 140_000  # kilobytes: all read at a time take 180,000 and more


async def begun(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A request of which most is sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(post(1_990_000, b"x" * 1_900_000))
    return reader, writer


async def ended(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """What is answered when the rest is sent."""
    writer.write(b"x" * 90_000)
    answer = await reader.read()
    writer.close()
    return answer
