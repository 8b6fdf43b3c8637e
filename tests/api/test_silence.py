"""Servers that take requests and say nothing: whether they are dead, or their models think."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing

import pytest

from bot.api import silence
from bot.api.endpoints import FIRST_REST, SILENCE, Endpoints
from bot.api.silence import QUIET, SECONDS
from bot.core.chat import TextDelta
from bot.core.fakes.clock import ManualClock
from bot.core.images import ImageRequest
from bot.core.recordings import AudioClip, TranscriptionRequest
from bot.errors import ModelError, ModelErrorKind
from tests.api.asking import ask, ask_badly, question, words
from tests.api.conftest import Connect
from tests.api.wire_server import (
    HELLO,
    Hang,
    Reset,
    Script,
    Step,
    Wait,
    WireServer,
    chunk,
    head,
    json_answer,
    refusal,
    text,
)
from tests.loop_time import LoopTime
from tests.patience import until

Kind = ModelErrorKind
MODELS = json_answer({"object": "list", "data": []})
CHAT, SIGN = "/v1/chat/completions", "/v1/models"


async def arrived(server: WireServer, path: str) -> None:
    """The next request is there, and is for this path."""
    assert (await server.arrivals.get()).path == path


async def falls_silent(server: WireServer, time: LoopTime, chats: int = 1) -> None:
    """So many chats ask a server, and it does not even tell which models it has."""
    for _ in range(chats):
        await arrived(server, CHAT)
    time.passes(QUIET)
    await arrived(server, SIGN)
    time.passes(SECONDS)


async def test_a_dead_server_is_left_for_the_backup_long_before_a_model_could_not_think_any_more(
    connect: Connect,
    server: WireServer,
    backup: WireServer,
    time: LoopTime,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.always, backup.always = [Hang()], HELLO
    client = connect(base_urls=(server.url, backup.url))
    asking = asyncio.create_task(ask(client))
    await falls_silent(server, time)
    assert words(await asking) == "Hello"
    assert [each.path for each in backup.requests] == [CHAT]  # once
    (line,) = (each.__dict__ for each in caplog.records if each.levelno >= logging.WARNING)
    assert (line["endpoint"], line["why"]) == (server.url, "no answer in 8 s")
    assert [one.silent for one in client.endpoints()] == [True, False]


async def test_hundreds_that_wait_have_it_asked_once_and_all_go_on(
    connect: Connect, server: WireServer, backup: WireServer, time: LoopTime
) -> None:
    server.always, backup.always = [Hang()], HELLO
    client = connect(base_urls=(server.url, backup.url), max_in_flight=300)
    asking = [asyncio.create_task(ask(client, question(lane=str(n)))) for n in range(200)]
    await falls_silent(server, time, chats=200)
    assert [words(events) for events in await asyncio.gather(*asking)] == ["Hello"] * 200
    assert len(backup.requests) == 200
    assert len(server.requests) == 201
    assert words(await ask(client)) == "Hello"  # who comes later does not wait for it at all
    assert len(server.requests) == 201


@pytest.mark.parametrize("sign", [MODELS, refusal(401), refusal(404), refusal(503)])
async def test_a_model_that_thinks_for_minutes_is_not_left(
    connect: Connect,
    server: WireServer,
    backup: WireServer,
    monkeypatch: pytest.MonkeyPatch,
    sign: Script,
) -> None:
    monkeypatch.setattr(silence, "QUIET", 0.02)
    thought = asyncio.Event()
    server.at = {CHAT: [Wait(thought), *HELLO], SIGN: sign}
    backup.always = HELLO
    asking = asyncio.create_task(ask(connect(base_urls=(server.url, backup.url))))
    for _ in range(10):
        await server.arrivals.get()
    thought.set()
    assert words(await asking) == "Hello"
    assert not backup.requests


@pytest.mark.parametrize("step", [Reset(), Hang()])
async def test_whatever_way_no_sign_of_life_comes_it_is_dead(
    connect: Connect, server: WireServer, backup: WireServer, time: LoopTime, step: Step
) -> None:
    server.answer(Hang())
    server.always, backup.always = [step], HELLO
    asking = asyncio.create_task(ask(connect(base_urls=(server.url, backup.url))))
    await falls_silent(server, time)
    assert words(await asking) == "Hello"


async def test_a_server_that_gives_something_to_anybody_is_not_asked(
    connect: Connect, server: WireServer, backup: WireServer, time: LoopTime
) -> None:
    going_on, backup.always = asyncio.Event(), HELLO
    server.answer(head(), chunk(text("Hel")), Wait(going_on), chunk(text("lo")), Hang())
    server.always = [Hang()]
    client = connect(base_urls=(server.url, backup.url))
    async with aclosing(client.stream(question())) as other:
        assert await anext(other) == TextDelta("Hel")
        asking = asyncio.create_task(ask(client))
        for _ in range(2):
            await arrived(server, CHAT)
        time.passes(QUIET - 1)
        going_on.set()
        assert await anext(other) == TextDelta("lo")
        time.passes(QUIET - 1)
        await asyncio.sleep(0)
        time.passes(1)
        await arrived(server, SIGN)  # only now
        time.passes(SECONDS)
        assert words(await asking) == "Hello"
    assert [each.path for each in server.requests] == [CHAT, CHAT, SIGN]


async def test_a_stream_that_was_only_opened_is_watched_too(
    connect: Connect, server: WireServer, backup: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "QUIET", 0.02)
    monkeypatch.setattr(silence, "SECONDS", 0.02)
    server.at = {CHAT: [head(), chunk(b": PING\n\n"), Hang()], SIGN: [Hang()]}
    backup.always = HELLO
    assert words(await ask(connect(base_urls=(server.url, backup.url)))) == "Hello"


async def test_a_recording_goes_on_to_the_backup_as_well(
    connect: Connect, server: WireServer, backup: WireServer, time: LoopTime
) -> None:
    server.always, backup.always = [Hang()], json_answer({"text": "Hello"})
    clip = AudioClip(name="a.ogg", mime="audio/ogg", data=b"OggS")
    client = connect(base_urls=(server.url, backup.url))
    request = TranscriptionRequest(model="ears", clip=clip)
    hearing = asyncio.create_task(client.transcribe(request))
    await arrived(server, "/v1/audio/transcriptions")
    time.passes(QUIET)
    await arrived(server, SIGN)
    time.passes(SECONDS)
    assert (await hearing).text == "Hello"


async def test_a_picture_that_is_paid_in_any_case_is_not_asked_for_twice(
    connect: Connect, server: WireServer, backup: WireServer, time: LoopTime
) -> None:
    server.always, backup.always = [Hang()], HELLO
    client = connect(base_urls=(server.url, backup.url), image_timeout=60)
    order = ImageRequest(model="painter", prompt="a cat")
    drawing = asyncio.create_task(client.draw(order))
    await arrived(server, "/v1/images/generations")
    time.passes(QUIET)
    await arrived(server, SIGN)
    time.passes(SECONDS)
    assert words(await ask(client)) == "Hello"  # others are spared
    time.passes(60)
    with pytest.raises(ModelError) as caught:
        await drawing
    assert caught.value.kind is Kind.TIMEOUT
    assert [each.path for each in backup.requests] == [CHAT]


async def test_without_another_server_it_is_told_and_waited_for(
    connect: Connect, server: WireServer, time: LoopTime
) -> None:
    thought, told = asyncio.Event(), asyncio.Event()
    server.answer(Wait(thought), *HELLO)
    server.always = [Hang()]
    asking = asyncio.create_task(ask(connect(), unheard=told.set))
    await falls_silent(server, time)
    await told.wait()
    thought.set()
    assert words(await asking) == "Hello"


async def test_where_both_are_dead_that_is_told_and_in_the_end_the_failure(
    connect: Connect, server: WireServer, backup: WireServer, time: LoopTime
) -> None:
    server.always = backup.always = [Hang()]
    told = asyncio.Event()
    client = connect(base_urls=(server.url, backup.url))
    asking = asyncio.create_task(ask_badly(client, unheard=told.set))
    await falls_silent(server, time)
    assert not told.is_set()
    await falls_silent(backup, time)
    await told.wait()
    time.passes(300)
    _, error = await asking
    assert error.kind is Kind.TIMEOUT


async def test_who_waits_for_a_dead_one_goes_to_the_first_that_is_back(
    connect: Connect, server: WireServer, backup: WireServer, time: LoopTime
) -> None:
    server.always = backup.always = [Hang()]
    asking = asyncio.create_task(ask(connect(base_urls=(server.url, backup.url))))
    await falls_silent(server, time)
    await falls_silent(backup, time)
    server.answer(*MODELS)
    server.always = HELLO
    time.passes(2 * FIRST_REST)
    assert words(await asking) == "Hello"
    assert [each.path for each in server.requests][-2:] == [SIGN, CHAT]
    assert [each.path for each in backup.requests if each.path == CHAT] == [CHAT]


async def test_a_dead_server_is_back_as_soon_as_it_gives_a_sign_and_nobody_waited_to_find_out(
    connect: Connect, server: WireServer, backup: WireServer, time: LoopTime
) -> None:
    server.always, backup.always = [Hang()], HELLO
    client = connect(base_urls=(server.url, backup.url))
    asking = asyncio.create_task(ask(client))
    await falls_silent(server, time)
    await asking
    for rest in (FIRST_REST, 2 * FIRST_REST, 4 * FIRST_REST):
        time.passes(rest)
        await arrived(server, SIGN)
        time.passes(SECONDS)
        assert words(await ask(client)) == "Hello"
    assert len(backup.requests) == 4
    server.answer(*MODELS)
    server.always = HELLO
    time.passes(8 * FIRST_REST)
    while client.endpoints()[0].resting:  # noqa: ASYNC110  # in which no time passes
        await asyncio.sleep(0)
    assert words(await ask(client)) == "Hello"
    assert len(backup.requests) == 4


async def test_a_server_without_time_for_signs_is_tried_all_the_same_once_in_a_while() -> None:
    clock = ManualClock()
    endpoints = Endpoints(("a", "b"), clock)
    busy = endpoints.choose()
    endpoints.fell_silent(busy, "no answer")
    for _ in range(9):
        await clock.advance(SILENCE / 9 - 1)
        endpoints.fell_silent(busy, "no answer")
        assert endpoints.choose().url == "b"
    await clock.advance(9)
    assert [endpoints.choose().url for _ in range(3)] == ["a", "b", "b"]
    endpoints.fell_silent(busy, "no answer")
    assert endpoints.choose().url == "b"
    await clock.advance(SILENCE)
    assert endpoints.choose() is busy
    endpoints.succeeded(busy)
    assert endpoints.choose() is busy and not endpoints.health()[0].silent


async def test_where_nothing_is_tried_twice_nothing_is_left(
    connect: Connect, server: WireServer, backup: WireServer, time: LoopTime
) -> None:
    thought = asyncio.Event()
    server.answer(Wait(thought), *HELLO)
    server.always = [Hang()]
    told = asyncio.Event()
    client = connect(base_urls=(server.url, backup.url), retries=0)
    asking = asyncio.create_task(ask(client, unheard=told.set))
    await falls_silent(server, time)
    await told.wait()
    thought.set()
    assert words(await asking) == "Hello"


async def test_a_handshake_that_hangs_is_waited_for_once(
    connect: Connect, server: WireServer, backup: WireServer
) -> None:
    """TLS: the server hears no request, only half a hello."""
    backup.always = HELLO
    secret = server.url.replace("http:", "https:")
    client = connect(base_urls=(secret, backup.url), connect_timeout=0.2)
    assert words(await ask(client)) == "Hello"
    assert client.endpoints()[0].silent
    await until(lambda: server.connections == 2)  # it is asked for a sign of life
    assert words(await ask(client)) == "Hello"
    assert server.connections == 2
