"""`/export`: a conversation, or all of them, as a file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.core.archive import Shelved
from bot.core.chat import ImagePart, KeptMessage, MessageState, Role
from bot.core.commands.table import ABOUT, Command, Handler
from bot.core.i18n import N_
from bot.core.menu import Item, make_buttons
from bot.core.punctuation import paragraphs
from bot.core.turn import TurnContext
from bot.core.types import ButtonPress, IncomingMessage, Need, OutgoingFile

EXPORT_AGAIN = "export.as"
PAGE = 50
"""Messages that are in memory with their pictures."""
FORMATS = {"md": "text/markdown", "json": "application/json"}
LABELS = {"md": "Markdown", "json": "JSON"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A conversation with everything that was said in it."""

    shelved: Shelved
    messages: Sequence[KeptMessage]


async def export(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
    """Send this conversation as a file; with `all`, every one of the chat."""
    words = set(argument.lower().split())
    if words - {"all", *FORMATS} or {"md", "json"} <= words:
        await ctx.say(
            ctx.texts.gettext("Write `/export`, `/export json`, or `/export all` for everything.")
        )
        return
    await _send(ctx, "json" if "json" in words else "md", everything="all" in words)


async def export_as(ctx: TurnContext, press: ButtonPress, argument: str) -> None:
    """Somebody wants it in another form."""
    form, everything = json.loads(argument)
    ctx.shown.clear()  # a file of its own, below the other one
    await _send(ctx, form, everything=everything)


async def _send(ctx: TurnContext, form: str, *, everything: bool) -> None:
    _ = ctx.texts.gettext
    chapters = await _chapters(ctx, everything=everything)
    if not chapters:
        await ctx.say(_("There is nothing to export in this conversation yet."))
        return
    content = _as_json(chapters) if form == "json" else _as_markdown(ctx, chapters)
    data, limit = content.encode(), ctx.capabilities.max_file_out
    if len(data) > limit:
        text = _("That is more than a file here can hold ({limit} MB). Export one at a time.")
        await ctx.say(text.format(limit=limit // 1_000_000))
        return
    day = datetime.now(UTC).date().isoformat()
    file = OutgoingFile(name=f"chinwag-{day}.{form}", mime=FORMATS[form], content=data)
    count = sum(len(chapter.messages) for chapter in chapters)
    text = ctx.texts.ngettext("📄 {count} message.", "📄 {count} messages.", count)
    other = "md" if form == "json" else "json"
    label = _("As {form}").format(form=LABELS[other])
    row = [Item(label, EXPORT_AGAIN, _wish(other, everything))]
    if not everything:
        row.append(Item(_("All conversations"), EXPORT_AGAIN, _wish(form, True)))
    await ctx.say(text.format(count=count), files=(file,), buttons=await make_buttons(ctx, [row]))


def _wish(form: str, everything: bool) -> str:
    return json.dumps([form, everything])


async def _chapters(ctx: TurnContext, *, everything: bool) -> Sequence[Chapter]:
    archive, conversations = ctx.services.stores.archive, ctx.services.stores.conversations
    count = await archive.count(ctx.chat)
    listed = await archive.listed(ctx.chat, limit=count)
    if not everything:
        current = await conversations.current(ctx.chat)
        listed = [each for each in listed if each.id == current]
    chapters: list[Chapter] = []
    for shelved in reversed(listed):
        messages: list[KeptMessage] = []
        before: int | None = None
        while page := await conversations.page(shelved.id, before=before, limit=PAGE):
            messages[:0] = map(_light, page)
            before = page[0].id
        chapters.append(Chapter(shelved=shelved, messages=messages))
    return chapters


def _light(kept: KeptMessage) -> KeptMessage:
    """A message without the bytes of its pictures: only how many there are is told."""
    parts = (
        replace(part, data=b"") if isinstance(part, ImagePart) else part
        for part in kept.message.parts
    )
    return replace(kept, message=replace(kept.message, parts=tuple(parts)))


# ---------------------------------------------------------------- how it is written


def _as_markdown(ctx: TurnContext, chapters: Sequence[Chapter]) -> str:
    _ = ctx.texts.gettext
    parts: list[str] = []
    for chapter in chapters:
        title = chapter.shelved.title or _("Untitled")
        parts.append(f"# {title}")
        for kept in chapter.messages:
            said = kept.message
            who = said.sender_name or (said.model if said.role is Role.ASSISTANT else said.role)
            parts.append(f"## {who} · {ctx.formats.moment(kept.created)}")
            pictures = sum(isinstance(part, ImagePart) for part in said.parts)
            parts.extend([said.text, *[_("[picture]")] * pictures])
    return paragraphs(*parts) + "\n"


def _as_json(chapters: Sequence[Chapter]) -> str:
    return json.dumps(
        [
            {
                "number": chapter.shelved.number,
                "title": chapter.shelved.title,
                "messages": [_message(kept) for kept in chapter.messages],
            }
            for chapter in chapters
        ],
        ensure_ascii=False,
        indent=2,
    )


def _message(kept: KeptMessage) -> dict[str, object]:
    said = kept.message
    fields: dict[str, object] = {
        "time": kept.created.isoformat(timespec="seconds"),
        "role": said.role.value,
        "name": said.sender_name,
        "model": said.model,
        "text": said.text,
        "pictures": sum(isinstance(part, ImagePart) for part in said.parts),
    }
    if said.state is not MessageState.COMPLETE:
        fields["state"] = said.state.value
    return {name: value for name, value in fields.items() if value or name == "text"}


EXPORT = Command(
    name="export",
    family=ABOUT,
    summary=N_("Get this conversation as a file"),
    usage="[md|json] [all]",
    run=export,
    details=N_("As Markdown to read, or as JSON for a program; “all” takes every conversation."),
    examples=("/export", "/export json", "/export all"),
    needs=frozenset({Need.FILES}),
)

ACTIONS: Mapping[str, Handler] = {EXPORT_AGAIN: Handler(run=export_as)}
