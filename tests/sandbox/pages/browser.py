"""A real browser, steered over the Chrome DevTools Protocol."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from shutil import which
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse

from tests.patience import PATIENCE

CHROMIUM = which("chromium") or which("chromium-browser") or which("google-chrome") or ""
in_a_browser = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed")
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--remote-debugging-port=0",
    "--window-size=420,600",
)
_FAINT = """(() => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = (colours) => {
    for (const colour of colours) { pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); }
    const parts = [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3).map((each) => each / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.05 + 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const words = [...element.childNodes].filter((each) => each.nodeType === Node.TEXT_NODE)
      .map((each) => each.data).join("");
    if (!/[\\p{L}\\d]/u.test(words) || !element.checkVisibility()) continue;
    const grounds = [];
    for (let each = element; each; each = each.parentElement) {
      grounds.unshift(getComputedStyle(each).backgroundColor);
    }
    const ground = light(grounds), ink = light([...grounds, getComputedStyle(element).color]);
    const contrast = Math.max(ground, ink) / Math.min(ground, ink);
    if (contrast < 4.5) faint.push(`${words.trim()} ${contrast.toFixed(2)}`);
  }
  return faint;
})()"""


class Page:
    """One page, without anybody at its keyboard and mouse but the test."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids: Iterator[int] = itertools.count(1)

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        """Call a method of the protocol; events between are passed over."""
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while True:
            news: dict[str, Any] = await self._socket.receive_json()
            if news.get("id") == number:
                assert "error" not in news, news
                found: dict[str, Any] = news["result"]
                return found

    async def run(self, script: str) -> object:
        """The value of a JavaScript expression, awaited."""
        found = await self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found
        value: object = found["result"].get("value")
        return value

    async def until(self, condition: str) -> None:
        """Wait until a JavaScript condition holds; it is looked at in every frame."""
        look = f"const look = () => ({condition}) ? done() : requestAnimationFrame(look); look()"
        await self.run(f"new Promise((done) => {{ {look} }})")

    async def faint(self, scheme: str) -> object:
        """The words whose contrast in a colour scheme, `light` or `dark`, is under 4.5.

        Source: WCAG 2.2, 1.4.3.
        """
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.call("Emulation.setEmulatedMedia", features=features)
        return await self.run(_FAINT)

    async def type(self, key: str, text: str = "") -> None:
        """Press a key and let it go: `Tab`, `Enter`, `Escape`, `ArrowUp`."""
        code = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowUp": 38}[key]
        shared: dict[str, object] = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        await self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **shared)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **shared)

    async def write(self, text: str) -> None:
        """Type words where the focus is, and send them."""
        await self.call("Input.insertText", text=text)
        await self.type("Enter", "\r")


@asynccontextmanager
async def opened(address: str) -> AsyncGenerator[Page]:
    """A page of its own browser at this address, once it shows whose screen it is."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            CHROMIUM,
            *_OPTIONS,
            f"--user-data-dir={profile}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(PATIENCE), ClientSession() as session:
                port = await _port(process)
                async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    targets = await answer.json()
                target = next(each for each in targets if each["type"] == "page")
                async with session.ws_connect(
                    target["webSocketDebuggerUrl"], max_msg_size=0
                ) as socket:
                    page = Page(socket)
                    await page.call("Page.navigate", url=address)
                    await page.until("document.querySelector('#seats .here')")
                    yield page
        finally:
            process.kill()
            await process.wait()


async def _port(process: asyncio.subprocess.Process) -> int:
    """Where the browser listens, as it says on standard error."""
    assert process.stderr is not None
    async for line in process.stderr:
        if line.startswith(b"DevTools listening on"):
            return int(line.split(b":")[2].partition(b"/")[0])
    raise AssertionError("the browser ended")
