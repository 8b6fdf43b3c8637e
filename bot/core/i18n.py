"""The languages the bot speaks: gettext catalogues in `bot/locales`, English without one.

A text is written in English where it is said and looked up by it (`texts(language).gettext`).
The compiled catalogues are kept beside their sources, so that a checkout speaks Chinese too.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

LOCALES = Path(__file__).parent.parent / "locales"
DOMAIN = "chinwag"
LANGUAGES = ("en", "zh")
MARK = "/"
"""What stands before a command's name in every text."""
_COMMAND = re.compile(r"(?<![\w}/…])/(?=[a-z{])")
"""That mark, in a text or its translation: `/model`, `/{name}`; not that of `{done}/{total}`."""


def best_language(tag: str) -> str:
    """The language we have that is nearest to an IETF tag such as `zh-hans` or `en_GB`."""
    primary = tag.replace("_", "-").split("-")[0].lower()
    return primary if primary in LANGUAGES else "en"


class _Marked(gettext.NullTranslations):
    """A catalogue whose texts name commands with another mark; what is filled in stays as it is."""

    def __init__(self, catalogue: gettext.NullTranslations, mark: str) -> None:
        super().__init__()
        self.add_fallback(catalogue)
        self._mark = mark

    def gettext(self, message: str) -> str:
        return _COMMAND.sub(self._mark, super().gettext(message))

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return _COMMAND.sub(self._mark, super().ngettext(msgid1, msgid2, n))


@lru_cache
def _catalogue(language: str, mark: str) -> gettext.NullTranslations:
    found = gettext.translation(DOMAIN, LOCALES, languages=[language], fallback=True)
    return found if mark == MARK else _Marked(found, mark)


def texts(tag: str, *, mark: str = MARK) -> gettext.NullTranslations:
    """The catalogue for an IETF language tag; English stands for every language we lack.

    Its texts name commands with the `mark` that is written before them where they are shown.
    """
    return _catalogue(best_language(tag), mark)


def language_of(environ: Mapping[str, str], encoding: str = "utf-8") -> str:
    """The IETF tag of a terminal's language; English where the encoding has no letters for it.

    It is the first we have of GNU's list `LANGUAGE`, else the locale's (POSIX: `LC_ALL`,
    `LC_MESSAGES`, `LANG`).
    """
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = _tag(next((environ[name] for name in names if environ.get(name)), "C"))
    if locale in ("C", "POSIX"):
        return "en"
    wanted = [_tag(each) for each in environ.get("LANGUAGE", "").split(":")]
    tag = next((each for each in wanted if each.split("-")[0].lower() in LANGUAGES), locale)
    try:
        texts(tag).gettext("Language").encode(encoding)
    except UnicodeEncodeError:
        return "en"
    return tag


def _tag(locale: str) -> str:
    return re.split("[.@]", locale)[0].replace("_", "-")


def N_(text: str) -> str:
    """Mark a text for translation where it is defined; it is looked up where it is said."""
    return text
