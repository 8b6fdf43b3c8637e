"""Whatever goes wrong, there is a sentence for it in every language."""

from __future__ import annotations

import pytest

from bot.core.i18n import LANGUAGES, texts
from bot.core.sentences import (
    sentence_for_file,
    sentence_for_media,
    sentence_for_model,
)
from bot.errors import (
    FilesForbidden,
    FileTooLarge,
    MediaError,
    MediaErrorKind,
    ModelError,
    ModelErrorKind,
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_reads_the_same_sentence_about_two_things(language: str) -> None:
    catalogue = texts(language)
    said = [
        *(
            sentence_for_model(ModelError(kind, "why"), catalogue, model="gpt-4o")
            for kind in ModelErrorKind
        ),
        *(sentence_for_media(MediaError(kind), catalogue) for kind in MediaErrorKind),
        sentence_for_file(FileTooLarge(5_000_000), catalogue),
        sentence_for_file(FilesForbidden("no"), catalogue),
        sentence_for_media(FileTooLarge(20_000_000), catalogue),
    ]
    assert len(set(said)) == len(said)
    assert all(text and "{" not in text for text in said)


def test_a_limit_is_named_where_it_is_known() -> None:
    assert "5 MB" in sentence_for_file(FileTooLarge(5_000_000), texts("en"))
    assert "20 MB" in sentence_for_media(FileTooLarge(20_000_000), texts("en"))
    assert "0 MB" not in sentence_for_media(FileTooLarge(0), texts("en"))
