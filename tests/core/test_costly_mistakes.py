"""What cannot succeed is said before it costs money; what can, works without anybody's help."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house import House, open_house


async def test_a_million_tokens_are_never_sent(house: House) -> None:
    [text] = await house.say("word " * 1_000_000)
    assert text.startswith("⚠️ That is too long for the model")
    assert house.api.traffic.to("/chat/completions") == []


async def test_a_model_name_with_spaces_is_never_sent(house: House) -> None:
    [text] = await house.say("/model no such model")
    assert "There is no model “no such model”" in text
    await house.say("hello")
    (sent,) = house.api.traffic.to("/chat/completions")
    assert sent.json["model"] == "gpt-4o-mini"


@pytest.mark.parametrize(
    ("model", "path"), [("o1-pro", "/responses"), ("gpt-3.5-turbo-instruct", "/completions")]
)
async def test_a_model_of_another_protocol_just_works_and_is_refused_once(
    tmp_path: Path, model: str, path: str
) -> None:
    async with open_house(tmp_path) as house:
        await house.say(f"/model {model}")
        for question in ("hello", "and again"):
            house.api.script.answer(f"I heard {question}.")
            assert (await house.say(question))[-1] == f"I heard {question}."
        assert len(house.api.traffic.to(path)) == 2
        assert len(house.api.traffic.to("/chat/completions")) == 1
