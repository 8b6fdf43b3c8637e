"""`/context`: how full the model's window is, with what, and what no longer fits."""

from __future__ import annotations

from decimal import Decimal

from bot.core.commands.table import TALK, Command
from bot.core.i18n import N_
from bot.core.memory.history import chat_message
from bot.core.memory.overhearing import as_messages, listens
from bot.core.memory.window import Position, View, instruction, make_view, window_of
from bot.core.punctuation import paragraphs
from bot.core.summaries import Summary
from bot.core.turn import TurnContext
from bot.core.types import IncomingMessage

CELLS = 12
MILLION = 1_000_000
SHOWN = Decimal("0.0001")
"""Dollars that are worth telling."""


async def context(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
    """Show what would be sent along with the next question."""
    _, stores = ctx.texts.gettext, ctx.services.stores
    manner = ctx.manner
    if not manner.model:
        await ctx.say(_("No model is chosen yet. Choose one with /model."))
        return
    window = await window_of(ctx.services, manner.model, answer=manner.sampling.max_tokens)
    told = window.ruler.all(instruction(manner.system_prompt, None))
    if told > window.budget:
        await ctx.say(_too_long(ctx, told, window.budget))
        return
    is_listening = ctx.group and listens(ctx.settings)
    heard = await stores.overheard.remarks(ctx.chat) if is_listening else ()
    remarks = tuple(chat_message(each, group=True) for each in as_messages(heard))
    position = Position(chat=ctx.chat, group=ctx.group)
    view = await make_view(ctx.services, manner, position, (), remarks)
    await ctx.say(await _written(ctx, view, told))


def _too_long(ctx: TurnContext, told: int, room: int) -> str:
    """What is said when not even the instruction fits."""
    number = ctx.formats.number
    text = ctx.texts.gettext(
        "⚠️ The instruction of this chat takes {used} tokens, and the window of {model} has room "
        "for {room}. Shorten it with /system, or choose another model with /model."
    )
    return text.format(used=number(told), model=ctx.manner.model, room=number(room))


async def _written(ctx: TurnContext, view: View, told: int) -> str:
    """What takes the window; `told` are the tokens of the instruction."""
    _, number = ctx.texts.gettext, ctx.formats.number
    size, tokens = view.window.seen, view.window.ruler.all
    summed = tokens(view.head) - told
    past, heard = tokens(view.past), tokens(view.asked)
    used = told + summed + past + heard
    share = used / size
    head = _("**{share} of the window of {model} is full**")
    window = _("{used} of {size} tokens")
    lines = [
        _("instruction: {count}").format(count=number(told)) if told else "",
        _("summary of what was said earlier: {count}").format(count=number(summed))
        if view.summary
        else "",
        _remembered(ctx, view, past),
        _("what others said meanwhile: {count}").format(count=number(heard)) if heard else "",
        _("kept free for the answer: {count}").format(count=number(size - view.window.budget)),
    ]
    return paragraphs(
        head.format(share=ctx.formats.percent(share), model=ctx.manner.model),
        f"`{bar(share)}` " + window.format(used=number(used), size=number(size)),
        "\n".join(f"- {line}" for line in lines if line),
        _left_out(ctx, view.left_out, view.summary),
        await _cost(ctx, used),
    )


def _remembered(ctx: TurnContext, view: View, tokens: int) -> str:
    """How much of the conversation goes along word for word; empty when all of it is older."""
    count, number = len(view.past), ctx.formats.number
    if not count:
        is_new = not (view.summary or view.left_out)
        return ctx.texts.gettext("nothing was said in this conversation yet") if is_new else ""
    text = ctx.texts.ngettext(
        "{messages} message of this conversation: {count}",
        "{messages} messages of this conversation: {count}",
        count,
    )
    return text.format(messages=number(count), count=number(tokens))


def bar(share: float) -> str:
    """A bar that is full at 1; anything at all shows."""
    full = min(CELLS, max(round(share * CELLS), 1 if share > 0 else 0))
    return "█" * full + "░" * (CELLS - full)


def _left_out(ctx: TurnContext, count: int, summary: Summary | None) -> str:
    if count:
        text = ctx.texts.ngettext(
            "{count} older message no longer fits and is left out. /new starts afresh.",
            "{count} older messages no longer fit and are left out. /new starts afresh.",
            count,
        )
        return text.format(count=ctx.formats.number(count))
    if summary:
        return ctx.texts.gettext("What is older is summed up; the messages themselves are kept.")
    return ctx.texts.gettext("No message is left out.")


async def _cost(ctx: TurnContext, tokens: int) -> str:
    price = (await ctx.services.api.about(ctx.manner.model)).input_price
    if price is None or price * tokens < SHOWN * MILLION:
        return ""
    text = ctx.texts.gettext("To send it along costs about {money} with each question.")
    return text.format(money=ctx.formats.money(price * Decimal(tokens) / MILLION))


CONTEXT = Command(
    name="context",
    family=TALK,
    summary=N_("See how full the model’s memory of this conversation is"),
    run=context,
    aliases=("window",),
    details=N_(
        "A model sees only so much at a time. When a conversation grows past that, its oldest "
        "messages are summed up or left out."
    ),
    examples=("/context",),
)
