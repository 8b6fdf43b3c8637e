"""Large files of one person do not fill the memory and the disk for all others."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.types import Attachment, ChatId, ChatRef, FileKind
from bot.sandbox.openai.faults import Hang
from tests.attached import attached, png, recording
from tests.house import QUICK, House, open_house
from tests.patience import until
from tests.sounds import beeps

TRANSCRIPTIONS = "/audio/transcriptions"
LARGE = 190_000_000


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    capabilities = replace(QUICK, max_file_in=200_000_000)
    async with open_house(tmp_path, capabilities=capabilities) as house:
        yield house


async def send(house: House, chat: str, file: Attachment) -> None:
    where = ChatRef(house.platform.name, ChatId(chat))
    await house.happen(house.platform.message("", chat=where, attachments=(file,)))


async def test_of_many_large_files_two_are_here_at_a_time(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder := tmp_path / "downloads").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    house.api.faults.add(Hang(), on=TRANSCRIPTIONS, times=None)
    for number in range(5):
        film = recording(house, beeps(1.0), name=f"{number}.ogg")
        await send(house, f"large {number}", replace(film, size=LARGE))
    await send(house, "small", replace(recording(house, name="small.ogg"), size=9_000))
    await until(lambda: len(house.api.traffic.to(TRANSCRIPTIONS)) == 3)
    assert len(list(folder.glob("*/download"))) == 3


@pytest.mark.parametrize("size", [LARGE, None])
async def test_a_picture_that_is_larger_than_any_photo_is_not_read(
    house: House, size: int | None
) -> None:
    content = png() + bytes(30_000_000)
    photo = replace(attached(house, content, kind=FileKind.IMAGE, name="p.png"), size=size)
    [text] = await house.tell(house.platform.message("What is this?", attachments=(photo,)))
    assert text == "That file is too large: I can fetch at most 30 MB here."
