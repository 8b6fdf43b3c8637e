"""`/system` and `/persona`: what the model is told before the conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.core.commands.table import STYLE, Command, Handler, did_you_mean
from bot.core.defaults import Persona
from bot.core.i18n import N_
from bot.core.manner import persona_of
from bot.core.menu import Item, make_buttons, marked
from bot.core.punctuation import in_a_row, paragraphs, shortened
from bot.core.question.question import quote
from bot.core.settings import ChatSettings
from bot.core.turn import TurnContext
from bot.core.types import ButtonPress, ButtonRow, IncomingMessage

MENU = "persona.menu"
PICK = "persona.pick"
RESET = "system.reset"
NONE = frozenset({"default", "none", "off", "reset", "默认"})
"""Words that go back to what the operator has set."""
LONGEST = 8_000
"""Characters of an instruction; it is sent, and paid for, with every question."""
SHOWN = 1_500


# ---------------------------------------------------------------- /system


async def system(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
    """Show what the model is told beforehand, replace it, or go back to the operator's."""
    _ = ctx.texts.gettext
    if not argument:
        await _show_system(ctx)
    elif argument.lower() in NONE:
        await _reset(ctx)
    elif len(argument) > LONGEST:
        text = _("That is too long: I take {limit} characters, and these are {count}.")
        numbers = ctx.formats
        await ctx.say(
            text.format(limit=numbers.number(LONGEST), count=numbers.number(len(argument)))
        )
    else:
        await ctx.change_settings(
            lambda settings: replace(settings, system_prompt=argument, persona="")
        )
        text = _("From now on I keep to this in this chat:")
        await ctx.say(f"{text}\n\n{_quoted(argument)}", buttons=await _resetting(ctx))


async def _reset(ctx: TurnContext) -> None:
    await ctx.change_settings(lambda settings: replace(settings, system_prompt="", persona=""))
    await ctx.say(ctx.texts.gettext("I answer in my usual way again."))


async def _show_system(ctx: TurnContext) -> None:
    _ = ctx.texts.gettext
    hint = _("To tell me something else, write `/system` and the text.")
    chosen = ctx.settings.system_prompt
    persona = persona_of(ctx.settings, ctx.services.defaults)
    if chosen:
        text = _("Before each conversation of this chat I am told:")
        await ctx.say(f"{text}\n\n{_quoted(chosen)}\n\n{hint}", buttons=await _resetting(ctx))
    elif persona is not None:
        text = _("I answer as **{name}** here.").format(name=persona.name)
        await ctx.say(in_a_row(ctx.texts, text, hint), buttons=await _resetting(ctx))
    else:
        text = _("Nothing was said here about how I should answer.")
        await ctx.say(in_a_row(ctx.texts, text, hint))


async def _resetting(ctx: TurnContext) -> Sequence[ButtonRow]:
    return await make_buttons(ctx, [[Item(ctx.texts.gettext("Back to usual"), RESET)]])


def _quoted(text: str) -> str:
    return quote(shortened(text, SHOWN))


# ---------------------------------------------------------------- /persona


async def persona(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
    """Show the operator's personas, or pick one by name."""
    _ = ctx.texts.gettext
    names = [each.name for each in ctx.services.defaults.personas]
    if not names:
        await ctx.say(_("There are no personas here. `/system` tells me how to answer."))
    elif not argument:
        await _show(ctx)
    elif argument.lower() in NONE:
        await _reset(ctx)
    elif (found := _find(ctx, argument)) is not None:
        await _pick(ctx, found)
    else:
        text = _("There is no persona “{name}”.").format(name=argument[:40])
        hint = did_you_mean(ctx.texts, names, argument)
        await _show(ctx, complaint=in_a_row(ctx.texts, text, hint))


async def pick(ctx: TurnContext, press: ButtonPress, argument: str) -> None:
    """Somebody pressed a persona; an empty name is none."""
    found = _find(ctx, argument)
    if found is not None:
        await _pick(ctx, found)
    elif not argument:
        await _reset(ctx)
    else:  # the operator has taken it out of the list meanwhile
        await _show(ctx)


def _find(ctx: TurnContext, name: str) -> Persona | None:
    return persona_of(ChatSettings(persona=name), ctx.services.defaults)


async def _pick(ctx: TurnContext, found: Persona) -> None:
    """Its instruction takes the place of the chat's own, and its model, if it has one, too."""

    def change(settings: ChatSettings) -> ChatSettings:
        model = "" if found.model else settings.model
        return replace(settings, persona=found.name, system_prompt="", model=model)

    await ctx.change_settings(change)
    _ = ctx.texts.gettext
    text = _("From now on I answer as **{name}** in this chat.").format(name=found.name)
    model = _("Model: {model}.").format(model=found.model) if found.model else ""
    await ctx.say(in_a_row(ctx.texts, text, model))


async def _show(ctx: TurnContext, *, complaint: str = "") -> None:
    _ = ctx.texts.gettext
    current = persona_of(ctx.settings, ctx.services.defaults)
    found = ctx.services.defaults.personas
    lines = [f"- {each.name}{' ✓' if each == current else ''}" for each in found]
    heading = _("🎭 **As whom shall I answer?**")
    hint = _("Pick one, or write `/persona NAME`; `/persona none` is the usual me.")
    rows = [[Item(marked(each.name, each == current), PICK, each.name)] for each in found]
    rows.append([Item(marked(_("The usual me"), current is None), PICK, "")])
    text = paragraphs(complaint, heading, "\n".join(lines), hint)
    await ctx.say(text, buttons=await make_buttons(ctx, rows))


SYSTEM = Command(
    name="system",
    family=STYLE,
    summary=N_("Tell the model how to answer here"),
    usage=N_("[TEXT]"),
    run=system,
    aliases=("prompt",),
    details=N_("Alone, it shows what the model is told; `/system default` goes back."),
    examples=(N_("/system Answer in one sentence."), "/system", "/system default"),
)
PERSONA = Command(
    name="persona",
    family=STYLE,
    summary=N_("Choose as whom the model answers"),
    usage=N_("[NAME]"),
    run=persona,
    aliases=("personas", "role"),
    details=N_("The operator of this bot has made up the list."),
    examples=("/persona", "/persona none"),
)

ACTIONS: Mapping[str, Handler] = {
    MENU: Handler(run=lambda ctx, press, argument: _show(ctx), panel=True),
    PICK: Handler(run=pick, panel=True),
    RESET: Handler(run=lambda ctx, press, argument: _reset(ctx), panel=True),
}
