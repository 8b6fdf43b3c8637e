"""Quirks 1 to 12 of compatible gateways, each by its number."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from contextlib import aclosing

import pytest

from bot.api.client import ApiClient
from bot.api.tokens import estimate_tokens
from bot.core.chat import (
    Finished,
    FinishReason,
    ModelEvent,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from bot.errors import ModelError, ModelErrorKind
from tests.api.asking import ask, ask_badly, is_finished, question, thoughts, words
from tests.api.wire_server import (
    DONE,
    END,
    HELLO,
    Hang,
    Reset,
    Wait,
    WireServer,
    chunk,
    data,
    delta,
    finish,
    head,
    json_answer,
    stream,
    text,
    usage,
    whole,
)

Kind = ModelErrorKind

STOP = Finished(FinishReason.STOP)


async def test_a_plain_answer_is_streamed_whole(client: ApiClient, server: WireServer) -> None:
    server.answer(*HELLO)
    events = await ask(client)
    assert words(events) == "Hello"
    assert events[-2:] == [Usage(prompt_tokens=3, completion_tokens=2), STOP]
    sent = server.requests[0]
    assert sent.path == "/v1/chat/completions"
    assert sent.headers["authorization"] == "Bearer k-123"
    assert sent.json["stream_options"] == {"include_usage": True}


async def test_quirk_1_an_answer_without_done_is_complete(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*stream(text("Hello"), finish()))
    assert is_finished(await ask(client))


@pytest.mark.parametrize("end", [(), (DONE,), (usage(3, 2), DONE)])
async def test_quirk_1_done_without_a_finish_reason_is_a_cut(
    client: ApiClient, server: WireServer, end: tuple[bytes, ...]
) -> None:
    server.answer(*stream(text("Hel"), *end))
    events, error = await ask_badly(client)
    assert error.kind is ModelErrorKind.CUT
    assert words(events) == "Hel"
    assert not is_finished(events)


async def test_quirk_1_a_server_that_never_tells_the_end_is_asked_for_whole_answers(
    client: ApiClient, server: WireServer
) -> None:
    for _ in range(3):
        server.answer(*stream(text("Hello"), usage(3, 2)))
        assert (await ask_badly(client))[1].kind is ModelErrorKind.CUT
    server.always = json_answer({"choices": [{"message": {"content": "Hello"}}]})
    for _ in range(2):
        events = await ask(client)
        assert (words(events), events[-1]) == ("Hello", STOP)
    assert [request.json["stream"] for request in server.requests] == 3 * [True] + 2 * [False]
    assert "stream_options" not in server.requests[-1].json


async def test_quirk_1_a_server_that_told_the_end_once_goes_on_to_stream(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*HELLO)
    await ask(client)
    for _ in range(3):
        server.answer(*stream(text("Hel"), DONE))
        assert (await ask_badly(client))[1].kind is ModelErrorKind.CUT
    assert all(request.json["stream"] for request in server.requests)


async def test_quirk_1_one_answer_that_breaks_off_twice_is_no_reason_to_stream_no_more(
    client: ApiClient, server: WireServer
) -> None:
    for _ in range(2):  # so often an answer is asked for
        server.answer(*stream(text("Hel"), DONE))
        assert (await ask_badly(client))[1].kind is ModelErrorKind.CUT
    server.answer(*HELLO)
    assert is_finished(await ask(client))
    assert all(request.json["stream"] for request in server.requests)


async def test_quirk_1_a_connection_that_breaks_says_nothing_about_how_a_server_ends(
    client: ApiClient, server: WireServer
) -> None:
    for _ in range(3):
        server.answer(head(), chunk(text("Hel")), Reset())
        assert (await ask_badly(client))[1].kind is ModelErrorKind.CUT
    assert all(request.json["stream"] for request in server.requests)


def piece(id: str, words: str, **more: object) -> bytes:
    """A chunk with the id of its answer."""
    return data({"id": id, "choices": [{"index": 0, "delta": {"content": words, **more}}]})


async def test_quirk_1_half_an_answer_with_a_whole_one_behind_it_is_a_cut(
    client: ApiClient, server: WireServer
) -> None:
    first = [piece("a", "", role="assistant"), piece("a", "The sky"), piece("a", " is bl")]
    second = [piece("b", "", role="assistant"), piece("b", "The sky is blue."), finish(), DONE]
    server.answer(*stream(*first, *second))
    events, error = await ask_badly(client)
    assert (words(events), error.kind) == ("The sky is bl", ModelErrorKind.CUT)


@pytest.mark.parametrize(
    "pieces",
    [
        [piece("a", "Hel", role="assistant"), piece("b", "lo", role="assistant")],
        [piece("a", "Hel"), piece("b", "", role="assistant"), piece("c", "lo", role="assistant")],
        [piece("", "", role="assistant"), piece("a", "Hel"), piece("a", "lo"), piece("b", "")],
        [piece("a", "Hel"), piece("a", "lo"), finish(), piece("b", "", role="assistant")],
    ],
)
async def test_an_id_of_its_own_for_every_chunk_begins_no_other_answer(
    client: ApiClient, server: WireServer, pieces: list[bytes]
) -> None:
    server.answer(*stream(*pieces, finish(), DONE))
    assert words(await ask(client)) == "Hello"


async def test_an_id_made_of_the_time_begins_no_other_answer_at_the_end_of_one(
    client: ApiClient, server: WireServer
) -> None:
    pieces = [piece("at-1", "Hel", role="assistant"), piece("at-1", "lo", role="assistant")]
    said = {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": "stop"}
    server.answer(*stream(*pieces, data({"id": "at-2", "choices": [said]}), DONE))
    events = await ask(client)
    assert (words(events), is_finished(events)) == ("Hello", True)


@pytest.mark.parametrize("reason", ["abort", {"type": "abort"}])
async def test_quirk_1_an_answer_that_its_server_gave_up_is_a_cut(
    client: ApiClient, server: WireServer, reason: object
) -> None:
    last = {"index": 0, "delta": {"content": ""}, "finish_reason": reason}
    server.answer(*stream(text("Hel"), data({"choices": [last]}), usage(3, 1), DONE))
    events, error = await ask_badly(client)
    assert (words(events), error.kind) == ("Hel", ModelErrorKind.CUT)
    assert not is_finished(events)


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        ({"finish_reason": "stop", "native_finish_reason": "network_error"}, Kind.SERVER),
        (
            {"finish_reason": "error", "error": {"code": 429, "message": "rate-limited upstream"}},
            Kind.RATE_LIMITED,
        ),
    ],
)
async def test_quirk_1_what_broke_off_behind_a_gateway_is_no_answer_whatever_it_calls_it(
    client: ApiClient, server: WireServer, ending: dict[str, object], kind: Kind
) -> None:
    """As OpenRouter ends a stream when the server that it asked has failed."""
    server.answer(*stream(text("", **ending), DONE))
    server.answer(*HELLO)
    assert words(await ask(client)) == "Hello"
    server.answer(*stream(text("Hel"), text("", **ending), DONE))
    seen, error = await ask_badly(client)
    assert (words(seen), error.kind) == ("Hel", Kind.CUT)
    server.always = stream(text("", **ending), DONE)
    assert (await ask_badly(client))[1].kind is kind


async def test_quirk_1_a_connection_that_breaks_in_the_middle_is_a_cut(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(head(), chunk(text("Hel")), Reset())
    events, error = await ask_badly(client)
    assert (words(events), error.kind) == ("Hel", ModelErrorKind.CUT)
    assert len(server.requests) == 1


async def test_a_connection_that_breaks_after_the_finish_reason_loses_nothing(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(head(), chunk(text("Hello") + finish()), Reset())
    assert is_finished(await ask(client))


@pytest.mark.parametrize(
    "body", [b"", b"\n\n", b": ping\n\n", DONE, delta(role="assistant"), b"data: {}\n\n"]
)
async def test_quirk_2_an_empty_stream_is_asked_for_again(
    client: ApiClient, server: WireServer, body: bytes
) -> None:
    server.answer(*whole(body, content_type="text/event-stream"))
    server.answer(*HELLO)
    assert words(await ask(client)) == "Hello"


@pytest.mark.parametrize("kind", ["text/event-stream", "text/html", "application/json"])
async def test_quirk_2_a_page_for_people_under_200_is_no_answer(
    client: ApiClient, server: WireServer, kind: str
) -> None:
    server.always = whole(b"<!doctype html><html>Welcome to nginx!</html>", content_type=kind)
    events, error = await ask_badly(client)
    assert (events, error.kind) == ([], ModelErrorKind.BAD_ANSWER)
    assert "/v1" in error.detail


async def test_quirk_2_a_json_error_under_200_and_an_event_streams_name(
    client: ApiClient, server: WireServer
) -> None:
    body = json.dumps({"error": {"message": "bad key", "code": "invalid_api_key"}}).encode()
    server.answer(*whole(body, content_type="text/event-stream"))
    _, error = await ask_badly(client)
    assert error.kind is ModelErrorKind.BAD_KEY
    assert len(server.requests) == 1


async def test_quirk_3_nulls_where_lists_and_objects_belong(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(
        *stream(
            data({"choices": None}),
            data({"choices": [{"delta": None}]}),
            delta(role="assistant", content=None),
            text("Hello"),
            finish(),
            data({"choices": [], "usage": None}),
            usage(3, 2),
            DONE,
        )
    )
    events = await ask(client)
    assert words(events) == "Hello"
    assert Usage(prompt_tokens=3, completion_tokens=2) in events


@pytest.mark.parametrize(
    "first",
    [
        {"choices": {"delta": {}}},
        {"choices": [{"delta": "?"}]},
        {"choices": [{"delta": {"images": 1}}]},
        {"choices": [{"delta": {"images": "none"}}]},
        {"choices": [{"delta": {"content": [{"type": "thinking", "thinking": 5}]}}]},
        {"choices": [{"delta": {}}], "error": {"code": 0, "message": "", "type": ""}},
        {"error": {"code": None, "message": "", "param": "", "type": ""}},
    ],
)
async def test_fields_of_another_kind_than_they_should_be_are_passed_over(
    client: ApiClient, server: WireServer, first: object
) -> None:
    said = data({"choices": [{"index": "0", "delta": {"content": "Hello"}}]})
    server.answer(*stream(data(first), said, finish(), DONE))
    assert words(await ask(client)) == "Hello"


async def test_quirk_4_comments_keep_the_connection_alive(
    client: ApiClient, server: WireServer
) -> None:
    ping = b": PING\n\n"
    server.answer(*stream(ping, ping, text("Hel"), ping, text("lo"), ping, finish(), DONE))
    assert words(await ask(client)) == "Hello"


@pytest.mark.parametrize("sign", [b"data:\n\n", b"data: \n\n", b'data: ""\n\n', b"data: null\n\n"])
async def test_quirk_4_empty_events_keep_the_connection_alive(
    client: ApiClient, server: WireServer, sign: bytes
) -> None:
    server.answer(*stream(sign, text("Hel"), sign, text("lo"), sign, finish(), sign, DONE))
    assert words(await ask(client)) == "Hello"


@pytest.mark.parametrize("error", [{"message": "broke", "code": 500}, "broke"])
async def test_quirk_5_an_error_in_the_middle_cuts_the_answer(
    client: ApiClient, server: WireServer, error: object
) -> None:
    server.answer(*stream(text("Hel"), data({"error": error}), DONE))
    events, failure = await ask_badly(client)
    assert (words(events), failure.kind) == ("Hel", ModelErrorKind.CUT)
    assert failure.detail == "broke"


async def test_an_error_of_any_length_holds_up_nobody(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*stream(text("Hel"), data({"error": "no" + " " * 100_000 + "!"}), DONE))
    began = time.process_time()
    events, failure = await ask_badly(client)
    assert time.process_time() - began < 5
    assert (words(events), failure.detail) == ("Hel", "no !")


async def test_an_answer_nested_without_end_is_a_cut(client: ApiClient, server: WireServer) -> None:
    server.answer(*stream(text("Hel"), b"data: " + b'{"choices":' * 50_000 + b"\n\n", DONE))
    events, failure = await ask_badly(client)
    assert (words(events), failure.kind) == ("Hel", ModelErrorKind.CUT)


async def test_a_line_without_end_does_not_fill_the_memory(
    client: ApiClient, server: WireServer
) -> None:
    piece = chunk(b" " * 1_000_000)
    server.answer(head(), chunk(text("Hel")), chunk(b"data: "), *[piece] * 100, Hang())
    events, failure = await ask_badly(client)
    assert (words(events), failure.kind) == ("Hel", ModelErrorKind.CUT)
    assert "larger" in failure.detail


async def test_quirk_5_an_error_before_any_text_is_never_seen(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*stream(delta(role="assistant"), data({"error": "overloaded"})))
    server.answer(*HELLO)
    assert words(await ask(client)) == "Hello"


async def test_quirk_6_tool_calls_get_their_index_and_id(
    client: ApiClient, server: WireServer
) -> None:
    def call(**fields: object) -> bytes:
        return delta(tool_calls=[fields])

    server.answer(
        *stream(
            call(id="a", function={"name": "one", "arguments": ""}),
            call(function={"arguments": '{"x"'}),
            call(function={"arguments": ":1}"}),
            call(function={"name": "two", "arguments": {"y": 2}}),
            finish("stop"),
            DONE,
        )
    )
    events = await ask(client)
    assert [event for event in events if isinstance(event, ToolCallDelta)] == [
        ToolCallDelta(index=0, id="a", name="one"),
        ToolCallDelta(index=0, arguments='{"x"'),
        ToolCallDelta(index=0, arguments=":1}"),
        ToolCallDelta(index=1, id="call_1", name="two", arguments='{"y": 2}'),
    ]
    assert events[-1] == Finished(FinishReason.TOOL_CALLS)


async def test_quirk_6_calls_that_share_an_index_are_told_apart_by_id(
    client: ApiClient, server: WireServer
) -> None:
    def call(id: str, name: str) -> dict[str, object]:
        return {"index": 0, "id": id, "function": {"name": name, "arguments": "{}"}}

    server.answer(*stream(delta(tool_calls=[call("a", "f"), call("b", "f")]), finish("tool_calls")))
    events = await ask(client)
    calls = [event for event in events if isinstance(event, ToolCallDelta)]
    assert [(one.index, one.id, one.name) for one in calls] == [(0, "a", "f"), (1, "b", "f")]


@pytest.mark.parametrize(
    "pieces",
    [
        (delta(reasoning_content="Hm. "), delta(content="Yes")),
        (delta(reasoning="Hm. "), delta(content="Yes")),
        (text("<think>Hm. </think>Yes"),),
        tuple(text(letter) for letter in "\n<think>Hm. </think>\n\nYes"),
        (delta(content=[{"type": "thinking", "thinking": [{"text": "Hm. "}]}]), text("Yes")),
    ],
)
async def test_quirk_7_reasoning_is_told_apart(
    client: ApiClient, server: WireServer, pieces: tuple[bytes, ...]
) -> None:
    server.answer(*stream(*pieces, finish(), DONE))
    events = await ask(client)
    assert (thoughts(events), words(events)) == ("Hm. ", "Yes")
    assert isinstance(events[0], ReasoningDelta)


@pytest.mark.parametrize("word", ["", "null", "None"])
async def test_quirk_8_an_empty_finish_reason_is_none(
    client: ApiClient, server: WireServer, word: str
) -> None:
    server.answer(*stream(text("Hel", finish_reason=word), text("lo", finish_reason="stop"), DONE))
    assert words(await ask(client)) == "Hello"
    server.answer(*stream(text("Hel", finish_reason=word), DONE))
    assert (await ask_badly(client))[1].kind is ModelErrorKind.CUT


@pytest.mark.parametrize(
    ("reason", "meaning"),
    [
        ("max_tokens", FinishReason.LENGTH),
        ("function_call", FinishReason.TOOL_CALLS),
        ("SAFETY", FinishReason.CONTENT_FILTER),
        ("IMAGE_SAFETY", FinishReason.CONTENT_FILTER),
        ("content_filter: PROHIBITED_CONTENT", FinishReason.CONTENT_FILTER),
        ("model_context_window_exceeded", FinishReason.LENGTH),
        ("end_turn", FinishReason.STOP),
    ],
)
async def test_quirk_8_finish_reasons_of_other_vendors(
    client: ApiClient, server: WireServer, reason: str, meaning: FinishReason
) -> None:
    server.answer(*stream(text("Hello"), finish(reason), DONE))
    assert (await ask(client))[-1] == Finished(meaning)


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda body: body.replace(b"\n", b"\r\n"),
        lambda body: body.replace(b"\n", b"\r"),
        lambda body: body.replace(b"data: ", b"data:"),
        lambda body: b"\xef\xbb\xbf" + body,
        lambda body: body.replace(b"\n\n", b"\n"),
        lambda body: body.rstrip(b"\n"),
        lambda body: body + b'data: {"choi',
    ],
    ids=["CRLF", "CR", "no space", "BOM", "no blank lines", "no end", "half a line"],
)
@pytest.mark.parametrize("step", [1, 7, 10_000])
async def test_quirk_9_careless_framing(
    client: ApiClient, server: WireServer, rewrite: object, step: int
) -> None:
    assert callable(rewrite)
    body = rewrite(text("Hel") + text("lo") + finish() + usage(3, 2) + DONE)
    pieces = [chunk(body[at : at + step]) for at in range(0, len(body), step)]
    server.answer(head(), *pieces, END)
    events = await ask(client)
    assert words(events) == "Hello"
    assert is_finished(events)


async def test_quirk_9_half_a_line_in_the_middle_is_a_cut_not_a_gap(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*stream(text("Hel"), b'data: {"choi\n\n', text("lo"), finish(), DONE))
    assert (await ask_badly(client))[1].kind is ModelErrorKind.CUT


async def test_quirk_10_line_separators_inside_json_do_not_split_it(
    client: ApiClient, server: WireServer
) -> None:
    said = "a\u2028b\u2029c\u0085d"
    body = json.dumps({"choices": [{"delta": {"content": said}}]}, ensure_ascii=False)
    server.answer(*stream(b"data: " + body.encode() + b"\n\n", finish(), DONE))
    assert words(await ask(client)) == said


async def test_quirk_11_a_compressed_stream_is_read_though_identity_was_asked(
    client: ApiClient, server: WireServer
) -> None:
    body = gzip.compress(text("Hello") + finish() + DONE)
    server.answer(head(content_encoding="gzip"), chunk(body[:20]), chunk(body[20:]), END)
    assert words(await ask(client)) == "Hello"
    assert server.requests[0].headers["accept-encoding"] == "identity"


async def test_quirk_12_repeated_and_cumulative_usage_counts_once(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*stream(text("Hello"), usage(3, 1), finish(), usage(3, 2), usage(3, 2), DONE))
    events = await ask(client)
    assert [event for event in events if isinstance(event, Usage)] == [
        Usage(prompt_tokens=3, completion_tokens=2)
    ]


@pytest.mark.parametrize(
    ("report", "used"),
    [
        (  # xAI
            {"total_tokens": 60, "completion_tokens_details": {"reasoning_tokens": 40}},
            Usage(prompt_tokens=10, completion_tokens=50, reasoning_tokens=40),
        ),
        ({"total_tokens": 60}, Usage(prompt_tokens=10, completion_tokens=50)),  # Google
        (  # OpenAI
            {"total_tokens": 20, "completion_tokens_details": {"reasoning_tokens": 8}},
            Usage(prompt_tokens=10, completion_tokens=10, reasoning_tokens=8),
        ),
        (  # what was cached, counted once more in the total, is no answer
            {"total_tokens": 25, "prompt_tokens_details": {"cached_tokens": 5}},
            Usage(prompt_tokens=10, completion_tokens=10, cached_tokens=5),
        ),
        ({"cached_tokens": 6}, Usage(prompt_tokens=10, completion_tokens=10, cached_tokens=6)),
        (
            {"prompt_cache_hit_tokens": 6},
            Usage(prompt_tokens=10, completion_tokens=10, cached_tokens=6),
        ),
    ],
)
async def test_what_was_thought_and_what_was_cached_is_counted_wherever_it_stands(
    client: ApiClient, server: WireServer, report: dict[str, object], used: Usage
) -> None:
    counts = {"prompt_tokens": 10, "completion_tokens": 10, **report}
    server.answer(*stream(text("Hello"), finish(), data({"choices": [], "usage": counts}), DONE))
    assert [event for event in await ask(client) if isinstance(event, Usage)] == [used]


NONSENSE = [usage(10**20, 3), usage(3, 10**400), data({"usage": {"prompt_tokens": float("inf")}})]


@pytest.mark.parametrize("report", [b"", usage(0, 0), *NONSENSE])
async def test_quirk_12_missing_or_impossible_usage_is_estimated_and_says_so(
    client: ApiClient, server: WireServer, report: bytes
) -> None:
    server.answer(*stream(text("Hello, world"), finish(), report or b": \n\n", DONE))
    (found,) = [event for event in await ask(client) if isinstance(event, Usage)]
    assert found.estimated
    assert found.completion_tokens == 3


async def test_of_an_answer_that_breaks_off_all_that_came_is_estimated(
    client: ApiClient, server: WireServer
) -> None:
    heard = asyncio.Event()
    [start, first, *later] = stream(text("Hello"), text(", good morning to all of you"))
    server.answer(start, first, Wait(heard), *later)
    found: list[ModelEvent] = []
    with pytest.raises(ModelError):  # it breaks off
        async with aclosing(client.stream(question())) as events:
            async for event in events:
                heard.set()
                found.append(event)
    (used,) = [event for event in found if isinstance(event, Usage)]
    assert used.completion_tokens == estimate_tokens(words(found))


async def test_quirk_13_a_whole_answer_after_keep_alive_white_space(
    client: ApiClient, server: WireServer
) -> None:
    body = {"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}
    server.answer(
        head(content_type="application/json"),
        *(chunk(b"\n") for _ in range(5)),
        chunk(json.dumps(body).encode()),
        END,
    )
    events = await ask(client)
    assert (words(events), events[-1]) == ("Hello", STOP)


@pytest.mark.parametrize("body", [{"choices": None}, {"choices": []}, {}, {"object": "list"}])
async def test_quirk_13_a_body_without_choices_is_asked_for_again(
    client: ApiClient, server: WireServer, body: object
) -> None:
    server.answer(*json_answer(body))
    server.answer(*HELLO)
    assert words(await ask(client)) == "Hello"


@pytest.mark.parametrize("beside", [{}, {"delta": {}}, {"delta": {"role": "assistant"}}])
@pytest.mark.parametrize("thought", [{}, {"reasoning_content": "Hm."}])
async def test_the_whole_message_behind_its_deltas_is_not_said_again(
    client: ApiClient, server: WireServer, beside: dict[str, object], thought: dict[str, str]
) -> None:
    """As MiniMax ends a stream; the reasons and the usage stand there alone."""
    message = {"role": "assistant", "content": "Hello", **thought}
    choice = {"index": 0, "finish_reason": "stop", "message": message, **beside}
    counted = {"prompt_tokens": 3, "completion_tokens": 2}
    deltas = (delta(**thought), text("Hel"), text("lo"))
    server.answer(*stream(*deltas, data({"choices": [choice], "usage": counted}), DONE))
    events = await ask(client)
    assert (thoughts(events), words(events)) == (thought.get("reasoning_content", ""), "Hello")
    assert events[-2:] == [Usage(prompt_tokens=3, completion_tokens=2), STOP]


async def test_messages_in_place_of_deltas_are_said(client: ApiClient, server: WireServer) -> None:
    messages = [data({"choices": [{"message": {"content": piece}}]}) for piece in ("Hel", "lo")]
    server.answer(*stream(*messages, finish(), DONE))
    assert words(await ask(client)) == "Hello"


@pytest.mark.parametrize(
    ("pieces", "whole_text"),
    [
        (["Hel", "Hello", "Hello, wor", "Hello, world", "Hello, world"], "Hello, world"),
        (["Hello, wo", "Hello, world"], "Hello, world"),
        (["1", "10"], "110"),
        (["1", "10", " is"], "110 is"),
        (["ha", "ha", "haha"], "hahahaha"),
        (["a", "ab", "abc", "and more"], "abcand more"),
        (["<think>", "<think>Hm", "<think>Hm</think>Yes", "<think>Hm</think>Yes!"], "Yes!"),
    ],
)
async def test_a_text_that_every_chunk_repeats_is_said_once(
    client: ApiClient, server: WireServer, pieces: list[str], whole_text: str
) -> None:
    server.answer(*stream(*map(text, pieces), finish(), DONE))
    assert words(await ask(client)) == whole_text


async def test_thoughts_that_every_chunk_repeats_are_told_once_and_before_the_answer(
    client: ApiClient, server: WireServer
) -> None:
    repeated = [delta(reasoning_content=each) for each in ("So", "So it", "So it is")]
    held_back = [delta(reasoning_content=each) for each in ("1", "10")]
    server.answer(*stream(*repeated, text("Yes"), finish(), DONE))
    events = await ask(client)
    assert (thoughts(events), words(events)) == ("So it is", "Yes")
    server.answer(*stream(*held_back, text("Yes"), finish(), DONE))
    events = await ask(client)
    assert (thoughts(events), words(events)) == ("110", "Yes")
    said = [type(event) for event in events if isinstance(event, ReasoningDelta | TextDelta)]
    assert said == sorted(said, key=lambda kind: kind is TextDelta)


async def test_a_model_whose_reasoning_has_no_beginning_is_known_after_its_first_answer(
    client: ApiClient, server: WireServer
) -> None:
    """vLLM without a parser for reasoning: the opening tag stands in the model's prompt."""
    said = [text("Hm"), text(".\n</th"), text("ink>\n\nYes"), text("!"), finish(), DONE]
    server.always = stream(*said)
    await ask(client)
    events = await ask(client)
    assert (thoughts(events), words(events)) == ("Hm.\n", "Yes!")
    server.always = stream(text("<think>Hm"), text("</think>"), text("Yes"), finish(), DONE)
    events = await ask(client)
    assert (thoughts(events), words(events)) == ("Hm", "Yes")


async def test_an_answer_without_the_reasoning_that_was_expected_is_told_as_one(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*stream(text("Hm.</think>"), text("Yes"), finish(), DONE))
    await ask(client)
    plain = stream(text("Hel"), text("lo"), finish(), DONE)
    server.answer(*plain)
    assert words(await ask(client)) == "Hello"
    server.answer(*plain)
    events = await ask(client)
    assert (thoughts(events), words(events)) == ("", "Hello")


async def test_reasoning_that_reached_a_limit_or_broke_off_is_no_answer(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*stream(text("Hm.</think>"), text("Yes"), finish(), DONE))
    await ask(client)
    server.answer(*stream(text("Hm"), text(" hm"), finish("length"), DONE))
    events = await ask(client)
    assert (thoughts(events), words(events)) == ("Hm hm", "")
    server.answer(*stream(text("Hm"), text(" hm")))
    seen, error = await ask_badly(client)
    assert (thoughts(seen), words(seen), error.kind) == ("Hm hm", "", ModelErrorKind.CUT)


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("What ends with </think>?", text("It ends with </think>.")),
        ("Hi", text("It is written <think>…</think>.")),
        ("Hi", delta(reasoning_content="Hm") + text("It ends with </think>.")),
    ],
)
async def test_an_answer_about_tags_teaches_nothing(
    client: ApiClient, server: WireServer, asked: str, first: bytes
) -> None:
    server.answer(*stream(first, finish(), DONE))
    await ask(client, question(asked))
    server.answer(*stream(text("Hel"), text("lo</think>"), finish(), DONE))
    assert words(await ask(client)) == "Hello</think>"
