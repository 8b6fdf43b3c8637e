"""`/forget`: delete this chat, or everything of one's own, for good. Asked back once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from enum import StrEnum

from bot.core.commands.table import ABOUT, Command, Handler, Queueing
from bot.core.i18n import N_
from bot.core.menu import Item, make_buttons
from bot.core.queue import Outcome
from bot.core.turn import TurnContext
from bot.core.types import ButtonPress, IncomingMessage

log = logging.getLogger(__name__)

YES = "forget.yes"
NO = "forget.no"


class What(StrEnum):
    """What is to be forgotten; the words that are typed."""

    CHAT = "chat"
    ME = "me"


async def forget(ctx: TurnContext, message: IncomingMessage, argument: str) -> Outcome | None:
    """Ask what to forget and whether that is meant: `/forget`, `… chat`, `… chat yes`."""
    words = argument.lower().split()
    what = next((each for each in What if words and words[0] == each), None)
    if words and (what is None or words[1:] not in ([], ["yes"])):
        await ctx.say(ctx.texts.gettext("Write `/forget`, `/forget chat` or `/forget me`."))
        return None
    if what is not None and words[1:]:
        return await _forget(ctx, what)
    await _ask(ctx, [what] if what else list(What))
    return None


async def kept(ctx: TurnContext, press: ButtonPress, argument: str) -> None:
    """Somebody thought better of it."""
    await ctx.say(ctx.texts.gettext("Nothing is forgotten."))


async def _ask(ctx: TurnContext, offered: list[What]) -> None:
    _ = ctx.texts.gettext
    allowed = [what for what in offered if what is What.ME or ctx.may_delete]
    if not allowed:
        await ctx.say(_refusal(ctx))
        return
    effects = {
        What.CHAT: _(
            "**This chat**: everything said here, in all its conversations, and its settings. "
            "To confirm by typing: `/forget chat yes`"
        ),
        What.ME: _(
            "**Everything of yours**: what you said anywhere, the answers to it, and your name. "
            "What others quoted when they replied to you stays in their messages. "
            "To confirm by typing: `/forget me yes`"
        ),
    }
    labels = {What.CHAT: _("🗑 This chat"), What.ME: _("🗑 Everything of mine")}
    parts = [
        _("What shall I forget? It cannot be brought back."),
        *(effects[what] for what in allowed),
        _("Messages in the app itself stay until you delete them there."),
    ]
    rows = [*([Item(labels[what], YES, what)] for what in allowed), [Item(_("Cancel"), NO)]]
    await ctx.say("\n\n".join(parts), buttons=await make_buttons(ctx, rows))


async def _forget(ctx: TurnContext, what: What) -> Outcome | None:
    if what is not What.ME and not ctx.may_delete:
        await ctx.say(_refusal(ctx))
        return None
    _, privacy = ctx.texts.gettext, ctx.services.stores.privacy
    log.info("forgetting", extra={**ctx.log, "what": what.value})
    if what is What.CHAT:
        await privacy.forget_chat(ctx.chat)
        text = _("Forgotten: everything said in this chat, and its settings.")
    else:
        await privacy.forget_person(ctx.person, by=ctx.turn.id)
        text = _(
            "Forgotten: everything you said, the answers to it, and your name. What others quoted "
            "when they replied to you stays in their messages."
        )
    await ctx.say(text)
    return Outcome(scrub=True)


def _refusal(ctx: TurnContext) -> str:
    return ctx.texts.gettext(
        "In a group only the admins of this bot can have everything forgotten. What you said "
        "yourself you can: `/forget me`"
    )


FORGET = Command(
    name="forget",
    family=ABOUT,
    summary=N_("Delete this chat, or everything of yours"),
    usage="[chat|me]",
    run=forget,
    details=N_(
        "Conversations, pictures, settings and names are deleted from the database for good, "
        "after you were asked once. What others quoted when they replied to you stays in their "
        "messages. What was used stays counted: without the chat, and without "
        "your name once the month is over."
    ),
    examples=("/forget", "/forget chat", "/forget me"),
)

ACTIONS: Mapping[str, Handler] = {
    # It waits for the answer that is being written: else that would be kept after all.
    YES: Handler(
        run=lambda ctx, press, argument: _forget(ctx, What(argument)), queueing=Queueing.WAITS_ONCE
    ),
    NO: Handler(run=kept),
}
