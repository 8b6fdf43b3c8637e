"""Every parameter of the API reference reaches the wire, in each protocol that knows it."""

from __future__ import annotations

import pytest

from bot.core.chat import (
    ChatMessage,
    ChatRequest,
    Finished,
    FinishReason,
    Role,
    Sampling,
    TextPart,
    Tool,
    ToolCall,
    ToolCallDelta,
)
from tests.api.asking import ask, question, words
from tests.api.conftest import Connect
from tests.api.wire_server import DONE, HELLO, WireServer, data, delta, finish, stream

ALL = Sampling(
    temperature=0.5,
    max_tokens=100,
    top_p=0.9,
    n=2,
    stop=("END", "###"),
    presence_penalty=-1.5,
    frequency_penalty=1.5,
)
WEATHER = Tool(
    name="weather",
    description="The weather of a place",
    parameters='{"type": "object", "properties": {"place": {"type": "string"}}}',
)
COMPLETED = data({"type": "response.completed", "response": {"status": "completed"}})


async def test_a_chat_completion_takes_them_all(connect: Connect, server: WireServer) -> None:
    server.answer(*HELLO)
    await ask(connect(), question(sampling=ALL))
    assert server.requests[0].json == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "max_tokens": 100,
        "top_p": 0.9,
        "n": 2,
        "stop": ["END", "###"],
        "presence_penalty": -1.5,
        "frequency_penalty": 1.5,
    }


async def test_what_is_not_set_is_not_sent(connect: Connect, server: WireServer) -> None:
    server.answer(*HELLO)
    await ask(connect(), question())
    assert sorted(server.requests[0].json) == ["messages", "model", "stream", "stream_options"]


async def test_of_several_answers_the_first_is_told(connect: Connect, server: WireServer) -> None:
    def said(index: int, content: str, reason: str | None = None) -> bytes:
        choice = {"index": index, "delta": {"content": content}, "finish_reason": reason}
        return data({"choices": [choice]})

    server.answer(*stream(said(1, "B"), said(0, "A"), said(1, "b", "stop"), said(0, "a", "length")))
    events = await ask(connect(), question(sampling=Sampling(n=2)))
    assert words(events) == "Aa"
    assert events[-1] == Finished(FinishReason.LENGTH)


async def test_a_completion_takes_what_it_knows(connect: Connect, server: WireServer) -> None:
    server.answer(*stream(data({"choices": [{"text": " Hi", "finish_reason": "stop"}]}), DONE))
    await ask(connect(models={"m": {"protocol": "completions"}}), question(sampling=ALL))
    sent = server.requests[0].json
    assert server.requests[0].path == "/v1/completions"
    assert (sent["max_tokens"], sent["stop"], sent["n"]) == (100, ["END", "###"], 2)
    assert (sent["temperature"], sent["top_p"]) == (0.5, 0.9)


async def test_a_response_takes_what_it_knows(connect: Connect, server: WireServer) -> None:
    server.answer(*stream(COMPLETED))
    await ask(connect(models={"m": {"protocol": "responses"}}), question(sampling=ALL))
    sent = server.requests[0].json
    assert server.requests[0].path == "/v1/responses"
    assert (sent["max_output_tokens"], sent["temperature"], sent["top_p"]) == (100, 0.5, 0.9)
    assert not sent.keys() & {"max_tokens", "stop", "n", "presence_penalty", "stream_options"}


@pytest.mark.parametrize("choice", ["auto", "none", "required", "weather"])
@pytest.mark.parametrize("protocol", ["chat", "responses"])
async def test_tools_and_the_choice_between_them(
    connect: Connect, server: WireServer, protocol: str, choice: str
) -> None:
    server.always = HELLO if protocol == "chat" else stream(COMPLETED)
    said = ChatMessage(role=Role.USER, parts=(TextPart("Rain?"),))
    call = ToolCall(id="call_1", name="weather", arguments='{"place": "Lima"}')
    called = ChatMessage(role=Role.ASSISTANT, parts=(), tool_calls=(call,))
    told = ChatMessage(role=Role.TOOL, parts=(TextPart("dry"),), tool_call_id="call_1")
    asked = ChatRequest(
        model="m", messages=(said, called, told), tools=(WEATHER,), tool_choice=choice
    )
    await ask(connect(models={"m": {"protocol": protocol}}), asked)
    sent = server.requests[0].json
    named = choice == "weather"
    if protocol == "chat":
        function = {"type": "function", "function": {"name": "weather"}}
        assert sent["tool_choice"] == (function if named else choice)
        assert sent["tools"][0]["function"]["parameters"]["type"] == "object"
        assert sent["messages"][1]["tool_calls"][0]["function"]["name"] == "weather"
        assert sent["messages"][2] == {"role": "tool", "content": "dry", "tool_call_id": "call_1"}
    else:
        assert sent["tool_choice"] == ({"type": "function", "name": "weather"} if named else choice)
        assert sent["tools"][0]["name"] == "weather"
        assert [item.get("type") for item in sent["input"][1:]] == [
            "function_call",
            "function_call_output",
        ]


async def test_a_tool_call_comes_back_in_pieces(connect: Connect, server: WireServer) -> None:
    begin = {"index": 0, "id": "call_9", "function": {"name": "weather", "arguments": '{"pl'}}
    rest = {"index": 0, "function": {"arguments": 'ace": "Lima"}'}}
    server.answer(
        *stream(delta(tool_calls=[begin]), delta(tool_calls=[rest]), finish("tool_calls"), DONE)
    )
    asked = question(tools=(WEATHER,))
    events = [event for event in await ask(connect(), asked) if isinstance(event, ToolCallDelta)]
    assert (events[0].id, events[0].name) == ("call_9", "weather")
    assert "".join(event.arguments for event in events) == '{"place": "Lima"}'
