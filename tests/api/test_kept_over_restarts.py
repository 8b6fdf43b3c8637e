"""What a server has refused once is known after a restart: for that server, and for some days."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot import api
from bot.api.client import ApiClient
from bot.api.settings import ApiSettings
from bot.core.chat import ChatMessage, ChatRequest, ImagePart, Role, Sampling, TextPart
from bot.core.facts import LIFE, Notebook
from bot.errors import ModelErrorKind
from bot.store import StorageSettings, open_store
from tests.api.asking import ask, ask_badly, question, words
from tests.api.conftest import EagerClock
from tests.api.wire_server import (
    DONE,
    HELLO,
    Script,
    WireServer,
    data,
    finish,
    json_answer,
    refusal,
    stream,
    text,
    usage,
)
from tests.watch import Watch

Start = Callable[..., AbstractAsyncContextManager[ApiClient]]
RESPONSE = stream(
    data({"type": "response.output_text.delta", "delta": "Hello"}),
    data({"type": "response.completed", "response": {"status": "completed"}}),
)
WHOLE = json_answer({"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]})
RENAMED = refusal(
    400,
    "Unsupported parameter: 'max_tokens' is not supported with this model. "
    "Use 'max_completion_tokens' instead.",
    param="max_tokens",
)
TOO_LONG = refusal(
    400,
    "This model's maximum context length is 4096 tokens. However, your messages resulted in 5000 "
    "tokens.",
    code="context_length_exceeded",
)


class EagerWatch(Watch, EagerClock):
    """One that waits for nothing, and goes on while nobody looks."""


@pytest.fixture
def clock() -> Watch:
    return EagerWatch()


@pytest.fixture
def start(tmp_path: Path, sqlite_template: Path, server: WireServer, clock: Watch) -> Start:
    """Makes a client as a bot does at its start; at the end it is as after its farewell."""
    file = tmp_path / "kept.db"
    shutil.copy(sqlite_template, file)

    @asynccontextmanager
    async def starting(*urls: str) -> AsyncGenerator[ApiClient]:
        settings = ApiSettings(
            base_urls=urls or (server.url,), key=SecretStr("k-123"), list_prices=False
        )
        async with open_store(StorageSettings(url=f"sqlite:///{file}")) as stores:
            notebook = Notebook(stores.facts, clock)
            await notebook.open()
            client = api.connect(settings, clock=clock, notebook=notebook)
            try:
                yield client
            finally:
                await client.close()
                await notebook.close()

    return starting


def talk() -> ChatRequest:
    """A question with everything that a server may not take."""
    said = [(Role.SYSTEM, "Be kind."), (Role.USER, "My secret"), (Role.USER, "is out.")]
    messages = tuple(ChatMessage(role=role, parts=(TextPart(words),)) for role, words in said)
    return ChatRequest(
        model="m", messages=messages, sampling=Sampling(max_tokens=100, temperature=0.5)
    )


def rows(folder: Path) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(folder / "kept.db")) as database:
        return database.execute("SELECT * FROM model_facts ORDER BY model, name").fetchall()


REFUSALS: list[tuple[Script, Script]] = [
    (RENAMED, HELLO),
    (refusal(400, "temperature is not supported", param="temperature"), HELLO),
    (refusal(400, "stream_options: Extra inputs are not permitted"), HELLO),
    (refusal(400, "Streaming is not supported for this model", param="stream"), WHOLE),
    (refusal(404, "This model is only supported in v1/responses"), RESPONSE),
    (refusal(400, "Conversation roles must alternate user/assistant/user/assistant"), HELLO),
    (refusal(400, "System role not supported"), HELLO),
]


@pytest.mark.parametrize(("refused", "answered"), REFUSALS)
async def test_a_refused_request_is_not_made_again(
    start: Start, server: WireServer, tmp_path: Path, refused: Script, answered: Script
) -> None:
    for script in (refused, answered, answered):
        server.answer(*script)
    async with start() as client:
        assert words(await ask(client, talk())) == "Hello"
    async with start() as client:
        assert words(await ask(client, talk())) == "Hello"
    assert len(server.requests) == 3
    before, after = server.requests[1:]
    assert (before.path, before.body) == (after.path, after.body)
    kept = str(rows(tmp_path))
    assert "secret" not in kept and "k-123" not in kept and server.url in kept


async def test_a_gateway_that_never_ends_its_streams_is_asked_for_whole_answers(
    start: Start, server: WireServer, clock: Watch
) -> None:
    async with start() as client:
        for _ in range(3):
            server.answer(*stream(text("Hello")))
            _, error = await ask_badly(client)
            assert error.kind is ModelErrorKind.CUT
    server.answer(*WHOLE)
    async with start() as client:
        assert words(await ask(client)) == "Hello"
        assert server.requests[-1].json["stream"] is False
        clock.ahead += LIFE  # is it mended?
        server.answer(*stream(text("Hello")))
        await ask_badly(client)
        server.answer(*WHOLE)
        await ask(client)
        assert [request.json["stream"] for request in server.requests[-2:]] == [True, False]


async def test_windows_pictures_and_words_are_known(start: Start, server: WireServer) -> None:
    picture = ChatMessage(role=Role.USER, parts=(ImagePart("image/png", b"\x89PNG"),))
    listed = "Invalid size. Supported values are: '512x512' and 'auto'."
    async with start() as client:
        server.answer(*TOO_LONG)
        await ask_badly(client)
        server.answer(*refusal(400, "At most 1 image(s) may be provided in one request."))
        await ask_badly(client, ChatRequest(model="m", messages=(picture, picture)))
        server.answer(*refusal(400, "image input is not supported"))
        await ask_badly(client, ChatRequest(model="blind", messages=(picture,)))
        server.answer(*refusal(400, listed, param="size"))
        await ask_badly(client, question(model="painter"))
    async with start() as client:
        known = await client.about("m")
        assert (known.context_window, known.pictures, known.vision) == (4096, 1, None)
        assert (await client.about("blind")).vision is False
        assert (await client.about("painter")).sizes == ("512x512", "auto")


async def test_another_server_is_asked_as_if_nothing_was_known(
    start: Start, server: WireServer, backup: WireServer
) -> None:
    server.answer(*RENAMED)
    server.answer(*HELLO)
    server.always, backup.always = refusal(500), HELLO
    async with start(server.url, backup.url) as client:
        await ask(client, talk())
        await ask(client, talk())
        assert "max_completion_tokens" in server.requests[-1].json
        assert backup.requests[-1].json["max_tokens"] == 100
    async with start(backup.url) as client:  # another base URL is configured
        await ask(client, talk())
        assert len(backup.requests) == 2 and backup.requests[-1].json["max_tokens"] == 100


async def test_the_window_of_the_backup_holds_while_it_answers(
    start: Start, server: WireServer, backup: WireServer
) -> None:
    async with start(server.url, backup.url) as client:
        server.always = refusal(500)
        backup.answer(*TOO_LONG)
        await ask_badly(client)
        assert (await client.about("m")).context_window == 4096
        server.always = HELLO
        await ask(client)
        assert (await client.about("m")).context_window is None


async def test_a_server_that_was_mended_is_found_out_after_some_days(
    start: Start, server: WireServer, clock: Watch, tmp_path: Path
) -> None:
    for script in (RENAMED, HELLO, HELLO, HELLO, RENAMED, HELLO, HELLO, HELLO, HELLO):
        server.answer(*script)
    async with start() as client:
        await ask(client, talk())
        clock.ahead += LIFE - 60
        await ask(client, talk())
        assert "max_tokens" not in server.requests[-1].json
        clock.ahead += 60
        await ask(client, talk())
        assert "max_tokens" in server.requests[-1].json
    assert not rows(tmp_path)
    async with start() as client:
        await ask(client, talk())
    is_told = []
    for days, later in ((6, 0), (8, 0), (6, 2)):
        with closing(sqlite3.connect(tmp_path / "kept.db")) as database, database:
            past = f"strftime('%Y-%m-%d %H:%M:%f', 'now', '-{days} days')"
            database.execute(f"UPDATE model_facts SET learnt_at = {past}")
        async with start() as client:
            clock.ahead += later * 86_400
            await ask(client, talk())
        is_told.append("max_tokens" in server.requests[-1].json)
    assert is_told == [False, True, True]


async def test_what_a_refusal_contradicts_is_forgotten_and_it_is_asked_at_once(
    start: Start, server: WireServer
) -> None:
    for script in (
        *(refusal(404, "This model is only supported in v1/responses"), RESPONSE),
        *(refusal(404, "Not Found"), HELLO, HELLO),
    ):
        server.answer(*script)
    for _ in range(3):  # with another server behind the same address from the second on
        async with start() as client:
            await ask(client, talk())
    paths = [request.path for request in server.requests]
    chat, responses = "/v1/chat/completions", "/v1/responses"
    assert paths == [chat, responses, responses, chat, chat]


async def test_a_server_that_knows_no_new_names_is_told_the_old_ones(
    start: Start, server: WireServer
) -> None:
    unknown = refusal(400, "max_completion_tokens: Extra inputs are not permitted")
    for script in (RENAMED, HELLO, unknown, HELLO, HELLO):
        server.answer(*script)
    async with start() as client:
        for _ in range(3):
            assert words(await ask(client, talk())) == "Hello"
    assert [request.json.get("max_tokens") for request in server.requests[2:]] == [None, 100, 100]


async def test_what_somebody_asks_wrongly_makes_forget_once(
    start: Start, server: WireServer
) -> None:
    for script in (RENAMED, HELLO):
        server.answer(*script)
    async with start() as client:
        await ask(client, talk())
    wrong = refusal(400, "temperature must be at most 1")
    for script in (wrong, RENAMED, wrong, wrong, HELLO):
        server.answer(*script)
    async with start() as client:
        for _ in range(2):
            _, error = await ask_badly(client, talk())
            assert error.detail == "temperature must be at most 1"
        await ask(client, talk())
    assert len(server.requests) == 7 and "max_tokens" not in server.requests[-1].json


async def test_a_window_is_larger_than_told_when_more_was_answered(
    start: Start, server: WireServer
) -> None:
    answer = stream(text("Hello"), finish(), usage(9000, 1), DONE)
    picture = ChatMessage(role=Role.USER, parts=(ImagePart("image/png", b"\x89PNG"),))
    two = ChatRequest(model="m", messages=(picture, picture))
    async with start() as client:
        server.answer(*TOO_LONG)
        await ask_badly(client)
        server.answer(*refusal(400, "At most 1 image(s) may be provided in one request."))
        await ask_badly(client, two)
    async with start() as client:
        server.answer(*answer)
        await ask(client, two)
        known = await client.about("m")
        assert (known.context_window, known.pictures) == (None, None)
    async with start() as client:
        known = await client.about("m")
        assert (known.context_window, known.pictures) == (None, None)
