"""`/new` and `/chats`: begin a conversation, go back to one, rename or delete it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from bot.core.archive import Shelved
from bot.core.commands.table import Command, Handler
from bot.core.i18n import N_
from bot.core.memory.titles import clean, gist
from bot.core.menu import Item, make_buttons, marked, page_at
from bot.core.punctuation import paragraphs
from bot.core.turn import TurnContext
from bot.core.types import ButtonPress, IncomingMessage

LIST = "chats.list"
OPEN = "chats.open"
RESUME = "chats.resume"
DELETE = "chats.delete"
DELETE_FOR_GOOD = "chats.delete.yes"
PAGE_SIZE = 6
LISTED = 30
"""Conversations on a page where there are no buttons."""

Doing: TypeAlias = Callable[[TurnContext, Shelved], Awaitable[None]]
"""Something that is done about one conversation."""


# ---------------------------------------------------------------- typed


async def new(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
    """Begin a new conversation, with a title if one is given."""
    _ = ctx.texts.gettext
    stores = ctx.services.stores
    conversation = await stores.conversations.begin(ctx.chat)
    await stores.overheard.drop(ctx.chat)
    await stores.archive.rename(ctx.chat, conversation, clean(argument))
    text = _("✨ A fresh start. What we said before is out of my mind.")
    earlier = [[Item(_("📚 Earlier conversations"), LIST, "0")]]
    has_earlier = await stores.archive.count(ctx.chat) > 0
    await ctx.say(text, buttons=await make_buttons(ctx, earlier) if has_earlier else ())


async def chats(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
    """List the conversations, or do something about one: `3`, `rename 3 NAME`, `delete 3`."""
    _ = ctx.texts.gettext
    words = argument.split(maxsplit=2)
    verb = words[0].lower() if words else ""
    if not words:
        await _show(ctx, page=0)
    elif verb.isdecimal() and len(words) == 1:
        await _typed(ctx, verb, _resume)
    elif verb == "rename" and len(words) == 3:
        title = clean(words[2])
        found = await _found(ctx, words[1])
        if found and title:
            await ctx.services.stores.archive.rename(ctx.chat, found.id, title)
            text = _("Conversation {number} is now called “{title}”.")
            await ctx.say(text.format(number=found.number, title=title))
        elif found:
            await ctx.say(_("Give it a name: `/chats rename 3 Holiday plans`"))
    elif verb == "delete" and len(words) in (2, 3):
        sure = len(words) == 3 and words[2].lower() == "yes"
        await _typed(ctx, words[1], _delete_for_good if sure else _ask_to_delete)
    else:
        await ctx.say(_("Write `/chats`, `/chats 3`, `/chats rename 3 NAME` or `/chats delete 3`."))


async def _typed(ctx: TurnContext, number: str, do: Doing) -> None:
    found = await _found(ctx, number)
    if found is not None:
        await do(ctx, found)


async def _found(ctx: TurnContext, number: str) -> Shelved | None:
    """The conversation of this number; says so when there is none."""
    small = number.isdecimal() and len(number) < 10
    found = await ctx.services.stores.archive.find(ctx.chat, int(number)) if small else None
    if found is None:
        text = ctx.texts.gettext("There is no conversation {number} here. /chats lists them.")
        await ctx.say(text.format(number=number))
    return found


# ---------------------------------------------------------------- pressed


def _about_one(do: Doing) -> Handler:
    """Somebody pressed a conversation, or what can be done about it."""

    async def run(ctx: TurnContext, press: ButtonPress, argument: str) -> None:
        found = await ctx.services.stores.archive.find(ctx.chat, int(argument))
        await (do(ctx, found) if found else _show(ctx, page=0))  # it may be deleted meanwhile

    return Handler(run=run, panel=True)


# ---------------------------------------------------------------- done and shown


async def _resume(ctx: TurnContext, found: Shelved) -> None:
    _ = ctx.texts.gettext
    await ctx.services.stores.archive.resume(ctx.chat, found.id)
    await ctx.services.stores.overheard.drop(ctx.chat)
    text = _("▶️ We go on with “{title}”. Its last question was:\n\n> {question}")
    question = await _last_question(ctx, found)
    await ctx.say(text.format(title=_title(ctx, found), question=question))


async def _last_question(ctx: TurnContext, found: Shelved) -> str:
    page = await ctx.services.stores.conversations.page(found.id, limit=10)
    asked = [kept.message for kept in page if kept.message.sender_id]
    return (gist(asked[-1]) if asked else "") or "–"


async def _show_one(ctx: TurnContext, found: Shelved) -> None:
    _ = ctx.texts.gettext
    lines = [
        f"**{_title(ctx, found)}**",
        ctx.formats.moment(found.active),
        _("To rename it, write `/chats rename {number} NAME`.").format(number=found.number),
    ]
    rows = [
        [Item(_("▶️ Go on with it"), RESUME, str(found.number))],
        [Item(_("🗑 Delete"), DELETE, str(found.number))] if ctx.may_delete else [],
        [Item(_("‹ Back"), LIST, "0")],
    ]
    await ctx.say("\n\n".join(lines), buttons=await make_buttons(ctx, rows))


async def _ask_to_delete(ctx: TurnContext, found: Shelved) -> None:
    _ = ctx.texts.gettext
    if not ctx.may_delete:
        await ctx.say(_only_admins(ctx))
        return
    text = _("Delete “{title}” for good, with everything said in it?")
    hint = _("Press Delete, or write `/chats delete {number} yes`.")
    number = str(found.number)
    rows = [[Item(_("🗑 Delete"), DELETE_FOR_GOOD, number), Item(_("Keep it"), OPEN, number)]]
    say = text.format(title=_title(ctx, found)) + "\n\n" + hint.format(number=number)
    await ctx.say(say, buttons=await make_buttons(ctx, rows))


async def _delete_for_good(ctx: TurnContext, found: Shelved) -> None:
    if not ctx.may_delete:
        await ctx.say(_only_admins(ctx))
        return
    await ctx.services.stores.archive.delete(ctx.chat, found.id)
    text = ctx.texts.gettext("“{title}” is deleted.").format(title=_title(ctx, found))
    await _show(ctx, page=0, before=text)


async def _show(ctx: TurnContext, *, page: int, before: str = "") -> None:
    """A page of the list, in words and as buttons; `before` is what is said above it."""
    archive = ctx.services.stores.archive
    size = PAGE_SIZE if ctx.capabilities.max_buttons else LISTED
    count = await archive.count(ctx.chat)
    at = page_at(page, things=count, size=size)
    found = await archive.listed(ctx.chat, offset=at.number * size, limit=size)
    rows = [
        [Item(marked(_title(ctx, each), each.current), OPEN, str(each.number))] for each in found
    ]
    text = paragraphs(before, _list(ctx, found))
    await ctx.say(text, buttons=await make_buttons(ctx, [*rows, at.arrows(LIST)]))


def _list(ctx: TurnContext, found: Sequence[Shelved]) -> str:
    _ = ctx.texts.gettext
    if not found:
        return _("There are no conversations here yet. Just write me something.")
    lines = [
        f"- `{each.number}` {_title(ctx, each)} – {ctx.formats.moment(each.active)}"
        + (" ✓" if each.current else "")
        for each in found
    ]
    hint = _("`/chats 3` goes on with number 3; `/help chats` tells what else there is.")
    heading = _("📚 **Conversations of this chat**")
    return paragraphs(heading, "\n".join(lines), hint)


def _title(ctx: TurnContext, conversation: Shelved) -> str:
    return conversation.title or ctx.texts.gettext("Untitled")


def _only_admins(ctx: TurnContext) -> str:
    return ctx.texts.gettext(
        "In a group only the admins of this bot can delete conversations. What you said yourself "
        "you can have forgotten: `/forget me`"
    )


NEW = Command(
    name="new",
    summary=N_("Start a new conversation"),
    usage=N_("[TITLE]"),
    run=new,
    aliases=("reset", "clear"),
    details=N_("The old one is kept: /chats goes back to it."),
    examples=("/new", N_("/new Holiday plans")),
)
CHATS = Command(
    name="chats",
    summary=N_("Go back to earlier conversations"),
    usage=N_("[NUMBER]"),
    run=chats,
    aliases=("history", "conversations"),
    details=N_("Lists the conversations of this chat; go on with one, rename or delete it."),
    examples=("/chats", "/chats 3", N_("/chats rename 3 Holiday plans"), "/chats delete 3"),
)

ACTIONS: Mapping[str, Handler] = {
    LIST: Handler(run=lambda ctx, press, argument: _show(ctx, page=int(argument)), panel=True),
    OPEN: _about_one(_show_one),
    RESUME: _about_one(_resume),
    DELETE: _about_one(_ask_to_delete),
    DELETE_FOR_GOOD: _about_one(_delete_for_good),
}
