"""A chat, its clock and an answer on its way there, for the tests of delivery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.core.capabilities import Streaming
from bot.core.delivery.checkpoints import SaveCheckpoint, Sure
from bot.core.delivery.delivery import Delivery, Tidy
from bot.core.fakes.platform import FAKE_CAPABILITIES, FakePlatform, ManualClock
from bot.core.types import Button, MessageRef, OutgoingFile

STOP = Button("Stop", "stop")
AGAIN = Button("Again", "again")
NOTE = OutgoingFile(name="note.txt", mime="text/plain", content=b"milk")


class Scene:
    """A chat, its clock, and an answer on its way to it."""

    def __init__(
        self,
        streaming: Streaming = Streaming.EDIT,
        max_text: int = 100,
        *,
        ephemeral: bool = False,
        status: bool = False,
        vanishes: float = 0.0,
    ) -> None:
        self.clock = ManualClock()
        capabilities = replace(
            FAKE_CAPABILITIES,
            streaming=streaming,
            max_text=max_text,
            max_file_out=1000,
            status=status,
            vanishes=vanishes,
        )
        self.platform = FakePlatform(capabilities, clock=self.clock, ephemeral=ephemeral)

    def deliver(
        self,
        *,
        resume: Sequence[MessageRef] = (),
        placeholder: bool = False,
        checkpoint: SaveCheckpoint | None = None,
        sure: Sure = lambda: True,
        paused: str = "",
        tidy: Tidy | None = None,
    ) -> Delivery:
        return Delivery(
            self.platform,
            self.platform.message("hello"),
            clock=self.clock,
            stop=STOP,
            resume=resume,
            placeholder=placeholder,
            checkpoint=checkpoint,
            sure=sure,
            paused=paused,
            tidy=tidy,
        )
