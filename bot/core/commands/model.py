"""`/model`: see and choose the model of a chat, from the live list of the API."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.core.chat import ModelInfo
from bot.core.commands.families import STYLE
from bot.core.commands.table import ActionHandler, Command
from bot.core.i18n import N_
from bot.core.sentences import sentence_for_model
from bot.core.stores import Action, Outcome
from bot.core.turn import TurnContext
from bot.core.types import Button, ButtonPress, ButtonRow, IncomingMessage
from bot.errors import ModelError, ModelErrorKind

SET = "model.set"
PAGE = "model.page"
MENU = "model.menu"
FIRST_PAGE = '{"query": "", "page": 0}'
PAGE_SIZE = 8
LISTED = 60
"""Names written out where there are no buttons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """One page of the list of models: what it says, and what its buttons do."""

    text: str
    choices: tuple[str, ...]
    query: str = ""
    page: int = 0
    pages: int = 1


async def model(ctx: TurnContext, message: IncomingMessage, argument: str) -> Outcome:
    """Show the models, search them, or choose one by name."""
    try:
        known = [info.id for info in await ctx.services.api.models()]
    except ModelError as error:
        if error.kind is ModelErrorKind.UNSUPPORTED and argument:
            await _set(ctx, argument)  # a server without a list: take the person's word
            await ctx.say(_chosen(ctx, argument, ()))
        else:
            await ctx.say("⚠️ " + sentence_for_model(error, ctx.texts, model=argument))
        return Outcome()
    name = exact(known, argument)
    if name is not None:
        await _set(ctx, name)
        await ctx.say(_chosen(ctx, name, await ctx.services.api.models()))
    else:
        menu = build_menu(ctx, known, query=argument, page=0)
        await ctx.say(_with_names(ctx, menu), buttons=await _buttons(ctx, menu))
    return Outcome()


async def choose(ctx: TurnContext, press: ButtonPress, action: Action) -> Outcome:
    """Somebody pressed a model's button."""
    await _set(ctx, action.argument)
    try:
        known: Sequence[ModelInfo] = await ctx.services.api.models()
    except ModelError:
        known = ()  # only for the details
    await ctx.say(_chosen(ctx, action.argument, known))
    return Outcome()


async def show_menu(ctx: TurnContext, press: ButtonPress, action: Action) -> Outcome:
    """Somebody asked for the list from another menu."""
    return await turn_page(ctx, press, replace(action, argument=FIRST_PAGE))


async def turn_page(ctx: TurnContext, press: ButtonPress, action: Action) -> Outcome:
    """Somebody pressed one of the arrows."""
    wanted = json.loads(action.argument)
    try:
        known = [info.id for info in await ctx.services.api.models()]
    except ModelError as error:
        text = sentence_for_model(error, ctx.texts, model="")
        await ctx.platform.notice(press, text)
        return Outcome()
    menu = build_menu(ctx, known, query=wanted["query"], page=wanted["page"])
    await ctx.say(menu.text, buttons=await _buttons(ctx, menu))
    return Outcome()


def exact(known: Sequence[str], name: str) -> str | None:
    """The model that is meant beyond doubt: by its full name, or as the only one found."""
    if not name:
        return None
    if name in known:
        return name
    same = [each for each in known if each.lower() == name.lower()]
    found = same or search(known, name)
    return found[0] if len(found) == 1 else None


def search(known: Sequence[str], query: str) -> list[str]:
    """The models whose names hold every word of the query."""
    words = query.lower().split()
    return [name for name in known if all(word in name.lower() for word in words)]


def nearest(known: Sequence[str], name: str) -> list[str]:
    """Names that look like this one, best first."""
    by_lower = {each.lower(): each for each in known}
    found = difflib.get_close_matches(name.lower(), by_lower, n=PAGE_SIZE, cutoff=0.4)
    return [by_lower[each] for each in found]


def build_menu(ctx: TurnContext, known: Sequence[str], *, query: str, page: int) -> Menu:
    """The page of models for a query; the nearest names when nothing matches."""
    _ = ctx.texts.gettext
    current = ctx.settings.model or ctx.services.defaults.model
    head = _("Model of this chat: **{model}**").format(model=current or "–")
    found = search(known, query)
    if not found:
        close = nearest(known, query)
        text = _("There is no model “{name}”.").format(name=query)
        hint = _("Did you mean one of these?") if close else _("/model shows them all.")
        return Menu(text=f"{text} {hint}", choices=tuple(close), query=query)
    size = page_size(ctx)
    pages = -(-len(found) // size)
    page = max(0, min(page, pages - 1))
    ask = (
        _("{count} models match “{query}”:").format(count=len(found), query=query)
        if query
        else _("Choose one of {count}, or search: `/model WORD`").format(count=len(found))
    )
    choices = tuple(found[page * size : (page + 1) * size])
    return Menu(text=f"{head}\n\n{ask}", choices=choices, query=query, page=page, pages=pages)


def page_size(ctx: TurnContext) -> int:
    """How many models stand on a page; room for the arrows is left where there are buttons."""
    buttons = ctx.platform.capabilities(ctx.chat).max_buttons
    return min(PAGE_SIZE, max(1, buttons - 2)) if buttons else LISTED


async def _buttons(ctx: TurnContext, menu: Menu) -> Sequence[ButtonRow]:
    if not ctx.platform.capabilities(ctx.chat).max_buttons:
        return ()
    current = ctx.settings.model or ctx.services.defaults.model
    labels = [f"✓ {name}" if name == current else name for name in menu.choices]
    actions = [_action(ctx, SET, name) for name in menu.choices]
    arrows = [("‹", menu.page - 1), ("›", menu.page + 1)]
    turns = [(label, page) for label, page in arrows if 0 <= page < menu.pages]
    for label, page in turns:
        labels.append(f"{label} {page + 1}/{menu.pages}")
        wanted = json.dumps({"query": menu.query, "page": page}, ensure_ascii=False)
        actions.append(_action(ctx, PAGE, wanted))
    values = await ctx.services.stores.actions.offer(ctx.chat, actions)
    buttons = [Button(label, value) for label, value in zip(labels, values, strict=True)]
    count = len(menu.choices)
    rows = [(button,) for button in buttons[:count]]
    return (*rows, tuple(buttons[count:])) if turns else rows


def _action(ctx: TurnContext, name: str, argument: str) -> Action:
    return Action(name=name, argument=argument, owner=ctx.sender.id)


def _with_names(ctx: TurnContext, menu: Menu) -> str:
    """The menu's text; the names are written out where no button can bear them."""
    if ctx.platform.capabilities(ctx.chat).max_buttons or not menu.choices:
        return menu.text
    names = "\n".join(f"- `{name}`" for name in menu.choices)
    return f"{menu.text}\n\n{names}"


async def _set(ctx: TurnContext, name: str) -> None:
    await ctx.change_settings(lambda settings: replace(settings, model=name))


def _chosen(ctx: TurnContext, name: str, known: Sequence[ModelInfo]) -> str:
    _ = ctx.texts.gettext
    text = _("From now on **{model}** answers in this chat.").format(model=name)
    info = next((each for each in known if each.id == name), None)
    details = []
    if info and info.context_window:
        details.append(_("window {tokens} tokens").format(tokens=f"{info.context_window:,}"))
    if info and info.input_price is not None and info.output_price is not None:
        price = _("${input} in, ${output} out per million tokens")
        details.append(price.format(input=info.input_price, output=info.output_price))
    return f"{text} ({'; '.join(details)})" if details else text


MODEL = Command(
    name="model",
    family=STYLE,
    summary=N_("See or choose the model"),
    usage="[NAME]",
    run=model,
    aliases=("models",),
    details=N_(
        "Alone, it shows the models as a list to pick from. With a word, it searches; when only "
        "one model matches, that one answers in this chat from then on."
    ),
    examples=("/model", "/model gpt-4o"),
)

ACTIONS: dict[str, ActionHandler] = {SET: choose, PAGE: turn_page, MENU: show_menu}
