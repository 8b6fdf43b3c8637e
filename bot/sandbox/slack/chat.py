"""`chat.*`: posting, changing, deleting and streaming messages, with Slack's limits.

Source: docs.slack.dev, the page of each method. Not documented there but reported: one stream
takes about 11,000 bytes in all, and the details of tasks count twice. It takes `markdown_text` or
`chunks`, whichever came first; the other is a `streaming_mode_mismatch` (so Slack's own SDKs send
chunks only). A message that is still streaming cannot be deleted: `cant_delete_message`.
"""

from __future__ import annotations

from bot.sandbox.slack import events, objects
from bot.sandbox.slack.blocks import MARKDOWN, is_rich, parse_blocks
from bot.sandbox.slack.state import Json, Message
from bot.sandbox.slack.workspace import Session, SlackError, Workspace

TASK = 256
POST_TEXT = 40_000
UPDATE_TEXT = 4_000


def post_message(workspace: Workspace, call: Json) -> Json:
    """`chat.postMessage`.

    Where there is no such thread, as its first message was deleted, the message is posted into the
    channel, and only the missing `thread_ts` of the answer tells (github.com/slack-go/slack/issues/
    1571, github.com/langchain-ai/open-swe/pull/2753, github.com/PostHog/posthog/pull/83601).
    """
    channel = workspace.channel(str(call.get("channel", "")))
    text, blocks = _content(workspace, call, POST_TEXT)
    thread = str(call.get("thread_ts") or "")
    message = Message(
        channel=channel.id,
        user=workspace.bot.id,
        text=text,
        thread_ts=thread if workspace.has_thread(channel.id, thread) else "",
        blocks=blocks,
    )
    workspace.post(message)
    workspace.tell(events.posted(workspace, message))
    return _answer(workspace, message)


def update(workspace: Workspace, call: Json) -> Json:
    """`chat.update`: replaces text and blocks; a text alone takes the blocks away.

    Blocks without rich text do not take the place of rich text: `block_mismatch`.
    """
    channel = workspace.channel(str(call.get("channel", "")))
    message = workspace.message(channel.id, str(call.get("ts", "")))
    if message.user != workspace.bot.id:
        raise SlackError("cant_update_message")
    if message.streaming:
        raise SlackError("streaming_state_conflict")
    text, blocks = _content(workspace, call, UPDATE_TEXT)
    if blocks and is_rich(message.blocks, message.streamed) and not is_rich(blocks):
        raise SlackError("block_mismatch")
    before = objects.message_json(workspace, message)
    message.text, message.blocks, message.streamed, message.tasks = text, blocks, "", {}
    message.edits += 1
    if not message.ephemeral_for:
        workspace.tell(events.edited(workspace, message, before))
    workspace.changed()
    return _answer(workspace, message)


def delete(workspace: Workspace, call: Json) -> Json:
    """`chat.delete`."""
    channel = workspace.channel(str(call.get("channel", "")))
    message = workspace.message(channel.id, str(call.get("ts", "")))
    if message.user != workspace.bot.id or message.streaming:
        raise SlackError("cant_delete_message")
    remove(workspace, message)
    return {"channel": channel.id, "ts": message.ts}


def remove(workspace: Workspace, message: Message) -> None:
    """Delete a message, and tell the bot; the last reply takes the grave above it along."""
    if message.ephemeral_for or not workspace.is_in(workspace.channels[message.channel]):
        message.deleted = True  # nobody else knows of it
        workspace.changed()
        return
    before = objects.message_json(workspace, message)
    message.deleted, message.blocks = True, []
    has_replies = bool(workspace.standing(message.channel, message.ts))
    tell = events.changed if has_replies else events.deleted
    workspace.tell(tell(workspace, message, before))
    root = workspace.messages.get((message.channel, message.thread_ts))
    if root is not None and root.deleted and not workspace.standing(root.channel, root.ts):
        workspace.tell(events.deleted(workspace, root, objects.message_json(workspace, root)))
    workspace.changed()


def post_ephemeral(workspace: Workspace, call: Json) -> Json:
    """`chat.postEphemeral`: one person sees it, and only until they reload."""
    channel = workspace.channel(str(call.get("channel", "")))
    user = str(call.get("user", ""))
    if user not in workspace.users:
        raise SlackError("user_not_in_channel")
    text, blocks = _content(workspace, call, POST_TEXT)
    message = Message(
        channel=channel.id,
        user=workspace.bot.id,
        text=text,
        thread_ts=str(call.get("thread_ts") or ""),
        blocks=blocks,
        ephemeral_for=user,
    )
    workspace.post(message)
    return {"message_ts": message.ts}


def start_stream(workspace: Workspace, call: Json) -> Json:
    """`chat.startStream`: only in threads; in channels the reader must be named.

    It knows no `unfurl_links` and `unfurl_media` (github.com/slackapi/node-slack-sdk/pull/2389);
    what it says of them is not known. A thread whose first message was deleted is none
    (github.com/caipe-io/ai-platform-engineering/pull/1034).
    """
    if not call.keys().isdisjoint({"unfurl_links", "unfurl_media"}):
        raise SlackError("invalid_arguments")
    channel = workspace.channel(str(call.get("channel", "")))
    if workspace.refusing_streams:
        raise SlackError(workspace.refusing_streams)
    thread = str(call.get("thread_ts") or "")
    if not workspace.has_thread(channel.id, thread):
        raise SlackError("invalid_thread_ts")
    if not channel.im_with:
        for key in ("recipient_team_id", "recipient_user_id"):
            if not call.get(key):
                raise SlackError(f"missing_{key}")
        reader = str(call["recipient_user_id"])
        theirs = objects.team_of(workspace, reader)
        if reader not in workspace.users or call["recipient_team_id"] != theirs:
            raise SlackError("user_not_found")
    message = Message(
        channel=channel.id,
        user=workspace.bot.id,
        thread_ts=thread,
        streaming=True,
        stream_until=workspace.clock.monotonic() + workspace.stream_seconds,
    )
    _append(workspace, message, call)
    workspace.post(message)
    session = workspace.sessions.setdefault((channel.id, thread), Session())
    session.status, session.state = "", "processing"
    return {"channel": channel.id, "ts": message.ts}


def append_stream(workspace: Workspace, call: Json) -> Json:
    """`chat.appendStream`."""
    message = _streaming(workspace, call, ended="stopped_by_user")
    if not call.get("markdown_text") and not call.get("chunks"):
        raise SlackError("no_text")
    _append(workspace, message, call)
    workspace.changed()
    return {"channel": message.channel, "ts": message.ts}


def stop_stream(workspace: Workspace, call: Json) -> Json:
    """`chat.stopStream`: the last words, then the blocks under them; the session is active."""
    message = _streaming(workspace, call)
    blocks = _blocks(workspace, call)
    _append(workspace, message, call)
    message.blocks += blocks
    message.streaming = False
    session = workspace.sessions.get((message.channel, message.root))
    if session is not None:
        session.state = str(call.get("session_status") or "active")
    workspace.tell(events.posted(workspace, message))
    workspace.changed()
    return _answer(workspace, message)


def _streaming(
    workspace: Workspace, call: Json, ended: str = "message_not_in_streaming_state"
) -> Message:
    """The message of a stream that goes on; `ended` is the error when a person has stopped it."""
    channel = workspace.channel(str(call.get("channel", "")))
    message = workspace.message(channel.id, str(call.get("ts", "")))
    if message.user != workspace.bot.id:
        raise SlackError("message_not_owned_by_app")
    if not message.streaming:
        raise SlackError(ended if message.stopped else "message_not_in_streaming_state")
    return message


def _append(workspace: Workspace, message: Message, call: Json) -> None:
    text = str(call.get("markdown_text") or "")
    chunks = call.get("chunks") or []
    if text and chunks:
        raise SlackError("cannot_provide_both_markdown_text_and_chunks")
    mode = "markdown_text" if text else "chunks" if chunks else message.stream_mode
    if message.stream_mode not in {"", mode}:
        raise SlackError("streaming_mode_mismatch")
    tasks: dict[str, Json] = {}
    for chunk in chunks:
        match chunk.get("type"):
            case "markdown_text":
                text += chunk["text"]
            case "task_update" if not workspace.refusing_tasks:
                _check_task(chunk)
                tasks[chunk["id"]] = chunk
            case _:
                raise SlackError("invalid_chunks")
    words, told = message.streamed + text, message.tasks | tasks
    if len(text) > MARKDOWN or (words and _weight(words, told) > workspace.stream_cap):
        raise SlackError("msg_too_long")
    message.streamed, message.tasks, message.stream_mode = words, told, mode


def _check_task(task: Json) -> None:
    known = task.get("status") in {"pending", "in_progress", "complete", "error"}
    long = any(len(task.get(field) or "") > TASK for field in ("title", "details", "output"))
    if not known or long or not task.get("id") or not task.get("title"):
        raise SlackError("invalid_chunks")


def _weight(words: str, tasks: dict[str, Json]) -> int:
    """What Slack counts of a stream: bytes, and details of tasks twice."""
    size = len(words.encode())
    for task in tasks.values():
        details = str(task.get("details") or "") + str(task.get("output") or "")
        size += len(str(task["title"]).encode()) + 2 * len(details.encode())
    return size


def _content(workspace: Workspace, call: Json, limit: int) -> tuple[str, list[Json]]:
    text = str(call.get("text") or "")
    blocks = _blocks(workspace, call)
    if not text and not blocks:
        raise SlackError("no_text")
    if len(text) > limit:
        raise SlackError("msg_too_long")
    return text, blocks


def _blocks(workspace: Workspace, call: Json) -> list[Json]:
    blocks = parse_blocks(call.get("blocks"))
    if any(block["type"] in workspace.refusing_blocks for block in blocks):
        raise SlackError("invalid_blocks")
    return blocks


def _answer(workspace: Workspace, message: Message) -> Json:
    return {
        "channel": message.channel,
        "ts": message.ts,
        "message": objects.message_json(workspace, message),
    }
