"""What is asked: the words, pictures and speech of a message, as the history keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from gettext import NullTranslations

from bot.core.chat import NewMessage, Part, Role, TextPart
from bot.core.punctuation import enumerated, paragraphs, shortened
from bot.core.question.attachments import Gathered
from bot.core.types import IncomingMessage, Line, MessageId, MessageRef

QUOTED = 12_000
"""Characters of a replied-to message that the model is told."""
KNOWN = 1_000
"""Characters of one that it has written itself, and so knows but for a few."""


def question_of(
    message: IncomingMessage, gathered: Gathered, *, heading: str = ""
) -> NewMessage | None:
    """What the person said, as it is kept; None when there is nothing to answer."""
    passed_on = (
        f"[Forwarded from {each.author}]\n{each.text}".strip() for each in message.forwards
    )
    lines = message.lines or (Line(message.ref, message.text),)
    typed = [line.text.strip() for line in lines]
    rest = paragraphs(*passed_on, gathered.heard)
    quoted, about = "", message.reply_to
    is_said = any(typed) or rest or gathered.parts
    if gathered.unread and is_said:
        rest += f"\n\n[Also sent, but not readable to you: {', '.join(gathered.unread)}]"
    if about and about.text and (is_said or about.opening):  # a bare mention is about it, too
        is_known = about.by_bot and not about.opening
        text = shortened(about.text, KNOWN if is_known else QUOTED)
        quoted = f"[In reply to {about.author}: “{text}”]\n\n"
    parts: tuple[Part, ...] = (*_words(quoted, typed, rest.strip()), *gathered.parts)
    if not parts:
        return None
    sender = message.sender
    return NewMessage(
        role=Role.USER,
        parts=parts,
        sender_id=sender.id,
        sender_name=sender.name,
        shown=tuple(line.ref for line in lines),
        heading=heading,
    )


def _words(quoted: str, typed: Sequence[str], rest: str) -> tuple[TextPart, ...]:
    """What is quoted, what was typed about it in each message, and what was sent with that."""
    own = "\n".join(filter(None, typed))
    text = quoted + paragraphs(own, rest)
    if not text:
        return ()
    begin = len(quoted)
    span = None if text == own else (begin, begin + len(own))
    return (TextPart(text, span, _spans(typed, begin) if len(typed) > 1 else ()),)


def _spans(typed: Sequence[str], at: int) -> tuple[tuple[int, int], ...]:
    """Where each begins and ends, when those with words in them stand in lines from `at` on."""
    spans = []
    for words in typed:
        spans.append((at, at + len(words)))
        at += len(words) + 1 if words else 0
    return tuple(spans)


def reworded(asked: NewMessage, ref: MessageRef, words: str) -> NewMessage:
    """The question with other words in one of the messages in which it is `shown`.

    What was written in the others stays, and so does what was quoted, sent and heard.
    """
    first = asked.parts[0] if asked.parts else None
    whole, others = (
        (first, asked.parts[1:]) if isinstance(first, TextPart) else (TextPart(""), asked.parts)
    )
    begin, end = whole.typed or (0, len(whole.text))
    typed = [whole.text[at:to] for at, to in whole.lines or [(begin, end)]]
    typed += [""] * (len(asked.shown) - len(typed))  # of files to which nobody wrote anything
    typed[asked.shown.index(ref)] = words.strip()
    quoted, rest = whole.text[:begin], whole.text[end:].removeprefix("\n\n")
    return replace(asked, parts=(*_words(quoted, typed, rest), *others))


def without(asked: NewMessage, gone: MessageId) -> NewMessage | None:
    """What is left of a question when one of the messages in which it is shown is deleted, if any.

    Of the others only the words: what was quoted, sent or heard may have been of that one.
    """
    first = asked.parts[0] if asked.parts else None
    if not isinstance(first, TextPart) or len(first.lines) != len(asked.shown):
        return None
    lines = zip(asked.shown, first.lines, strict=True)
    typed = [first.text[at:to] for ref, (at, to) in lines if ref.id != gone]
    shown = tuple(ref for ref in asked.shown if ref.id != gone)
    parts = _words("", typed, "")
    return replace(asked, parts=parts, shown=shown, heading="") if parts else None


def greeting(gathered: Gathered, texts: NullTranslations) -> str:
    """The sentence for a message without anything to answer."""
    _ = texts.gettext
    if gathered.unread:
        return _("I cannot read {things} yet. Send me words, a picture or a voice message.").format(
            things=enumerated(texts, gathered.unread)
        )
    return _("Yes? Write me a question, or send a picture or a voice message.")


def quote(text: str) -> str:
    """The text as a Markdown block quote."""
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
