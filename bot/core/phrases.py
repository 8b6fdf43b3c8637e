"""Texts that are made where nobody knows who will read them: errors, findings, wrong settings."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import reduce
from gettext import NullTranslations

from bot.core.i18n import N_


class Phrase(str):
    """A text and what is filled in: English as it stands, for the log; `told` in any language.

    A value may be a phrase itself, or an error that says one.
    """

    text: str
    values: Mapping[str, str]

    def __new__(cls, text: str, /, **values: object) -> Phrase:
        """The `text` is what the catalogues have, with places for the values by their names."""
        filled = {name: said(value) for name, value in values.items()}
        phrase = super().__new__(cls, text.format_map(filled) if filled else text)
        phrase.text, phrase.values = text, filled
        return phrase


def told(what: object, texts: NullTranslations) -> str:
    """A phrase, or what an error says, in the catalogue's language; anything else as it is."""
    phrase = said(what)
    if not isinstance(phrase, Phrase):
        return phrase
    text = texts.gettext(phrase.text)
    if not phrase.values:
        return text
    return text.format_map({name: told(value, texts) for name, value in phrase.values.items()})


def said(value: object) -> str:
    """What an error says, a phrase if it was made of one; any other value as a text."""
    if isinstance(value, BaseException) and len(value.args) == 1:
        value = value.args[0]
    return value if isinstance(value, str) else str(value)


def placed(place: str, what: object) -> Phrase:
    """Where something is, and what is to be said of it: `place: what`."""
    return Phrase("{name}: {value}", name=place, value=what)


def listed(phrases: Iterable[str]) -> str:
    """One or more phrases as one: `a, b`."""
    return reduce(lambda one, other: Phrase("{one}, {other}", one=one, other=other), phrases)


def below(phrases: Iterable[str]) -> str:
    """One or more phrases as one: each on a line of its own."""
    pair = "{one}\n{other}"  # the same in every language
    return reduce(lambda one, other: Phrase(pair, one=one, other=other), phrases)


def reason(error: OSError) -> Phrase:
    """Why the operating system refused something."""
    number = error.errno or 0  # of a host that is unknown it is negative
    return Phrase((os.strerror(number) if number > 0 else error.strerror or str(error)).lower())


_REASONS = (
    N_("address already in use"),
    N_("cannot assign requested address"),
    N_("is a directory"),
    N_("no space left on device"),
    N_("no such file or directory"),
    N_("not a directory"),
    N_("permission denied"),
    N_("read-only file system"),
)
"""The usual ones."""
