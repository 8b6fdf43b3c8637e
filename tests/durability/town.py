"""The people of a kill test, what they ask, and whether each of them got one answer, in order."""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bot.sandbox.openai.backend import Question
from bot.sandbox.openai.scripted import Answer

QUESTION = re.compile(r"q\d+x\d+\b")
ANSWERED = re.compile(r"Answer to (q\d+x\d+)\.")
COMPLETE = re.compile(r"End of (q\d+x\d+)\.")

INTERRUPTED = "This answer was interrupted"
RETRY = "🔁 Retry"


class Town(Protocol):
    """A platform's sandbox with people in it; the bot under test is given `env`."""

    env: dict[str, str]

    async def ask(self, person: int, question: str) -> None:
        """Somebody writes to the bot."""
        ...

    def texts(self, person: int) -> Sequence[str]:
        """The bot's messages that will still stand in somebody's chat tomorrow, oldest first."""
        ...

    def at_work(self, person: int) -> bool:
        """Whether somebody sees that the bot is at work."""
        ...

    async def press(self, person: int, label: str) -> None:
        """Somebody presses the newest button with this label."""
        ...

    def disturb(self, dice: random.Random) -> None:
        """Let happen what the platform does to a bot now and then."""
        ...

    async def until(self, condition: Callable[[], bool], within: float) -> None:
        """Wait for something to be seen. Raises `TimeoutError`."""
        ...


def reply(words: int, pace: float) -> Callable[[Question], Answer]:
    """A model that names what it was asked at the beginning and at the end of its answer."""

    def answer(question: Question) -> Answer:
        asked = QUESTION.findall(question.last_text)
        begin = " ".join(f"Answer to {name}." for name in asked)
        end = " ".join(f"End of {name}." for name in asked)
        text = f"{begin} {'word ' * words}{end}"
        return Answer(text=text, chunk=16, pace=pace)

    return answer


@dataclass(kw_only=True)
class Verdict:
    """What is wrong with what people see; empty lists are what is demanded."""

    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    disorder: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether every question has its one answer, and nothing else is there."""
        return not (self.lost or self.twice or self.disorder or self.orphans or self.history)

    def add(self, other: Verdict, where: str = "") -> None:
        """Take in what another run has found, and where."""
        for mine, theirs in (
            (self.lost, other.lost),
            (self.twice, other.twice),
            (self.disorder, other.disorder),
            (self.orphans, other.orphans),
            (self.history, other.history),
        ):
            mine += [f"{where}{each}" for each in theirs]


class Survey:
    """Who asked what, and what became of it."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self.asked: dict[int, list[str]] = {}

    async def ask(self, person: int) -> None:
        """The next question of somebody."""
        questions = self.asked.setdefault(person, [])
        questions.append(f"q{person}x{len(questions)}")
        await self._town.ask(person, questions[-1])

    def all_answered(self) -> bool:
        """Whether every question has a whole answer."""
        return all(
            set(questions) <= set(COMPLETE.findall("\n".join(self._town.texts(person))))
            for person, questions in self.asked.items()
        )

    def all_at_rest(self) -> bool:
        """Whether nobody sees that the bot is at work."""
        return not any(self._town.at_work(person) for person in self.asked)

    def interrupted(self) -> list[tuple[int, int]]:
        """Who is told of how many answers that they were interrupted, and may try again."""
        told = {
            person: "\n".join(self._town.texts(person)).count(INTERRUPTED) for person in self.asked
        }
        return [(person, count) for person, count in told.items() if count]

    def judge(self, database: Path | None = None) -> Verdict:
        """Look at every chat, and at the history that the database keeps."""
        verdict = Verdict()
        for person, questions in self.asked.items():
            texts = self._town.texts(person)
            answers = ANSWERED.findall("\n".join(texts))
            ends = COMPLETE.findall("\n".join(texts))
            verdict.lost += [q for q in questions if q not in answers or q not in ends]
            verdict.twice += [q for q in questions if max(answers.count(q), ends.count(q)) > 1]
            if answers != sorted(answers, key=lambda q: int(q.partition("x")[2])):
                verdict.disorder.append(" ".join(answers))
            verdict.orphans += [text for text in texts if not COMPLETE.search(text)]
            verdict.orphans += ["at work"] * self._town.at_work(person)
        if database is not None:
            verdict.history += _history(database, [q for qs in self.asked.values() for q in qs])
        return verdict


def _history(database: Path, questions: Sequence[str]) -> list[str]:
    """What is wrong with the tables: open turns, and questions not kept once, with one answer."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT role, parts FROM messages ORDER BY conversation_id, id")
        said = [(role, QUESTION.findall(parts)) for role, parts in rows]
        states = dict(connection.execute("SELECT state, count(*) FROM turns GROUP BY state"))
    wrong = [f"{n} turns {state}" for state, n in states.items() if state in _OPEN]
    asked = [name for role, names in said if role == "user" for name in names]
    wrong += [f"{q} kept {asked.count(q)} times" for q in questions if asked.count(q) != 1]
    for (role, question), (next_role, answer) in zip(said[::2], said[1::2], strict=False):
        if (role, next_role) != ("user", "assistant") or set(question) != set(answer):
            wrong.append(f"{question} is followed by {answer}")
    return wrong


_OPEN = {"waiting", "running", "joined", "dead"}
