"""Deadlines, and what happens upstream when somebody stops."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from bot.api import streaming
from bot.api.client import ApiClient
from bot.core.chat import TextDelta
from bot.core.images import ImageRequest
from bot.core.recordings import AudioClip, TranscriptionRequest
from bot.errors import ModelError, ModelErrorKind
from tests.api.asking import ask, ask_badly, is_finished, question, words
from tests.api.conftest import Connect
from tests.api.wire_server import (
    DONE,
    END,
    HELLO,
    Hang,
    Wait,
    WireServer,
    chunk,
    finish,
    head,
    text,
)
from tests.loop_time import LoopTime
from tests.patience import PATIENCE, until

Kind = ModelErrorKind
SOON = 0.3
TCP = Path("/proc/net/tcp")


def timers(port: int) -> list[str]:
    """Which timers of the system run for connections to a port (Linux, proc_net_tcp.rst)."""
    rows = (line.split() for line in TCP.read_text().splitlines()[1:])
    names = {"00": "none", "01": "retransmit", "02": "keepalive"}
    return [names.get(row[5][:2], "") for row in rows if row[2].endswith(f":{port:04X}")]


async def test_a_server_that_says_nothing_is_left_for_the_backup(
    connect: Connect, server: WireServer, backup: WireServer, time: LoopTime
) -> None:
    server.answer(Hang())
    backup.always = HELLO
    client = connect(base_urls=(server.url, backup.url), first_event_timeout=15)
    asking = asyncio.create_task(ask(client))
    await server.arrivals.get()
    time.passes(15)
    await server.gone.wait()
    assert words(await asking) == "Hello"


async def test_an_answer_that_stands_still_is_a_cut(connect: Connect, server: WireServer) -> None:
    server.answer(head(), chunk(text("Hel")), chunk(b": PING\n\n"), Hang())
    events, error = await ask_badly(connect(idle_timeout=SOON))
    assert (words(events), error.kind) == ("Hel", Kind.CUT)
    await asyncio.wait_for(server.gone.wait(), PATIENCE)


async def test_an_answer_has_a_time_in_all(
    connect: Connect, server: WireServer, time: LoopTime
) -> None:
    server.answer(head(), chunk(text("Hel")), Hang())
    async with aclosing(connect(total_timeout=50).stream(question())) as events:
        assert await anext(events) == TextDelta("Hel")
        time.passes(50)
        with pytest.raises(ModelError) as caught:
            async for event in events:
                assert not isinstance(event, TextDelta)
    assert caught.value.kind is Kind.TIMEOUT


async def test_all_tries_together_have_that_time_too(
    connect: Connect, server: WireServer, time: LoopTime
) -> None:
    server.always = [Hang()]
    client = connect(total_timeout=25, first_event_timeout=15, retries=9)
    asking = asyncio.create_task(ask_badly(client))
    for seconds in (15, 10):
        await server.arrivals.get()
        time.passes(seconds)
    _, error = await asking
    assert error.kind is Kind.TIMEOUT
    assert len(server.requests) == 2
    assert client.in_flight == 0


async def test_who_waits_too_long_for_a_turn_is_told_that_the_bot_is_busy(
    connect: Connect, server: WireServer
) -> None:
    server.answer(Hang())
    client = connect(total_timeout=SOON, max_in_flight=1)
    first = asyncio.create_task(client.draw(ImageRequest(model="painter", prompt="a cat")))
    await server.arrivals.get()
    _, error = await ask_badly(client)
    assert error.kind is Kind.BUSY
    first.cancel()
    await asyncio.wait({first})
    assert len(server.requests) == 1


async def test_closing_the_generator_closes_the_connection_at_once_and_frees_the_slot(
    client: ApiClient, server: WireServer, time: LoopTime
) -> None:
    server.answer(head(), chunk(text("Hel")), Hang())
    async with aclosing(client.stream(question())) as events:
        assert await anext(events) == TextDelta("Hel")
        assert client.in_flight == 1
    assert client.in_flight == 0
    await server.gone.wait()  # no time passes


async def test_cancelling_while_waiting_for_the_first_event_closes_the_connection(
    client: ApiClient, server: WireServer, time: LoopTime
) -> None:
    server.answer(head(), chunk(b": PING\n\n"), Hang())
    asking = asyncio.create_task(ask(client))
    await server.arrivals.get()
    asking.cancel()
    await asyncio.wait({asking})
    assert asking.cancelled()
    assert client.in_flight == 0
    await server.gone.wait()  # no time passes


@pytest.mark.parametrize("kind", ["picture", "recording", "embedding"])
async def test_cancelling_anything_else_closes_its_connection_too(
    client: ApiClient, server: WireServer, time: LoopTime, kind: str
) -> None:
    server.answer(Hang())
    clip = AudioClip(name="a.ogg", mime="audio/ogg", data=b"OggS")
    works = {
        "picture": client.draw(ImageRequest(model="painter", prompt="a cat")),
        "recording": client.transcribe(TranscriptionRequest(model="ears", clip=clip)),
        "embedding": client.embed("e", ("a",)),
    }
    asking = asyncio.ensure_future(works.pop(kind))
    for other in works.values():
        other.close()
    await server.arrivals.get()
    asking.cancel()
    await asyncio.wait({asking})
    await server.gone.wait()  # no time passes
    assert client.in_flight == 0


async def test_a_connection_is_used_again_after_a_whole_answer(
    client: ApiClient, server: WireServer
) -> None:
    server.always = HELLO
    for _ in range(3):
        await ask(client)
    assert server.connections == 1


@pytest.mark.skipif(not TCP.exists(), reason="only Linux tells of its timers")
async def test_a_connection_is_kept_known_on_its_way_while_a_model_thinks(
    client: ApiClient, server: WireServer
) -> None:
    """What is silent for a minute or five is forgotten by routers, and the answer lost."""
    thought = asyncio.Event()
    server.answer(Wait(thought), *HELLO)
    asking = asyncio.create_task(ask(client))
    await until(lambda: "keepalive" in timers(server.port))
    thought.set()
    assert words(await asking) == "Hello"


async def test_what_follows_done_is_not_waited_for(
    client: ApiClient, server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "GRACE", 10 * PATIENCE)
    server.answer(head(), chunk(text("Hello") + finish() + DONE), Hang())
    assert is_finished(await ask(client))
    await asyncio.wait_for(server.gone.wait(), PATIENCE)


async def test_requests_in_flight_are_bounded_on_the_wire(
    connect: Connect, server: WireServer
) -> None:
    client = connect(max_in_flight=2)
    go_on = asyncio.Event()
    server.always = [head(), chunk(text("Hello")), Wait(go_on), chunk(finish() + DONE), END]
    asking = [asyncio.create_task(ask(client, question(lane=str(n)))) for n in range(6)]
    for _ in range(2):
        await server.arrivals.get()
    go_on.set()
    await asyncio.gather(*asking)
    assert server.most_open == 2


async def test_a_picture_that_waits_for_its_turn_has_not_been_sent(
    connect: Connect, server: WireServer
) -> None:
    client = connect(max_in_flight=1)
    server.always = [Hang()]
    sent: list[str] = []

    async def draw(prompt: str) -> None:
        order = ImageRequest(model="painter", prompt=prompt)
        await client.draw(order, sent=lambda: sent.append(prompt))

    drawing = asyncio.create_task(draw("a cat"))
    await server.arrivals.get()
    waiting = asyncio.create_task(draw("a dog"))
    done, _ = await asyncio.wait({waiting}, timeout=0.05)
    assert (done, sent) == (set(), ["a cat"])
    for task in (drawing, waiting):
        task.cancel()
    await asyncio.wait({drawing, waiting})


async def test_a_flood_in_one_chat_lets_the_others_through(
    connect: Connect, server: WireServer
) -> None:
    client = connect(max_in_flight=1)
    server.always = HELLO
    lanes = ["flood"] * 5 + ["quiet"]
    await asyncio.gather(*(ask(client, question(lane, lane=lane)) for lane in lanes))
    asked = [request.json["messages"][0]["content"] for request in server.requests]
    assert asked.index("quiet") <= 2
