"""Letters with a ring, which Telegram would take away where it is a sign of its own.

TDLib takes U+030A out of every text (`clean_input_string` in misc.cpp), so that `a` with it, as
macOS writes file names and some models Swedish, would become a plain `a`. As one letter it stays.
"""

from __future__ import annotations

import re
import unicodedata

_RINGED = re.compile(".\u030a")


def with_rings(text: str) -> str:
    """The text with one letter for each letter and its ring, where Unicode has one."""
    return _RINGED.sub(_composed, text) if "\u030a" in text else text


def _composed(pair: re.Match[str]) -> str:
    letter = unicodedata.normalize("NFC", pair[0])
    return letter if len(letter) == 1 else pair[0]
