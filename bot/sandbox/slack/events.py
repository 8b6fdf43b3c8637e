"""What Slack tells the bot: the payloads of events, slash commands and button presses.

Source: docs.slack.dev, reference pages of each event and "Handling user interaction".
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence

from bot.sandbox.slack.state import CANVAS, GRAVE, Json, Message, StoredFile
from bot.sandbox.slack.workspace import EPOCH, Workspace

_MRKDWN = (
    (re.compile(r"\[([^\]]*)\]\(([^)]*)\)"), r"<\2|\1>"),
    (re.compile(r"\*\*(.+?)\*\*"), r"*\1*"),
    (re.compile(r"^#+ ", re.MULTILINE), ""),
    (re.compile(r"^[-*] ", re.MULTILINE), "• "),
)
_MENTION = re.compile(r"<@([UW]\w+)>")
_EMOJI = re.compile(r"[0-9#*]\ufe0f\u20e3|[\u2139\u2600-\u27bf\U0001f300-\U0001faff]\ufe0f?")


def subscription(event: Json) -> str:
    """What an app must have subscribed to in order to hear of an event."""
    if event["type"] != "message":
        return str(event["type"])
    kinds = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}
    return f"message.{kinds[event['channel_type']]}"


def callback(workspace: Workspace, event: Json) -> Json:
    """An event in its `event_callback` envelope, with an id of its own.

    In a channel that is shared by Slack Connect its `team_id` is another's; where the app is
    installed stands in `authorizations` (github.com/slackapi/bolt-js/issues/687).
    """
    spoken = event.get("message") or event.get("previous_message") or event
    theirs = team_of(workspace, str(spoken.get("user", "")))
    return {
        "token": "sandbox-verification",
        "team_id": theirs,
        "api_app_id": workspace.app,
        "event": event,
        "type": "event_callback",
        "event_id": workspace.new_id("Ev"),
        "event_time": EPOCH,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": workspace.team,
                "user_id": workspace.bot.id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": theirs != workspace.team,
    }


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


def posted(workspace: Workspace, message: Message) -> Json:
    """The event of a new message."""
    event = message_json(workspace, message) | {
        "channel": message.channel,
        "channel_type": workspace.channels[message.channel].kind,
        "event_ts": message.ts,
    }
    if message.files:
        event["subtype"] = "file_share"
    return event


def mention(workspace: Workspace, message: Message) -> Json:
    """The second event of a post that mentions the bot in a channel; it tells of no files.

    Whether Slack leaves them out always is not known (github.com/openclaw/openclaw/pull/62927). An
    edit has it too, each time, with the `ts` of the post (github.com/slack-go/slack/pull/1256).
    """
    found = message_json(workspace, message) | {
        "type": "app_mention",
        "channel": message.channel,
        "event_ts": message.ts,
    }
    found.pop("files", None)
    if message.edits:
        found["event_ts"] = workspace.new_ts()
        found["edited"] = {"user": message.user, "ts": found["event_ts"]}
    return found


def edited(workspace: Workspace, message: Message, before: Json) -> Json:
    """The event of a message that was changed."""
    event = _about(workspace, message, "message_changed", before)
    now = message_json(workspace, message)
    return event | {"message": now | {"edited": {"user": message.user, "ts": event["ts"]}}}


def buried(workspace: Workspace, message: Message, before: Json) -> Json:
    """The event of a message that was deleted though it has replies: it is changed into its grave.

    Source: github.com/42wim/matterbridge/issues/600.
    """
    return previewed(workspace, message, before)


def previewed(workspace: Workspace, message: Message, before: Json) -> Json:
    """The event of a message under which Slack shows what it links to: nobody has edited it.

    It comes about a second after the message (github.com/NousResearch/hermes-agent/pull/95417).
    """
    event = _about(workspace, message, "message_changed", before)
    return event | {"message": message_json(workspace, message)}


def deleted(workspace: Workspace, message: Message, before: Json) -> Json:
    """The event of a message that is gone.

    Source: docs.slack.dev, "message_deleted message", and for what stood there before
    github.com/slack-go/slack/pull/1261.
    """
    return _about(workspace, message, "message_deleted", before) | {"deleted_ts": message.ts}


def _about(workspace: Workspace, message: Message, subtype: str, before: Json) -> Json:
    """What the events of all that happens to a message have in common; its time is that of now."""
    ts = workspace.new_ts()
    return {
        "type": "message",
        "subtype": subtype,
        "hidden": True,
        "channel": message.channel,
        "channel_type": workspace.channels[message.channel].kind,
        "previous_message": before,
        "ts": ts,
        "event_ts": ts,
    }


def slash(workspace: Workspace, *, command: str, text: str, user: str, channel: str) -> Json:
    """A slash command; `response_url` takes answers without a token.

    Mentions are escaped only where the app asks for it, else they come as they were typed
    (docs.slack.dev, "Implementing slash commands": "Escape channels, users, and links").
    """

    def mentioned(found: re.Match[str]) -> str:
        name = workspace.users[found[1]].name.lower()
        return f"<@{found[1]}|{name}>" if workspace.escapes else f"@{name}"

    text = _MENTION.sub(mentioned, text)
    trigger = workspace.new_id("")
    return {
        "token": "sandbox-verification",
        "team_id": workspace.team,
        "team_domain": "sandbox",
        "channel_id": channel,
        "channel_name": "directmessage"
        if workspace.channels[channel].im_with
        else workspace.channels[channel].name,
        "user_id": user,
        "user_name": workspace.users[user].name,
        "command": command,
        "text": text,
        "api_app_id": workspace.app,
        "is_enterprise_install": "false",
        "response_url": f"{workspace.url}/commands/{channel}/{user}/{trigger}",
        "trigger_id": f"{trigger}.{workspace.team}",
    }


def press(
    workspace: Workspace, message: Message, button: Json, user: str, kind: str = "button"
) -> Json:
    """A `block_actions` payload: somebody pressed a button of a message."""
    trigger = workspace.new_id("")
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": bool(message.ephemeral_for),
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    return {
        "type": "block_actions",
        "user": {
            "id": user,
            "username": workspace.users[user].name,
            "name": workspace.users[user].name,
            "team_id": team_of(workspace, user),
        },
        "api_app_id": workspace.app,
        "token": "sandbox-verification",
        "container": container,
        "trigger_id": f"{trigger}.{workspace.team}",
        "team": {"id": team_of(workspace, user), "domain": "sandbox"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": message.channel, "name": workspace.channels[message.channel].name},
        "message": message_json(workspace, message),
        "state": {"values": {}},
        "response_url": f"{workspace.url}/actions/{message.channel}/{user}/{trigger}",
        "actions": [
            {
                "action_id": button.get("action_id", trigger),
                "block_id": "b1",
                "text": button["text"],
                "value": button.get("value", ""),
                "type": kind,
                "action_ts": workspace.new_ts(),
            }
        ],
    }


def stopped(workspace: Workspace, channel: str, thread: str, streams: list[str], user: str) -> Json:
    """Somebody pressed Slack's own Stop button in an agent session."""
    return {
        "type": "agent_session_stopped",
        "channel": channel,
        "thread_ts": thread,
        "streaming_message_ts": streams,
        "user": user,
        "event_ts": workspace.new_ts(),
    }


def home_opened(workspace: Workspace, user: str, channel: str, tab: str) -> Json:
    """Somebody opened the bot's Messages or Home tab."""
    return {
        "type": "app_home_opened",
        "user": user,
        "channel": channel,
        "tab": tab,
        "event_ts": workspace.new_ts(),
    }


def moved(workspace: Workspace, *, old: str, new: str) -> Json:
    """A private channel is shared with another workspace, and has another id from now on."""
    return {
        "type": "channel_id_changed",
        "old_channel_id": old,
        "new_channel_id": new,
        "event_ts": workspace.new_ts(),
    }
