"""`/settings`: one panel of buttons for what a chat can choose; the same by typing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.core.commands.settings_table import SETTINGS, Choice, Entry, Setting, Submenu
from bot.core.commands.table import STYLE, Command, Handler, RunCommand, did_you_mean
from bot.core.i18n import N_
from bot.core.menu import Item, make_buttons, marked
from bot.core.punctuation import in_a_row, paragraphs, valued
from bot.core.settings import ChatSettings
from bot.core.turn import TurnContext
from bot.core.types import ButtonPress, IncomingMessage

PANEL = "settings.panel"
SHOW = "settings.show"
SET = "settings.set"


async def settings(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
    """Show the panel, one setting, or change one: `/settings`, `… language`, `… language en`."""
    name, word = [*argument.split(maxsplit=1), "", ""][:2]
    found = _find(ctx, name)
    if not name:
        await _show_panel(ctx)
    elif found is None:
        await _show_panel(ctx, complaint=_unknown(ctx, name))
    elif isinstance(found, Submenu):
        await found.run(ctx, message, word)
    elif not word:
        await _show_setting(ctx, found)
    elif (choice := _meant(ctx, found, word)) is not None:
        before = await _choose(ctx, found, choice)
        await ctx.say(_chosen(ctx, found, choice))
        await _announce(ctx, found, choice, before=before)
    else:
        text = ctx.texts.gettext("“{word}” is not one of the choices.")
        await _show_setting(ctx, found, complaint=text.format(word=word))


def shortcut(name: str) -> RunCommand:
    """Carries out a command of this name, which people look for, as `/settings NAME`."""

    async def run(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
        await settings(ctx, message, f"{name} {argument}".strip())

    return run


async def show_setting(ctx: TurnContext, press: ButtonPress, argument: str) -> None:
    """Somebody pressed a setting's button."""
    found = _find(ctx, argument)
    if isinstance(found, Setting):
        await _show_setting(ctx, found)
    else:  # it does not exist any more, or not here
        await _show_panel(ctx)


async def choose(ctx: TurnContext, press: ButtonPress, argument: str) -> None:
    """Somebody pressed a value."""
    name, word = json.loads(argument)
    found = _find(ctx, name)
    choice = found.choice(word) if isinstance(found, Setting) else None
    if isinstance(found, Setting) and choice is not None:
        before = await _choose(ctx, found, choice)
        await _show_panel(ctx)
        await _announce(ctx, found, choice, before=before)
    else:
        await _show_panel(ctx)


def entries(ctx: TurnContext) -> Sequence[Entry]:
    """The lines of the panel in this chat."""
    return [entry for entry in SETTINGS if entry.applies(ctx)]


def _find(ctx: TurnContext, name: str) -> Entry | None:
    """The line of this name, or of this label: that is what people read."""
    name = name.lower()
    return next((each for each in entries(ctx) if name in (each.name, *_labels(ctx, each))), None)


def _meant(ctx: TurnContext, setting: Setting, word: str) -> Choice | None:
    """The choice of this word, or of this label."""
    word = word.lower()
    named = (each for each in setting.choices if word in (*each.also, *_labels(ctx, each)))
    return setting.choice(word) or next(named, None)


def _labels(ctx: TurnContext, one: Entry | Choice) -> tuple[str, str]:
    """What is read of it, in English and in the language of the chat."""
    return one.label.lower(), ctx.texts.gettext(one.label).lower()


async def _choose(ctx: TurnContext, setting: Setting, choice: Choice) -> Choice:
    """Make the choice; returns the one that held before."""
    before = setting.current(ctx.settings, ctx.services.defaults)

    def change(settings: ChatSettings) -> ChatSettings:
        field: dict[str, Any] = {setting.field: choice.value}
        return replace(settings, **field)

    await ctx.change_settings(change)
    if setting.then is not None:
        await setting.then(ctx, choice)
    return before


async def _announce(ctx: TurnContext, setting: Setting, choice: Choice, *, before: Choice) -> None:
    """Once: who switches on what is on already tells nobody anything."""
    is_new = before != choice and choice != setting.usual(ctx.services.defaults)
    if setting.announce and is_new:
        _, caution = ctx.texts.gettext, setting.caution(ctx)
        hint = _(caution) if caution else ""
        await ctx.announce(in_a_row(ctx.texts, _(setting.announce), hint))


# ---------------------------------------------------------------- what is shown


async def _show_panel(ctx: TurnContext, *, complaint: str = "") -> None:
    _ = ctx.texts.gettext
    found = entries(ctx)
    lines = [f"- `{entry.name}` – " + _line(ctx, entry, "**{}**") for entry in found]
    hint = _("Press one to change it, or write `/settings NAME VALUE`.")
    if not ctx.capabilities.max_buttons:
        hint = _("To change one, write `/settings NAME VALUE`; `/settings NAME` shows its values.")
    heading = _("⚙️ **Settings of this chat**")
    text = paragraphs(complaint, heading, "\n".join(lines), hint)
    await ctx.say(
        text, buttons=await make_buttons(ctx, [[_opening(ctx, entry)] for entry in found])
    )


def _opening(ctx: TurnContext, entry: Entry) -> Item:
    label = _line(ctx, entry, "{}")
    if isinstance(entry, Submenu):
        return Item(label, entry.action)
    return Item(label, SHOW, entry.name)


async def _show_setting(ctx: TurnContext, setting: Setting, *, complaint: str = "") -> None:
    _ = ctx.texts.gettext
    current = setting.current(ctx.settings, ctx.services.defaults)
    lines = [
        f"- `{choice.word}` – {_(choice.label)}{' ✓' if choice == current else ''}"
        for choice in setting.choices
    ]
    details = _(setting.details) if setting.details else ""
    text = paragraphs(complaint, f"**{_(setting.label)}**", details, "\n".join(lines))
    choices = [
        Item(marked(_(each.label), each == current), SET, json.dumps([setting.name, each.word]))
        for each in setting.choices
    ]
    rows = [*([item] for item in choices), [Item(_("‹ Back"), PANEL)]]
    await ctx.say(text, buttons=await make_buttons(ctx, rows))


def _chosen(ctx: TurnContext, setting: Setting, choice: Choice) -> str:
    _ = ctx.texts.gettext
    text = _("In this chat from now on – {setting}: **{value}**.")
    return text.format(setting=_(setting.label), value=_(choice.label))


def _line(ctx: TurnContext, entry: Entry, value: str) -> str:
    label = ctx.texts.gettext(entry.label)
    return valued(ctx.texts, label, value.format(_value(ctx, entry)))


def _value(ctx: TurnContext, entry: Entry) -> str:
    if isinstance(entry, Submenu):
        return entry.shows(ctx)
    return ctx.texts.gettext(entry.current(ctx.settings, ctx.services.defaults).label)


def _unknown(ctx: TurnContext, name: str) -> str:
    text = ctx.texts.gettext("There is no setting “{name}”.").format(name=name)
    names = [entry.name for entry in entries(ctx)]
    return in_a_row(ctx.texts, text, did_you_mean(ctx.texts, names, name))


SETTINGS_COMMAND = Command(
    name="settings",
    family=STYLE,
    summary=N_("See and change the settings of this chat"),
    usage=N_("[NAME] [VALUE]"),
    run=settings,
    aliases=("config", "options"),
    details=N_("Everything that a chat can choose, as buttons or by typing."),
    examples=("/settings", "/settings language", "/settings language zh"),
)
LANGUAGE = Command(
    name="language",
    family=STYLE,
    summary=N_("Choose the language of my own sentences"),
    usage="[auto|en|zh]",
    run=shortcut("language"),
    aliases=("lang",),
    examples=("/language", "/language zh"),
    urgent=True,
)

ACTIONS: Mapping[str, Handler] = {
    PANEL: Handler(run=lambda ctx, press, argument: _show_panel(ctx), panel=True),
    SHOW: Handler(run=show_setting, panel=True),
    SET: Handler(run=choose, panel=True),
}
