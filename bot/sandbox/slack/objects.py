"""Messages and files as Slack writes them in events and in what its methods answer.

Source: docs.slack.dev, "Message", "File object", and the recordings that are named below.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence

from bot.sandbox.slack.state import CANVAS, GRAVE, Json, Message, StoredFile
from bot.sandbox.slack.workspace import Workspace

_MRKDWN = (
    (re.compile(r"\[([^\]]*)\]\(([^)]*)\)"), r"<\2|\1>"),
    (re.compile(r"\*\*(.+?)\*\*"), r"*\1*"),
    (re.compile(r"^#+ ", re.MULTILINE), ""),
    (re.compile(r"^[-*] ", re.MULTILINE), "• "),
)
_EMOJI = re.compile(r"[0-9#*]\ufe0f\u20e3|[\u2139\u2600-\u27bf\U0001f300-\U0001faff]\ufe0f?")


def team_of(workspace: Workspace, user: str) -> str:
    """The workspace that somebody belongs to."""
    found = workspace.users.get(user)
    return found.team if found and found.team else workspace.team


def file_json(workspace: Workspace, file: StoredFile) -> Json:
    """A file object, as events and `files.info` show it.

    A canvas has a title, but no name, as others have recorded.
    """
    found: Json = {
        "id": file.id,
        "name": file.name,
        "title": file.name,
        "mimetype": file.mime,
        "filetype": file.name.rsplit(".", 1)[-1],
        "size": len(file.content),
        "user": file.owner,
        "mode": "external" if file.elsewhere else "hosted",
        "file_access": "visible",
        "url_private": file.elsewhere or f"{workspace.url}/files-pri/{file.id}/{file.name}",
    }
    if not file.elsewhere:
        found["url_private_download"] = f"{workspace.url}/files-pri/{file.id}/download/{file.name}"
    if file.mime == CANVAS:
        found |= {"name": "-", "filetype": "quip", "mode": "quip", "pretty_type": "Canvas"}
    if file.thumb:
        found["thumb_1024"] = f"{workspace.url}/files-tmb/{file.id}/{file.name}_1024.jpg"
    if file.subtype:
        found["subtype"] = file.subtype
    if file.seconds is not None:
        found["duration_ms"] = int(file.seconds * 1000)
    return found


def _stub(file: StoredFile) -> Json:
    """All that events tell of a file from another workspace; `files.info` tells the rest.

    Source: docs.slack.dev, "file_share message", "Slack Connect files".
    """
    return {
        "id": file.id,
        "created": 0,
        "timestamp": 0,
        "user": "",
        "mode": "file_access",
        "file_access": "check_file_info",
    }


def message_json(workspace: Workspace, message: Message) -> Json:
    """A message object, without the envelope of an event."""
    if message.deleted:
        return _grave(message)
    team = team_of(workspace, message.user)
    found: Json = {
        "type": "message",
        "user": message.user,
        "text": _text(workspace, message),
        "ts": message.ts,
        "team": team,
    }
    if message.thread_ts:
        root = workspace.messages.get((message.channel, message.thread_ts))
        found["thread_ts"] = message.thread_ts
        found["parent_user_id"] = root.user if root else ""
    if message.client_msg_id:
        found["client_msg_id"] = message.client_msg_id
    if message.blocks:
        found["blocks"] = message.blocks
    if message.attachments:
        found["attachments"] = message.attachments
    if message.files:
        found["files"] = [
            file_json(workspace, f) if team == workspace.team else _stub(f) for f in message.files
        ]
    if workspace.users[message.user].is_bot:
        profile = {"id": f"B{message.user[1:]}", "name": workspace.users[message.user].name}
        found |= {"bot_id": profile["id"], "bot_profile": profile}
    if message.user == workspace.bot.id:
        found["app_id"] = workspace.app
    return found


def shared_json(workspace: Workspace, message: Message) -> Json:
    """A message that is shared into another one, as an attachment of that.

    Its files stand in it, not beside it (github.com/NousResearch/hermes-agent/pull/75481,
    github.com/ColeMurray/background-agents/pull/1143); so do its blocks, where an app has posted
    any (github.com/slackapi/java-slack-sdk/issues/1179). Of Markdown Slack makes rich text: here
    one of bare words.
    """
    author, told = workspace.users[message.user], message_json(workspace, message)
    streamed = [{"type": "markdown", "text": message.streamed}] if message.streamed else []
    blocks = [
        _rich_text(block["text"]) if block["type"] == "markdown" else block
        for block in (*streamed, *message.blocks)
    ]
    found: Json = {
        "is_msg_unfurl": True,
        "is_share": True,
        "author_id": author.id,
        "author_name": author.name,
        "channel_id": message.channel,
        "ts": message.ts,
        "text": told["text"],
        "fallback": told["text"] or "[no preview available]",
    }
    if blocks:
        place = {"team": told["team"], "channel": message.channel, "ts": message.ts}
        found["message_blocks"] = [place | {"message": {"blocks": blocks}}]
    return found | ({"files": told["files"]} if "files" in told else {})


def permalink(message: Message) -> str:
    """The address of a message, as "Copy link" gives it."""
    return f"https://sandbox.slack.com/archives/{message.channel}/p{message.ts.replace('.', '')}"


def preview_json(workspace: Workspace, message: Message) -> Json:
    """What Slack shows of a message below another one that links to it."""
    shared = shared_json(workspace, message) | {"from_url": permalink(message)}
    del shared["is_share"]
    return shared


def table_json(rows: Sequence[Sequence[str]]) -> Json:
    """A table that is pasted into a message, as an attachment of that; no text tells of it.

    Source: github.com/openclaw/openclaw/issues/112229, github.com/vercel/chat/issues/803.
    """
    cells = [[_rich_text(cell) for cell in row] for row in rows]
    return {
        "id": 1,
        "blocks": [{"type": "table", "rows": cells}],
        "fallback": "[no preview available]",
    }


def _rich_text(text: str) -> Json:
    words = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [words]}


def _grave(message: Message) -> Json:
    """What is left of a message that began a thread (github.com/slack-edge/slack-edge/pull/10)."""
    return {
        "type": "message",
        "subtype": "tombstone",
        "text": GRAVE,
        "user": "USLACKBOT",
        "hidden": True,
        "ts": message.ts,
        "thread_ts": message.ts,
        "parent_user_id": "USLACKBOT",
        "is_locked": False,
        "subscribed": False,
    }


def _text(workspace: Workspace, message: Message) -> str:
    """The text as Slack gives it back: escaped, and for the emoji of an app their names.

    Source: docs.slack.dev, "Formatting message text": a published emoji is converted to its colon
    format. The names here are those of Unicode, not Slack's own. What was streamed comes as mrkdwn,
    as others have recorded.
    """
    text = message.text or _mrkdwn(html.escape(message.streamed, quote=False))
    return _EMOJI.sub(_name, text) if message.user == workspace.bot.id else text


def _mrkdwn(text: str) -> str:
    for markdown, mrkdwn in _MRKDWN:
        text = markdown.sub(mrkdwn, text)
    return text


def _name(emoji: re.Match[str]) -> str:
    return f":{unicodedata.name(emoji[0][0], 'emoji').lower().replace(' ', '_')}:"
