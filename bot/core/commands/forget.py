"""`/forget`: delete this chat, or everything of one's own, for good. Asked back once.

Admins delete so what is of somebody else, or of another chat: who has left cannot ask for it here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from enum import StrEnum

from bot.core.commands.people import subject_of, titled
from bot.core.commands.table import ABOUT, Command, Handler, Queueing
from bot.core.i18n import N_
from bot.core.menu import Item, make_buttons
from bot.core.punctuation import in_a_row
from bot.core.queue import Outcome
from bot.core.turn import TurnContext
from bot.core.types import ButtonPress, IncomingMessage, Person

log = logging.getLogger(__name__)

YES = "forget.yes"
NO = "forget.no"


class What(StrEnum):
    """What is to be forgotten; the words that are typed. Anything else names a person or a chat."""

    CHAT = "chat"
    ME = "me"


async def forget(ctx: TurnContext, message: IncomingMessage, argument: str) -> Outcome | None:
    """Ask what to forget and whether that is meant: `/forget`, `… chat`, `… chat yes`."""
    words = argument.split()
    is_meant = len(words) > 1 and words[-1].lower() == "yes"
    name = " ".join(words[:-1] if is_meant else words)
    what = name.lower() if name.lower() in set(What) else ""
    if name and not what:
        what = await _somebody(ctx, name) or ""
    if name and not what:
        return None
    if is_meant:
        return await _forget(ctx, what)
    await _ask(ctx, [what] if what else list(What))
    return None


async def _somebody(ctx: TurnContext, name: str) -> str | None:
    """Whom an admin means; None when it is said that nobody is meant, or that it is not for one."""
    _ = ctx.texts.gettext
    if not ctx.admin:
        await ctx.say(_("Write `/forget`, `/forget chat` or `/forget me`."))
        return None
    subject = await subject_of(ctx, name)
    if subject is None:
        unknown = _("I know nobody, or several people, by the name “{name}”.").format(name=name)
        text = _(
            "Write `/forget`, `/forget chat`, `/forget me`, or `/forget ID` with the id of "
            "somebody else or of another chat."
        )
        await ctx.say(in_a_row(ctx.texts, unknown, text))
    return subject


async def kept(ctx: TurnContext, press: ButtonPress, argument: str) -> None:
    """Somebody thought better of it."""
    await ctx.say(ctx.texts.gettext("Nothing is forgotten."))


async def _ask(ctx: TurnContext, offered: Sequence[str]) -> None:
    _ = ctx.texts.gettext
    allowed = [what for what in offered if what != What.CHAT or ctx.may_delete]
    if not allowed:
        await ctx.say(_refusal(ctx))
        return
    parts = [
        _("What shall I forget? It cannot be brought back."),
        *[await _effect(ctx, what) for what in allowed],
        _("Messages in the app itself stay until you delete them there."),
    ]
    labels: dict[str, str] = {What.CHAT: _("🗑 This chat"), What.ME: _("🗑 Everything of mine")}
    rows = [[Item(labels.get(what, f"🗑 {what}"), YES, what)] for what in allowed]
    rows.append([Item(_("Cancel"), NO)])
    await ctx.say("\n\n".join(parts), buttons=await make_buttons(ctx, rows))


async def _effect(ctx: TurnContext, what: str) -> str:
    _ = ctx.texts.gettext
    if what == What.CHAT:
        return _(
            "**This chat**: everything said here, in all its conversations, and its settings. "
            "To confirm by typing: `/forget chat yes`"
        )
    if what == What.ME:
        return _(
            "**Everything of yours**: what you said anywhere, the answers to it, and your name. "
            "What others quoted when they replied to you stays in their messages. "
            "To confirm by typing: `/forget me yes`"
        )
    text = _(
        "**Everything of {who}**: what they said anywhere, the answers to it, and their name; of a "
        "chat, what was said in it and its threads, and its settings. "
        "To confirm by typing: `/forget {id} yes`"
    )
    return text.format(who=await titled(ctx, Person.of(what)), id=what)


async def _forget(ctx: TurnContext, what: str) -> Outcome | None:
    if what != What.ME and not (ctx.may_delete if what == What.CHAT else ctx.admin):
        await ctx.say(_refusal(ctx))
        return None
    _, privacy = ctx.texts.gettext, ctx.services.stores.privacy
    log.info("forgetting", extra={**ctx.log, "what": what})
    if what == What.CHAT:
        await privacy.forget_chats(ctx.chat.platform, [ctx.chat.id])
        text = _("Forgotten: everything said in this chat, and its settings.")
    elif what == What.ME:
        await privacy.forget_person(ctx.person, by=ctx.turn.id)
        text = _(
            "Forgotten: everything you said, the answers to it, and your name. What others quoted "
            "when they replied to you stays in their messages."
        )
    else:
        await _forget_subject(ctx, Person.of(what))
        text = _(
            "Forgotten: everything of `{id}`. What others quoted stays in their messages."
        ).format(id=what)
    await ctx.say(text)
    return Outcome(scrub=True)


async def _forget_subject(ctx: TurnContext, subject: Person) -> None:
    """Forget whoever has this id: a person, or a chat with all that lies in it."""
    privacy = ctx.services.stores.privacy
    await privacy.forget_person(subject, by=ctx.turn.id)
    platform = ctx.platforms.get(subject.platform)
    chats = [
        chat.id
        for chat in await privacy.chats(subject.platform)
        if subject.id in (platform.places(chat) if platform else (chat.id,))
    ]
    await privacy.forget_chats(subject.platform, chats)


def _refusal(ctx: TurnContext) -> str:
    return ctx.texts.gettext(
        "In a group only the admins of this bot can have everything forgotten. What you said "
        "yourself you can: `/forget me`"
    )


FORGET = Command(
    name="forget",
    family=ABOUT,
    summary=N_("Delete this chat, or everything of yours"),
    usage="[chat|me|ID]",
    run=forget,
    details=N_(
        "Conversations, pictures, settings and names are deleted from the database for good, "
        "after you were asked once. What others quoted when they replied to you stays in their "
        "messages. What was used stays counted: without the chat, and without "
        "your name once the month is over. Admins also forget somebody else, or another chat with "
        "its threads, by the id."
    ),
    examples=("/forget", "/forget chat", "/forget me"),
)

ACTIONS: Mapping[str, Handler] = {
    # It waits for the answer that is being written: else that would be kept after all.
    YES: Handler(
        run=lambda ctx, press, argument: _forget(ctx, argument), queueing=Queueing.WAITS_ONCE
    ),
    NO: Handler(run=kept),
}
