"""What a person sees of a chat: messages as visible text, what is being written, who is typing."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.sandbox.telegram.drafts import THINKING
from bot.sandbox.telegram.entities import Entity
from bot.sandbox.telegram.state import Chat, Draft, Message
from bot.sandbox.telegram.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFile:
    """A file under a message; `kind` is photo, document, voice, audio, video or sticker."""

    kind: str
    name: str
    mime: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A message as it is seen. `text` has no markers; `entities` say how parts of it look.

    `date` is a Unix time; `buttons` are the labels, row by row; `rich` is the source of a rich
    message.
    """

    id: int
    date: int
    author: str
    by_bot: bool
    text: str
    entities: tuple[Entity, ...] = ()
    buttons: tuple[tuple[str, ...], ...] = ()
    file: ShownFile | None = None
    rich: str = ""
    reply_to: int | None = None
    album: str = ""
    edited: bool = False
    link_preview: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDraft:
    """A text that is being written; `stop` says that the button to stop it is there."""

    id: int
    text: str
    entities: tuple[Entity, ...]
    rich: str
    stop: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """A chat at one moment."""

    messages: tuple[Shown, ...]
    draft: ShownDraft | None
    typing: str

    @property
    def answers(self) -> tuple[Shown, ...]:
        """The messages of the bot."""
        return tuple(message for message in self.messages if message.by_bot)

    @property
    def last(self) -> Shown | None:
        """The newest message of the bot."""
        return self.answers[-1] if self.answers else None

    @property
    def text(self) -> str:
        """Everything the bot shows, drafts included, message after message."""
        parts = [message.text for message in self.answers]
        return "\n".join(parts + ([self.draft.text] if self.draft else []))


def look(world: World, chat: Chat, topic: int | None) -> Screen:
    """The chat, or one topic of it, as it is now."""
    now = world.clock.monotonic()
    draft = chat.drafts.get(topic)
    typing = chat.typing.get(topic)
    return Screen(
        messages=tuple(
            _shown(message) for message in chat.messages.values() if message.topic == topic
        ),
        draft=_shown_draft(draft) if draft is not None and now < draft.until else None,
        typing=typing.action if typing is not None and now < typing.until else "",
    )


def next_expiry(world: World, chat: Chat) -> float | None:
    """Seconds until a draft or the typing indicator of a chat vanishes by itself."""
    now = world.clock.monotonic()
    ends = [draft.until for draft in chat.drafts.values()]
    ends += [typing.until for typing in chat.typing.values()]
    return min((end - now for end in ends if end > now), default=None)


def _shown(message: Message) -> Shown:
    rich = message.rich
    return Shown(
        id=message.id,
        date=message.date,
        author=message.author.name,
        by_bot=message.author.is_bot,
        text=rich.text if rich else message.text,
        entities=message.entities,
        buttons=tuple(tuple(button.label for button in row) for row in message.keyboard),
        file=_shown_file(message),
        rich=rich.source if rich else "",
        reply_to=message.reply_to,
        album=message.album,
        edited=message.edited is not None,
        link_preview=message.link_preview,
    )


def _shown_file(message: Message) -> ShownFile | None:
    if message.media is None:
        return None
    file = message.media.file
    return ShownFile(kind=message.media.kind, name=file.name, mime=file.mime, content=file.content)


def _shown_draft(draft: Draft) -> ShownDraft:
    text = draft.rich.text if draft.rich else draft.text
    return ShownDraft(
        id=draft.id,
        text=text or THINKING,
        entities=draft.entities,
        rich=draft.rich.source if draft.rich else "",
        stop=draft.can_stop and not draft.stopped,
    )
