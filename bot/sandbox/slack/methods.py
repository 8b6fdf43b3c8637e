"""The table of Web API methods: what carries each out and which scope it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.slack import chat, directory
from bot.sandbox.slack.state import Json
from bot.sandbox.slack.workspace import SlackError, Workspace


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the Web API; `scope` is one that it always needs, empty for none."""

    run: Callable[[Workspace, Json], Json]
    scope: str = ""


METHODS = {
    "auth.test": Method(directory.auth_test),
    "chat.postMessage": Method(chat.post_message, "chat:write"),
    "chat.update": Method(chat.update, "chat:write"),
    "chat.delete": Method(chat.delete, "chat:write"),
    "chat.postEphemeral": Method(chat.post_ephemeral, "chat:write"),
    "chat.startStream": Method(chat.start_stream, "chat:write"),
    "chat.appendStream": Method(chat.append_stream, "chat:write"),
    "chat.stopStream": Method(chat.stop_stream, "chat:write"),
    "users.info": Method(directory.users_info, "users:read"),
    "conversations.history": Method(directory.conversations_history),
    "conversations.replies": Method(directory.conversations_replies),
    "assistant.threads.setStatus": Method(directory.set_thread_status, "assistant:write"),
    "assistant.threads.setSuggestedPrompts": Method(
        directory.set_suggested_prompts, "assistant:write"
    ),
    "agents.sessions.setStatus": Method(directory.set_session_status, "chat:write"),
    "files.info": Method(directory.files_info, "files:read"),
    "files.getUploadURLExternal": Method(directory.upload_url, "files:write"),
    "files.completeUploadExternal": Method(directory.complete_upload, "files:write"),
}


def run(workspace: Workspace, name: str, call: Json) -> Json:
    """Carry out a method; raises `SlackError` as Slack refuses it."""
    method = METHODS.get(name)
    if method is None:
        raise SlackError("unknown_method", req_method=name)
    if method.scope and method.scope not in workspace.scopes:
        provided = ",".join(sorted(workspace.scopes))
        raise SlackError("missing_scope", needed=method.scope, provided=provided)
    return method.run(workspace, call)
