"""What a wrong address, key, proxy or network looks like: one clear error each."""

from __future__ import annotations

import base64
import socket

import pytest
from pydantic import SecretStr

from bot.core.images import ImageRequest
from bot.errors import ModelError, ModelErrorKind
from tests.api.asking import ask, ask_badly, words
from tests.api.conftest import Connect
from tests.api.wire_server import HELLO, WireServer, json_answer, refusal, whole

Kind = ModelErrorKind
PNG = b"\x89PNG\r\n\x1a\n"
NOBODY = "http://127.0.0.1:1/v1"


async def test_everything_goes_through_the_proxy(connect: Connect, server: WireServer) -> None:
    proxy = f"http://ann:secret@127.0.0.1:{server.port}"
    client = connect(base_urls=(NOBODY,), proxy=SecretStr(proxy))
    server.always = HELLO
    assert words(await ask(client)) == "Hello"
    (seen,) = server.requests
    assert seen.path == f"{NOBODY}/chat/completions"
    password = base64.b64encode(b"ann:secret").decode()
    assert seen.headers["proxy-authorization"] == f"Basic {password}"


async def test_a_picture_at_a_url_comes_through_the_proxy_too(
    connect: Connect, server: WireServer
) -> None:
    client = connect(base_urls=(NOBODY,), proxy=SecretStr(f"http://127.0.0.1:{server.port}"))
    picture = "http://pictures.example/cat.png"
    server.answer(*json_answer({"data": [{"url": picture}]}))
    server.answer(*whole(PNG))
    drawing = await client.draw(ImageRequest(model="painter", prompt="a cat"))
    assert drawing.pictures[0].data == PNG
    assert server.requests[1].path == picture
    assert "authorization" not in server.requests[1].headers


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost.", "intranet", "metadata.google.internal", "0x7f.1", "wiki.x"]
)
async def test_no_picture_is_fetched_from_the_proxys_own_network(
    connect: Connect, server: WireServer, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    look_up = socket.getaddrinfo

    def as_in_a_company(name: str, *more: int, **options: int) -> object:
        return look_up("10.0.0.7" if name == "wiki.x" else name, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", as_in_a_company)
    client = connect(base_urls=(NOBODY,), proxy=SecretStr(f"http://127.0.0.1:{server.port}"))
    server.answer(*json_answer({"data": [{"url": f"http://{host}/delete?all"}]}))
    server.always = whole(PNG)
    with pytest.raises(ModelError, match="private address"):
        await client.draw(ImageRequest(model="painter", prompt="a cat"))
    assert len(server.requests) == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_refuses_is_named(
    connect: Connect, server: WireServer, scheme: str
) -> None:
    server.always = whole(b"", 407)
    proxy = f"http://127.0.0.1:{server.port}"
    address = f"{scheme}://127.0.0.1:1/v1"
    client = connect(base_urls=(address,), proxy=SecretStr(proxy))
    _, error = await ask_badly(client)
    assert (error.kind, error.detail) == (Kind.UNREACHABLE, "the proxy refuses (status 407)")
    assert len(server.requests) == 1


async def test_a_proxy_that_is_not_there_is_named(connect: Connect) -> None:
    client = connect(proxy=SecretStr("http://127.0.0.1:1"), retries=0)
    _, error = await ask_badly(client)
    assert (error.kind, error.detail) == (Kind.UNREACHABLE, "the proxy cannot be reached")


async def test_a_host_with_a_typo_is_unknown(connect: Connect) -> None:
    client = connect(base_urls=("https://api.apiyi.invalid/v1",), retries=0)
    _, error = await ask_badly(client)
    assert (error.kind, error.detail) == (Kind.UNREACHABLE, "the host is unknown")


async def test_tls_at_a_port_that_does_not_speak_it(connect: Connect, server: WireServer) -> None:
    address = server.url.replace("http:", "https:")
    client = connect(base_urls=(address,), retries=0, connect_timeout=0.3)
    _, error = await ask_badly(client)
    assert (error.kind, error.detail) == (Kind.UNREACHABLE, "no connection in time")


async def test_a_path_with_a_typo_says_what_to_look_at(
    connect: Connect, server: WireServer
) -> None:
    server.always = whole(b"404 page not found", 404, "text/plain")
    _, error = await ask_badly(connect(base_urls=(server.url.removesuffix("/v1"),)))
    assert error.kind is Kind.UNSUPPORTED
    assert "does the base URL end in /v1?" in error.detail
    assert len(server.requests) == 1


async def test_a_wrong_path_is_told_where_the_status_says_that_all_is_well(
    connect: Connect, server: WireServer
) -> None:
    server.always = json_answer({"error": "Unexpected endpoint or method. (POST /v1)"})  # LM Studio
    _, error = await ask_badly(connect())
    assert error.kind is Kind.UNSUPPORTED
    assert "does the base URL end in /v1?" in error.detail
    assert len(server.requests) == 1


async def test_a_redirect_is_not_followed_with_the_key(
    connect: Connect, server: WireServer
) -> None:
    server.always = whole(b"", 301, location="https://elsewhere.example/v1/chat/completions")
    _, error = await ask_badly(connect(retries=0))
    assert error.kind is Kind.BAD_ANSWER
    assert "elsewhere.example" in error.detail


async def test_a_wrong_key_is_one_clear_error(connect: Connect, server: WireServer) -> None:
    message = "Incorrect API key provided: sk-abcdefgh1234."
    server.always = refusal(401, message, code="invalid_api_key")
    _, error = await ask_badly(connect())
    assert error.kind is Kind.BAD_KEY
    assert "abcdefgh" not in error.detail
    assert len(server.requests) == 1
