"""A title for a conversation, from its first exchange: by a cheap model, else the first words."""

from __future__ import annotations

import logging
import re

from bot.core.archive import TITLED
from bot.core.chat import (
    NewMessage,
    Role,
    TextPart,
)
from bot.core.documents import told_of
from bot.core.memory.cheap_model import ask_cheap_model
from bot.core.models import UsageEntry
from bot.core.services import Services
from bot.core.types import UserId
from bot.errors import ModelError

log = logging.getLogger(__name__)

LENGTH = 48
"""Characters of a title."""
SHOWN = 1_000
"""Characters of the question, and of the answer, that the model is shown."""
INSTRUCTION = (
    "Give the conversation a title of at most six words, in the language of the conversation. "
    "Answer with the title alone: no quotes, no full stop."
)

_MARKS = re.compile(r"(?m)^(?:[^\S\n]*(?:>|#{1,6}(?=\s)))+|(?<!\w)_+|_+(?!\w)|[*`|~\[\]]+")
"""What Markdown would make something of; the signs in `C#`, `my_file` and `1 > 2` are words."""
_QUOTED = re.compile(
    r"\"([^\"]*)\"|'([^']*)'|“([^“”]*)”|„([^„“”]*)[“”]|«([^«»]*)»"
    r"|「([^「」]*)」|『([^『』]*)』|《([^《》]*)》"
)
_BRACKETED = re.compile(r"\A\[[^\]]*\]\s*")


def clean(text: str) -> str:
    """The text as a title: one line, without Markdown, not too long, cut between words."""
    line = " ".join(_MARKS.sub("", text).split()).strip(".。 ")
    if (quoted := _QUOTED.fullmatch(line)) is not None:
        line = quoted[quoted.lastindex or 0].strip(".。 ")
    if len(line) <= LENGTH:
        return line
    cut = line[:LENGTH]
    words = cut.rpartition(" ")[0]
    return (words if len(words) > LENGTH // 2 else cut).rstrip(" ,;:.，；：、。") + "…"


def gist(asked: NewMessage) -> str:
    """A question in a line: what was typed, else what was heard or passed on, else a file's name.

    Empty when it has no words, as with a picture.
    """
    words, *others = [each for each in asked.parts if isinstance(each, TextPart)] or [TextPart("")]
    begin, end = words.typed or (0, len(words.text))
    rest = (words.text[end:], *(each.text for each in others))
    said = next(filter(None, map(str.strip, (words.text[begin:end], *rest))), "")
    return clean(told_of(said) or _BRACKETED.sub("", said))


async def entitle(services: Services, conversation: int, asker: UserId) -> None:
    """Give a conversation a title unless it has one. Raises `StoreError`."""
    archive = services.stores.archive
    if not await archive.untitled(conversation):
        return
    beginning = await services.stores.conversations.beginning(conversation, limit=TITLED)
    title, usage = "", tuple[UsageEntry, ...]()
    if services.defaults.summary_model and len(beginning) > 1:
        try:
            said = (f"{each.message.role}: {each.message.text[:SHOWN]}" for each in beginning)
            told = "\n\n".join(said)
            title, usage = await ask_cheap_model(services, INSTRUCTION, told, max_tokens=60)
        except ModelError as error:
            log.info("no title", extra={"conversation": conversation, "kind": error.kind.value})
    asked = (each.message for each in beginning if each.message.role is Role.USER)
    title = clean(title) or next(map(gist, asked), "")
    if title or usage:
        await archive.entitle(conversation, title, of=beginning, asker=asker, usage=usage)
