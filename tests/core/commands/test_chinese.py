"""What a Chinese admin reads: Chinese marks between the pieces, and no gaps."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from bot.api.settings import ModelSettings
from bot.core.access import Access
from bot.core.defaults import Persona
from bot.core.types import Sender, UserId
from tests.house import DEFAULTS, House, open_house

MING = Sender(UserId("7"), "小明", "zh-hans")
PERSONAS = (Persona(name="Tutor", prompt="Ask before you explain.", model="gpt-4o"),)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    defaults = replace(DEFAULTS, personas=PERSONAS)
    known = ModelSettings(context_window=128_000, input_price=Decimal(2), output_price=Decimal(8))
    access = Access(open=True, admins=frozenset({"fake:7"}))
    async with open_house(
        tmp_path, access=access, defaults=defaults, prices={"gpt-4o": known}
    ) as opened:
        yield opened


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("/model gpt-4o", "由 **gpt-4o** 回答。（上下文 12.8万 token；每百万 token：输入 "),
        ("/set", "- `temperature`（0 … 2）：**默认** – "),
        ("/set temprature 1", "没有名为“temprature”的参数。你是想用“temperature”吗？"),
        ("/settings langage", "没有名为“langage”的设置。你是想用“language”吗？"),
        ("/users", "`fake:7` – 管理员，"),
        ("/allow fake:99", "`fake:99` 现在可以和我聊天了。还没有这个 ID 的人给我写过消息。"),
        ("/quota fake:9 daily_tokens 50000 monthly_cost off", " 个 token，monthly_cost 不限"),
        ("/quota fake:9 nonsense 3", "`daily_tokens`，`daily_cost`，"),
        ("/help quota", "也可以用：/limit，/limits"),
        ("/help image", "`/image 描述 [选项]` – "),
        ("/image a cat --frame 3", "这里没有选项 `--frame`。"),
        ("/persona Tutor", "的身份回答。模型：gpt-4o。"),
        ("/system", "这里还没有规定我该怎样回答。要给我别的指示，"),
        ("/transcribe klingon", "我不认识语言“klingon”。你是想用“italiano”吗？"),
    ],
)
async def test_pieces_are_joined_by_chinese_marks(house: House, words: str, answer: str) -> None:
    text = (await house.say(words, sender=MING))[-1]
    assert answer in text


async def test_a_name_in_braces_is_no_place_to_fill(house: House) -> None:
    assert "“{x}”" in (await house.say("/allow {x}", sender=MING))[-1]


async def test_what_everybody_used_is_listed_with_chinese_marks(house: House) -> None:
    await house.say("你好", sender=MING)
    text = (await house.say("/usage all", sender=MING))[-1]
    assert "`fake:7`：" in text and " 个 token，" in text
