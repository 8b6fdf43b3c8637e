"""Whole answers through a Telegram that refuses, limits, fails and loses its own answers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from bot.core.delivery.delivery import Delivery
from bot.core.types import Button, MessageRef, Reply, Style, Thoughts
from tests.platform_contract import HastyClock
from tests.platforms.telegram.stage import TelegramStage, group, private, staged, topic

STOP = Button("Stop it", "stop")
AGAIN = Button("Again", "again")
THOUGHTS = Thoughts(title="💭 Thought for 3 s", text="well, " * 100)
STYLED = ("sendMessageDraft", "sendRichMessage", "sendRichMessageDraft")
WRITING = ("editMessageText", "sendChatAction", "sendMessage", *STYLED)
PLACES = {"private": private, "group": group, "topic": topic}
STYLES = {
    "edit": Style(),
    "draft": Style(drafts=True),
    "rich": Style(rich=True),
    "rich draft": Style(drafts=True, rich=True),
}
SEEDS = range(8)


@dataclass(slots=True)
class Answer:
    """An answer to a message that stands in the chat, while fate strikes."""

    stage: TelegramStage
    dice: random.Random
    words: Sequence[str]
    saved: Sequence[MessageRef] = field(default_factory=list)

    def strike(self) -> None:
        """Something goes wrong with one of the next calls."""
        faults, method = self.stage.telegram.faults, self.dice.choice(WRITING)
        match self.dice.randrange(6):
            case 0:
                faults.refuse_next(self.dice.randint(1, 60), method=method)
            case 1 | 2:
                faults.drop_next(method=method)  # carried out, but nobody hears of it
            case 3:
                faults.fail_next(502, method=method)
            case 4:
                faults.fail_next(500, "Internal Server Error", method=method)
            case _:
                faults.fail_next(400, "Bad Request: no", method=self.dice.choice(STYLED))

    async def remember(self, _text: str, messages: Sequence[MessageRef]) -> None:
        """Write down where it stands."""
        self.saved = messages

    async def deliver(self, opening: MessageRef) -> None:
        """Write it; the bot has said the opening before."""
        platform, chat = self.stage.platform, self.stage.incoming.ref.chat

        async def tidy() -> None:
            known = [opening, *self.saved]
            await platform.sweep(chat, after=known, keep=known)

        delivery = Delivery(
            platform,
            self.stage.incoming,
            clock=HastyClock(),
            stop=STOP,
            checkpoint=self.remember,
            tidy=tidy,
        )
        async with delivery:
            async with platform.typing(chat):
                for number in range(self.dice.choice((0, 0, 1, 3))):
                    delivery.status(f"💭 Thinking… {number} s")
                    await asyncio.sleep(0.003)
            await self.write(delivery)
            thoughts = self.dice.choice((None, THOUGHTS))
            await delivery.finish(buttons=((AGAIN,),), thoughts=thoughts)

    async def write(self, delivery: Delivery) -> None:
        """The words, in pieces of any size."""
        at, pieces = 0, self.dice.choice((1, 5, 20))
        while at < len(self.words):
            more = self.dice.randint(1, max(1, 2 * len(self.words) // pieces))
            delivery.write("".join(f"{word} " for word in self.words[at : at + more]))
            at += more
            await asyncio.sleep(0.003)
            if self.dice.random() < 0.3:
                self.strike()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("place", PLACES)
async def test_the_answer_stands_there_whole_and_once(place: str, style: str, seed: int) -> None:
    dice = random.Random(f"{place} {style} {seed}")
    count = dice.choice((3, 60, 900, 2_500))
    words = [f"{dice.choice(('word', '好字', 'é🙂'))}{number}" for number in range(count)]
    async with staged(PLACES[place], clock=HastyClock(), style=STYLES[style]) as stage:
        opening = await stage.platform.send(stage.incoming.ref.chat, Reply(text="I am here."))
        await Answer(stage, dice, words).deliver(opening)
        said, _, _ = "\n".join((await stage.kept())[1:]).partition(THOUGHTS.title)
        assert said.split() == words
        assert await stage.buttons() == ["Again"]
        assert stage.view.screen().draft is None
