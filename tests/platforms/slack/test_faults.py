"""Whole answers through a Slack that refuses, limits, ends streams and loses its own answers."""

from __future__ import annotations

import asyncio
import random

import pytest

from bot.core.delivery import Delivery
from bot.core.types import Button
from tests.platform_contract import HastyClock
from tests.platforms.slack.stage import SlackStage, slack_stage

STOP = Button("Stop it", "stop")
ONCE = ("chat.appendStream", "chat.stopStream", "chat.update")
"""Calls that can be repeated without doubling anything. A post whose outcome is unknown may stand
twice, which is better than not at all."""


def trouble(stage: SlackStage, chance: random.Random) -> None:
    """Something goes wrong with one of the next calls."""
    method = chance.choice(ONCE)
    match chance.randrange(6):
        case 0:
            stage.sandbox.refuse_next(method=method, retry_after=chance.randint(1, 60))
        case 1:
            stage.sandbox.drop_next(method=method)
        case 2:
            stage.sandbox.break_next(503, method=method)
        case 3:
            stage.sandbox.refuse_next("internal_error", method=method)
        case 4:
            stage.sandbox.refuse_next("msg_too_long", method="chat.appendStream")
        case _:
            for message in stage.sandbox.workspace.messages.values():
                message.streaming = False  # Slack has ended the stream


@pytest.mark.parametrize("profile", ["dm", "thread", "channel"])
@pytest.mark.parametrize("seed", range(8))
async def test_the_answer_stands_there_whole_and_once(profile: str, seed: int) -> None:
    chance = random.Random(f"{profile} {seed}")
    words = [f"word{number}" for number in range(chance.choice((3, 60, 2_500)))]
    async with slack_stage(profile, HastyClock()) as stage:
        if chance.random() < 0.3:
            stage.sandbox.workspace.refusing_streams = chance.choice(
                ("user_not_found", "unknown_method", "missing_scope")
            )
        async with Delivery(
            stage.platform, stage.incoming, clock=HastyClock(), stop=STOP
        ) as delivery:
            for number, word in enumerate(words):
                delivery.write(word + " ")
                if number % max(1, len(words) // 20) == 0:
                    await asyncio.sleep(0.003)
                    if chance.random() < 0.3:
                        trouble(stage, chance)
            refs = await delivery.finish()
        kept = await stage.kept()
        assert "\n".join(kept).split() == words
        assert len(kept) == len(refs)
        assert await stage.buttons() == []
        assert not any(seen.streaming for seen in stage.place.screen())
