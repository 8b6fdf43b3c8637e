"""`/set`: the sampling parameters of the API, seen and set by button or by typing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace

from bot.core.chat import Sampling
from bot.core.commands.table import STYLE, Command, Handler, did_you_mean
from bot.core.i18n import N_
from bot.core.menu import Item, make_buttons, marked
from bot.core.parameters import (
    ALIASES,
    DEFAULT,
    PARAMETERS,
    OutOfRangeError,
    Parameter,
    Stops,
    find,
    value_of,
    with_value,
)
from bot.core.punctuation import in_a_row, noted, paragraphs, valued
from bot.core.turn import TurnContext
from bot.core.types import ButtonPress, IncomingMessage

ALL = "set.all"
ONE = "set.one"
PRESET = "set.preset"


async def set_parameter(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
    """Show the parameters, or set one: `temperature 0.3`, `temperature default`, `default`."""
    _ = ctx.texts.gettext
    name, value = _split(argument)
    found = find(name)
    if not name:
        await _show_all(ctx)
    elif name.lower() in DEFAULT and not value:
        await _change(ctx, Sampling())
        await ctx.say(_("All parameters are as the model likes them again."))
    elif found is None:
        await _show_all(ctx, complaint=_unknown(ctx, name))
    elif not value:
        await _show_one(ctx, found)
    else:
        await _set(ctx, found, value)


def _split(argument: str) -> tuple[str, str]:
    """Name and value, with a space or an equals sign between them."""
    name, *value = re.split(r"\s*[=＝]\s*|\s+", argument.strip(), maxsplit=1)
    return name, "".join(value)


async def _set(ctx: TurnContext, parameter: Parameter | Stops, text: str) -> None:
    _ = ctx.texts.gettext
    if text.lower() in DEFAULT:
        await _change(ctx, with_value(ctx.settings.sampling, parameter.name, None))
        said = _("`{name}` is left to the model again.").format(name=parameter.name)
        await ctx.say(said)
        return
    try:
        value = parameter.parse(text)
    except OutOfRangeError:
        said = _("`{name}` takes {range}, not “{value}”.")
        complaint = said.format(name=parameter.name, range=parameter.range, value=text[:40])
        await _show_one(ctx, parameter, complaint=complaint)
        return
    sampling = with_value(ctx.settings.sampling, parameter.name, value)
    await _change(ctx, sampling)
    said = _("`{name}` of this chat is now **{value}**.")
    await ctx.say(said.format(name=parameter.name, value=value_of(sampling, parameter.name)))


async def _change(ctx: TurnContext, sampling: Sampling) -> None:
    await ctx.change_settings(lambda settings: replace(settings, sampling=sampling))


# ---------------------------------------------------------------- pressed


async def show_one(ctx: TurnContext, press: ButtonPress, argument: str) -> None:
    """Somebody pressed a parameter."""
    found = find(argument)
    await (_show_one(ctx, found) if found else _show_all(ctx))


async def preset(ctx: TurnContext, press: ButtonPress, argument: str) -> None:
    """Somebody pressed a value; None leaves it to the model, and without a name all are."""
    name, value = json.loads(argument)
    found = find(name)
    if not name:
        await _change(ctx, Sampling())
    elif found is not None:
        kept = None if value is None else found.parse(str(value))
        await _change(ctx, with_value(ctx.settings.sampling, found.name, kept))
    await _show_all(ctx)


# ---------------------------------------------------------------- shown


async def _show_all(ctx: TurnContext, *, complaint: str = "") -> None:
    _ = ctx.texts.gettext
    sampling = ctx.settings.sampling
    lines = [f"- {_line(ctx, each, value_of(sampling, each.name))}" for each in PARAMETERS]
    heading = _("🎛 **How the model answers here**")
    hint = _("Write `/set temperature 0.3`; `default` leaves it to the model.")
    rows = [[Item(each.name, ONE, each.name)] for each in PARAMETERS if each.presets]
    if sampling != Sampling():
        rows.append([Item(_("All to default"), PRESET, json.dumps(["", None]))])
    text = paragraphs(complaint, heading, "\n".join(lines), hint)
    await ctx.say(text, buttons=await make_buttons(ctx, rows))


async def _show_one(ctx: TurnContext, parameter: Parameter | Stops, *, complaint: str = "") -> None:
    _ = ctx.texts.gettext
    name = parameter.name
    now = value_of(ctx.settings.sampling, name)
    about = _line(ctx, parameter, now)
    values = [
        Item(marked(f"{each:g}", f"{each:g}" == now), PRESET, json.dumps([name, each]))
        for each in parameter.presets
    ]
    usual = _("default")
    rest = [Item(marked(usual, not now), PRESET, json.dumps([name, None])), Item(_("‹ Back"), ALL)]
    hint = _("Write `/set {name} VALUE` for any other.").format(name=name)
    text = paragraphs(complaint, about, hint)
    await ctx.say(text, buttons=await make_buttons(ctx, [values, rest]))


def _line(ctx: TurnContext, parameter: Parameter | Stops, now: str) -> str:
    """`temperature` (0 … 2): **default** – how freely words are chosen."""
    _ = ctx.texts.gettext
    name = noted(ctx.texts, f"`{parameter.name}`", parameter.range)
    value = valued(ctx.texts, name, f"**{now or _('default')}**")
    return f"{value} – {_(parameter.summary)}"


def _unknown(ctx: TurnContext, name: str) -> str:
    _ = ctx.texts.gettext
    text = _("There is no parameter “{name}”.").format(name=name[:40])
    names = [*(each.name for each in PARAMETERS), *ALIASES]
    return in_a_row(ctx.texts, text, did_you_mean(ctx.texts, names, name))


SET = Command(
    name="set",
    family=STYLE,
    summary=N_("Set temperature and other parameters of the model"),
    usage=N_("[NAME VALUE]"),
    run=set_parameter,
    aliases=("parameters",),
    details=N_("Alone, it shows all parameters with their ranges and values in this chat."),
    examples=("/set", "/set temperature 0.3", "/set temperature default", "/set default"),
)

ACTIONS: Mapping[str, Handler] = {
    ALL: Handler(run=lambda ctx, press, argument: _show_all(ctx), panel=True),
    ONE: Handler(run=show_one, panel=True),
    PRESET: Handler(run=preset, panel=True),
}
