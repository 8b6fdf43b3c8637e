"""The least that a platform brings: it sends and edits messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from bot.core.capabilities import Capabilities
from bot.core.delivery.delivery import Delivery
from bot.core.fakes.platform import ANN, CHAT, FakePlatform, ManualClock
from bot.core.ports import EventSink, Platform
from bot.core.types import Attachment, ButtonPress, ChatRef, MessageRef, Reply, Style
from tests.core.delivery.scene import STOP


class Plain(Platform):
    """A platform without anything that there need not be."""

    name = "plain"

    def __init__(self, messages: FakePlatform) -> None:
        self._messages = messages

    def capabilities(self, chat: ChatRef) -> Capabilities:
        return self._messages.capabilities(chat)

    def is_id(self, text: str) -> bool:
        return text.isdigit()

    async def run(self, sink: EventSink, ready: Callable[[], None]) -> None:
        ready()

    async def send(self, chat: ChatRef, reply: Reply) -> MessageRef:
        return await self._messages.send(chat, reply)

    async def edit(self, ref: MessageRef, reply: Reply) -> None:
        await self._messages.edit(ref, reply)

    async def delete(self, refs: Sequence[MessageRef]) -> None:
        await self._messages.delete(refs)

    async def download(self, attachment: Attachment, to: Path) -> None:
        await self._messages.download(attachment, to)


async def test_who_sends_and_edits_shows_an_answer_as_it_grows_and_nothing_else() -> None:
    clock = ManualClock()
    fake = FakePlatform(clock=clock)
    plain = Plain(fake)
    asked = fake.message("hello")
    async with (
        plain.typing(CHAT, asked.ref),
        Delivery(plain.styled(Style(drafts=True)), asked, clock=clock, stop=STOP) as delivery,
    ):
        delivery.write("One")
        await clock.settle()
        assert (fake.screen(), fake.buttons()) == (["One"], ["Stop"])
        delivery.write(" two")
        [ref] = await delivery.finish()
    press = ButtonPress(key="press", ref=ref, sender=ANN, value="v")
    await plain.sweep(CHAT, after=(asked.ref,), keep=())
    await plain.notice(press, "Hello!")
    await plain.publish(())
    await plain.close()
    assert (fake.kept(), fake.buttons(), fake.notices) == (["One two"], [], [])
    assert (plain.places(CHAT), plain.lobby(CHAT), plain.newest(CHAT)) == ((CHAT.id,), CHAT, None)
