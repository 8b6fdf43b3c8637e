"""The reference SDK can use every endpoint."""

from __future__ import annotations

import base64
import io

import httpx
import pytest
from openai import (
    APIError,
    APIStatusError,
    AsyncOpenAI,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    RateLimitError,
)
from openai.types.chat import ChatCompletionMessageParam
from openai.types.shared_params import FunctionDefinition
from PIL import Image

from bot.core.chat import FinishReason, ToolCall
from bot.sandbox.openai import ScriptedApi
from bot.sandbox.openai.faults import ErrorEvent, Refuse, out_of_quota
from bot.sandbox.openai.scripted import Answer
from tests.patience import PATIENCE

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]
WEATHER: FunctionDefinition = {"name": "weather", "parameters": {"type": "object"}}
LISBON = ToolCall(id="call_1", name="weather", arguments='{"city": "Lisbon"}')


def png(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGBA", (width, height)).save(out, "PNG")
    return out.getvalue()


async def test_a_whole_chat_answer_repeats_the_question_in_markdown(sdk: AsyncOpenAI) -> None:
    answer = await sdk.chat.completions.create(model="gpt-4o-mini", messages=HELLO)
    assert answer.choices[0].message.content is not None
    assert answer.choices[0].message.content.startswith("**You said:** Hello\n")
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


async def test_a_streamed_answer_joins_to_the_whole_and_ends_with_usage(
    sdk: AsyncOpenAI, api: ScriptedApi
) -> None:
    api.script.answer(Answer(text="One, two, three.", reasoning="Count.", chunk=4))
    stream = await sdk.chat.completions.create(
        model="gpt-4o-mini", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == "One, two, three."
    assert "".join(getattr(delta, "reasoning_content", "") for delta in deltas) == "Count."
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.prompt_tokens > 0


async def test_without_include_usage_no_usage_is_streamed(sdk: AsyncOpenAI) -> None:
    stream = await sdk.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
    assert all([chunk.usage is None and chunk.choices async for chunk in stream])


async def test_n_answers_are_n_choices_whole_and_streamed(
    sdk: AsyncOpenAI, api: ScriptedApi
) -> None:
    api.script.answer("first", "second", "first", "second")
    whole = await sdk.chat.completions.create(model="gpt-4o", messages=HELLO, n=2)
    assert [choice.message.content for choice in whole.choices] == ["first", "second"]
    texts = ["", ""]
    async for chunk in await sdk.chat.completions.create(
        model="gpt-4o", messages=HELLO, n=2, stream=True
    ):
        choice = chunk.choices[0]
        texts[choice.index] += choice.delta.content or ""
    assert texts == ["first", "second"]


async def test_tool_calls_stream_in_pieces_that_join_to_the_call(
    sdk: AsyncOpenAI, api: ScriptedApi
) -> None:
    api.script.answer(Answer(tool_calls=(LISBON,), chunk=5))
    async with sdk.chat.completions.stream(
        model="gpt-4o", messages=HELLO, tools=[{"type": "function", "function": WEATHER}]
    ) as stream:
        answer = await stream.get_final_completion()
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.choices[0].message.tool_calls is not None
    call = answer.choices[0].message.tool_calls[0]
    assert (call.id, call.function.name) == ("call_1", "weather")
    assert call.function.arguments == '{"city": "Lisbon"}'


async def test_a_tool_answer_without_its_call_is_refused(sdk: AsyncOpenAI) -> None:
    with pytest.raises(BadRequestError, match="must be a response to a preceeding message"):
        await sdk.chat.completions.create(
            model="gpt-4o",
            messages=[*HELLO, {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}],
        )


async def test_legacy_completions_go_on_with_each_prompt(
    sdk: AsyncOpenAI, api: ScriptedApi
) -> None:
    api.script.answer_with(lambda question: f" after {question.prompt}")
    whole = await sdk.completions.create(model="gpt-3.5-turbo-instruct", prompt=["a", "b"])
    assert [choice.text for choice in whole.choices] == [" after a", " after b"]
    stream = await sdk.completions.create(model="gpt-3.5-turbo-instruct", prompt="c", stream=True)
    assert "".join([chunk.choices[0].text async for chunk in stream]) == " after c"


async def test_responses_answer_whole(sdk: AsyncOpenAI, api: ScriptedApi) -> None:
    api.script.answer("In short: yes.")
    answer = await sdk.responses.create(
        model="gpt-4o", instructions="Be brief.", input="Is it?", max_output_tokens=100
    )
    assert answer.output_text == "In short: yes."
    assert answer.status == "completed"
    assert answer.usage is not None
    assert answer.usage.output_tokens > 0


async def test_responses_stream_typed_events_that_build_the_answer(
    sdk: AsyncOpenAI, api: ScriptedApi
) -> None:
    api.script.answer(Answer(text="Yes, it is.", reasoning="Hm.", tool_calls=(LISBON,), chunk=3))
    async with sdk.responses.stream(
        model="gpt-4o", input=[{"role": "user", "content": [{"type": "input_text", "text": "?"}]}]
    ) as stream:
        events = [event async for event in stream]
        answer = await stream.get_final_response()
    assert [event.sequence_number for event in events] == list(range(len(events)))
    said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert said == answer.output_text == "Yes, it is."
    assert [item.type for item in answer.output] == ["reasoning", "message", "function_call"]
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"


async def test_responses_that_reach_their_limit_say_so(sdk: AsyncOpenAI, api: ScriptedApi) -> None:
    api.script.answer(Answer(text="And then", finish_reason=FinishReason.LENGTH))
    answer = await sdk.responses.create(model="o1-pro", input="Tell me everything.")
    assert answer.status == "incomplete"
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"


async def test_responses_take_the_answers_of_tools(sdk: AsyncOpenAI, api: ScriptedApi) -> None:
    await sdk.responses.create(
        model="gpt-4o",
        input=[
            {"role": "user", "content": "Weather?"},
            {"type": "function_call", "call_id": "c", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "sunny"},
        ],
        tools=[{"type": "function", "name": "weather", "parameters": {}, "strict": False}],
    )
    assert api.traffic.requests[-1].status == 200


async def test_embeddings_are_vectors_of_length_one(sdk: AsyncOpenAI) -> None:
    answer = await sdk.embeddings.create(  # the SDK asks for base64 and decodes it
        model="text-embedding-3-small", input=["red", "blue", "red"]
    )
    vectors = [item.embedding for item in answer.data]
    assert sum(number * number for number in vectors[0]) == pytest.approx(1)
    assert vectors[0] == vectors[2] != vectors[1]
    as_numbers = await sdk.embeddings.create(
        model="text-embedding-3-small", input="red", encoding_format="float"
    )
    assert as_numbers.data[0].embedding == pytest.approx(vectors[0])


async def test_pictures_come_as_base64_or_by_url(sdk: AsyncOpenAI) -> None:
    inline = await sdk.images.generate(model="gpt-image-1", prompt="a red cat", size="1024x1536")
    assert inline.data is not None
    assert inline.data[0].b64_json is not None
    assert inline.usage is not None
    assert inline.usage.total_tokens == inline.usage.input_tokens + inline.usage.output_tokens
    assert inline.usage.input_tokens_details.image_tokens == 0
    linked = await sdk.images.generate(model="dall-e-3", prompt="a red cat", n=2)
    assert linked.data is not None
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        for picture in linked.data:
            assert picture.url is not None
            content = (await client.get(picture.url)).content
            assert Image.open(io.BytesIO(content)).size == (1024, 1024)


async def test_pictures_are_edited_and_varied(sdk: AsyncOpenAI, api: ScriptedApi) -> None:
    edited = await sdk.images.edit(
        model="gpt-image-1",
        image=[("a.png", png(8, 8)), ("b.png", png(9, 9))],
        mask=("mask.png", png(8, 8)),
        prompt="add a hat",
        n=2,
    )
    assert edited.data is not None
    assert len(edited.data) == 2
    assert len(api.traffic.requests[-1].files["image[]"]) == 2
    assert edited.usage is not None
    assert edited.usage.input_tokens_details.image_tokens > 0
    with pytest.warns(DeprecationWarning):  # the SDK's opinion; the endpoint is still served
        varied = await sdk.images.create_variation(model="dall-e-3", image=("a.png", png(8, 8)))
    assert varied.data is not None


async def test_a_mask_of_another_size_is_refused(sdk: AsyncOpenAI) -> None:
    with pytest.raises(BadRequestError, match="mask size does not match"):
        await sdk.images.edit(
            model="gpt-image-1",
            image=("a.png", png(8, 8)),
            mask=("mask.png", png(9, 8)),
            prompt="add a hat",
        )


async def test_recordings_are_written_down_in_every_format(
    sdk: AsyncOpenAI, api: ScriptedApi
) -> None:
    api.script.transcribe(*["Good morning."] * 5)
    clip = ("voice.ogg", b"OggS...")
    listen = sdk.audio.transcriptions.create
    plain = await listen(model="whisper-1", file=clip, language="en", temperature=0.2)
    assert plain.text == "Good morning."
    text: object = await listen(model="whisper-1", file=clip, response_format="text")
    assert text == "Good morning.\n"
    verbose = await listen(model="whisper-1", file=clip, response_format="verbose_json")
    assert verbose.segments is not None
    assert verbose.segments[0].text == "Good morning."
    subtitles: object = await listen(model="whisper-1", file=clip, response_format="srt")
    assert subtitles == "1\n00:00:00,000 --> 00:00:01,000\nGood morning.\n\n"
    captions: object = await listen(model="whisper-1", file=clip, response_format="vtt")
    assert captions == "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nGood morning.\n\n"
    assert plain.usage is not None
    assert plain.usage.type == "duration"
    assert plain.usage.seconds == 1


async def test_a_picture_can_be_asked_about(sdk: AsyncOpenAI, api: ScriptedApi) -> None:
    uri = f"data:image/png;base64,{base64.b64encode(png(8, 8)).decode()}"
    shown: ChatCompletionMessageParam = {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": uri}},
        ],
    }
    api.script.answer("A small picture.")
    answer = await sdk.chat.completions.create(model="gpt-4o", messages=[shown])
    assert answer.choices[0].message.content == "A small picture."


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        (Refuse(401), AuthenticationError, "invalid_api_key"),
        (Refuse(404), NotFoundError, "model_not_found"),
        (Refuse(429), RateLimitError, "rate_limit_exceeded"),
        (out_of_quota(), RateLimitError, "insufficient_quota"),
        (Refuse(500), InternalServerError, "server_error"),
    ],
)
async def test_a_refusal_is_the_sdks_own_error_with_its_code(
    sdk: AsyncOpenAI, api: ScriptedApi, fault: Refuse, error: type[APIStatusError], code: str
) -> None:
    api.faults.add(fault, on="/chat/completions")
    with pytest.raises(error) as caught:
        await sdk.chat.completions.create(model="gpt-4o-mini", messages=HELLO)
    assert caught.value.code == code
    assert caught.value.request_id


async def test_an_error_in_a_stream_is_an_error_of_the_sdk(
    sdk: AsyncOpenAI, api: ScriptedApi
) -> None:
    api.script.answer("one two three four five six")
    api.faults.add(ErrorEvent(after=1), on="/chat/completions")
    stream = await sdk.chat.completions.create(model="gpt-4o-mini", messages=HELLO, stream=True)
    with pytest.raises(APIError):
        _ = [chunk async for chunk in stream]


async def test_the_models_are_listed_and_found_by_name(sdk: AsyncOpenAI) -> None:
    ids = [model.id async for model in sdk.models.list()]
    assert "gpt-4o-mini" in ids
    assert (await sdk.models.retrieve("claude-sonnet-4-5")).owned_by == "anthropic"
    with pytest.raises(NotFoundError):
        await sdk.models.retrieve("gpt-9")
