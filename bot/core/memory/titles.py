"""A title for a conversation, from its first exchange: by a cheap model, else the first words."""

from __future__ import annotations

import logging
import re
from contextlib import aclosing

from bot.core.archive import TITLED
from bot.core.chat import (
    ChatMessage,
    ChatRequest,
    NewMessage,
    Role,
    Sampling,
    TextDelta,
    TextPart,
)
from bot.core.documents import told_of
from bot.core.limits.meter import Meter
from bot.core.limits.spending import reserve_chore
from bot.core.models import UsageEntry
from bot.core.services import Services
from bot.core.types import UserId
from bot.errors import ModelError, ModelErrorKind

log = logging.getLogger(__name__)

LENGTH = 48
"""Characters of a title."""
SHOWN = 1_000
"""Characters of the question, and of the answer, that the model is shown."""
LANE = "chores"
"""Work that nobody waits for takes turns with the chats as if it were one more of them."""
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
            title, usage = await ask_cheaply(services, INSTRUCTION, told, max_tokens=60)
        except ModelError as error:
            log.info("no title", extra={"conversation": conversation, "kind": error.kind.value})
    asked = (each.message for each in beginning if each.message.role is Role.USER)
    title = clean(title) or next(map(gist, asked), "")
    if title:
        await archive.entitle(conversation, title, of=beginning, asker=asker, usage=usage)


async def ask_cheaply(
    services: Services, instruction: str, text: str, *, max_tokens: int
) -> tuple[str, tuple[UsageEntry, ...]]:
    """What the cheap model makes of a text, and what that cost. Raises `ModelError`."""
    model = services.defaults.summary_model
    request = ChatRequest(
        model=model,
        messages=(
            ChatMessage(role=Role.SYSTEM, parts=(TextPart(instruction),)),
            ChatMessage(role=Role.USER, parts=(TextPart(text),)),
        ),
        sampling=Sampling(max_tokens=max_tokens),
        lane=LANE,
    )
    meter, said = Meter(services.api, services.clock, services.count_tokens), ""
    meter.begin(request)
    try:
        async with (
            reserve_chore(services, request),
            aclosing(services.api.stream(request)) as events,
        ):
            async for event in events:
                meter.take(event)
                if isinstance(event, TextDelta):
                    said += event.text
    except ModelError as error:
        if error.kind is ModelErrorKind.CONTEXT_TOO_LONG:
            services.gauges.learn(request, error.overrun, count=services.count_tokens)
        raise
    return said, meter.entries()
