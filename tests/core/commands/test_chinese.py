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
from bot.core.types import Attachment, FileId, FileKind, Sender, UserId
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
        ("/model 🦆🦆🦆", "没有名为“🦆🦆🦆”的模型。用 /model 查看全部。"),
        ("/set", "- `temperature`（0 … 2）：**默认** – "),
        ("/set temprature 1", "没有名为“temprature”的参数。你是想用“temperature”吗？"),
        ("/settings langage", "没有名为“langage”的设置。你是想用“language”吗？"),
        ("/users", "`fake:7` – 管理员，"),
        ("/allow fake:99", "`fake:99` 现在可以和我聊天了。这个 ID 的人还没有给我发过消息。"),
        ("/quota fake:9 daily_tokens 50000 monthly_cost off", " 个 token，monthly_cost 不限"),
        ("/quota fake:9 daily_tokens", "`daily_tokens` 后面要写一个数字，或 `off`。"),
        ("/quota fake:9 nonsense 3", "`daily_tokens`、`daily_cost`、"),
        ("/help quota", "也可以用：/limit、/limits"),
        ("/help image", "`/image 描述 [选项]` – "),
        ("/image a cat --frame 3", "这里没有选项 `--frame`。"),
        ("/persona Tutor", "的身份回答。模型：gpt-4o。"),
        ("/system", "这里还没有规定我该怎样回答。要给我别的指令，"),
        ("/transcribe klingon", "我不认识“klingon”这种语言。你是想用“italiano”吗？"),
        ("/persona Tutot", "没有名为“Tutot”的角色。你是想用“Tutor”吗？"),
    ],
)
async def test_pieces_are_joined_by_chinese_marks(house: House, words: str, answer: str) -> None:
    text = (await house.say(words, sender=MING))[-1]
    assert answer in text


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("／help", "直接打字、发图片或发语音即可。"),
        ("/help，谢谢", "没有 /谢谢 这个命令。"),
        ("／help image。", "没有 /image。 这个命令。你是想用 /image 吗？"),
        ("/system：用一句话回答", "> 用一句话回答"),
        ("/system 。。。每句话都这样结尾", "> 。。。每句话都这样结尾"),
        ("/etc目录是做什么的？", "**You said:** /etc目录是做什么的？"),
        ("/set temperature ０．３", "本聊天的 `temperature` 现在是 **0.3**。"),
        ("/set temperature＝０．３", "本聊天的 `temperature` 现在是 **0.3**。"),
        ("/quota fake:9 daily_tokens＝５００００", "单独设置：每天 50,000 个 token"),
        ("/settings　language　zh", "本聊天的“语言”已改为：**简体中文**。"),
        ("/settings 语音 不处理", "本聊天的“语音”已改为：**不处理**。"),
        ("/language 中文", "本聊天的“语言”已改为：**简体中文**。"),
        ("/language 英文", "Language: **English**."),
        ("/set temperature 默认", "`temperature` 已恢复由模型决定。"),
        ("/model 默认", "本聊天已恢复由默认模型回答：**gpt-4o-mini**。"),
        ("/system 默认", "已恢复平常的回答方式。"),
        ("/voice 只转成文字", "本聊天的“语音”已改为：**只转成文字**。"),
        ("/transcribe 粤语", "请用 `/transcribe` 回复一段录音"),
        ("/help image", "- `/image 戴帽子的猫 --n 3 --size 1024x1536`"),
    ],
)
async def test_what_a_chinese_keyboard_writes_is_understood(
    house: House, words: str, answer: str
) -> None:
    assert answer in (await house.say(words, sender=MING))[-1]


async def test_a_picture_is_drawn_although_chinese_has_no_spaces(house: House) -> None:
    await house.say("／image一只戴帽子的猫 －－n ２", sender=MING)
    [order] = house.api.traffic.to("/images/generations")
    assert (order.json["prompt"], order.json["n"]) == ("一只戴帽子的猫", 2)


async def test_what_nobody_can_read_is_listed_with_chinese_marks(house: House) -> None:
    stickers = tuple(
        Attachment(id=FileId(str(at)), kind=FileKind.STICKER, mime="", size=1) for at in range(2)
    )
    message = house.platform.message("", sender=MING, attachments=stickers)
    assert "我还看不懂贴纸、贴纸。" in (await house.tell(message))[-1]


async def test_a_name_in_braces_is_no_place_to_fill(house: House) -> None:
    assert "“{x}”" in (await house.say("/allow {x}", sender=MING))[-1]


async def test_what_everybody_used_is_listed_with_chinese_marks(house: House) -> None:
    await house.say("你好", sender=MING)
    text = (await house.say("/usage all", sender=MING))[-1]
    assert "`fake:7`：" in text and " 个 token，" in text
