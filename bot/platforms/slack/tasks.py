"""What the bot is doing, as the tasks that Slack draws in a stream.

A task is told anew whenever it changes; its id keeps it one (docs.slack.dev, "Task update chunk":
titles and details of at most 256 characters). Nothing here makes a call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from bot.core.punctuation import shortened
from bot.platforms.slack.blocks import Json
from bot.platforms.slack.render import neutralise

State: TypeAlias = Literal["in_progress", "complete", "error"]

TITLE = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One step of the work."""

    id: str
    title: str
    state: State = "in_progress"

    @property
    def chunk(self) -> Json:
        """The task as a stream takes it."""
        return {"type": "task_update", "id": self.id, "title": self.title, "status": self.state}


class Tasks:
    """The tasks of one stream, one after the other; only the last may be going on.

    `news` is what Slack has not been told; it stays news until `told` says that it was.
    """

    def __init__(self) -> None:
        self._all: list[Task] = []
        self._told: dict[str, Task] = {}
        self._step = ""

    @property
    def size(self) -> int:
        """How much of a stream they take, in bytes of UTF-8."""
        return sum(len(task.title.encode()) for task in self._all)

    @property
    def news(self) -> Sequence[Task]:
        """The tasks of which Slack does not know how they stand."""
        return tuple(task for task in self._all if self._told.get(task.id) != task)

    def told(self, tasks: Sequence[Task]) -> None:
        """Slack knows how these stand."""
        self._told |= {task.id: task for task in tasks}

    def go_on(self, text: str) -> bool:
        """Say what goes on now; True when that is another step than before.

        The words before the first “…” name the step.
        """
        step, title = text.partition("…")[0], _title(text)
        if self._all and self._all[-1].state == "in_progress" and step == self._step:
            self._all[-1] = replace(self._all[-1], title=title)
            return False
        self.end()
        self._step = step
        self._all.append(Task(id=f"step-{len(self._all) + 1}", title=title))
        return True

    def end(self, *, failed: bool = False) -> None:
        """Nothing goes on any more."""
        if self._all and self._all[-1].state == "in_progress":
            self._all[-1] = replace(self._all[-1], state="error" if failed else "complete")


def _title(text: str) -> str:
    return shortened(neutralise(" ".join(text.split())), TITLE)
