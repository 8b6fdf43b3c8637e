"""The headings under which `/help` lists the commands, in their order."""

from __future__ import annotations

from bot.core.i18n import N_

TALK = N_("Conversation")
STYLE = N_("Model and style")
MEDIA = N_("Pictures, voice and files")
ABOUT = N_("Help and your data")
ADMIN = N_("For admins")

FAMILIES = (TALK, STYLE, MEDIA, ABOUT, ADMIN)
