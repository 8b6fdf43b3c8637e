"""The languages the bot speaks: gettext catalogues in `bot/locales`, English without one.

A text is written in English where it is said and looked up by it (`texts(language).gettext`).
The compiled catalogues are kept beside their sources, so that a checkout speaks Chinese too.
"""

from __future__ import annotations

import gettext
from functools import lru_cache
from pathlib import Path

LOCALES = Path(__file__).parent.parent / "locales"
DOMAIN = "chinwag"
LANGUAGES = ("en", "zh")


def best_language(tag: str) -> str:
    """The language we have that is nearest to an IETF tag such as `zh-hans` or `en_GB`."""
    primary = tag.replace("_", "-").split("-")[0].lower()
    return primary if primary in LANGUAGES else "en"


@lru_cache(maxsize=len(LANGUAGES))
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALES, languages=[language], fallback=True)


def texts(tag: str) -> gettext.NullTranslations:
    """The catalogue for an IETF language tag; English stands for every language we lack."""
    return _catalogue(best_language(tag))


def N_(text: str) -> str:
    """Mark a text for translation where it is defined; it is looked up where it is said."""
    return text
