"""`/model`: see and choose the model of a chat, from the live list of the API.

What the operator hides or reserves for others is neither shown nor chosen. The favourites of a
chat stand first, then what it used lately.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.core.commands.models_on_offer import (
    Models,
    can_answer,
    details,
    exact,
    hidden,
    in_order,
    models_for,
    nearest,
    search,
    why_not,
)
from bot.core.commands.table import STYLE, Command, Handler
from bot.core.i18n import N_
from bot.core.menu import Item, make_buttons, marked, page_at
from bot.core.models import ModelInfo
from bot.core.punctuation import in_a_row, noted, paragraphs
from bot.core.sentences import sentence_for_model
from bot.core.settings import ChatSettings
from bot.core.spending import may_use
from bot.core.turn import TurnContext
from bot.core.types import ButtonPress, ButtonRow, IncomingMessage
from bot.errors import ModelError, ModelErrorKind

SET = "model.set"
PAGE = "model.page"
MENU = "model.menu"
STAR = "model.star"
FIRST_PAGE = '{"query": "", "page": 0}'
PAGE_SIZE = 8
LISTED = 60
"""Names written out where there are no buttons."""
RECENT = 5
FAVOURITES = 20
NONE = frozenset({"default", "reset", "默认"})


# ---------------------------------------------------------------- typed


async def model(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
    """Show the models, search them, choose one by name, or star one."""
    verb, _, rest = argument.partition(" ")
    if argument.lower() in NONE:
        await ctx.change_settings(lambda settings: replace(settings, model=""))
        text = ctx.texts.gettext("The usual model answers here again: **{model}**.")
        await ctx.say(text.format(model=ctx.manner.model or "–"))
    elif verb.lower() in ("star", "unstar") and rest.strip():
        await _star_typed(ctx, rest.strip(), starred=verb.lower() == "star")
    else:
        await _find(ctx, argument)


async def _find(ctx: TurnContext, argument: str) -> None:
    try:
        models = await models_for(ctx)
    except ModelError as error:
        if error.kind is ModelErrorKind.UNSUPPORTED and argument and not hidden(ctx, argument):
            await _choose(ctx, argument, {})  # a server without a list: take the person's word
        else:
            await ctx.say("⚠️ " + sentence_for_model(error, ctx.texts, model=argument))
        return
    if (other := models.meant_other(argument)) is not None:
        await ctx.say(why_not(ctx, other))
    elif (name := exact(list(models.answering), argument)) is not None:
        await _choose(ctx, name, models.answering)
    else:
        await _show(ctx, models.answering, query=argument)


async def _star_typed(ctx: TurnContext, name: str, *, starred: bool) -> None:
    try:
        models = await models_for(ctx)
    except ModelError:
        models = Models()  # then only what is a favourite already can be told
    if starred and (other := models.meant_other(name)) is not None:
        await ctx.say(why_not(ctx, other))
        return
    found = exact(list(dict.fromkeys((*models.answering, *ctx.settings.favourites))), name)
    if found is None:
        await ctx.say(ctx.texts.gettext("There is no model “{name}”.").format(name=name))
    else:
        await ctx.say(await _set_star(ctx, found, starred=starred))


# ---------------------------------------------------------------- pressed


async def choose(ctx: TurnContext, press: ButtonPress, argument: str) -> None:
    """Somebody pressed a model's button."""
    try:
        known = (await models_for(ctx)).answering
    except ModelError:
        known = {}  # only for the details
    if hidden(ctx, argument):  # since the button was made
        await _show(ctx, known)
    else:
        await _choose(ctx, argument, known)


async def turn_page(ctx: TurnContext, press: ButtonPress, argument: str) -> None:
    """Somebody pressed one of the arrows."""
    wanted = json.loads(argument)
    try:
        models = await models_for(ctx)
    except ModelError as error:
        text = sentence_for_model(error, ctx.texts, model="")
        await ctx.platform.notice(press, text)
        return
    await ctx.platform.notice(press, "")
    await _show(ctx, models.answering, query=wanted["query"], page=wanted["page"])


async def star(ctx: TurnContext, press: ButtonPress, argument: str) -> None:
    """Somebody wants a model among the favourites, or out of them."""
    text = await _set_star(ctx, argument, starred=argument not in ctx.settings.favourites)
    await ctx.say(text, buttons=await _star_button(ctx, argument))


# ---------------------------------------------------------------- done


async def _choose(ctx: TurnContext, name: str, known: Mapping[str, ModelInfo]) -> None:
    may_use(ctx, name)
    info = known.get(name) or await ctx.services.api.about(name)
    if not can_answer(ctx, info):
        await ctx.say(why_not(ctx, info))
        return

    def change(settings: ChatSettings) -> ChatSettings:
        recent = (name, *(each for each in settings.recent if each != name))[:RECENT]
        return replace(settings, model=name, recent=recent)

    await ctx.change_settings(change)
    _ = ctx.texts.gettext
    text = _("From now on **{model}** answers in this chat.").format(model=name)
    if about := _about(ctx, name, known):
        text = noted(ctx.texts, text, about)
    await ctx.say(text, buttons=await _star_button(ctx, name))


async def _set_star(ctx: TurnContext, name: str, *, starred: bool) -> str:
    """Star a model, or take its star away; returns what is said of that."""

    def change(settings: ChatSettings) -> ChatSettings:
        others = tuple(each for each in settings.favourites if each != name)
        favourites = (*others, name)[-FAVOURITES:] if starred else others
        return replace(settings, favourites=favourites)

    await ctx.change_settings(change)
    _ = ctx.texts.gettext
    text = _("**{model}** is no favourite of this chat any more.")
    if starred:
        text = _("⭐ **{model}** is a favourite of this chat now.")
    return text.format(model=name)


async def _star_button(ctx: TurnContext, name: str) -> Sequence[ButtonRow]:
    _ = ctx.texts.gettext
    starred = name in ctx.settings.favourites
    label = _("☆ No favourite any more") if starred else _("⭐ Keep as favourite")
    return await make_buttons(ctx, [[Item(label, STAR, name)]])


# ---------------------------------------------------------------- shown


async def _show(
    ctx: TurnContext, known: Mapping[str, ModelInfo], *, query: str = "", page: int = 0
) -> None:
    """A page of the models for a query; the nearest names when nothing matches."""
    found = search(in_order(ctx.settings, list(known)), query)
    size = page_size(ctx)
    at = page_at(page, things=len(found), size=size)
    choices = found[at.number * size : (at.number + 1) * size]
    text = _heading(ctx, len(found), query)
    if not found:
        choices = nearest(list(known), query, PAGE_SIZE)
        text = _not_found(ctx, query, close=bool(choices))
    labels = (marked(f"{_star(ctx, name)}{name}", name == ctx.manner.model) for name in choices)
    rows = [[Item(label, SET, name)] for label, name in zip(labels, choices, strict=True)]
    rows.append(at.arrows(PAGE, lambda page: json.dumps({"query": query, "page": page})))
    lines = _lines(ctx, choices, known)
    await ctx.say(paragraphs(text, "\n".join(lines)), buttons=await make_buttons(ctx, rows))


def _heading(ctx: TurnContext, count: int, query: str) -> str:
    _ = ctx.texts.gettext
    head = _("Model of this chat: **{model}**").format(model=ctx.manner.model or "–")
    ask = (
        _("{count} models match “{query}”:").format(count=count, query=query)
        if query
        else _("Choose one of {count}, or search: `/model WORD`").format(count=count)
    )
    return paragraphs(head, ask)


def _not_found(ctx: TurnContext, query: str, *, close: bool) -> str:
    _ = ctx.texts.gettext
    text = _("There is no model “{name}”.").format(name=query)
    hint = _("Did you mean one of these?") if close else _("/model shows them all.")
    return in_a_row(ctx.texts, text, hint)


def page_size(ctx: TurnContext) -> int:
    """How many models stand on a page; room for the arrows is left where there are buttons."""
    buttons = ctx.capabilities.max_buttons
    return min(PAGE_SIZE, max(1, buttons - 2)) if buttons else LISTED


def _star(ctx: TurnContext, name: str) -> str:
    return "⭐ " if name in ctx.settings.favourites else ""


def _about(ctx: TurnContext, name: str, known: Mapping[str, ModelInfo]) -> str:
    return details(ctx, known[name]) if name in known else ""


def _lines(ctx: TurnContext, names: Sequence[str], known: Mapping[str, ModelInfo]) -> Sequence[str]:
    """What is known about these models.

    Where no button can bear them, names of which nothing is known are written out, too.
    """
    lines: list[str] = []
    for name in names:
        about = _about(ctx, name, known)
        if about or not ctx.capabilities.max_buttons:
            lines.append(f"- {_star(ctx, name)}`{name}`" + (f" – {about}" if about else ""))
    return lines


MODEL = Command(
    name="model",
    family=STYLE,
    summary=N_("See or choose the model"),
    usage=N_("[NAME]"),
    run=model,
    aliases=("models",),
    details=N_(
        "Alone, it shows the models as a list to pick from. With a word, it searches; when only "
        "one model matches, that one answers in this chat from then on. Starred models stand "
        "first."
    ),
    examples=("/model", "/model gpt-4o", "/model star gpt-4o", "/model default"),
)

ACTIONS: Mapping[str, Handler] = {
    SET: Handler(run=choose, panel=True),
    PAGE: Handler(run=turn_page, panel=True, answers_press=True),
    MENU: Handler(
        run=lambda ctx, press, argument: turn_page(ctx, press, FIRST_PAGE),
        panel=True,
        answers_press=True,
    ),
    STAR: Handler(run=star, panel=True),
}
