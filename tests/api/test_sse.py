"""The decoder of server-sent events against everything that can be cut or mangled."""

from __future__ import annotations

import json
import time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.api.protocols.sse import ServerEvent, SseDecoder

JSON = st.dictionaries(st.text(max_size=8), st.text(max_size=20) | st.integers(), max_size=3)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[object]]:
    """A valid stream, in one of the many ways to write it, and the objects it holds."""
    newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    lines: list[str] = []
    objects = draw(st.lists(JSON, max_size=5))
    for each in objects:
        if draw(st.booleans()):
            lines.append(": PING")
        if draw(st.booleans()):
            lines.append("event: message")
        indent = draw(st.sampled_from([None, 1]))
        text = json.dumps(each, ensure_ascii=draw(st.booleans()), indent=indent)
        space = draw(st.sampled_from(["", " "]))
        lines += [f"data:{space}{line}" for line in text.split("\n")]
        lines.append("")
    body = "".join(line + newline for line in lines)
    bom = draw(st.sampled_from(["", "\ufeff"]))
    return (bom + body).encode(), list(objects)


def decode(body: bytes, cuts: list[int]) -> list[ServerEvent]:
    decoder = SseDecoder()
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    events = [event for a, b in pairwise(edges) for event in decoder.feed(body[a:b])]
    return events + decoder.end()


@given(streams(), st.lists(st.integers(0, 400), max_size=12))
def test_any_cut_of_any_valid_stream_gives_the_same_objects(
    stream: tuple[bytes, list[object]], cuts: list[int]
) -> None:
    body, objects = stream
    found = [json.loads(event.data) for event in decode(body, cuts)]
    assert found == objects


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=8))
def test_no_bytes_make_it_fail_and_no_cut_makes_a_difference(body: bytes, cuts: list[int]) -> None:
    assert decode(body, cuts) == decode(body, [])


@given(
    st.lists(st.sampled_from([b"data", b": ", b"\r", b"\n", b"{}", b"[DONE]", b"event", b"x"])),
    st.lists(st.integers(0, 60), max_size=8),
)
def test_no_cut_makes_a_difference_near_the_grammar(parts: list[bytes], cuts: list[int]) -> None:
    body = b"".join(parts)
    assert decode(body, cuts) == decode(body, [])


def test_a_name_belongs_to_its_event_alone() -> None:
    body = b"event: a\ndata: {}\n\ndata: {}\n\nevent: b\n\ndata: x\n\n"
    assert [event.name for event in decode(body, [])] == ["a", "", ""]


def seconds(size: int, step: int) -> float:
    """CPU time to decode one event of `size` bytes that comes in pieces of `step`."""
    body = b'data: {"x": "' + b"a" * size + b'"}\n\n'
    decoder = SseDecoder()
    began = time.process_time()
    events = [e for at in range(0, len(body), step) for e in decoder.feed(body[at : at + step])]
    took = time.process_time() - began
    assert len(events) == 1
    return took


def test_eight_mebibytes_in_one_event_and_single_bytes_take_linear_time() -> None:
    seconds(8 * 1024 * 1024, 16 * 1024)
    small = min(seconds(64 * 1024, 1) for _ in range(3))
    assert seconds(1024 * 1024, 1) < 16 * small * 4  # quadratic would be 16 times that
