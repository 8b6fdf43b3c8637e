"""What is asked: the words, pictures and speech of a message, as the history keeps them."""

from __future__ import annotations

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
    words = "\n\n".join(p for p in (message.text.strip(), *passed_on, gathered.heard) if p)
    if gathered.unread and (words or gathered.pictures):
        words += f"\n\n[Also sent, but not readable to you: {', '.join(gathered.unread)}]"
    if message.reply_to and message.reply_to.text and (words or gathered.pictures):
        quoted = message.reply_to
        words = f"[In reply to {quoted.author}: “{quoted.text[:QUOTED]}”]\n\n{words}"
    parts: tuple[Part, ...] = (*([TextPart(words)] if words else []), *gathered.pictures)
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
