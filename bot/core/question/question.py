"""What is asked: the words, pictures and speech of a message, as the history keeps them."""

from __future__ import annotations

from dataclasses import replace
from gettext import NullTranslations

from bot.core.chat import NewMessage, Part, Role, TextPart
from bot.core.question.attachments import Gathered
from bot.core.types import IncomingMessage

QUOTED = 1_000
"""Characters of a replied-to message that the model is told."""


def question_of(
    message: IncomingMessage, gathered: Gathered, *, heading: str = ""
) -> NewMessage | None:
    """What the person said, as it is kept; None when there is nothing to answer."""
    passed_on = (
        f"[Forwarded from {each.author}]\n{each.text}".strip() for each in message.forwards
    )
    typed, quoted = message.text.strip(), ""
    words = "\n\n".join(p for p in (typed, *passed_on, gathered.heard) if p)
    if gathered.unread and (words or gathered.pictures):
        words += f"\n\n[Also sent, but not readable to you: {', '.join(gathered.unread)}]"
    if message.reply_to and message.reply_to.text and (words or gathered.pictures):
        author, text = message.reply_to.author, message.reply_to.text[:QUOTED]
        quoted = f"[In reply to {author}: “{text}”]\n\n"
    parts: tuple[Part, ...] = (*_words(quoted, typed, words), *gathered.pictures)
    if not parts:
        return None
    sender = message.sender
    return NewMessage(
        role=Role.USER,
        parts=parts,
        sender_id=sender.id,
        sender_name=sender.name,
        shown=(message.ref,),
        heading=heading,
    )


def _words(quoted: str, typed: str, words: str) -> tuple[TextPart, ...]:
    """What is quoted and the words about it, which begin with what was typed."""
    text = quoted + words
    if not text:
        return ()
    return (TextPart(text, None if text == typed else (len(quoted), len(quoted) + len(typed))),)


def reworded(asked: NewMessage, typed: str) -> NewMessage:
    """The question with something else typed; what was quoted, sent and heard with it stays."""
    first = asked.parts[0] if asked.parts else None
    if not isinstance(first, TextPart):
        return replace(asked, parts=(TextPart(typed), *asked.parts))
    begin, end = first.typed or (0, len(first.text))
    quoted, rest = first.text[:begin], first.text[end:].removeprefix("\n\n")
    words = "\n\n".join(part for part in (typed, rest) if part)
    return replace(asked, parts=(*_words(quoted, typed, words), *asked.parts[1:]))


def greeting(gathered: Gathered, texts: NullTranslations) -> str:
    """The sentence for a message without anything to answer."""
    _ = texts.gettext
    if gathered.unread:
        return _("I cannot read {things} yet. Send me words, a picture or a voice message.").format(
            things=", ".join(gathered.unread)
        )
    return _("Yes? Write me a question, or send a picture or a voice message.")


def quote(text: str) -> str:
    """The text as a Markdown block quote."""
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
