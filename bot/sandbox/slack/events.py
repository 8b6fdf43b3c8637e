"""What Slack tells the bot: the payloads of events, slash commands and button presses.

Source: docs.slack.dev, reference pages of each event and "Handling user interaction".
"""

from __future__ import annotations

import re

from bot.sandbox.slack.objects import message_json, team_of
from bot.sandbox.slack.state import Json, Message
from bot.sandbox.slack.workspace import EPOCH, Workspace

_MENTION = re.compile(r"<@([UW]\w+)>")


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


def changed(workspace: Workspace, message: Message, before: Json) -> Json:
    """The event of a message that is another now, though nobody has edited it.

    Slack shows below it what it links to, about a second after the message
    (github.com/NousResearch/hermes-agent/pull/95417); or it was deleted though it has replies, and
    is its grave now (github.com/42wim/matterbridge/issues/600).
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
