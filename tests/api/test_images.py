"""Quirks 19 to 23: pictures, and what they cost."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

import bot.api
from bot.api import chat_drawing, downloads, http
from bot.api.client import ApiClient
from bot.core.chat import ImageDelta, ImagePart
from bot.core.images import ImageRequest, VariationRequest
from bot.core.models import UsageKind
from bot.errors import ModelError, ModelErrorKind
from tests.api.asking import ask, of, question, words
from tests.api.conftest import Connect
from tests.api.wire_server import (
    DONE,
    END,
    HELLO,
    Hang,
    Reset,
    Script,
    Step,
    Wait,
    WireServer,
    chunk,
    delta,
    finish,
    head,
    json_answer,
    refusal,
    stream,
    text,
    usage,
    whole,
)
from tests.loop_time import LoopTime
from tests.patience import PATIENCE

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
    (picture,) = (await client.draw(CAT)).pictures
    assert (picture.mime, picture.data, picture.note) == ("image/png", PNG, "a fat cat")
    sent = server.requests[0].json
    assert sent == {"model": "painter", "prompt": "a cat", "size": "1024x1024", "style": "vivid"}


async def test_quirk_19_a_picture_at_a_url_is_fetched_without_the_key(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*json_answer({"data": [{"url": f"http://127.0.0.1:{server.port}/cat.png"}]}))
    server.answer(*whole(b"", 503))
    server.answer(*whole(PNG, content_type="application/octet-stream"))
    (picture,) = (await client.draw(CAT)).pictures
    assert (picture.mime, picture.data) == ("image/png", PNG)
    assert [request.path for request in server.requests[1:]] == ["/cat.png", "/cat.png"]
    assert all("authorization" not in request.headers for request in server.requests[1:])


async def test_a_picture_that_moderation_keeps_back_is_refused_not_unreadable(
    client: ApiClient, server: WireServer
) -> None:
    kept_back = {"url": "", "b64_json": None, "respect_moderation": False}  # xAI
    server.answer(*json_answer({"data": [kept_back]}))
    with pytest.raises(ModelError, check=of(ModelErrorKind.REFUSED)):
        await client.draw(CAT)


async def test_quirk_19_a_picture_of_which_only_the_path_is_told_is_fetched(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*json_answer({"data": [{"url": "/v1/images/r1/content?variant=0"}]}))  # SGLang
    server.answer(*whole(PNG, content_type="image/png"))
    (picture,) = (await client.draw(CAT)).pictures
    assert picture.data == PNG
    assert server.requests[1].path == "/v1/images/r1/content?variant=0"


async def test_quirk_19_a_picture_under_the_name_that_siliconflow_gives_it_is_taken(
    client: ApiClient, server: WireServer
) -> None:
    item = {"url": f"{server.url}/cat.png"}
    server.answer(*json_answer({"images": [item], "timings": {"inference": 1.5}, "seed": 7}))
    server.answer(*whole(PNG, content_type="image/png"))
    (picture,) = (await client.draw(CAT)).pictures
    assert picture.data == PNG


@pytest.mark.parametrize(
    "detail",
    [
        "response_format='url' requires cloud storage to be configured.",  # SGLang
        "response_format=url is not supported",
        "Only 'b64_json' response_format is supported. Got: url",
    ],
)
async def test_quirk_19_a_server_that_keeps_no_pictures_is_asked_for_their_bytes(
    client: ApiClient, server: WireServer, detail: str
) -> None:
    server.answer(*json_answer({"detail": detail}, 400))
    server.always = json_answer({"data": [{"b64_json": BASE64}]})
    for _ in range(2):
        assert len((await client.draw(CAT)).pictures) == 1
    told = [request.json.get("response_format") for request in server.requests]
    assert told == [None, "b64_json", "b64_json"]


async def test_quirk_19_a_refused_parameter_is_left_away(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*refusal(400, "Unknown parameter: 'style'.", code="unknown_parameter"))
    server.answer(*json_answer({"data": [{"b64_json": BASE64}]}))
    assert len((await client.draw(CAT)).pictures) == 1
    assert "style" not in server.requests[1].json


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/x.png",
        "http://localhost:1/x.png",
        "http://[::1]/",
        "file:///x",
        "//localhost:1/x.png",  # a path, by its looks
        "//10.0.0.1/x.png",
        "http://[::1",  # no address at all
        "http://pictures.example:99999/x.png",
    ],
)
async def test_a_picture_at_a_private_address_or_at_none_is_not_fetched(
    client: ApiClient, server: WireServer, url: str
) -> None:
    server.answer(*json_answer({"data": [{"url": url}]}))
    with pytest.raises(ModelError, check=of(Kind.BAD_ANSWER)):
        await client.draw(CAT)


@pytest.mark.parametrize(
    "host", ["①②⑦.⓪.⓪.①", "127。0。0。1", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"]
)
async def test_no_spelling_of_a_private_address_is_fetched(
    client: ApiClient, server: WireServer, backup: WireServer, host: str
) -> None:
    server.answer(*json_answer({"data": [{"url": f"http://{host}:{backup.port}/cat.png"}]}))
    backup.answer(*whole(PNG))
    with pytest.raises(ModelError, check=of(Kind.BAD_ANSWER)):
        await client.draw(CAT)
    assert not backup.requests


async def test_a_picture_that_leads_elsewhere_is_not_followed(
    client: ApiClient, server: WireServer, backup: WireServer
) -> None:
    server.answer(*json_answer({"data": [{"url": f"http://127.0.0.1:{server.port}/cat.png"}]}))
    there = f"Location: http://127.0.0.1:{backup.port}/secret.png"
    server.always = [f"HTTP/1.1 302 Found\r\n{there}\r\nContent-Length: 0\r\n\r\n".encode()]
    backup.always = whole(PNG)
    with pytest.raises(ModelError, check=of(Kind.BAD_ANSWER)):
        await client.draw(CAT)
    assert not backup.requests


async def test_of_a_picture_no_more_is_read_than_pictures_have(
    client: ApiClient, server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "LARGEST", 1_000)
    server.answer(*json_answer({"data": [{"url": f"http://127.0.0.1:{server.port}/cat.png"}]}))
    server.answer(*whole(PNG + bytes(5_000)))
    with pytest.raises(ModelError, match="too large"):
        await client.draw(CAT)


async def test_a_picture_whose_server_cannot_be_reached_is_not_waited_for_for_minutes(
    client: ApiClient, server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "CONNECT_SECONDS", 0.05)
    hangs = f"https://127.0.0.1:{server.port}/cat.png"  # it hears no request
    server.answer(*json_answer({"data": [{"url": hangs}]}))
    with pytest.raises(ModelError, match="cannot be fetched"):
        await client.draw(CAT)


async def test_what_is_no_picture_is_not_passed_on(client: ApiClient, server: WireServer) -> None:
    server.answer(*json_answer({"data": [{"url": f"http://127.0.0.1:{server.port}/cat.png"}]}))
    server.answer(*whole(b"<html>expired</html>"))
    with pytest.raises(ModelError, check=of(Kind.BAD_ANSWER)):
        await client.draw(CAT)


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
        (
            text("Here: "),
            delta(
                multi_mod_content=[  # AIHubMix
                    {"text": "Here: "},
                    {"inline_data": {"mime_type": "image/png", "data": BASE64}},
                ]
            ),
            text("\nNice!"),
        ),
        (
            delta(
                multi_mod_content=[  # as its documentation writes it, without other content
                    {"text": "Here: ", "inlineData": {}},
                    {"text": "", "inlineData": {"mimeType": "png", "data": BASE64}},
                ]
            ),
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


@pytest.mark.parametrize("said", [URI, BASE64, f"\n{URI}\n"])
async def test_quirk_20_a_picture_for_all_words_is_the_one_that_was_ordered(
    connect: Connect, server: WireServer, said: str
) -> None:
    server.answer(*stream(text(said), finish(), DONE))
    drawing = await connect(models={"painter": {"protocol": "chat"}}).draw(CAT)
    assert ([picture.data for picture in drawing.pictures], drawing.words) == ([PNG], "")


GIVEN = delta(images=[{"type": "image_url", "image_url": {"url": URI}}])


@pytest.mark.parametrize("end", [Hang(), Reset()])
async def test_quirk_21_a_picture_that_is_all_there_does_not_wait_for_the_end_of_its_body(
    client: ApiClient, server: WireServer, monkeypatch: pytest.MonkeyPatch, end: Step
) -> None:
    monkeypatch.setattr(http, "TAIL", 0.05)
    body = json.dumps({"data": [{"b64_json": BASE64}]}).encode() + b"\n"
    server.answer(head(200, "application/json"), chunk(body[:9]), chunk(body[9:]), end)
    assert [picture.data for picture in (await client.draw(CAT)).pictures] == [PNG]
    choice = {"message": {"content": "Hello"}, "finish_reason": "stop"}
    said = json.dumps({"choices": [choice]}).encode()
    server.answer(head(200, "application/json"), chunk(said), end)
    assert words(await ask(client)) == "Hello"


async def test_quirk_21_half_a_picture_is_waited_for(
    client: ApiClient, server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "TAIL", 0.05)
    body, go_on = json.dumps({"data": [{"b64_json": BASE64}]}).encode(), asyncio.Event()
    server.answer(
        head(200, "application/json"), chunk(body[:-2]), Wait(go_on), chunk(body[-2:]), END
    )
    asyncio.get_running_loop().call_later(0.4, go_on.set)
    assert [picture.data for picture in (await client.draw(CAT)).pictures] == [PNG]


@pytest.mark.parametrize("configured", [True, False])
async def test_quirk_20_an_image_model_that_draws_only_in_a_chat(
    connect: Connect, server: WireServer, configured: bool
) -> None:
    known = {"painter": {"protocol": "chat", "image_price": "0.04"}}
    client = connect(models=known if configured else {})
    if not configured:
        message = "not supported model for image generation, use /v1/chat/completions"
        server.answer(*refusal(400, message, code="invalid_request"))
    server.always = stream(text("Here!"), GIVEN, finish(), usage(9, 1290), DONE)
    drawing = await client.draw(replace(CAT, images=(ImagePart("image/png", PNG),)))
    assert [picture.data for picture in drawing.pictures] == [PNG]
    assert (drawing.usage.images, drawing.usage.completion_tokens) == (1, 1290)
    assert drawing.usage.cost == (Decimal("0.04") if configured else None)
    words, shown = server.requests[-1].json["messages"][0]["content"]
    assert words["text"] == "a cat\nSize: 1024x1024.\nStyle: vivid."
    assert shown["image_url"]["url"] == URI
    before = len(server.requests)
    assert len((await client.draw(replace(CAT, n=2))).pictures) == 2
    assert [r.path for r in server.requests[before:]] == ["/v1/chat/completions"] * 2


async def test_quirk_20_a_picture_that_a_drawing_model_only_links_to_is_fetched(
    connect: Connect, server: WireServer
) -> None:
    client = connect(models={"painter": {"protocol": "chat", "image_price": "0.03"}})
    link = f"![image](http://127.0.0.1:{server.port}/a.png)"
    choice = {"message": {"content": f"> 100 %\n\n{link}\n\n{link}"}, "finish_reason": "stop"}
    server.answer(*json_answer({"choices": [choice]}))
    server.answer(*whole(PNG))
    drawing = await client.draw(CAT)
    assert [picture.data for picture in drawing.pictures] == [PNG]
    assert (drawing.usage.images, drawing.usage.cost) == (1, Decimal("0.03"))
    assert "authorization" not in server.requests[-1].headers


async def test_a_model_that_links_to_picture_after_picture_does_not_fill_the_memory(
    connect: Connect, server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_drawing, "ROOM", 2 * len(PNG))
    client = connect(models={"painter": {"protocol": "chat"}})
    links = [f"![{n}](http://127.0.0.1:{server.port}/{n}.png)" for n in range(10)]
    for _ in range(10):
        server.answer(*stream(text(" ".join(links)), finish(), DONE))
    server.always = whole(PNG)
    drawing = await client.draw(replace(CAT, n=10))
    assert 2 <= len(drawing.pictures) <= 2 + chat_drawing.FETCHED_AT_ONCE


async def test_quirk_20_a_link_to_a_picture_that_cannot_be_had_is_told(
    connect: Connect, server: WireServer
) -> None:
    client = connect(models={"painter": {"protocol": "chat"}})
    server.answer(*stream(text("![image](http://10.0.0.1/a.png)"), finish(), DONE))
    drawing = await client.draw(CAT)
    assert (drawing.pictures, drawing.words) == ((), "![image](http://10.0.0.1/a.png)")


async def test_quirk_20_words_in_place_of_a_picture_are_told(
    connect: Connect, server: WireServer
) -> None:
    client = connect(models={"painter": {"protocol": "chat"}})
    server.answer(*stream(text("I only draw dogs."), finish(), usage(9, 7), DONE))
    drawing = await client.draw(CAT)
    assert (drawing.pictures, drawing.words) == ((), "I only draw dogs.")
    assert (drawing.usage.prompt_tokens, drawing.usage.completion_tokens) == (9, 7)


async def test_quirk_21_a_picture_drawn_in_a_chat_is_waited_for_like_any_picture(
    connect: Connect, server: WireServer
) -> None:
    client = connect(
        models={"painter": {"protocol": "chat"}},
        first_event_timeout=0.2,
        idle_timeout=0.2,
        image_timeout=PATIENCE,
    )
    begin, go_on = asyncio.Event(), asyncio.Event()
    said = (Wait(begin), chunk(text("Drawing…")), Wait(go_on), chunk(GIVEN), chunk(finish()), END)
    server.answer(head(200, "text/event-stream"), *said)
    for number, event in enumerate((begin, go_on), 1):
        asyncio.get_running_loop().call_later(0.4 * number, event.set)
    assert len((await client.draw(CAT)).pictures) == 1


@pytest.mark.parametrize("script", [refusal(500), [Reset()], stream(text("H"), DONE)])
async def test_quirk_21_a_picture_drawn_in_a_chat_is_not_asked_for_again_either(
    connect: Connect, server: WireServer, script: Script
) -> None:
    client = connect(models={"painter": {"protocol": "chat"}})
    server.always = script
    with pytest.raises(ModelError):
        await client.draw(CAT)
    assert len(server.requests) == 1


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
    connect: Connect, server: WireServer, time: LoopTime
) -> None:
    client = connect(image_timeout=40)
    server.answer(Hang())
    drawing = asyncio.create_task(client.draw(CAT))
    await server.arrivals.get()
    time.passes(40)
    with pytest.raises(ModelError, check=of(Kind.TIMEOUT)):
        await drawing
    await server.gone.wait()  # no more time passes


async def test_quirk_21_what_was_certainly_not_drawn_is_asked_for_again(
    connect: Connect, server: WireServer
) -> None:
    client = connect(base_urls=("http://127.0.0.1:1/v1", server.url))
    server.answer(*refusal(429, retry_after="1"))
    server.answer(*json_answer({"data": [{"b64_json": BASE64}]}))
    assert len((await client.draw(CAT)).pictures) == 1


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_quirk_22_a_missing_endpoint_is_said_plainly(
    client: ApiClient, server: WireServer, status: int
) -> None:
    server.always = refusal(status, "Invalid URL (POST /v1/images/variations)")
    with pytest.raises(ModelError, check=of(Kind.UNSUPPORTED)):
        await client.vary(VariationRequest(model="painter", image=ImagePart("image/png", PNG)))
    assert len(server.requests) == 1


def drawn(width: int = 4, height: int = 4, *, kind: str = "PNG", mode: str = "RGBA") -> ImagePart:
    """A small picture, transparent all over in a mode that can be."""
    content = BytesIO()
    Image.new(mode, (width, height)).save(content, kind)
    return ImagePart(f"image/{kind.lower()}", content.getvalue())


HAT = ImageRequest(model="painter", prompt="a hat", size="512x512", images=(drawn(),))


async def test_an_edit_sends_pictures_and_mask(client: ApiClient, server: WireServer) -> None:
    server.always = json_answer({"data": [{"b64_json": BASE64}]})
    assert len((await client.draw(replace(HAT, mask=drawn(), quality="high"))).pictures) == 1
    sent = server.requests[0]
    assert sent.path == "/v1/images/edits"
    assert sent.headers["content-type"].startswith("multipart/form-data")
    names = re.findall(rb'name="([\w\[\]]+)"', sent.body)
    assert sorted(names) == [b"image", b"mask", b"model", b"prompt", b"quality", b"size"]
    await client.draw(replace(HAT, images=(drawn(), drawn(kind="JPEG", mode="RGB"))))
    assert server.requests[1].body.count(b'name="image[]"') == 2


def field_missing(name: str) -> dict[str, object]:
    """How FastAPI says it."""
    return {"detail": [{"type": "missing", "loc": ["body", name], "msg": "Field required"}]}


@pytest.mark.parametrize(("count", "wanted"), [(1, "image[]"), (2, "image")])
@pytest.mark.parametrize(
    "refused",
    [
        lambda name: json_answer(field_missing(name), status=422),
        lambda name: refusal(400, f"Missing required parameter: '{name}'.", param=name),
        lambda name: refusal(500, "image is required", code="convert_request_failed"),  # new-api
        lambda name: refusal(422, "Field 'image' or 'url' is required"),  # SGLang
        lambda name: refusal(400, "No image file was provided"),
    ],
)
async def test_a_server_that_calls_the_pictures_otherwise_is_understood_once_for_all(
    connect: Connect,
    server: WireServer,
    count: int,
    wanted: str,
    refused: Callable[[str], list[Step]],
) -> None:
    client, order = connect(retries=0), replace(HAT, images=(drawn(),) * count)
    server.answer(*refused(wanted))
    server.always = json_answer({"data": [{"b64_json": BASE64}]})
    for _ in range(2):
        assert len((await client.draw(order)).pictures) == 1
    _refused, *others = server.requests
    assert len(others) == 2
    for each in others:
        assert each.body.count(f'name="{wanted}"'.encode()) == count
        assert b'name="prompt"' in each.body


@pytest.mark.parametrize("words", ["no images generated", "The model returned no image."])
async def test_a_model_that_drew_nothing_is_not_paid_to_do_it_again(
    connect: Connect, server: WireServer, words: str
) -> None:
    server.always = refusal(400, words)
    with pytest.raises(ModelError, match="no image"):
        await connect(retries=0).draw(HAT)
    assert len(server.requests) == 1


async def test_a_server_that_knows_neither_name_is_asked_twice_and_each_time_anew(
    connect: Connect, server: WireServer
) -> None:
    client = connect(retries=0)
    server.always = json_answer(field_missing("image_url"), status=422)
    for _ in range(2):
        with pytest.raises(ModelError, match="image_url: Field required"):
            await client.draw(HAT)
    names = [re.findall(rb'name="(image[\[\]]*)"', each.body) for each in server.requests]
    assert names == [[b"image"], [b"image[]"]] * 2


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (replace(HAT, mask=drawn(4, 5)), "the mask is 4×5 pixels and its picture 4×4"),
        (replace(HAT, mask=drawn(mode="RGB")), "transparent"),
        (replace(HAT, mask=drawn(kind="WEBP")), "a mask is a PNG"),
        (replace(HAT, mask=ImagePart("image/png", PNG)), "cannot be read"),
        (replace(CAT, mask=drawn()), "a mask needs the picture"),
        (replace(HAT, images=(ImagePart("image/png", b"%PDF-1.7"),)), "not a PNG, JPEG"),
        (replace(HAT, images=(drawn(),) * 17), "at most 16"),
        (replace(CAT, n=1000), "n is between 1 and 10"),
        (replace(CAT, n=0), "n is between 1 and 10"),
        (replace(CAT, size="huge"), "1024x1024"),
        (replace(CAT, prompt=" "), "empty"),
        (replace(CAT, prompt="x" * 32_001), "32001 characters"),
    ],
)
async def test_an_order_that_cannot_succeed_is_not_paid_for(
    client: ApiClient, server: WireServer, asked: ImageRequest, words: str
) -> None:
    with pytest.raises(ModelError) as caught:
        await client.draw(asked)
    assert caught.value.kind is Kind.BAD_REQUEST
    assert words in caught.value.detail
    assert server.requests == []


async def test_the_words_that_a_model_takes_are_configured_or_learnt(
    connect: Connect, server: WireServer
) -> None:
    client = connect(models={"brush": {"sizes": ["2K"], "styles": ["vivid"]}})
    with pytest.raises(ModelError) as caught:
        await client.draw(replace(CAT, model="brush"))
    assert "size is one of 2K" in caught.value.detail
    message = "Supported values are: '512x512' and 'auto', not '1024x1024'."
    server.answer(*refusal(400, message, code="invalid_value", param="size"))
    server.always = json_answer({"data": [{"b64_json": BASE64}]})
    for _ in range(2):
        with pytest.raises(ModelError, check=of(Kind.BAD_REQUEST)):
            await client.draw(CAT)
    assert len(server.requests) == 1  # the second was not sent
    assert (await client.about("painter")).sizes == ("512x512", "auto")
    assert (await client.draw(replace(CAT, size="auto"))).pictures


async def test_what_a_picture_cost_is_told(connect: Connect, server: WireServer) -> None:
    prices = {"input_price": "5", "output_price": "40"}
    client = connect(models={"painter": prices, "brush": {"image_price": "0.04"}})
    told = {
        "input_tokens": 100,
        "output_tokens": 1000,
        "input_tokens_details": {"text_tokens": 40, "image_tokens": 60},
    }
    server.answer(*json_answer({"data": [{"b64_json": BASE64}], "usage": told}))
    spent = (await client.draw(CAT)).usage
    assert (spent.kind, spent.images, spent.media_tokens) == (UsageKind.IMAGE, 1, 60)
    assert spent.cost == Decimal("0.0405")
    assert spent.latency is not None
    server.answer(*json_answer({"data": [{"b64_json": BASE64}] * 2}))
    assert (await client.draw(replace(CAT, model="brush", n=2))).usage.cost == Decimal("0.08")


async def test_pictures_that_can_be_had_are_not_lost_with_one_that_cannot(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*json_answer({"data": [{"b64_json": "?"}, {"b64_json": BASE64}]}))
    assert len((await client.draw(replace(CAT, n=2))).pictures) == 1


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
