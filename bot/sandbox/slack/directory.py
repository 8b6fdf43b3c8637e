"""Everything but messages: who is who, channels, threads, agent sessions, files.

Source: docs.slack.dev, the page of each method.
"""

from __future__ import annotations

import mimetypes

from bot.sandbox.slack import events, objects
from bot.sandbox.slack.state import Channel, Json, Message, StoredFile
from bot.sandbox.slack.workspace import Session, SlackError, Workspace

STATUS_SECONDS = 120.0
TITLE = 200
PROMPTS = 4
SESSION_STATES = frozenset({"active", "processing", "suspended", "closed"})


def auth_test(workspace: Workspace, call: Json) -> Json:
    """`auth.test`; the scopes are in the header `x-oauth-scopes`, which the server adds."""
    return {
        "url": f"{workspace.url}/",
        "team": "Sandbox",
        "user": workspace.bot.name,
        "team_id": workspace.team,
        "user_id": workspace.bot.id,
        "bot_id": "B0CHINWAG",
        "is_enterprise_install": False,
    }


def users_info(workspace: Workspace, call: Json) -> Json:
    """`users.info`, with the locale where it is asked for."""
    user = workspace.users.get(str(call.get("user", "")))
    if user is None:
        raise SlackError("user_not_found")
    found: Json = {
        "id": user.id,
        "team_id": objects.team_of(workspace, user.id),
        "name": user.name.lower(),
        "real_name": user.name,
        "is_bot": user.is_bot,
        "profile": {"real_name": user.name, "display_name": user.name},
    }
    if str(call.get("include_locale", "")).lower() in {"1", "true"}:
        found["locale"] = user.locale
    return {"user": found}


def conversations_replies(workspace: Workspace, call: Json) -> Json:
    """`conversations.replies`: a thread, its root first."""
    channel = _readable(workspace, call)
    thread = workspace.standing(channel.id, str(call.get("ts", "")))
    if not thread:
        raise SlackError("thread_not_found")
    root, *replies = thread
    return _page(workspace, call, [root, *_newer(call, replies)])


def conversations_history(workspace: Workspace, call: Json) -> Json:
    """`conversations.history`: a channel without what stands in threads, its newest first."""
    channel = _readable(workspace, call)
    standing = [m for m in workspace.standing(channel.id) if m.root == m.ts]
    return _page(workspace, call, _newer(call, standing)[::-1])


def _readable(workspace: Workspace, call: Json) -> Channel:
    """A conversation that the bot may read: a bot reads none that it is not in."""
    channel = workspace.channel(str(call.get("channel", "")))
    if not workspace.is_in(channel):
        raise SlackError("not_in_channel")
    scopes = {"im": "im:history", "mpim": "mpim:history", "group": "groups:history"}
    scope = scopes.get(channel.kind, "channels:history")
    if scope not in workspace.scopes:
        raise SlackError("missing_scope", needed=scope)
    return channel


def _newer(call: Json, messages: list[Message]) -> list[Message]:
    oldest, inclusive = str(call.get("oldest") or ""), call.get("inclusive") == "true"
    newer = [m for m in messages if m.ts > oldest or (inclusive and m.ts == oldest)]
    return [m for m in newer if not m.ephemeral_for]


def _page(workspace: Workspace, call: Json, messages: list[Message]) -> Json:
    limit = int(call.get("limit") or 1000)
    return {
        "messages": [objects.message_json(workspace, m) for m in messages[:limit]],
        "has_more": len(messages) > limit,
    }


def set_thread_status(workspace: Workspace, call: Json) -> Json:
    """`assistant.threads.setStatus`: the line "… is thinking"; empty clears it."""
    channel = workspace.channel(str(call.get("channel_id", "")))
    thread = str(call.get("thread_ts") or "")
    if (channel.id, thread) not in workspace.messages:
        raise SlackError("invalid_thread_ts")
    session = workspace.sessions.setdefault((channel.id, thread), Session())
    session.status = str(call.get("status") or "")
    session.until = workspace.clock.monotonic() + STATUS_SECONDS
    workspace.changed()
    return {}


def set_suggested_prompts(workspace: Workspace, call: Json) -> Json:
    """`assistant.threads.setSuggestedPrompts`: what a person may pick in the Messages tab."""
    channel = workspace.channel(str(call.get("channel_id", "")))
    prompts = call.get("prompts") or []
    if not 0 < len(prompts) <= PROMPTS or not all(p["title"] and p["message"] for p in prompts):
        raise SlackError("invalid_arguments")
    workspace.prompts[channel.id] = (str(call.get("title") or ""), list(prompts))
    workspace.changed()
    return {}


def set_session_status(workspace: Workspace, call: Json) -> Json:
    """`agents.sessions.setStatus`; begins the session where there is none.

    `not_authorized` where the bot is not in the channel, and for apps that are no agents
    (github.com/kirodotdev/KiroCrew/issues/9822).
    """
    channel = workspace.channel(str(call.get("channel_id", "")))
    if not workspace.is_agent or not workspace.is_in(channel):
        raise SlackError("not_authorized")
    title = str(call.get("title") or "")
    if call.get("status") not in SESSION_STATES:
        raise SlackError("invalid_status")
    if len(title) > TITLE:
        raise SlackError("invalid_arguments")
    thread = str(call.get("thread_ts") or "")
    if not thread:
        raise SlackError("thread_ts_required")
    if (channel.id, thread) not in workspace.messages:
        raise SlackError("invalid_thread_ts")
    session = workspace.sessions.setdefault((channel.id, thread), Session(title=title))
    session.state, session.status = str(call["status"]), ""  # there is one place for both
    workspace.changed()
    answer: Json = {"agent_status": session.state}
    if "agent_session_stopped" not in workspace.events:
        answer["warning"] = "missing_agent_session_stopped_event_subscription"
        answer["response_metadata"] = {"warnings": [answer["warning"]]}
    return answer


def files_info(workspace: Workspace, call: Json) -> Json:
    """`files.info`."""
    file = workspace.files.get(str(call.get("file", "")))
    if file is None:
        raise SlackError("file_not_found")
    return {"file": objects.file_json(workspace, file)}


def upload_url(workspace: Workspace, call: Json) -> Json:
    """`files.getUploadURLExternal`: a place to send the bytes to."""
    length = int(call.get("length") or 0)
    name = str(call.get("filename") or "")
    if not name or length <= 0:
        raise SlackError("invalid_arguments")
    file = StoredFile(
        id=workspace.new_id("F"),
        name=name,
        mime=mimetypes.guess_type(name)[0] or "application/octet-stream",
        content=b"",
        owner=workspace.bot.id,
        length=length,
    )
    workspace.files[file.id] = file
    return {"upload_url": f"{workspace.url}/upload/{file.id}", "file_id": file.id}


def complete_upload(workspace: Workspace, call: Json) -> Json:
    """`files.completeUploadExternal`: posts the uploaded files as one message."""
    files = []
    for given in call.get("files") or []:
        file = workspace.files.get(str(given.get("id", "")))
        if file is None or file.length != len(file.content):
            raise SlackError("file_not_found")
        files.append(file)
    target = str(call.get("channel_id") or call.get("channels") or "")
    if target:
        channel = workspace.channel(target)
        message = Message(
            channel=channel.id,
            user=workspace.bot.id,
            text=str(call.get("initial_comment") or ""),
            thread_ts=str(call.get("thread_ts") or ""),
            files=files,
        )
        workspace.post(message)
        workspace.tell(events.posted(workspace, message))
    return {"files": [objects.file_json(workspace, f) for f in files]}
