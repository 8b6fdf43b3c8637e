"""The Web API of the sandbox, spoken to by Slack's own client."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.fakes.clock import ManualClock
from bot.sandbox.limits import Mode
from bot.sandbox.slack.server import SlackSandbox


@pytest.fixture
async def slack() -> AsyncIterator[SlackSandbox]:
    async with SlackSandbox(clock=ManualClock()) as sandbox:
        yield sandbox


@pytest.fixture
async def client(slack: SlackSandbox) -> AsyncIterator[AsyncWebClient]:
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(
            token=slack.bot_token, base_url=slack.base_url, session=session, retry_handlers=[]
        )


async def test_auth_test_names_the_bot_and_its_scopes(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    answer = await client.auth_test()
    assert answer["user_id"] == slack.workspace.bot.id
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


async def test_a_wrong_token_is_refused(slack: SlackSandbox) -> None:
    stranger = AsyncWebClient(token="xoxb-wrong", base_url=slack.base_url)
    with pytest.raises(SlackApiError, match="invalid_auth"):
        await stranger.auth_test()


async def test_a_person_sees_what_is_posted_changed_and_deleted(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    ada = slack.person("Ada")
    posted = await client.chat_postMessage(channel=ada.dm.id, text="one")
    await client.chat_update(
        channel=ada.dm.id,
        ts=posted["ts"],
        text="two",
        blocks=[
            {"type": "markdown", "text": "**two**"},
            {
                "type": "actions",
                "elements": [
                    {
                        "type": "button",
                        "text": {"type": "plain_text", "text": "Again"},
                        "action_id": "a",
                    }
                ],
            },
        ],
    )
    (seen,) = ada.dm.screen()
    assert (seen.text, seen.buttons, seen.edited) == ("**two**", ("Again",), True)
    await client.chat_delete(channel=ada.dm.id, ts=posted["ts"])
    assert ada.dm.screen() == []


@pytest.mark.parametrize(
    ("text", "blocks", "error"),
    [
        ("x" * 40_001, None, "msg_too_long"),
        ("", [{"type": "markdown", "text": "x" * 12_001}], "invalid_blocks"),
        ("", [{"type": "markdown", "text": "x" * 7_000}] * 2, "invalid_blocks"),
        ("", [{"type": "divider"}] * 51, "invalid_blocks"),
        ("", None, "no_text"),
    ],
)
async def test_what_is_too_long_for_slack_is_refused(
    slack: SlackSandbox,
    client: AsyncWebClient,
    text: str,
    blocks: list[dict[str, str]] | None,
    error: str,
) -> None:
    ada = slack.person("Ada")
    with pytest.raises(SlackApiError, match=error):
        await client.api_call(
            "chat.postMessage", json={"channel": ada.dm.id, "text": text, "blocks": blocks}
        )


async def test_a_stream_grows_in_a_thread_and_ends_with_buttons(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    ada = slack.person("Ada")
    question = await ada.dm.send("hello")
    stream = await client.chat_stream(channel=ada.dm.id, thread_ts=question.ts, buffer_size=1)
    await stream.append(markdown_text="one ")
    await stream.append(markdown_text="two")
    answer = ada.dm.screen()[-1]
    assert (answer.text, answer.streaming, answer.thread) == ("one two", True, question.ts)
    await stream.stop(blocks=[{"type": "section", "text": {"type": "mrkdwn", "text": "end"}}])
    answer = ada.dm.screen()[-1]
    assert (answer.text, answer.streaming) == ("one two\n\nend", False)


async def test_a_stream_in_a_channel_needs_its_reader(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    ada = slack.person("Ada")
    general = ada.channel(slack.channel("general"))
    question = await general.send("<@BOT> hi")
    with pytest.raises(SlackApiError, match="missing_recipient_team_id"):
        await client.chat_startStream(channel=general.id, thread_ts=question.ts)
    with pytest.raises(SlackApiError, match="user_not_found"):
        await client.chat_startStream(
            channel=general.id,
            thread_ts=question.ts,
            recipient_team_id=slack.workspace.team,
            recipient_user_id="U0ELSEWHERE",
        )


async def test_a_stream_outside_a_thread_is_refused(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    ada = slack.person("Ada")
    with pytest.raises(SlackApiError, match="invalid_thread_ts"):
        await client.api_call("chat.startStream", json={"channel": ada.dm.id})


async def test_a_stream_dies_of_age_and_can_be_edited_then(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    clock = slack.clock
    assert isinstance(clock, ManualClock)
    ada = slack.person("Ada")
    question = await ada.dm.send("hello")
    appended, updated, deleted = [
        await client.chat_startStream(
            channel=ada.dm.id, thread_ts=question.ts, markdown_text="half"
        )
        for _ in range(3)
    ]
    await clock.advance(301)
    await client.chat_update(channel=ada.dm.id, ts=updated["ts"], text="whole")
    await client.chat_delete(channel=ada.dm.id, ts=deleted["ts"])
    with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
        await client.chat_appendStream(channel=ada.dm.id, ts=appended["ts"], markdown_text="more")
    assert [(s.text, s.streaming) for s in ada.dm.answers()] == [("half", False), ("whole", False)]


async def test_a_stream_takes_only_so_much(slack: SlackSandbox, client: AsyncWebClient) -> None:
    ada = slack.person("Ada")
    question = await ada.dm.send("hello")
    started = await client.chat_startStream(
        channel=ada.dm.id, thread_ts=question.ts, markdown_text="é" * 5_000
    )
    with pytest.raises(SlackApiError, match="msg_too_long"):
        await client.chat_appendStream(channel=ada.dm.id, ts=started["ts"], markdown_text="x" * 601)


async def test_tasks_count_in_a_stream_once_there_are_words_in_it(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    ada = slack.person("Ada")
    question = await ada.dm.send("hello")
    tasks = [
        {
            "type": "task_update",
            "id": f"{number}",
            "title": "x" * 100,
            "status": "complete",
            "details": "y" * 200,
        }
        for number in range(21)
    ]
    started = await client.chat_startStream(channel=ada.dm.id, thread_ts=question.ts, chunks=tasks)
    await client.chat_appendStream(
        channel=ada.dm.id, ts=started["ts"], chunks=[tasks[0] | {"status": "error"}]
    )
    with pytest.raises(SlackApiError, match="msg_too_long"):
        words = {"type": "markdown_text", "text": "x" * 101}
        await client.chat_appendStream(channel=ada.dm.id, ts=started["ts"], chunks=[words])


async def test_a_stream_takes_words_or_chunks_whichever_came_first(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    ada = slack.person("Ada")
    question = await ada.dm.send("hello")
    here, start = {"channel": ada.dm.id, "thread_ts": question.ts}, "chat.startStream"
    chunk = {"type": "markdown_text", "text": "more"}
    words = await client.api_call(start, json=here | {"markdown_text": "one"})
    chunks = await client.api_call(start, json=here | {"chunks": [chunk]})
    for ts, more in (
        (words["ts"], {"chunks": [chunk]}),
        (chunks["ts"], {"markdown_text": "more"}),
    ):
        for method in ("chat.appendStream", "chat.stopStream"):
            with pytest.raises(SlackApiError, match="streaming_mode_mismatch"):
                await client.api_call(method, json={"channel": ada.dm.id, "ts": ts, **more})
    with pytest.raises(SlackApiError, match="cannot_provide_both_markdown_text_and_chunks"):
        await client.api_call(start, json=here | {"markdown_text": "one", "chunks": [chunk]})


async def test_a_message_that_streams_is_not_deleted_and_a_stopped_one_takes_no_more(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    ada = slack.person("Ada")
    question = await ada.dm.send("hello")
    started = await client.chat_startStream(
        channel=ada.dm.id, thread_ts=question.ts, markdown_text="half"
    )
    with pytest.raises(SlackApiError, match="cant_delete_message"):
        await client.chat_delete(channel=ada.dm.id, ts=started["ts"])
    await ada.dm.stop()
    with pytest.raises(SlackApiError, match="stopped_by_user"):
        await client.chat_appendStream(channel=ada.dm.id, ts=started["ts"], markdown_text="more")
    await client.chat_delete(channel=ada.dm.id, ts=started["ts"])
    assert ada.dm.answers() == []


@pytest.mark.parametrize(
    "wrong", [{"title": "x" * 257}, {"status": "done"}, {"title": ""}, {"details": "x" * 257}]
)
async def test_a_task_must_be_as_documented(
    slack: SlackSandbox, client: AsyncWebClient, wrong: dict[str, str]
) -> None:
    ada = slack.person("Ada")
    question = await ada.dm.send("hello")
    task = {"type": "task_update", "id": "1", "title": "Look", "status": "in_progress"} | wrong
    with pytest.raises(SlackApiError, match="invalid_chunks"):
        await client.chat_startStream(channel=ada.dm.id, thread_ts=question.ts, chunks=[task])


async def test_a_missing_scope_is_named(slack: SlackSandbox, client: AsyncWebClient) -> None:
    slack.workspace.scopes.discard("users:read")
    ada = slack.person("Ada")
    with pytest.raises(SlackApiError) as refused:
        await client.users_info(user=ada.id)
    assert refused.value.response["needed"] == "users:read"


async def test_the_status_line_shows_and_expires(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    clock = slack.clock
    assert isinstance(clock, ManualClock)
    ada = slack.person("Ada")
    question = await ada.dm.send("hello")
    await client.assistant_threads_setStatus(
        channel_id=ada.dm.id, thread_ts=question.ts, status="is thinking…"
    )
    assert ada.dm.status() == "is thinking…"
    await clock.advance(121)
    assert ada.dm.status() == ""


async def test_posting_faster_than_a_channel_takes_is_refused(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    slack.limits.mode = Mode.ON
    ada = slack.person("Ada")
    bea = slack.person("Bea")
    for _ in range(3):
        await client.chat_postMessage(channel=ada.dm.id, text="x")
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel=ada.dm.id, text="x")
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["Retry-After"] == "1"
    await client.chat_postMessage(channel=bea.dm.id, text="x")
    assert slack.limits.refused == 1


async def test_the_hard_limit_doubles_the_wait_with_each_offence(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    slack.limits.mode = Mode.HARD
    ada = slack.person("Ada")
    for _ in range(3):
        await client.chat_postMessage(channel=ada.dm.id, text="x")
    waits = []
    for _ in range(3):
        with pytest.raises(SlackApiError) as refused:
            await client.chat_postMessage(channel=ada.dm.id, text="x")
        waits.append(int(refused.value.response.headers["Retry-After"]))
    assert waits[0] < waits[1] < waits[2]


async def test_a_dropped_call_was_carried_out(slack: SlackSandbox, client: AsyncWebClient) -> None:
    ada = slack.person("Ada")
    slack.faults.drop_next(method="chat.postMessage")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.chat_postMessage(channel=ada.dm.id, text="here")
    assert [seen.text for seen in ada.dm.screen()] == ["here"]


async def test_a_file_needs_the_token_and_the_scope(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    ada = slack.person("Ada")
    sent = await ada.dm.upload("cat.png", b"\x89PNG", "image/png")
    info = await client.files_info(file=sent.files[0].id)
    url = info["file"]["url_private_download"]
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    async with aiohttp.ClientSession() as session:
        async with session.get(url, headers=headers) as answer:
            assert await answer.read() == b"\x89PNG"
        slack.workspace.scopes.discard("files:read")
        async with session.get(url, headers=headers) as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")


async def test_an_upload_becomes_a_message_with_the_file(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    ada = slack.person("Ada")
    await client.files_upload_v2(
        channel=ada.dm.id, filename="cat.png", content=b"\x89PNG", initial_comment="a cat"
    )
    (seen,) = ada.dm.screen()
    assert (seen.text, seen.files) == ("a cat", ("cat.png",))
