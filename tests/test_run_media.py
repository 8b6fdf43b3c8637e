"""Pictures in a real process that is killed at the worst moments."""

from __future__ import annotations

import asyncio
from io import BytesIO
from pathlib import Path

from PIL import Image

from bot.sandbox.openai import ScriptedApi
from bot.sandbox.openai.faults import Hang
from bot.sandbox.telegram.telegram import Telegram
from tests.patience import PATIENCE
from tests.processes import Launcher
from tests.running import started


def jpeg(width: int) -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, 32), "teal").save(out, "JPEG")
    return out.getvalue()


async def test_an_album_is_one_question_although_the_bot_is_killed_in_between(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    chat = telegram.person(name="Ann").private()
    async with started(launcher, telegram, api, tmp_path) as bot:
        chat.send("hello")
        await chat.wait_for(lambda s: "You said: hello" in s.text)
        chat.send_album([jpeg(32), jpeg(48)], "What are these?")
        async with asyncio.timeout(PATIENCE):
            while (tmp_path / "log").read_text().count("accepted") < 3:  # noqa: ASYNC110  # a file
                await asyncio.sleep(0.01)
        await bot.kill()
    async with started(launcher, telegram, api, tmp_path):
        await chat.wait_for(lambda s: "What are these?" in s.answers[-1].text)
    requests = (request.json["messages"][-1] for request in api.traffic.to("/chat/completions"))
    albums = [asked["content"] for asked in requests if isinstance(asked["content"], list)]
    for content in albums:  # twice, if it was killed as late as that
        assert [part["type"] for part in content] == ["text", "image_url", "image_url"]
    assert albums and len([m for m in chat.kept() if m.by_bot]) == 2


async def test_a_picture_is_not_paid_twice_when_the_bot_is_killed(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    chat = telegram.person(name="Ann").private()
    api.faults.add(Hang(), on="/images/generations")
    async with started(launcher, telegram, api, tmp_path) as bot:
        chat.send("/image a lighthouse")
        await api.traffic.until(lambda seen: seen.in_flight == 1)
        await chat.wait_for(lambda s: "Drawing" in s.text)
        await bot.kill()
    async with started(launcher, telegram, api, tmp_path):
        await chat.wait_for(lambda s: "did not order it again" in s.text)
        assert len(api.traffic.to("/images/generations")) == 1
        chat.press("🔁 Draw it")
        await chat.wait_for(lambda s: any(message.file for message in s.answers))
    assert len(api.traffic.to("/images/generations")) == 2
