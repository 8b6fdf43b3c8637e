"""The models on offer: for whom, found by name, put in order, described; and what each is for."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from bot.core.models import ModelInfo, Purpose
from bot.core.punctuation import in_a_row
from bot.core.settings import ChatSettings
from bot.core.turn import TurnContext


def hidden(ctx: TurnContext, name: str) -> bool:
    """Whether the operator does not offer a model."""
    return any(fnmatchcase(name, pattern) for pattern in ctx.services.defaults.hidden_models)


def is_offered(ctx: TurnContext, name: str) -> bool:
    """Whether a model is there for this person: neither hidden nor reserved for others."""
    return not hidden(ctx, name) and ctx.may_use(name)


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


# ---------------------------------------------------------------- what else a model is for


def can_answer(ctx: TurnContext, info: ModelInfo) -> bool:
    """Whether a model may answer in words. What the operator configured for that does."""
    defaults = ctx.services.defaults
    configured = (defaults.model, *(persona.model for persona in defaults.personas))
    return info.purpose is None or info.id in configured


@dataclass(frozen=True, slots=True)
class Models:
    """The models that are offered to a person, by name: `answering` in words, or surely not."""

    answering: Mapping[str, ModelInfo] = field(default_factory=dict)
    others: Mapping[str, ModelInfo] = field(default_factory=dict)

    def meant_other(self, name: str) -> ModelInfo | None:
        """The model that is meant although it cannot answer.

        By its full name, or because no model that can answer is found by that name.
        """
        if not name:
            return None
        found = [each for each in self.others if each.lower() == name.lower()]
        if not found and not search(list(self.answering), name):
            found = search(list(self.others), name)
        return self.others[found[0]] if found else None


async def models_for(ctx: TurnContext) -> Models:
    """The models that are offered to this person now. Raises `ModelError`."""
    offered = [info for info in await ctx.services.api.models() if is_offered(ctx, info.id)]
    answering = {info.id: info for info in offered if can_answer(ctx, info)}
    return Models(answering, {info.id: info for info in offered if info.id not in answering})


def why_not(ctx: TurnContext, info: ModelInfo) -> str:
    """What is said instead of choosing a model that cannot answer in words."""
    _ = ctx.texts.gettext
    elsewhere = _("/model shows those that can.")
    match info.purpose:
        case Purpose.DRAWING:
            text = _("**{model}** draws and cannot answer in words.")
            elsewhere = _("Let it draw: `/image --model {model} a lighthouse in a storm`")
        case Purpose.LISTENING:
            text = _("**{model}** only writes down what is said in recordings.")
            elsewhere = _("That is what `/transcribe` does.")
        case Purpose.SPEAKING:
            text = _("**{model}** reads texts aloud and cannot answer in words.")
        case Purpose.EMBEDDING:
            text = _("**{model}** compares texts and cannot answer in words.")
        case _other:
            text = _("**{model}** cannot answer in words.")
    return in_a_row(ctx.texts, text, elsewhere).format(model=info.id)
