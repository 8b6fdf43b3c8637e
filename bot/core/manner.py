"""How a chat is answered: by which model, under which instruction, how freely, and how shown."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.core.chat import Sampling
from bot.core.defaults import Defaults, Persona
from bot.core.settings import ChatSettings
from bot.core.types import Style


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """What holds in a chat, of all that it and the operator have chosen. `model` may be empty."""

    model: str
    system_prompt: str
    sampling: Sampling


def manner(settings: ChatSettings, defaults: Defaults) -> Manner:
    """What the chat says goes before its persona, and that before the operator's defaults."""
    persona = persona_of(settings, defaults) or Persona(name="", prompt="")
    sampling = settings.sampling
    if sampling.temperature is None and persona.temperature is not None:
        sampling = replace(sampling, temperature=persona.temperature)
    return Manner(
        model=settings.model or persona.model or defaults.model,
        system_prompt=settings.system_prompt or persona.prompt or defaults.system_prompt,
        sampling=sampling,
    )


def persona_of(settings: ChatSettings, defaults: Defaults) -> Persona | None:
    """The persona that the chat has chosen, if the operator still has it."""
    name = settings.persona.casefold()
    return next((each for each in defaults.personas if each.name.casefold() == name), None)


def style_of(settings: ChatSettings, defaults: Defaults) -> Style:
    """How a chat with these settings wants answers shown."""
    return Style(
        drafts=(settings.streaming or defaults.streaming) == "draft",
        rich=(settings.rich or defaults.rich) == "on",
    )
