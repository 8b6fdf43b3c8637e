"""Models that cannot answer in words: told from the others, and what each is for instead."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.commands.shelf import search
from bot.core.models import ModelInfo, Purpose
from bot.core.punctuation import in_a_row
from bot.core.turn import TurnContext


def answers(ctx: TurnContext, info: ModelInfo) -> bool:
    """Whether a model may answer in words. What the operator configured for that does."""
    defaults = ctx.services.defaults
    configured = (defaults.model, *(persona.model for persona in defaults.personas))
    return info.purpose is None or info.id in configured


def part(
    ctx: TurnContext, listed: Mapping[str, ModelInfo]
) -> tuple[Mapping[str, ModelInfo], Mapping[str, ModelInfo]]:
    """Those that may answer, and those that surely cannot."""
    able = {name for name, info in listed.items() if answers(ctx, info)}
    return (
        {name: info for name, info in listed.items() if name in able},
        {name: info for name, info in listed.items() if name not in able},
    )


def meant(
    known: Mapping[str, ModelInfo], others: Mapping[str, ModelInfo], name: str
) -> ModelInfo | None:
    """The one of the `others` that is meant: by its full name, or because nothing else is found."""
    if not name:
        return None
    same = [each for each in others if each.lower() == name.lower()]
    found = same or ([] if search(list(known), name) else search(list(others), name))
    return others[found[0]] if found else None


def sentence(ctx: TurnContext, info: ModelInfo) -> str:
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
