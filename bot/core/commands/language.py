"""`/language`: the language of the bot's own sentences, as buttons or by typing."""

from __future__ import annotations

from bot.core.commands.families import STYLE
from bot.core.commands.settings import settings
from bot.core.commands.table import Command
from bot.core.i18n import N_
from bot.core.turn import TurnContext
from bot.core.types import IncomingMessage

SETTING = "language"


async def language(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
    """The same as `/settings language`, under the name that people look for."""
    await settings(ctx, message, f"{SETTING} {argument}".strip())


LANGUAGE = Command(
    name=SETTING,
    family=STYLE,
    summary=N_("Choose the language of my own sentences"),
    usage="[auto|en|zh]",
    run=language,
    aliases=("lang",),
    examples=("/language", "/language zh"),
    urgent=True,
)
