from __future__ import annotations

import pytest

from tests.platforms.telegram.markdown.commonmark import main

FENCE = "`" * 32


def specification(*examples: tuple[str, str]) -> str:
    """Written like CommonMark's, with examples of our own."""
    parts = (f"{FENCE} example\n{text}.\n{page}{FENCE}\n" for text, page in examples)
    return "# Some chapter\n\n" + "\nAnd further:\n\n".join(parts)


def test_every_example_is_judged_whole_and_cut(capsys: pytest.CaptureFixture[str]) -> None:
    examples = (
        ("**bold** words\n", "<p><strong>bold</strong> words</p>\n"),
        ("-\u2192an item\n", "<ul>\n<li>an item</li>\n</ul>\n"),
    )
    assert main(specification(*examples)) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("2 examples, ") and printed.endswith(" texts judged, 0 refused\n")


def test_a_lost_word_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    main(specification(("the sun\n", "<p>the sun and the moon</p>\n")))
    assert "1: lost: the, and, moon of 'the sun\\n'" in capsys.readouterr().out


def test_a_file_without_examples_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("<html>Not found</html>") == 1
    assert "0 examples" in capsys.readouterr().out
