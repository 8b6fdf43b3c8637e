"""What a chat of Telegram can do."""

from __future__ import annotations

from dataclasses import replace

from bot.core.capabilities import Capabilities, Streaming
from bot.platforms.telegram.errors import MAX_FILE_IN, MAX_FILE_OUT
from bot.platforms.telegram.ids import Place
from bot.platforms.telegram.markdown.render import MAX_TEXT, measure
from bot.platforms.telegram.markdown.rich import MAX_RICH
from bot.platforms.telegram.markdown.rich import measure as measure_rich
from bot.platforms.telegram.methods import MAX_DELETIONS
from bot.platforms.telegram.posting import MAX_BUTTONS

PRIVATE = Capabilities(
    streaming=Streaming.EDIT,
    max_text=MAX_TEXT,
    update_interval=1.0,
    measure=measure,
    max_buttons=MAX_BUTTONS,
    max_deletions=MAX_DELETIONS,
    max_file_in=MAX_FILE_IN,
    max_file_out=MAX_FILE_OUT,
    around="",
    folds=True,
    drafts=True,
    rich=True,
)
GROUP = replace(PRIVATE, update_interval=3.6, drafts=False)
"""Fewer previews: 20 messages a minute are all that a group has."""
GROUP_IN_PRIVACY = replace(GROUP, hears_all=False)
"""In privacy mode a bot hears all only where it is an administrator
(https://core.telegram.org/bots/features#privacy-mode)."""
DRAFT_SECONDS = 30.0
"""How long a draft is shown (Bot API, `sendMessageDraft`)."""
DRAFT_INTERVAL = 0.8
"""Seconds between two drafts: a few more than their budget allows, which the pacer holds back."""


def capabilities_of(place: Place, *, drafts: bool, rich: bool, privacy: bool) -> Capabilities:
    """The capabilities of a chat, in which answers are shown as `drafts` and as `rich` messages.

    `privacy` says that the bot is in privacy mode.
    """
    found = PRIVATE if place.private else GROUP_IN_PRIVACY if privacy else GROUP
    if drafts:
        found = replace(
            found, update_interval=DRAFT_INTERVAL, vanishes=DRAFT_SECONDS, stop_button=True
        )
    if rich:
        found = replace(found, max_text=MAX_RICH, measure=measure_rich, around="…")
    return found
