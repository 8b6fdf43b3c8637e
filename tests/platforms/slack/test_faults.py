"""Whole answers through a Slack that refuses, limits, ends streams and loses its own answers."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

import pytest
from aiohttp import ClientTimeout

from bot.core.delivery.delivery import Delivery
from bot.core.types import Button, Feedback, Reply, Thoughts
from bot.errors import OutcomeUnknown
from bot.platforms.slack import calls
from bot.platforms.slack.errors import Unreachable
from bot.platforms.slack.ids import make_chat
from bot.platforms.slack.posting import BAD_BLOCKS
from bot.sandbox.limits import Mode
from tests.platform_contract import HastyClock
from tests.platforms.slack.stage import SlackStage, slack_stage

STOP = Button("Stop it", "stop")
THUMBS = Feedback(good="yes", bad="no")
THOUGHTS = Thoughts(title="💭 Thought for 3 s", text="well, " * 1_000)
WRITING = (
    "chat.appendStream",
    "chat.postMessage",
    "chat.startStream",
    "chat.stopStream",
    "chat.update",
)
PROFILES = ("dm", "thread", "channel")
SEEDS = range(40)


@dataclass(slots=True)
class Fate:
    """What goes wrong in one answer."""

    stage: SlackStage
    dice: random.Random

    def before(self) -> None:
        """How the workspace is set up."""
        workspace = self.stage.sandbox.workspace
        if self.dice.random() < 0.25:
            workspace.refusing_streams = self.dice.choice(
                ("user_not_found", "unknown_method", "missing_scope", "channel_type_not_supported")
            )
        workspace.refusing_tasks = self.dice.random() < 0.25
        workspace.is_agent = self.dice.random() < 0.75
        if self.dice.random() < 0.2:
            workspace.refusing_blocks = {
                self.dice.choice(("context_actions", "markdown", "task_card"))
            }

    def strike(self) -> None:
        """Something goes wrong with one of the next calls."""
        faults, method = self.stage.sandbox.faults, self.dice.choice(WRITING)
        match self.dice.randrange(8):
            case 0:
                faults.refuse_next(self.dice.randint(1, 60), method=method)
            case 1 | 2:
                faults.drop_next(method=method)  # carried out, but nobody hears of it
            case 3:
                faults.fail_next(503, method=method)
            case 4:
                faults.fail_next(200, "internal_error", method=method)
            case 5:
                faults.fail_next(200, "msg_too_long", method="chat.appendStream")
            case 6:
                code = self.dice.choice(sorted(BAD_BLOCKS))
                faults.fail_next(200, code, method="chat.update")
            case _:
                for message in self.stage.sandbox.workspace.messages.values():
                    message.streaming = False  # Slack has ended the stream


async def begin(stage: SlackStage) -> None:
    """Say something before: what answers a slash command is looked for behind that."""
    await stage.platform.send(stage.incoming.ref.chat, Reply(text="I am here."))


async def deliver(stage: SlackStage, fate: Fate, words: list[str]) -> int:
    """Write an answer while fate strikes; returns how many messages it is said to stand in."""
    dice, clock = fate.dice, HastyClock()
    async with Delivery(stage.platform, stage.incoming, clock=clock, stop=STOP) as delivery:
        for number in range(dice.choice((0, 0, 1, 3))):
            delivery.status(f"💭 Thinking… {number} s")
            await asyncio.sleep(0.003)
        at, pieces = 0, dice.choice((1, 5, 20))
        while at < len(words):
            more = dice.randint(1, max(1, 2 * len(words) // pieces))
            delivery.write("".join(f"{word} " for word in words[at : at + more]))
            at += more
            await asyncio.sleep(0.003)
            if dice.random() < 0.3:
                fate.strike()
        thoughts = dice.choice((None, THOUGHTS))
        return len(await delivery.finish(feedback=THUMBS, thoughts=thoughts))


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("seed", SEEDS)
async def test_the_answer_stands_there_whole_and_once(profile: str, seed: int) -> None:
    dice = random.Random(f"{profile} {seed}")
    count = dice.choice((3, 60, 2_500))
    words = [f"{dice.choice(('word', '好字', 'é🙂'))}{number}" for number in range(count)]
    clock = HastyClock()
    async with slack_stage(profile, clock, sandbox_clock=clock) as stage:
        stage.sandbox.limits.mode = dice.choice((Mode.OFF, Mode.ON))
        fate = Fate(stage, dice)
        fate.before()
        await begin(stage)
        stood = await deliver(stage, fate, words)
        kept = [text for text in (await stage.kept())[1:] if text]
        assert "\n".join(kept).split() == words
        assert len(kept) == stood
        assert await stage.buttons() == []
        assert not any(seen.streaming and seen.text for seen in stage.place.screen())
        assert stage.sandbox.limits.refused == 0


# ---------------------------------------------------------------- posts whose answer was lost


async def test_a_post_that_was_not_carried_out_is_made_again() -> None:
    async with slack_stage("thread", HastyClock()) as stage:
        stage.sandbox.faults.fail_next(503, method="chat.startStream")
        async with Delivery(stage.platform, stage.incoming, clock=HastyClock()) as delivery:
            delivery.write("One two")
            await delivery.finish()
        assert await stage.kept() == ["One two"]


async def test_a_post_that_finds_no_free_connection_is_no_unknown_outcome(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calls, "CONNECTIONS", 1)
    monkeypatch.setattr(calls, "TIMEOUT", ClientTimeout(total=30, connect=0.3))
    async with slack_stage("dm", HastyClock()) as stage:
        bob = stage.sandbox.person("Bob").dm
        chats = (stage.incoming.ref.chat, make_chat(stage.sandbox.workspace.team, bob.id, ""))
        stage.sandbox.faults.hang_next(method="chat.postMessage")
        sending = {
            asyncio.create_task(stage.platform.send(chat, Reply(text="hello"))) for chat in chats
        }
        (refused,), (hanging,) = await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
        assert type(refused.exception()) is Unreachable
        assert len(stage.sandbox.calls_to("chat.postMessage")) == 1
        hanging.cancel()
        await asyncio.wait({hanging})


async def test_what_another_answer_says_is_not_taken_for_a_lost_post() -> None:
    async with slack_stage("thread", HastyClock()) as stage:
        asked = stage.incoming
        first = await stage.platform.draft(asked).finish(Reply(text="The same words."))
        stage.sandbox.faults.fail_next(503, method="chat.postMessage")
        draft = stage.platform.draft(asked)
        with pytest.raises(OutcomeUnknown):
            await draft.finish(Reply(text="The same words."))
        assert await draft.finish(Reply(text="The same words.")) != first
        await stage.platform.send(asked.ref.chat, Reply(text="Others.", answering=asked.ref))
        stage.sandbox.faults.fail_next(503, method="chat.postMessage")
        with pytest.raises(OutcomeUnknown):
            await stage.platform.send(asked.ref.chat, Reply(text="Ot", answering=asked.ref))


async def test_a_slack_that_shows_no_history_is_no_worse_than_a_lost_post() -> None:
    async with slack_stage("thread", HastyClock()) as stage:
        stage.sandbox.workspace.scopes.discard("channels:history")
        stage.sandbox.faults.drop_next(method="chat.startStream")
        async with Delivery(stage.platform, stage.incoming, clock=HastyClock()) as delivery:
            delivery.write("One two")
            await stage.sandbox.wait_for(lambda: bool(stage.place.answers()))
            await delivery.finish()
        assert (await stage.kept())[-1] == "One two"
