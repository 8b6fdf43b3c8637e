"""What stands on standard output and standard error when nobody sits at a terminal."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.core.clock import SystemClock
from bot.core.delivery.delivery import Delivery
from bot.core.types import (
    Button,
    ChatId,
    ChatMoved,
    ChatRef,
    Event,
    Happening,
    IncomingMessage,
    MessageId,
    MessageRef,
    OutgoingFile,
    Reply,
    Sender,
    StopPressed,
    Unreadable,
    UserId,
    Withdrawal,
)
from bot.errors import PlatformError
from bot.platforms.console.adapter import CHAT, ConsolePlatform
from bot.platforms.console.piped import PipedScreen
from tests.patience import PATIENCE


@dataclass
class Pipe:
    """A question on standard input, and what became of it."""

    question: str | bytes
    files: Path = Path("unused")
    out: io.StringIO = field(default_factory=io.StringIO)
    events: list[Event] = field(default_factory=list)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        data = self.question.encode() if isinstance(self.question, str) else self.question
        self.platform = ConsolePlatform(
            PipedScreen(io.BytesIO(data), self.out),
            wait_until_answered=self._wait,
            language="en",
            files=self.files,
        )

    async def _wait(self, chat: ChatRef) -> None:
        assert chat == CHAT
        await self.answered.wait()

    async def sink(self, event: Happening) -> None:
        assert not isinstance(event, Unreadable | ChatMoved | Withdrawal)
        self.events.append(event)
        self.asked.set()

    def start(self) -> asyncio.Task[None]:
        return asyncio.create_task(self.platform.run(self.sink, lambda: None))

    async def end(self, running: asyncio.Task[None]) -> None:
        """Answer, and let the process come to its end."""
        await self.platform.send(CHAT, Reply(text="done"))
        self.answered.set()
        async with asyncio.timeout(PATIENCE):
            await running

    async def message(self) -> IncomingMessage:
        async with asyncio.timeout(PATIENCE):
            await self.asked.wait()
        self.asked.clear()
        (event,) = self.events
        assert isinstance(event, IncomingMessage)
        return event


async def answered(question: str | bytes, *replies: Reply, files: Path = Path("unused")) -> str:
    """Standard output after a question with these replies."""
    pipe = Pipe(question, files)
    running = pipe.start()
    await pipe.message()
    for reply in replies:
        await pipe.platform.send(CHAT, reply)
    pipe.answered.set()
    async with asyncio.timeout(PATIENCE):
        await running
    return pipe.out.getvalue()


async def test_all_of_the_input_is_one_message() -> None:
    pipe = Pipe("first line\n\nsecond line\n")
    running = pipe.start()
    assert (await pipe.message()).text == "first line\n\nsecond line"
    await pipe.end(running)
    assert len(pipe.events) == 1


async def test_the_answer_is_printed_as_plain_markdown() -> None:
    text = "# Title\n\n**bold** `code`"
    assert await answered("question", Reply(text=text)) == text + "\n"


async def test_a_model_cannot_drive_the_terminal() -> None:
    """Such sequences retitle the window, write to the clipboard, or hide what follows."""
    text = "one\x1b]52;c;cm0gLXJm\x07 two\x9b2J\r\n\tthree"
    assert await answered("question", Reply(text=text)) == "one]52;c;cm0gLXJm two2J\n\tthree\n"


async def test_bytes_that_are_no_utf8_do_not_break_it() -> None:
    pipe = Pipe(b"caf\xe9?")
    running = pipe.start()
    assert (await pipe.message()).text == "caf\ufffd?"
    await pipe.end(running)


async def test_whole_lines_are_printed_while_the_answer_is_written() -> None:
    pipe = Pipe("question")
    running = pipe.start()
    draft = pipe.platform.draft(await pipe.message())
    await draft.show("one\ntw")
    assert pipe.out.getvalue() == "one\n"
    await draft.show("one\ntwo\nthr")
    assert pipe.out.getvalue() == "one\ntwo\n"
    await draft.finish(Reply(text="one\ntwo\nthree"))
    assert pipe.out.getvalue() == "one\ntwo\nthree\n"
    pipe.answered.set()
    await running


async def test_a_status_is_not_part_of_the_output() -> None:
    pipe = Pipe("question")
    running = pipe.start()
    message = await pipe.message()
    async with Delivery(pipe.platform, message, clock=SystemClock()) as delivery:
        delivery.status("Drawing…")
        await asyncio.sleep(0.01)  # long enough to be shown where it would be
        delivery.write("Drawn.")
        await delivery.finish()
    pipe.answered.set()
    await running
    assert pipe.out.getvalue() == "Drawn.\n"


async def test_an_answer_edited_to_the_same_text_is_printed_once() -> None:
    pipe = Pipe("question")
    running = pipe.start()
    ref = await pipe.platform.draft(await pipe.message()).finish(Reply(text="same"))
    await pipe.platform.edit(ref, Reply(text="same"))
    await pipe.platform.edit(ref, Reply(text="other"))
    pipe.answered.set()
    await running
    assert pipe.out.getvalue() == "same\nother\n"


async def test_buttons_are_listed(tmp_path: Path) -> None:
    buttons = ((Button("Small", "a"),), (Button("Large", "b"),))
    out = await answered("/model", Reply(text="Which?", buttons=buttons))
    assert out == "Which?\n\n- Small\n- Large\n"


async def test_the_path_of_a_file_is_printed(tmp_path: Path) -> None:
    file = OutgoingFile(name="a.txt", mime="text/plain", content=b"words")
    out = await answered("/image", Reply(text="Here.", files=(file,)), files=tmp_path)
    assert out == f"Here.\n{tmp_path / 'a.txt'}\n"
    assert (tmp_path / "a.txt").read_bytes() == b"words"


async def test_a_folder_that_cannot_be_made_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "images").write_text("in the way")
    file = OutgoingFile(name="a.txt", mime="text/plain", content=b"words")
    out = await answered("q", Reply(text="Here.", files=(file,)), files=tmp_path / "images")
    assert content_of_temporary(out.splitlines()[1]) == b"words"


def content_of_temporary(file: str) -> bytes:
    """Read a file that stands in a folder of its own, and clean up."""
    content = Path(file).read_bytes()
    shutil.rmtree(Path(file).parent)
    return content


# ---------------------------------------------------------------- what goes wrong


async def failure(question: str | bytes, *replies: Reply) -> tuple[str, str]:
    """Standard output and the sentence of the error."""
    pipe = Pipe(question)
    running = pipe.start()
    if replies:
        await pipe.message()
        for reply in replies:
            await pipe.platform.send(CHAT, reply)
    pipe.answered.set()
    with pytest.raises(PlatformError) as caught:
        await running
    return pipe.out.getvalue(), str(caught.value)


async def test_an_error_leaves_standard_output_empty() -> None:
    reply = Reply(text="⚠️ The API refuses my key.", failed=True)
    assert await failure("question", reply) == ("", "⚠️ The API refuses my key.")


async def test_an_answer_that_broke_off_is_printed_as_far_as_it_came() -> None:
    pipe = Pipe("question")
    running = pipe.start()
    draft = pipe.platform.draft(await pipe.message())
    await draft.show("one\ntwo\nthr")
    await draft.finish(Reply(text="one\ntwo\nthree\n\n⚠️ It broke off.", failed=True))
    pipe.answered.set()
    with pytest.raises(PlatformError, match="It broke off"):
        await running
    assert pipe.out.getvalue() == "one\ntwo\nthree\n"


async def test_no_answer_at_all_is_an_error() -> None:
    pipe = Pipe("question")
    running = pipe.start()
    await pipe.message()
    pipe.answered.set()
    with pytest.raises(PlatformError, match="No answer came"):
        await running


@pytest.mark.parametrize("empty", ["", "\n \n"])
async def test_an_empty_input_is_an_error(empty: str) -> None:
    assert await failure(empty) == ("", "Nothing to answer: the input is empty.")


async def test_a_file_that_is_not_there_is_an_error() -> None:
    assert await failure("/voice nowhere.ogg") == ("", "There is no file “nowhere.ogg”.")


async def test_a_file_that_vanished_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "a.ogg"
    file.write_bytes(b"OggS")
    pipe = Pipe(f"/voice {file}")
    running = pipe.start()
    (attachment,) = (await pipe.message()).attachments
    file.unlink()
    with pytest.raises(PlatformError, match=r"a\.ogg: no such file"):
        await pipe.platform.download(attachment, tmp_path / "copy")
    await pipe.end(running)


async def test_ctrl_c_stops_the_answer() -> None:
    pipe = Pipe("question")
    running = pipe.start()
    await pipe.message()
    await asyncio.sleep(0)  # now it waits for the answer
    os.kill(os.getpid(), signal.SIGINT)
    async with asyncio.timeout(PATIENCE):
        await pipe.asked.wait()
    assert isinstance(pipe.events[-1], StopPressed)
    await pipe.end(running)


async def test_an_answer_to_an_earlier_question_is_not_printed() -> None:
    """After a kill, the answer that was interrupted is written before ours."""
    pipe = Pipe("question")
    running = pipe.start()
    await pipe.message()
    earlier = IncomingMessage(
        key="earlier",
        ref=MessageRef(CHAT, MessageId("earlier")),
        sender=Sender(UserId("local"), "Ann"),
        text="an earlier question",
    )
    draft = pipe.platform.draft(earlier, ref=MessageRef(CHAT, MessageId("old")))
    await draft.show("old\nansw")
    await draft.finish(Reply(text="old\nanswer"))
    await pipe.end(running)
    assert pipe.out.getvalue() == "done\n"


async def test_a_reader_that_leaves_early_is_no_error() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "w") as out:
        screen = PipedScreen(io.BytesIO(), out)
        await screen.settle(MessageId("1"), "seen")
        assert reader.readline() == b"seen\n"
        reader.close()
        await screen.settle(MessageId("2"), "unseen")
        await screen.settle(MessageId("3"), "unseen too")


Say = Callable[[str], str]


async def test_it_speaks_the_person_s_language() -> None:
    translate: Say = {"Nothing to answer: the input is empty.": "没有问题。"}.__getitem__
    screen = PipedScreen(io.BytesIO(), io.StringIO(), translate=translate)
    platform = ConsolePlatform(
        screen, wait_until_answered=_at_once, language="zh", files=Path("unused")
    )
    with pytest.raises(PlatformError, match="没有问题。"):
        await platform.run(_at_once, lambda: None)
    assert platform.places(ChatRef("console", ChatId("local"))) == ("local",)


async def _at_once(_anything: object) -> None:
    return None
