"""The settings a chat has, as data: `/settings` shows and changes whatever stands in the table.

A new setting is a field of `ChatSettings` (a text, empty for the default) and a line in `SETTINGS`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from bot.core.commands import model, persona
from bot.core.defaults import Defaults
from bot.core.i18n import N_
from bot.core.memory.overhearing import ON
from bot.core.settings import ChatSettings
from bot.core.turn import TurnContext
from bot.core.types import IncomingMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One value of a setting. `word` is what is typed, `label` (a gettext msgid) what is read.

    `stored` is what the field holds for it: the word, unless it says otherwise. `also` are other
    words that are typed, in small letters.
    """

    word: str
    label: str
    stored: str | None = None
    also: tuple[str, ...] = ()

    @property
    def value(self) -> str:
        """What the field holds for this choice."""
        return self.word if self.stored is None else self.stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting with few values to pick from. `name` is what is typed after `/settings`.

    `field` is a text field of `ChatSettings`; while it is empty the word that `default` gives
    holds. `applies` says in which chats it is shown; `details` explains it (a gettext msgid), and
    `announce` is told to the whole chat when a choice other than the default is made, with
    `caution` behind it where that is not empty. `then` is what else is to be done.
    """

    name: str
    label: str
    field: str
    choices: tuple[Choice, ...]
    default: Callable[[Defaults], str] | None = None
    applies: Callable[[TurnContext], bool] = lambda ctx: True
    details: str = ""
    announce: str = ""
    caution: Callable[[TurnContext], str] = lambda ctx: ""
    then: Callable[[TurnContext, Choice], Awaitable[None]] | None = None

    def usual(self, defaults: Defaults) -> Choice:
        """The choice that holds while nobody has chosen: the first one, unless told otherwise."""
        word = self.default(defaults) if self.default else ""
        return self.choice(word) or self.choices[0]

    def current(self, settings: ChatSettings, defaults: Defaults) -> Choice:
        """The choice that holds in a chat; a stored value that no longer exists is the default."""
        stored = getattr(settings, self.field)
        chosen = (each for each in self.choices if stored and each.value == stored)
        return next(chosen, None) or self.usual(defaults)

    def choice(self, word: str) -> Choice | None:
        """The choice of this word, in any case."""
        return next((each for each in self.choices if each.word == word.lower()), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submenu:
    """A line of the panel that opens a menu of its own, by a button with this `action`.

    `run` is the command that opens it when its name is typed; `shows` is the value that stands
    beside the label.
    """

    name: str
    label: str
    action: str
    run: Callable[[TurnContext, IncomingMessage, str], Awaitable[None]]
    shows: Callable[[TurnContext], str]
    applies: Callable[[TurnContext], bool] = lambda ctx: True


Entry: TypeAlias = Setting | Submenu


def hard_of_hearing(ctx: TurnContext) -> str:
    """What is said where the platform keeps from the bot what people say to each other."""
    if ctx.capabilities.hears_all:
        return ""
    return N_(
        "But this app shows it to me only if I am an administrator of this group, or once the "
        "operator has switched off my privacy mode."
    )


async def stop_listening(ctx: TurnContext, choice: Choice) -> None:
    """What was heard is forgotten with the wish to hear it."""
    if choice.word != ON:
        await ctx.services.stores.overheard.drop(ctx.chat)


SETTINGS: tuple[Entry, ...] = (
    Submenu(
        name="model",
        label=N_("Model"),
        action=model.MENU,
        run=model.model,
        shows=lambda ctx: ctx.manner.model or "–",
    ),
    Submenu(
        name="persona",
        label=N_("Persona"),
        action=persona.MENU,
        run=persona.persona,
        shows=lambda ctx: ctx.settings.persona or "–",
        applies=lambda ctx: bool(ctx.services.defaults.personas),
    ),
    Setting(
        name="language",
        label=N_("Language"),
        field="language",
        choices=(
            Choice(word="auto", label=N_("as your app"), stored=""),
            Choice(word="en", label="English", also=("英文", "英语")),
            Choice(word="zh", label="简体中文", also=("中文", "汉语", "chinese")),
        ),
        details=N_("The language of my own sentences. Answers come in the language you write in."),
    ),
    Setting(
        name="voice",
        label=N_("Voice"),
        field="voice",
        choices=(
            Choice(word="answer", label=N_("answered")),
            Choice(word="transcribe", label=N_("written down")),
            Choice(word="off", label=N_("left alone")),
        ),
        details=N_(
            "What I do with voice messages, audio files and the sound of videos. `/transcribe` "
            "works in any case."
        ),
    ),
    Setting(
        name="reasoning",
        label=N_("Thoughts of the model"),
        field="reasoning",
        choices=(
            Choice(word="collapsed", label=N_("folded up under the answer")),
            Choice(word="hidden", label=N_("hidden")),
        ),
        default=lambda defaults: defaults.reasoning,
        applies=lambda ctx: ctx.capabilities.folds,
        details=N_("Some models think before they answer, and tell what they think."),
    ),
    Setting(
        name="streaming",
        label=N_("While I write"),
        field="streaming",
        choices=(
            Choice(word="edit", label=N_("a message that grows")),
            Choice(word="draft", label=N_("a draft")),
        ),
        default=lambda defaults: defaults.streaming,
        applies=lambda ctx: ctx.capabilities.drafts,
        details=N_(
            "A draft flows more smoothly and becomes a message when it is done. "
            "Older apps do not show it."
        ),
    ),
    Setting(
        name="rich",
        label=N_("Tables and formulas"),
        field="rich",
        choices=(
            Choice(word="off", label=N_("as plain text")),
            Choice(word="on", label=N_("drawn, in rich messages")),
        ),
        default=lambda defaults: defaults.rich,
        applies=lambda ctx: ctx.capabilities.rich,
        details=N_(
            "Rich messages show tables, formulas and headings. Older apps cannot read them."
        ),
    ),
    Setting(
        name="listening",
        label=N_("What others say here"),
        field="listening",
        choices=(
            Choice(word="off", label=N_("I do not listen")),
            Choice(word=ON, label=N_("I listen along")),
        ),
        applies=lambda ctx: ctx.group,
        details=N_(
            "When I listen along, I keep what is said here without me, up to the last 30 messages, "
            "and know it when I am asked next."
        ),
        announce=N_(
            "👂 From now on I listen along here: what you say to each other is kept, and passed to "
            "the model with the next question to me. `/settings listening off` ends that."
        ),
        caution=hard_of_hearing,
        then=stop_listening,
    ),
    Setting(
        name="together",
        label=N_("Short messages in a row"),
        field="together",
        choices=(
            Choice(word="on", label=N_("answered together")),
            Choice(word="off", label=N_("answered one by one")),
        ),
        default=lambda defaults: "on" if defaults.together else "off",
        applies=lambda ctx: not ctx.group,
        details=N_(
            "What you send while I am still writing: one answer to all of it, or one to each."
        ),
    ),
)
"""What `/settings` shows, in this order."""
