"""What a chat can do, as its platform tells."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum

from bot.core.types import Need


class Streaming(Enum):
    """How an answer can be shown while it is being written."""

    NATIVE = "native"  # the platform draws a message that is still being written
    EDIT = "edit"  # a posted message is edited as it grows
    NONE = "none"  # only whole messages can be sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What one chat can do. The core branches on these, never on a platform's name.

    `max_text` is in the platform's own unit, and `measure` says how much of it a Markdown text
    takes once rendered. Sizes of files are in bytes; `update_interval` is in seconds.
    """

    streaming: Streaming
    max_text: int
    update_interval: float
    measure: Callable[[str], int] = len
    max_buttons: int = 0
    max_deletions: int = 1
    """Messages that one call deletes."""
    max_file_in: int = 0
    max_file_out: int = 0
    stop_button: bool = False
    """The platform shows its own Stop while an answer is being written."""
    feedback: bool = False
    """The platform has buttons of its own to ask whether an answer was good."""
    status: bool = False
    """A native draft shows what the bot is doing beside its text (`Draft.status`)."""
    vanishes: float = 0.0
    """Seconds after which a draft disappears unless it is shown again. Such a draft may say what
    goes on from the beginning. 0: it is a message, and stays."""
    drafts: bool = False
    """The chat may choose `Style.drafts`."""
    rich: bool = False
    """The chat may choose `Style.rich`."""
    around: str | None = None
    """For a page that begins deep in a list: the words, if any, of outer items that are put before
    it, so that it is indented as before. None: such a page begins at the margin."""
    folds: bool = False
    """A text can be shown folded up, for those who want to read it (`Reply.thoughts`)."""
    answer_buttons: bool = True
    """Answers get buttons. Not where each button is written out as a line of text."""
    hears_all: bool = True
    """What people say to each other in a group comes to the bot in any case."""
    command_mark: str = "/"
    """The sign that people are told to write before a command: Slack takes no slash in threads. The
    platform puts a slash in its place (`IncomingMessage.text`)."""
    thread_mark: str = ""
    """The sign before a command in the threads of this chat, where it is another one."""

    def meet(self, needs: Collection[Need]) -> bool:
        """Whether a command with these needs can be used in the chat."""
        able = {Need.BUTTONS: self.max_buttons > 0, Need.FILES: self.max_file_out > 0}
        return all(able[need] for need in needs)
