"""The page as a browser uses it: over real HTTP and WebSocket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from html import escape
from typing import Any, TypeAlias

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse

from bot.sandbox.slack.sockets import Envelope
from tests.patience import PATIENCE
from tests.sandbox.desk.conftest import Office
from tests.sandbox.phone.test_phone import PIXEL
from tests.sounds import beeps

Json: TypeAlias = dict[str, Any]

THUMBS = {
    "type": "context_actions",
    "elements": [
        {
            "type": "feedback_buttons",
            "action_id": "feedback",
            "positive_button": {"text": {"type": "plain_text", "text": "👍"}, "value": "good"},
            "negative_button": {"text": {"type": "plain_text", "text": "👎"}, "value": "bad"},
        }
    ],
}


def keys(*labels: str) -> Json:
    elements = [
        {
            "type": "button",
            "action_id": label,
            "value": f"{label}!",
            "text": {"type": "plain_text", "text": label},
        }
        for label in labels
    ]
    return {"type": "actions", "elements": elements}


async def seen(
    socket: ClientWebSocketResponse, room: str, what: Callable[[list[Json]], object]
) -> list[Json]:
    """The messages of a room, as soon as `what` is true of them."""
    async with asyncio.timeout(PATIENCE):
        while True:
            news = await socket.receive_json()
            rooms = {each["id"]: each["messages"] for each in news["screen"]["rooms"]}
            if what(rooms[room]):
                messages: list[Json] = rooms[room]
                return messages


def html_of(messages: list[Json]) -> str:
    return "".join(message["html"] for message in messages)


async def told(office: Office, kind: str, type_: str = "") -> Json:
    """The newest thing of a kind that the app was told, as soon as there is one."""

    def is_it(envelope: Envelope) -> bool:
        return envelope.kind == kind and type_ in (
            "",
            envelope.payload.get("event", {}).get("type"),
        )

    await office.slack.wait_for(lambda: any(map(is_it, office.slack.sockets.envelopes)))
    payload: Json = [each for each in office.slack.sockets.envelopes if is_it(each)][-1].payload
    return payload


def words(text: str) -> Json:
    """What a stream that has begun with a step of the work is given of a text."""
    return {"chunks": [{"type": "markdown_text", "text": text}]}


async def test_a_question_is_heard_and_its_answer_is_seen_growing(
    office: Office, browser: ClientSession
) -> None:
    room = office.ann.dm.id
    async with browser.ws_connect("/slack/live/ann") as socket:
        await socket.send_json({"room": room, "thread": "", "send": "is 1 < 2 in <!DOCTYPE html>?"})
        event = (await told(office, "events_api", "message"))["event"]
        assert event["text"] == "is 1 &lt; 2 in &lt;!DOCTYPE html&gt;?"
        where = {"channel": room, "thread_ts": event["ts"]}
        step = {"type": "task_update", "id": "1", "title": "Thinking…", "status": "in_progress"}
        stream = await office.app.api_call("chat.startStream", json={**where, "chunks": [step]})
        await seen(socket, room, lambda messages: "Thinking…" in html_of(messages))
        where = {"channel": room, "ts": stream["ts"]}
        await office.app.api_call("chat.appendStream", json={**where, **words("**Yes")})
        root, _ = await seen(socket, room, lambda messages: "**Yes" in html_of(messages))
        assert root["html"] == f'<div class="plain">{event["text"]}</div>'
        assert (root["replies"], root["work"]["writes"], root["work"]["stop"]) == (1, True, True)
        end = {**words(", it is**"), "blocks": [keys("Again"), THUMBS]}
        await office.app.api_call("chat.stopStream", json={**where, **end})
        root, answer = await seen(socket, room, lambda messages: messages[1]["thumbs"])
    assert root["work"] is None
    assert (answer["author"], answer["byBot"], answer["thread"]) == ("Chinwag", True, root["ts"])
    assert "<strong>Yes, it is</strong>" in answer["html"]
    assert answer["buttons"] == [["Again"]]


async def test_the_bot_is_mentioned_in_a_channel_that_all_see(
    office: Office, browser: ClientSession
) -> None:
    room = office.trip.id
    async with (
        browser.ws_connect("/slack/live/ann") as anns,
        browser.ws_connect("/slack/live/ming") as mings,
    ):
        await anns.send_json({"room": room, "thread": "", "send": "@chinwag你好, @小明 <b>"})
        (message,) = await seen(mings, room, len)
        event = (await told(office, "events_api", "app_mention"))["event"]
        await mings.send_json({"room": room, "thread": message["ts"], "send": "so?"})
        _, reply = await seen(anns, room, lambda messages: len(messages) == 2)
    assert event["text"] == f"<@{office.slack.workspace.bot.id}>你好, <@{office.ming.id}> &lt;b&gt;"
    mention = '<span class="mention">@{}</span>'.format
    assert f"{mention('Chinwag')}你好, {mention('小明')} &lt;b&gt;" in message["html"]
    assert (reply["author"], reply["thread"]) == ("小明", message["ts"])


async def test_a_press_is_that_of_the_key_that_was_pressed(
    office: Office, browser: ClientSession
) -> None:
    room, blocks = office.ann.dm.id, [keys("Yes", "No"), keys("Yes"), THUMBS]
    posts = [
        await office.app.chat_postMessage(channel=room, text="Sure?", blocks=blocks)
        for _ in range(2)
    ]
    async with browser.ws_connect("/slack/live/ann") as socket:
        await socket.send_json({"room": room, "thread": "", "press": posts[0]["ts"], "number": 1})
        pressed = await told(office, "interactive")
        assert pressed["container"]["message_ts"] == posts[0]["ts"]
        assert pressed["actions"][0]["value"] == "No!"
        rating = {"rate": posts[0]["ts"], "good": False}
        await socket.send_json({"room": room, "thread": "", **rating})
        await office.slack.wait_for(lambda: len(office.slack.sockets.envelopes) == 4)
        rated = await told(office, "interactive")
        assert rated["container"]["message_ts"] == posts[0]["ts"]
        assert rated["actions"][0]["value"] == "bad"


async def test_stop_stops_the_thread_that_it_stands_in(
    office: Office, browser: ClientSession
) -> None:
    room = office.ann.dm.id
    first, second = await office.ann.dm.send("one"), await office.ann.dm.send("two")
    async with browser.ws_connect("/slack/live/ann") as socket:
        for root in (first, second):
            work = {"channel_id": room, "thread_ts": root.ts, "status": "processing"}
            await office.app.api_call("agents.sessions.setStatus", json=work)
        await seen(socket, room, lambda messages: all(each["work"] for each in messages))
        await socket.send_json({"room": room, "thread": second.ts, "stop": True})
        event = (await told(office, "events_api", "agent_session_stopped"))["event"]
    assert event["thread_ts"] == second.ts


async def test_ones_own_message_is_changed_and_deleted_as_slack_tells_it(
    office: Office, browser: ClientSession
) -> None:
    room = office.trip.id
    link = "https://example.com/?a=1&b=2"
    sent = await office.ann.channel(office.trip).send(f"what < is @小明 up to? {link}.")
    async with browser.ws_connect("/slack/live/ann") as socket:
        (message,) = await seen(socket, room, len)
        assert (message["mine"], message["text"]) == (True, f"what < is @小明 up to? {link}.")
        assert f'href="{escape(link)}"' in message["html"]
        assert abs(time.time() * 1000 - message["at"]) < 60_000
        edit: Json = {"room": room, "thread": "", "edit": sent.ts}
        await socket.send_json(edit | {"text": "@Chinwag请问@小明 <在> 吗？"})
        mention = (await told(office, "events_api", "app_mention"))["event"]
        event = (await told(office, "events_api", "message"))["event"]
        bot, ming = office.slack.workspace.bot.id, office.ming.id
        now = f"<@{bot}>请问<@{ming}> &lt;在&gt; 吗？"
        assert (event["subtype"], event["message"]["text"]) == ("message_changed", now)
        stored = f"what &lt; is @小明 up to? <{escape(link)}>."
        assert event["previous_message"]["text"] == stored
        assert (mention["ts"], mention["text"]) == (sent.ts, now)
        (message,) = await seen(socket, room, lambda messages: messages[0]["edited"])
        assert message["text"] == "@Chinwag请问@小明 <在> 吗？"
        await socket.send_json({"room": room, "thread": "", "delete": sent.ts})
        assert await seen(socket, room, lambda messages: not messages) == []
    event = (await told(office, "events_api", "message"))["event"]
    assert (event["subtype"], event["deleted_ts"]) == ("message_deleted", sent.ts)


async def test_of_a_question_that_is_deleted_its_answer_stays(
    office: Office, browser: ClientSession
) -> None:
    room = office.ann.dm.id
    sent = await office.ann.dm.upload("cat.png", PIXEL, "image/png", text="look")
    await office.app.chat_postMessage(channel=room, thread_ts=sent.ts, text="A cat.")
    async with browser.ws_connect("/slack/live/ann") as socket:
        await socket.send_json({"room": room, "thread": "", "delete": sent.ts})
        grave, answer = await seen(socket, room, lambda messages: messages[0]["deleted"])
    assert (grave["html"], grave["files"], grave["mine"], grave["replies"]) == ("", [], False, 1)
    assert "A cat." in answer["html"]


async def test_what_is_not_possible_is_passed_over(office: Office, browser: ClientSession) -> None:
    room = office.ann.dm.id
    root = await office.ann.dm.send("one")
    await office.app.chat_postMessage(channel=room, text="hello")
    answer = office.ann.dm.messages()[-1]
    mings = await office.ming.channel(office.trip).send("mine")
    async with browser.ws_connect("/slack/live/ann") as socket:
        for what in (
            {"room": room, "thread": root.ts, "slash": "/model"},  # Slack has none in threads
            {"room": room, "thread": root.ts, "stop": True},
            {"room": room, "thread": "", "press": root.ts, "number": 0},
            {"room": room, "thread": "", "rate": root.ts, "good": True},
            {"room": office.ming.dm.id, "thread": "", "send": "hi"},  # somebody else's
            {"room": room, "thread": "", "delete": answer.ts},
            {"room": room, "thread": "", "edit": answer.ts, "text": "bye"},
            {"room": office.trip.id, "thread": "", "delete": mings.ts},
            {"room": room, "thread": "", "edit": root.ts, "text": "one"},  # the same words
            {"room": room, "thread": "", "edit": root.ts, "text": " "},
            {"room": room, "thread": "", "send": " "},
            {"pick": "nothing"},
            {"room": room, "thread": "", "send": "two"},
        ):
            await socket.send_json(what)
        assert len(await seen(socket, room, lambda messages: len(messages) > 2)) == 3
    assert office.ming.dm.screen() == []
    assert [each.text for each in office.ann.dm.screen()] == ["one", "hello", "two"]
    assert not any(each.edited for each in office.ann.dm.screen())
    assert [each.text for each in office.ann.channel(office.trip).screen()] == ["mine"]


async def test_a_command_is_used_as_one(office: Office, browser: ClientSession) -> None:
    room = office.ann.dm.id
    async with browser.ws_connect("/slack/live/ann") as socket:
        screen = (await socket.receive_json())["screen"]
        await socket.send_json({"room": room, "thread": "", "slash": "/model gpt"})
        command = await told(office, "slash_commands")
    assert screen["commands"] == [{"name": "/model", "summary": "See or choose the model"}]
    assert (command["command"], command["text"]) == ("/model", "gpt")


async def test_what_the_bot_offers_to_say_is_picked(office: Office, browser: ClientSession) -> None:
    room = office.ann.dm.id
    async with browser.ws_connect("/slack/live/ann") as socket:
        await socket.send_json({"open": "direct"})
        await told(office, "events_api", "app_home_opened")
        offer = {"channel_id": room, "title": "Hello!"}
        prompts = [{"title": "Help", "message": "!help"}]
        method = "assistant.threads.setSuggestedPrompts"
        await office.app.api_call(method, json={**offer, "prompts": prompts})
        async with asyncio.timeout(PATIENCE):
            while (await socket.receive_json())["screen"]["rooms"][-1]["prompts"] != ["Help"]:
                pass
        await socket.send_json({"pick": "Help"})
        (message,) = await seen(socket, room, len)
    assert "!help" in message["html"]


async def test_what_is_said_to_one_person_is_seen_by_nobody_else(
    office: Office, browser: ClientSession
) -> None:
    room = office.trip.id
    await office.ann.channel(office.trip).send("hello")
    await office.app.chat_postEphemeral(channel=room, user=office.ann.id, text="Thank you!")
    async with browser.get("/slack/screen/ann") as screen:
        anns = (await screen.json())["rooms"][0]["messages"]
    async with browser.get("/slack/screen/ming") as screen:
        mings = (await screen.json())["rooms"][0]["messages"]
    assert ["Thank you!" in each["html"] for each in anns] == [False, True]
    assert [each["onlyYou"] for each in anns] == [False, True]
    assert len(mings) == 1


async def test_files_go_both_ways_and_to_nobody_else(
    office: Office, browser: ClientSession
) -> None:
    room = office.ann.dm.id
    png = {"Content-Type": "image/png"}
    asked = f"/slack/upload/ann?room={room}"
    await browser.post(f"{asked}&name=cat.png&caption=look", data=PIXEL, headers=png)
    event = (await told(office, "events_api", "message"))["event"]
    assert (event["text"], event["files"][0]["mimetype"]) == ("look", "image/png")
    await browser.post(f"{asked}&thread={event['ts']}&kind=voice&seconds=2", data=beeps(1))
    await office.slack.wait_for(lambda: len(office.ann.dm.screen()) == 2)
    voice = (await told(office, "events_api", "message"))["event"]
    assert (voice["thread_ts"], voice["files"][0]["subtype"]) == (event["ts"], "slack_audio")
    files = [("art.png", PIXEL), ("a 文件.html", b"<script>")]
    for name, content in files:
        await office.app.files_upload_v2(channel=room, filename=name, content=content)
    async with browser.get("/slack/screen/ann") as screen:
        *_, art, page = (await screen.json())["rooms"][-1]["messages"]
    assert [each["files"][0]["kind"] for each in (art, page)] == ["image", "text"]
    async with browser.get(art["files"][0]["url"]) as answer:
        assert (answer.content_type, await answer.read()) == ("image/png", PIXEL)
    async with browser.get(page["files"][0]["url"]) as answer:
        assert answer.content_type == "application/octet-stream"
        assert answer.content_disposition is not None
        assert answer.content_disposition.filename == "a 文件.html"
    async with browser.get(art["files"][0]["url"].replace("/ann/", "/ming/")) as answer:
        assert answer.status == 404


async def test_what_is_not_there_is_not_found(browser: ClientSession) -> None:
    for path in ("/slack/file/ann/F1", "/slack/live/bob", "/slack/screen/bob"):
        async with browser.get(path) as answer:
            assert answer.status == 404
    async with browser.post("/slack/upload/ann?room=C1", data=b"x") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("name", ["slack", "desk.css", "desk.js", "post.js", "composer.js"])
async def test_the_page_comes_with_its_style_and_scripts(browser: ClientSession, name: str) -> None:
    async with browser.get(f"/{name}") as answer:
        assert answer.status == 200
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert await answer.text()
