"""The words of messages that are shared into another one, or that a thread began with.

What people wrote stands in `text`. What an app wrote may stand in blocks alone, or in `text` only
as far as a notification shows it: so do the answers of this bot. Of a shared message Slack tells
the blocks as `message_blocks` (github.com/slackapi/java-slack-sdk/issues/1179), and of alerts as
`blocks` (github.com/openclaw/openclaw/pull/97727). Others post all they have to say as attachments
(docs.slack.dev, "Secondary message attachments"). Pure functions.
"""

from __future__ import annotations

from bot.platforms.slack.block_words import words_in
from bot.platforms.slack.calls import Json


def words_of(shared: Json) -> str:
    """What a shared message says, as Slack writes text: escaped, with mentions in brackets."""
    text = str(shared.get("text") or "")
    parts = [*(part.get("message") or {} for part in shared.get("message_blocks") or ()), shared]
    words = words_in(block for part in parts for block in part.get("blocks") or ())
    return max(text, words, key=len) or str(shared.get("fallback") or "")


def words_of_attachment(attachment: Json) -> str:
    """What an app's attachment says: its title, its text, its fields, its blocks."""
    lines = [str(attachment.get(key) or "") for key in ("pretext", "title", "text")]
    lines += [
        f"{field.get('title')}: {field.get('value')}" for field in attachment.get("fields") or ()
    ]
    return "\n".join(filter(None, [*lines, words_in(attachment.get("blocks") or ())]))
