"""The models on offer: found by name, put in order, described in a line. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from fnmatch import fnmatchcase

from bot.core.models import ModelInfo
from bot.core.settings import ChatSettings
from bot.core.turn import TurnContext


def hidden(ctx: TurnContext, name: str) -> bool:
    """Whether the operator does not offer a model."""
    return any(fnmatchcase(name, pattern) for pattern in ctx.services.defaults.hidden_models)


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


def nearest(known: Sequence[str], name: str, count: int) -> list[str]:
    """Names that look like this one, best first."""
    by_lower = {each.lower(): each for each in known}
    found = difflib.get_close_matches(name.lower(), by_lower, n=count, cutoff=0.4)
    return [by_lower[each] for each in found]


def in_order(settings: ChatSettings, known: Sequence[str]) -> list[str]:
    """The favourites of the chat, then what it used lately, then the others as they come."""
    first = dict.fromkeys((*settings.favourites, *settings.recent))
    return [*(name for name in first if name in known), *(n for n in known if n not in first)]


def details(ctx: TurnContext, info: ModelInfo) -> str:
    """What is known about a model, in half a line; empty for nothing."""
    _, formats = ctx.texts.gettext, ctx.formats
    known: list[str] = []
    if info.context_window:
        tokens = formats.compact(info.context_window)
        known.append(_("window {tokens} tokens").format(tokens=tokens))
    if info.vision:
        known.append(_("sees pictures"))
    if info.input_price is not None and info.output_price is not None:
        price = _("{input} in, {output} out per million tokens")
        paid = {
            "input": formats.money(info.input_price),
            "output": formats.money(info.output_price),
        }
        known.append(price.format(**paid))
    return _("; ").join(known)
