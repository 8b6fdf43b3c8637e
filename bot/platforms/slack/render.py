"""The core's Markdown as Slack takes it. Pure functions.

Slack draws CommonMark with tables in the `markdown` block (docs.slack.dev, "Markdown block": at
most 12,000 characters per message) and in streams. What a model writes must not notify anybody:
an invisible character inside `<!channel>`, `<@U…>` or `@here` makes them plain words.
"""

from __future__ import annotations

import re

from bot.core.delivery import cells
from bot.core.delivery.emphasis import GAP, as_meant, most_signs, undecided
from bot.core.delivery.markdown import outside_code
from bot.platforms.markdown import formulas
from bot.platforms.markdown.boxes import with_boxes
from bot.platforms.markdown.formulas import as_code, words_as_code
from bot.platforms.markdown.references import with_numbers, without_links
from bot.platforms.slack import tags
from bot.platforms.slack.long_bold import SEAM, closed, in_pieces, most_seams
from bot.platforms.slack.tags import as_markdown

MAX_TEXT = 12_000
STREAM_TEXT = 9_000
"""Bytes of UTF-8 on a page that is streamed. See `STREAM_BYTES` of the draft: a page and the tasks
beside it fit into one stream, so that a long answer is streamed to its end."""
JOINER = "\N{WORD JOINER}"

_PING = re.compile(
    r"<(?=!(?:channel|here|everyone|subteam|group)|@[UWB][A-Z0-9]|\#[CG][A-Z0-9])"
    r"|@(?<![a-z0-9]@)(?<!\.@)(?=(?:channel|here|everyone))",
    re.IGNORECASE,
)
_NAME = re.compile(r"^[ ]{0,3}\[[^\[\]\n]+\](?=:)", re.MULTILINE)
"""Of a footnote or an address: with its colon CommonMark would not show the line."""
_BEGUN = re.compile(r"(?:_?<(?:[!@#][a-z]{0,7})?|@[a-z]{0,7})\Z", re.IGNORECASE)


def neutralise(text: str) -> str:
    """The text with every mention made inert."""
    if "<" not in text and "@" not in text:
        return text
    return _PING.sub(lambda found: found[0] + JOINER, text)


def written(text: str) -> str:
    """A Markdown text as Slack is given it: mentions are inert, emphasis and footnotes are seen.

    Formulas are code, since Slack draws none, and tags are Markdown; long bold is in pieces. What
    a name stands for is to be read, since a stream cannot make links of words that it has shown.
    A backslash before an asterisk is not shown (docs.slack.dev, "Markdown block").
    """
    return neutralise(outside_code(text, _words))


def _words(text: str) -> str:
    """What stands outside of fenced code."""
    if "[" in text:
        text = with_boxes(with_numbers(without_links(text)))
    text = as_meant(in_pieces(words_as_code(as_markdown(cells.with_cells(text)))))
    return _NAME.sub(lambda found: found[0] + JOINER, text) if "]:" in text else text


def settled(text: str) -> str:
    """What of an unfinished text can be written for good: a mention or tag may be half written.

    Where `a` begins `b`, `written(settled(a))` begins `written(settled(b))`, but for rare asterisks
    about which much later words decide, as in a formula that ends. Then a stream cannot go on.
    """
    mention = _BEGUN.search(text)
    text = text[: mention.start()] if mention else text
    return closed(text[: min(undecided(text), formulas.begun(text), tags.begun(text))])


def measure(text: str) -> int:
    """How much of `MAX_TEXT` a Markdown text takes, in UTF-16 units to be on the safe side."""
    added = cells.most_added(text) + text.count("<") + text.count("]:")
    text = as_code(text)
    added += most_signs(text) + most_seams(text) * SEAM
    return len(neutralise(text).encode("utf-16-le")) // 2 + added


def measure_stream(text: str) -> int:
    """How much of `STREAM_TEXT` a Markdown text takes: Slack counts a stream in bytes."""
    added = cells.most_added(text) + text.count("<") + text.count("]:") * len(JOINER.encode())
    text = as_code(text)
    added += most_signs(text) * len(GAP.encode()) + most_seams(text) * SEAM
    return len(neutralise(text).encode()) + added
