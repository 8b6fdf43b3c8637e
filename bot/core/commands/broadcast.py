"""`/broadcast`: an admin tells something to every chat, after being asked back once.

The sending is the work of the turn that the button began, so a restart goes on with it. A chat is
marked before it is sent to: whatever happens, it gets the text at most once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from bot.core.broadcasts import Delivered, Progress
from bot.core.commands.table import ADMIN, Command, Handler
from bot.core.i18n import N_
from bot.core.menu import Item, make_buttons
from bot.core.punctuation import in_a_row
from bot.core.turn import TurnContext
from bot.core.types import (
    ButtonPress,
    ButtonRow,
    ChatRef,
    IncomingMessage,
    MessageRef,
    Need,
    Reply,
    Sender,
)
from bot.errors import ChatGone, OutcomeUnknown, PlatformDown, PlatformError, RateLimited

log = logging.getLogger(__name__)

SEND = "broadcast.send"
STOP = "broadcast.stop"
SHOW_EVERY = 2.0
"""Seconds between two looks at how far it is."""
PAUSE = 5.0
"""Seconds until a platform that cannot be reached is tried again."""


async def broadcast(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
    """Show what would be sent and to how many, and ask."""
    _ = ctx.texts.gettext
    if not argument:
        await ctx.say(_("Write what to tell everybody: `/broadcast TEXT`"))
        return
    count = len(await _chats(ctx))
    if not count:
        await ctx.say(_("There is no chat to tell it to yet."))
        return
    number = await ctx.services.stores.broadcasts.draft(argument, ctx.person)
    ask = ctx.texts.ngettext(
        "📣 This goes to {count} chat:", "📣 This goes to {count} chats:", count
    ).format(count=ctx.formats.number(count))
    items = [Item(_("Send it"), SEND, str(number)), Item(_("Cancel"), STOP, str(number))]
    await ctx.say(f"{ask}\n\n{argument}", buttons=await make_buttons(ctx, [items]))


async def send(ctx: TurnContext, press: ButtonPress, argument: str) -> None:
    """The admin said yes, or the process that was sending was started anew."""
    if not ctx.admin:
        return
    number, stores = int(argument), ctx.services.stores
    text = await stores.broadcasts.start(number, await _chats(ctx))
    if text is not None:
        log.info("broadcast", extra={**ctx.log, "broadcast": number})
        await _send_to_all(ctx, number, text)
    await _show(ctx, await _report(ctx, number), ())


async def stop(ctx: TurnContext, press: ButtonPress, argument: str) -> None:
    """The admin changed their mind; a running one says itself how far it came."""
    if not ctx.admin:
        return
    broadcasts, number = ctx.services.stores.broadcasts, int(argument)
    await broadcasts.stop(number)
    log.info("broadcast stopped", extra={**ctx.log, "broadcast": number})
    if not (await broadcasts.progress(number)).total:
        await ctx.say(ctx.texts.gettext("Nothing was sent."))


async def _chats(ctx: TurnContext) -> Sequence[ChatRef]:
    """One place for each chat: the group of its topics, the channel of its threads.

    Not where only people speak who are shut out by now, or no longer let in.
    """
    found: dict[ChatRef, None] = {}
    for chat, people in (await ctx.services.stores.broadcasts.chats()).items():
        platform = ctx.platforms.get(chat.platform)
        if platform is None or ctx.gate.is_shut_out(chat):
            continue
        if not people or any(ctx.gate.may(chat, Sender(person, "")) for person in people):
            found[platform.lobby(chat)] = None
    return list(found)


async def _send_to_all(ctx: TurnContext, number: int, text: str) -> None:
    """Send to one chat after the other; shows how far it is while it lasts."""
    broadcasts, clock = ctx.services.stores.broadcasts, ctx.services.clock
    stopping = await make_buttons(ctx, [[Item(ctx.texts.gettext("⏹ Stop"), STOP, str(number))]])
    shown_at = float("-inf")
    while (chat := await broadcasts.next(number)) is not None:
        if clock.monotonic() - shown_at >= SHOW_EVERY:
            await _show(ctx, _under_way(ctx, await broadcasts.progress(number)), stopping)
            shown_at = clock.monotonic()
        state, message = await _send(ctx, chat, text)
        await broadcasts.mark(number, chat, state, message)
        if state is Delivered.WAITING:  # it is next again
            await clock.sleep(PAUSE)


async def _send(ctx: TurnContext, chat: ChatRef, text: str) -> tuple[Delivered, MessageRef | None]:
    """Send to one chat, behind everything else that is to be said."""
    while True:
        try:
            message = await ctx.platforms[chat.platform].send(chat, Reply(text=text, bulk=True))
        except RateLimited as limit:
            await ctx.services.clock.sleep(limit.retry_after)
        except PlatformDown:
            return Delivered.WAITING, None
        except OutcomeUnknown:
            return Delivered.SENDING, None
        except ChatGone:
            return Delivered.GONE, None
        except PlatformError as error:
            log.warning("broadcast not sent", extra={"to": chat.id, "error": repr(error)})
            return Delivered.FAILED, None
        else:
            return Delivered.SENT, message


async def _show(ctx: TurnContext, text: str, buttons: Sequence[ButtonRow]) -> None:
    try:
        await ctx.say(text, buttons=buttons)
    except PlatformError as error:  # what counts is that the text arrives
        log.info("progress not shown", extra={**ctx.log, "error": repr(error)})


def _under_way(ctx: TurnContext, progress: Progress) -> str:
    done = progress.total - progress.waiting - 1  # one is being sent to right now
    return ctx.texts.gettext("📣 Sending… {done} of {total}").format(
        done=ctx.formats.number(done), total=ctx.formats.number(progress.total)
    )


async def _report(ctx: TurnContext, number: int) -> str:
    """How many got it, and what became of the others."""
    progress, number_ = await ctx.services.stores.broadcasts.progress(number), ctx.formats.number
    _, ngettext = ctx.texts.gettext, ctx.texts.ngettext
    if not progress.total:
        return _("Nothing was sent.")
    parts = [
        ngettext(
            "📣 Sent to {sent} of {total} chat.",
            "📣 Sent to {sent} of {total} chats.",
            progress.total,
        ).format(sent=number_(progress.sent), total=number_(progress.total))
    ]
    gone, failed, unknown = progress.gone, progress.failed, progress.unknown
    others = {
        ngettext("{count} is gone.", "{count} are gone.", gone): gone,
        ngettext("{count} could not be reached.", "{count} could not be reached.", failed): failed,
        ngettext(
            "{count} may or may not have got it: I was interrupted there.",
            "{count} may or may not have got it: I was interrupted there.",
            unknown,
        ): unknown,
    }
    parts += [text.format(count=number_(count)) for text, count in others.items() if count]
    if progress.waiting:
        parts.append(_("Stopped before the others."))
    return in_a_row(ctx.texts, *parts)


BROADCAST = Command(
    name="broadcast",
    family=ADMIN,
    summary=N_("Tell something to every chat"),
    usage=N_("TEXT"),
    run=broadcast,
    aliases=("announce",),
    details=N_(
        "I show it to you first, and to how many chats it goes. Each gets it once, also when I am "
        "started anew meanwhile; you see how far it is, and can stop it."
    ),
    examples=(N_("/broadcast I am down for an hour tonight."),),
    admin=True,
    needs=frozenset({Need.BUTTONS}),
    urgent=True,
)

ACTIONS: Mapping[str, Handler] = {
    SEND: Handler(run=send),
    STOP: Handler(run=stop),
}
