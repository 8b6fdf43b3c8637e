"""The window of a scripted model: what it refuses, and where its answers end."""

from __future__ import annotations

import httpx
import pytest

from bot.sandbox.openai import ScriptedApi, windows
from bot.sandbox.openai.windows import Window, Wording


def body(words: str) -> dict[str, object]:
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": words}]}


@pytest.mark.parametrize(
    ("wording", "told"),
    [
        (windows.openai, "maximum context length is 1000 tokens"),
        (windows.llama_cpp, "exceeds the available context size"),
        (windows.anthropic, "1250 tokens > 1000 maximum"),
        (windows.dashscope, "[1, 1000]"),
        (windows.bedrock, "Input is too long"),
    ],
)
async def test_a_question_longer_than_the_window_is_refused_as_servers_do(
    api: ScriptedApi, http: httpx.AsyncClient, wording: Wording, told: str
) -> None:
    api.script.windows["gpt-4o"] = Window(tokens=1_000, wording=wording)
    answer = await http.post("/chat/completions", json=body("word " * 1_000))
    assert answer.status_code == 400 and told in answer.json()["error"]["message"]
    assert (await http.post("/chat/completions", json=body("word"))).status_code == 200
    other = body("word " * 1_000) | {"model": "gpt-4o-mini"}
    assert (await http.post("/chat/completions", json=other)).status_code == 200


async def test_an_answer_ends_with_the_window(api: ScriptedApi, http: httpx.AsyncClient) -> None:
    api.script.windows["gpt-4o"] = Window(tokens=1_000)
    api.script.answer("so " * 2_000)
    answer = (await http.post("/chat/completions", json=body("word " * 400))).json()
    [choice] = answer["choices"]
    assert choice["finish_reason"] == "length"
    assert len(choice["message"]["content"]) == 4 * (1_000 - answer["usage"]["prompt_tokens"])
