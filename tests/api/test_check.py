"""What `bot check` says about the API."""

from __future__ import annotations

from pydantic import SecretStr

from bot.api import ApiSettings, check
from bot.core.types import Finding
from tests.api.wire_server import WireServer, json_answer, refusal, whole

LIST = json_answer({"data": [{"id": "chat-large"}, {"id": "chat-small"}, {"id": "ears"}]})


async def found(server: WireServer, **settings: str) -> list[Finding]:
    url = settings.pop("url", server.url)
    values = {"base_urls": (url,), "key": SecretStr("k"), **settings}
    return list(await check(ApiSettings.model_validate(values)))


async def test_all_is_well(server: WireServer) -> None:
    server.always = LIST
    lines = await found(server, model="chat-large", transcription_model="ears")
    assert [(line.ok, line.subject) for line in lines] == [
        (True, f"API {server.url}"),
        (True, "api.model"),
        (True, "api.transcription_model"),
    ]
    assert lines[0].text == "key accepted, 3 models"


async def test_a_model_that_is_not_listed_has_nearest_names(server: WireServer) -> None:
    server.always = LIST
    line = (await found(server, model="chat-larg"))[-1]
    assert not line.ok
    assert "chat-large" in line.fix


async def test_a_model_that_only_draws_is_none_for_chats(server: WireServer) -> None:
    server.always = json_answer({"data": [{"id": "chat-large"}, {"id": "gpt-image-1"}]})
    _, chats, pictures = await found(server, model="gpt-image-1", image_model="gpt-image-1")
    assert (chats.ok, chats.text) == (False, "gpt-image-1: cannot answer in words")
    assert chats.fix == "set api.model to a model for chats"
    assert (pictures.ok, pictures.text) == (True, "gpt-image-1")


async def test_a_wrong_key_says_where_to_set_it(server: WireServer) -> None:
    server.always = refusal(401, "Incorrect API key provided: sk-12345678")
    line = (await found(server, model="m"))[0]
    assert not line.ok
    assert "api.key" in line.fix
    assert "12345678" not in line.text


async def test_a_country_that_is_not_served_is_no_wrong_key(server: WireServer) -> None:
    server.always = refusal(403, "Country, region, or territory not supported")
    line = (await found(server, model="m"))[0]
    assert not line.ok
    assert line.text == "Country, region, or territory not supported"
    assert "api.proxy" in line.fix


async def test_a_url_without_v1_says_so(server: WireServer) -> None:
    server.always = whole(b"<!doctype html>", content_type="text/html")
    url = server.url.removesuffix("/v1")
    line = (await found(server, model="m", url=url))[0]
    assert f"try {server.url}" in line.fix


async def test_nobody_there(server: WireServer) -> None:
    line = (await found(server, model="m", url="http://127.0.0.1:1/v1"))[0]
    assert "refused" in line.text
    assert "api.proxy" in line.fix


async def test_no_key() -> None:
    (line,) = await check(ApiSettings())
    assert "BOT_API__KEY" in line.fix and "any word" in line.fix


async def test_a_server_at_home_that_asks_for_no_key(server: WireServer) -> None:
    server.always = LIST
    settings = ApiSettings(base_urls=(server.url,), model="chat-larg")
    api, model = await check(settings)
    assert (api.ok, api.text) == (True, "no key asked for, 3 models")
    assert (model.ok, model.fix) == (False, "the nearest are chat-large, chat-small")
    assert "authorization" not in server.requests[0].headers


async def test_a_server_at_home_that_asks_for_a_key(server: WireServer) -> None:
    server.always = refusal(401, "Authorization required")
    api, _ = await check(ApiSettings(base_urls=(server.url,), model="m"))
    assert not api.ok
    assert "BOT_API__KEY" in api.fix


async def test_no_model_names_one_to_set(server: WireServer) -> None:
    server.always = LIST
    line = (await found(server))[-1]
    assert "chat-large" in line.fix
