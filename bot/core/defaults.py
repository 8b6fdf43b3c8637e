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
    """The models, and what else a chat has while it has chosen nothing: from the configuration."""

    model: str
    image_model: str = ""
    transcription_model: str = ""
    hidden_models: tuple[str, ...] = ()
    """Names or glob patterns of models that are not offered."""
    streaming: str = "edit"
    """How an answer is shown while it is written, where there is a choice: `edit` or `draft`."""
    rich: str = "off"
    """Whether answers are rich messages, where there is a choice: `on` or `off`."""

    # The table `chat` of the configuration, where the values stand that hold if nothing is set.
    system_prompt: str
    context_window: int
    """Tokens assumed for a model whose window is unknown."""
    reasoning: str
    """What becomes of a model's thoughts when it has answered: `collapsed` or `hidden`."""
    summary_model: str
    """A cheap model for titles and summaries. Without one titles are the first words said."""
    patience: float
    """Seconds that a message waits for an API that does not answer, before its sender is told."""
    together: bool
    """Short messages that come in a row while an answer is written are answered as one."""
    personas: tuple[Persona, ...]
