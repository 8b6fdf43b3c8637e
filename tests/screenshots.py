"""The pictures of the documentation: the real bot in the sandbox, as people see it.

    python -m tests.screenshots [NAME ...]

Needs Chromium (Debian: `apt-get install chromium fonts-noto-cjk fonts-noto-color-emoji`). A real
`bot run` process answers in the demo's Telegram and Slack; the model's words come from the scenes
below.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from bot.sandbox.demo import serve_demo
from bot.sandbox.openai import ScriptedApi, serve_scripted
from bot.sandbox.openai.scripted import Answer
from bot.sandbox.slack.people import Place
from bot.sandbox.telegram.screen import Screen
from bot.sandbox.telegram.view import ChatView
from tests.environment import in_slack
from tests.patience import until
from tests.processes import Launcher, launching
from tests.running import started
from tests.sounds import beeps

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
TALL, WIDE = "420,760", "1100,700"
CHROMIUM = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--virtual-time-budget=3000",
    "--force-device-scale-factor=1.5",
)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What a scene is played with."""

    ann: ChatView
    ming: ChatView
    desk: Place
    api: ScriptedApi

    async def ask(self, words: str, *, says: str = "", reasoning: str = "") -> Screen:
        """Ann writes, and the answer is there."""
        return await ask(self, self.ann, words, says=says, reasoning=reasoning)


async def ask(
    stage: Stage, chat: ChatView, words: str, *, says: str = "", reasoning: str = ""
) -> Screen:
    """Somebody writes, and the answer is whole: nothing is being written any more."""
    if says:
        stage.api.script.answer(Answer(text=says, reasoning=reasoning))
    before = len(chat.screen().answers)
    chat.send(words)
    return await settled(chat, before)


async def settled(chat: ChatView, before: int) -> Screen:
    """The screen when a new answer stands there without a Stop button."""

    def done(screen: Screen) -> bool:
        new = screen.answers[before:]
        labels = [label for message in new for row in message.buttons for label in row]
        return bool(new) and not screen.draft and not any("⏹" in label for label in labels)

    return await chat.wait_for(done, within=30)


Scene = Callable[[Stage], Awaitable[str]]
"""Plays something; returns the page to be looked at."""
ANN, MING = "?still&seat=ann", "?still&seat=ming"


async def answer(stage: Stage) -> str:
    """An answer with a table, code, and the thoughts before it."""
    await stage.ask(
        "How do I read a CSV file in Python, and which way is fastest?",
        says=TABLE,
        reasoning="They want code first, then a comparison. Three ways are worth naming.",
    )
    return ANN


async def model(stage: Stage) -> str:
    """The list of models."""
    await stage.ask("/model gpt")
    return ANN


async def settings(stage: Stage) -> str:
    """The panel of settings."""
    await stage.ask("/settings")
    return ANN


async def image(stage: Stage) -> str:
    """A drawing with its buttons."""
    await stage.ask("/image a lighthouse in a storm, woodcut")
    return ANN


async def voice(stage: Stage) -> str:
    """A voice message, written down and answered."""
    stage.api.script.transcribe("What is the quickest way from the station to the museum?")
    stage.api.script.answer(
        "Take tram **4** to *Old Market*: nine minutes, and the museum is across the square."
    )
    stage.ann.send_voice(beeps(3), 3)
    await settled(stage.ann, 0)
    return ANN


async def document(stage: Stage) -> str:
    """A question about a document."""
    stage.api.script.answer(
        "You may end it **two months** before the end of a year (section 3). The notice must be "
        "in writing."
    )
    stage.ann.send_document("lease.txt", LEASE.encode(), "How do I end this contract?")
    await settled(stage.ann, 0)
    return ANN


async def stats(stage: Stage) -> str:
    """What admins see."""
    await stage.ask("Hello")
    await ask(stage, stage.ming, "你好")
    await stage.ask("/stats")
    return ANN


async def usage(stage: Stage) -> str:
    """What was used, with the chart."""
    for model in ("gpt-4o", "gpt-4o-mini"):
        await stage.ask(f"/model {model}")
        await stage.ask("Tell me everything about monads.", says="A monad is a monoid. " * 150)
    await stage.ask("/usage")
    return ANN


async def chinese(stage: Stage) -> str:
    """The help in Chinese, and an answer."""
    await ask(stage, stage.ming, "/help")
    return MING


async def slack(stage: Stage) -> str:
    """An answer in a thread of Slack, beside the direct message."""
    stage.api.script.answer(Answer(text=TABLE, reasoning="They want code first."))
    asked = await stage.desk.send("How do I read a CSV file in Python, and which way is fastest?")
    await until(lambda: any(seen.thumbs for seen in stage.desk.answers()))
    return f"slack?still&seat=ann#{stage.desk.id}/{asked.ts}"


SCENES: dict[str, Scene] = {
    scene.__name__: scene
    for scene in (answer, chinese, settings, model, image, voice, document, usage, stats, slack)
}

LEASE = """\
1 The landlord lets the garden to the tenant.
2 The rent is 40 a month.
3 Either side may end this contract in writing, two months before the end of a year.
"""

TABLE = """\
The standard library is enough:

```python
import csv

with open("data.csv", newline="") as file:
    for row in csv.DictReader(file):
        print(row["name"])
```

For **large** files a library is quicker:

| way | 1 GB takes | memory |
|---|---|---|
| `csv` | 21 s | small |
| pandas | 9 s | large |
| polars | 2 s | small |

Start with `csv`; change when it hurts."""


async def shoot(name: str, launcher: Launcher) -> None:
    """Play a scene and take its picture."""
    async with serve_demo(0) as demo, serve_scripted(key="sk-sandbox") as api:
        with tempfile.TemporaryDirectory() as folder:
            slack = in_slack(demo.slack)
            async with started(launcher, demo.telegram, api, Path(folder), env=slack):
                await demo.slack.wait_for(lambda: bool(demo.slack.sockets.connected))
                stage = Stage(
                    ann=demo.telegram.person(id=1001).private(),
                    ming=demo.telegram.person(id=1002).private(),
                    desk=demo.desks[0].person.dm,
                    api=api,
                )
                page = await SCENES[name](stage)
                size = WIDE if page.startswith("slack") else TALL
                await photograph(demo.address + page, PICTURES / f"{name}.png", size)
    print(PICTURES / f"{name}.png")


async def photograph(address: str, to: Path, size: str) -> None:
    """Let Chromium draw a page into a file; the size is that of the window."""
    browser = which("chromium") or which("chromium-browser") or which("google-chrome")
    if browser is None:
        raise SystemExit("Chromium is missing: apt-get install chromium")
    with tempfile.TemporaryDirectory() as profile:
        places = (f"--window-size={size}", f"--user-data-dir={profile}", f"--screenshot={to}")
        arguments = (*CHROMIUM, *places, address)
        process = await asyncio.create_subprocess_exec(browser, *arguments, stderr=-3)
        if await process.wait() != 0:
            raise SystemExit(f"{browser} failed")


async def main(names: Sequence[str]) -> None:
    """Take the pictures of these scenes, or of all."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with launching() as address:
        for name in names or SCENES:
            await shoot(name, Launcher(address))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
