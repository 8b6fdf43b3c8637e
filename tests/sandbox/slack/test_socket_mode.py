"""Socket Mode of the sandbox, with an unchanged Bolt app at the other end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest, AsyncSay
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.fakes.clock import ManualClock
from bot.sandbox.slack.server import SlackSandbox
from bot.sandbox.slack.state import Json


class App:
    """A Bolt app that writes down what it hears and greets people who say hello."""

    def __init__(self, slack: SlackSandbox, session: aiohttp.ClientSession) -> None:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.base_url, session=session)
        self.heard: list[tuple[str, str, str]] = []
        self.retries: list[str] = []
        self.deaf = False
        self.ignored = asyncio.Event()
        self._app = AsyncApp(client=client)
        self._app.event("message")(self._message)
        self._app.event("app_mention")(self._mention)
        self._app.event("agent_session_stopped")(self._stopped)
        self._app.event("app_home_opened")(self._opened)
        self._app.command("/model")(self._command)
        self._app.action("again")(self._pressed)
        self._app.middleware(self._note_retries)
        self.handler = AsyncSocketModeHandler(self._app, slack.app_token, ping_interval=0.2)

    async def _note_retries(
        self, request: AsyncBoltRequest, next: Callable[[], Awaitable[None]]
    ) -> None:
        self.retries += request.headers.get("x-slack-retry-num", [])
        if self.deaf:
            self.ignored.set()
        else:
            await next()

    async def _message(self, event: dict[str, Any], body: dict[str, Any], say: AsyncSay) -> None:
        if "bot_id" in event:
            return
        kind = event.get("subtype", event["channel_type"])
        self.heard.append((kind, event.get("text", ""), body["event_id"]))
        if event.get("text") == "hello":
            await say(
                text="hi",
                blocks=[
                    {
                        "type": "actions",
                        "elements": [
                            {
                                "type": "button",
                                "text": {"type": "plain_text", "text": "Again"},
                                "action_id": "again",
                                "value": "v1",
                            }
                        ],
                    }
                ],
            )

    async def _mention(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        self.heard.append(("mention", event["text"], body["event_id"]))

    async def _stopped(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        self.heard.append(("stopped", event["thread_ts"], body["event_id"]))

    async def _opened(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        self.heard.append(("opened", event["tab"], body["event_id"]))

    async def _command(self, command: dict[str, Any], ack: AsyncAck) -> None:
        await ack(f"using {command['text']}")

    async def _pressed(self, ack: AsyncAck, action: dict[str, Any]) -> None:
        await ack()
        self.heard.append(("pressed", action["value"], ""))


@pytest.fixture
async def slack() -> AsyncIterator[SlackSandbox]:
    async with SlackSandbox(clock=ManualClock()) as sandbox:
        yield sandbox


@pytest.fixture
async def app(slack: SlackSandbox) -> AsyncIterator[App]:
    async with aiohttp.ClientSession() as session:
        app = App(slack, session)
        await app.handler.connect_async()  # type: ignore[no-untyped-call]  # the library lacks it
        yield app
        await app.handler.close_async()  # type: ignore[no-untyped-call]  # the library lacks it


async def test_a_greeting_in_a_dm_is_answered(slack: SlackSandbox, app: App) -> None:
    ada = slack.person("Ada")
    await ada.dm.send("hello")
    await slack.wait_for(lambda: len(ada.dm.screen()) == 2)
    assert ada.dm.answers()[0].buttons == ("Again",)
    assert app.heard[0][:2] == ("im", "hello")


async def test_a_mention_arrives_as_two_events(slack: SlackSandbox, app: App) -> None:
    ada = slack.person("Ada")
    general = ada.channel(slack.channel("general"))
    await general.send("<@BOT> a < b")
    await slack.wait_for(lambda: len(app.heard) == 2)
    (first, text, one), (second, same, two) = app.heard
    assert (first, second) == ("channel", "mention")
    assert text == same == f"<@{slack.workspace.bot.id}> a &lt; b"
    assert one != two


async def test_what_a_person_does_reaches_the_app(slack: SlackSandbox, app: App) -> None:
    ada = slack.person("Ada")
    await ada.open()
    sent = await ada.dm.send("hello")
    await slack.wait_for(lambda: len(ada.dm.screen()) == 2)
    await ada.dm.press("Again")
    await ada.dm.edit(sent, "hello there")
    await ada.dm.upload("a.txt", b"text", "text/plain")
    await slack.wait_for(lambda: len(app.heard) == 5)
    assert [heard[0] for heard in app.heard] == [
        "opened",
        "im",
        "pressed",
        "message_changed",
        "file_share",
    ]


async def test_what_is_deleted_is_told_and_leaves_a_grave_while_there_are_replies(
    slack: SlackSandbox,
) -> None:
    ada = slack.person("Ada")
    general = ada.channel(slack.channel("general"))
    alone, begun = await general.send("<@BOT> one"), await general.send("two")
    reply = await ada.thread(begun).send("three")
    told = len(slack.sockets.envelopes)

    def news() -> list[Json]:
        return [each.payload["event"] for each in slack.sockets.envelopes[told:]]

    await general.delete(alone.ts)
    await general.delete(begun.ts)
    assert [(seen.author, seen.text) for seen in general.screen()] == [
        ("Slackbot", "This message was deleted."),
        ("Ada", "three"),
    ]
    await ada.thread(begun).delete(reply.ts)
    assert general.screen() == []
    gone, buried, last, grave = news()
    assert (gone["subtype"], gone["deleted_ts"]) == ("message_deleted", alone.ts)
    assert gone["previous_message"]["text"] == f"<@{slack.workspace.bot.id}> one"
    assert (buried["subtype"], buried["message"]["subtype"]) == ("message_changed", "tombstone")
    assert (buried["message"]["ts"], buried["message"]["user"]) == (begun.ts, "USLACKBOT")
    assert buried["previous_message"]["text"] == "two"
    assert [event["deleted_ts"] for event in (last, grave)] == [reply.ts, begun.ts]
    assert grave["previous_message"]["subtype"] == "tombstone"


async def test_where_the_app_is_not_it_hears_of_no_change(slack: SlackSandbox) -> None:
    ada = slack.person("Ada")
    elsewhere = ada.channel(slack.channel("elsewhere", with_bot=False))
    sent = await elsewhere.send("helo")
    await elsewhere.edit(sent, "hello")
    await elsewhere.delete(sent.ts)
    assert elsewhere.screen() == [] and slack.sockets.envelopes == []


async def test_a_slash_command_is_answered_in_its_ack(slack: SlackSandbox, app: App) -> None:
    ada = slack.person("Ada")
    sent = await ada.dm.slash("/model gpt")
    await slack.wait_for(lambda: sent.acked)
    assert sent.answer == {"text": "using gpt"}
    with pytest.raises(ValueError, match="threads"):
        await ada.thread(await ada.dm.send("x")).slash("/model")


async def test_stop_ends_the_streams_and_tells_the_app(slack: SlackSandbox, app: App) -> None:
    ada = slack.person("Ada")
    question = await ada.dm.send("long, please")
    client = app.handler.app.client
    await client.chat_startStream(
        channel=ada.dm.id, thread_ts=question.ts, markdown_text="so far", recipient_user_id=ada.id
    )
    await ada.dm.stop()
    await slack.wait_for(lambda: ("stopped", question.ts) in [h[:2] for h in app.heard])
    assert not ada.dm.answers()[0].streaming


async def test_what_is_not_acknowledged_comes_again_after_a_reconnect(
    slack: SlackSandbox, app: App
) -> None:
    ada = slack.person("Ada")
    app.deaf = True
    await ada.dm.send("are you there?")
    await app.ignored.wait()
    assert [e.kind for e in slack.sockets.unacked] == ["events_api"]
    app.deaf = False
    await slack.sockets.disconnect()
    await slack.wait_for(lambda: not slack.sockets.unacked)
    assert [heard[1] for heard in app.heard] == ["are you there?"]
    assert app.retries == ["0", "1"]


async def test_what_is_not_acknowledged_in_time_comes_again(slack: SlackSandbox, app: App) -> None:
    clock = slack.clock
    assert isinstance(clock, ManualClock)
    ada = slack.person("Ada")
    app.deaf = True
    await ada.dm.send("are you there?")
    await app.ignored.wait()
    app.deaf = False
    await clock.advance(3)
    await slack.wait_for(lambda: not slack.sockets.unacked)
    assert [heard[1] for heard in app.heard] == ["are you there?"]


async def test_a_refresh_makes_the_app_reconnect(slack: SlackSandbox, app: App) -> None:
    await slack.sockets.refresh()
    await slack.wait_for(lambda: slack.sockets.opened == 2)
    ada = slack.person("Ada")
    await ada.dm.send("hello")
    await slack.wait_for(lambda: len(ada.dm.screen()) == 2)


async def test_a_wrong_app_token_opens_no_socket(slack: SlackSandbox) -> None:
    client = AsyncWebClient(base_url=slack.base_url)
    with pytest.raises(SlackApiError) as refused:
        await client.apps_connections_open(app_token="xapp-wrong")
    assert refused.value.response["error"] == "invalid_auth"
