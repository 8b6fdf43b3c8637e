"""What holds in every chat that has not chosen otherwise: what the operator configured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """A way to answer that the operator offers. `model` and `temperature` are optional."""

    name: str
    prompt: str
    model: str = ""
    temperature: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """Which models are used when a chat has not chosen: from the configuration."""

    model: str
    image_model: str = ""
    transcription_model: str = ""
    system_prompt: str = ""
    patience: float = 600.0
    """Seconds that a message waits for an API that does not answer, before its sender is told."""
    together: bool = True
    """Short messages that come in a row while an answer is written are answered as one."""
    context_window: int = 32_000
    """Tokens assumed for a model whose window is unknown."""
    reasoning: str = "collapsed"
    """What becomes of a model's thoughts when it has answered: `collapsed` or `hidden`."""
    personas: tuple[Persona, ...] = ()
    hidden_models: tuple[str, ...] = ()
    """Names or glob patterns of models that are not offered."""
    summary_model: str = ""
    """A cheap model for titles and summaries. Without one titles are the first words said."""
    streaming: str = "edit"
    """How an answer is shown while it is written, where there is a choice: `edit` or `draft`."""
    rich: str = "off"
    """Whether answers are rich messages, where there is a choice: `on` or `off`."""
