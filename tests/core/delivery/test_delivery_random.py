"""Thousands of answers meet every accident in every order; each arrives whole, and once."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

import pytest

from bot.core.capabilities import Capabilities, Streaming
from bot.core.delivery.delivery import Delivery
from bot.core.delivery.partial import without_open_marks
from bot.core.fakes.platform import CHAT, FAKE_CAPABILITIES, FakePlatform, ManualClock
from bot.core.types import Button, ChatRef, IncomingMessage, MessageRef, Reply, Thoughts
from bot.errors import OutcomeUnknown, PlatformError, StoreBusy

T = TypeVar("T")

RUNS = 2000
SHARDS = 8
STOP = Button("Stop", "stop")
AGAIN = Button("Again", "again")
GAPS = (
    " ",
    " ",
    " ",
    "\n",
    "\n\n",
    "\n```py\n",
    "\n```\n",
    " **",
    "** ",
    " `",
    "\n\n| a | b |\n|--",
)


class UnluckyPlatform(FakePlatform):
    """Refuses, fails and loses answers at random, and remembers what it was asked wrongly."""

    def __init__(
        self,
        dice: random.Random,
        capabilities: Capabilities,
        clock: ManualClock,
        *,
        ephemeral: bool,
    ) -> None:
        super().__init__(capabilities, clock=clock, ephemeral=ephemeral)
        self.dice = dice
        self.bad_luck = dice.choice([0.0, 0.1, 0.3])
        self.orphans = 0
        self.mistakes: list[PlatformError] = []

    def last_of(self, refs: Sequence[MessageRef]) -> Reply:
        """What stands in the last of these messages."""
        return self._messages[refs[-1]]

    async def carry_out(self, chat: ChatRef, change: Callable[[], T]) -> T:
        if self.dice.random() < self.bad_luck:
            match self.dice.randrange(4):
                case 0:
                    self.refuse_next(self.dice.choice([0.5, 7, 400]))
                case 1:
                    self.fail_next(PlatformError("bad gateway"))
                case _ as lost:
                    self.unknown_next(carried_out=lost == 2)
            expected = True
        else:
            expected = False
        before = len(self.kept())
        try:
            return await super().carry_out(chat, change)
        except OutcomeUnknown:
            self.orphans += max(0, len(self.kept()) - before)  # the bot cannot know of it
            raise
        except PlatformError as error:
            if not expected:
                self.mistakes.append(error)
            raise


class Writer:
    """A model and a process that both die at random, and begin again."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.clock = ManualClock(settling=8)  # time may pass during a call
        streaming, ephemeral, vanishes = self.dice.choice(
            [
                (Streaming.EDIT, False, 0.0),
                (Streaming.EDIT, False, 4.0),
                (Streaming.NATIVE, False, 0.0),
                (Streaming.NATIVE, True, 0.0),
            ]
        )
        capabilities = replace(
            FAKE_CAPABILITIES,
            streaming=streaming,
            max_text=self.dice.choice([50, 90, 400]),
            status=self.dice.random() < 0.5,
            vanishes=vanishes,
        )
        self.platform = UnluckyPlatform(self.dice, capabilities, self.clock, ephemeral=ephemeral)
        self.incoming: IncomingMessage = self.platform.message("hello")
        self.saved: Sequence[MessageRef] = ()
        self.answer = ""
        self.is_placeholder = False
        self.mark = self.dice.choice(["", "stopped"])
        self.buttons = self.dice.choice([(), ((AGAIN,),)])
        self.thoughts = self.dice.choice([None, Thoughts(title="Thought", text="hm")])

    async def run(self) -> tuple[MessageRef, ...]:
        """Write an answer; now and then the process is stopped in the middle, in good order."""
        if self.dice.random() < 0.2:
            await self.announce()
        while True:
            delivery = Delivery(
                self.platform,
                self.incoming,
                clock=self.clock,
                stop=STOP,
                resume=self.saved,
                placeholder=self.is_placeholder,
                checkpoint=self.remember,
            )
            async with delivery:
                await self.write(delivery)
                if self.dice.random() < 0.8:
                    return await delivery.finish(
                        mark=self.mark, buttons=self.buttons, thoughts=self.thoughts
                    )
            await self.clock.sleep(500)  # the next process knows nothing of pauses

    async def announce(self) -> None:
        """A line that says the message waits; its answer takes that place."""
        with suppress(PlatformError):
            self.saved = (await self.platform.send(CHAT, Reply(text="1 before yours")),)
            self.is_placeholder = True
        await self.clock.sleep(500)

    async def remember(self, text: str, messages: Sequence[MessageRef]) -> None:
        self.is_placeholder = self.is_placeholder and not text
        self.saved = messages  # as the painter is never killed here, this is never too late
        if self.dice.random() < 0.1:
            raise StoreBusy("locked")

    async def write(self, delivery: Delivery) -> None:
        self.answer = ""
        if self.dice.random() < 0.3:
            delivery.status("Thinking…")
            await self.clock.sleep(self.dice.choice([0, 3]))
        for number in range(self.dice.randint(1, 80)):
            if self.dice.random() < 0.02:
                half = self.answer[: len(self.answer) // 2].rpartition("\n")[0] + "\n"
                self.answer = self.dice.choice(["", half, "v0 ", self.answer + "v1 "])
                delivery.rewrite(self.answer)
            letter = "w" if self.dice.random() < 0.95 else self.dice.choice("wuv")
            delta = f"{letter}{number}{self.dice.choice(GAPS)}"
            self.answer += delta
            cut = self.dice.randint(0, len(delta))
            for piece in (delta[:cut], delta[cut:]):
                delivery.write(piece)
            await self.clock.sleep(self.dice.choice([0, 0, 0, 0, 0.05, 0.4, 2]))


def bare(text: str) -> str:
    """The text without blanks, and without the fences that pages close and open again."""
    return re.sub(r"\s|```(py)?", "", text)


@pytest.mark.unwatched
@pytest.mark.parametrize("shard", range(SHARDS))
async def test_what_is_kept_is_the_answer_and_is_there_once(
    shard: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL", logger="bot")  # every accident is logged, and there are many
    for seed in range(shard, RUNS, SHARDS):
        writer = Writer(seed)
        refs = await writer.clock.drive(writer.run())
        platform = writer.platform
        standing = platform.refs()
        assert all(ref in standing for ref in refs), seed
        told = dict(zip(standing, platform.kept(), strict=True))
        said = "\n".join(told[ref] for ref in refs)
        answer = without_open_marks(writer.answer) if writer.mark else writer.answer
        assert bare(said) == bare(answer + writer.mark), seed
        assert len(standing) - len(refs) <= platform.orphans, seed
        assert platform.offences == 0, seed
        assert platform.mistakes == [], seed
        labels = [button.label for row in writer.buttons for button in row]
        assert platform.orphans or platform.buttons() == labels, seed
        assert platform.last_of(refs).thoughts == writer.thoughts, seed
