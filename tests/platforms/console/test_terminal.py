"""What a person sees at a terminal, and what their keys do."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from PIL import Image

from bot.core.delivery.partial import settle
from bot.core.types import (
    Button,
    ButtonPress,
    CommandInfo,
    FileKind,
    IncomingMessage,
    OutgoingFile,
    Reply,
    StopPressed,
)
from bot.platforms.console.adapter import CHAT
from tests.patience import PATIENCE
from tests.platforms.console.sitting import ENTER, Sitting, seated, sitting

CTRL_C, CTRL_D, TAB = "\x03", "\x04", "\t"
UP = "\x1b[A"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Sitting]:
    async with sitting(tmp_path) as found:
        yield found


# ---------------------------------------------------------------- typing


async def test_a_typed_line_becomes_a_message_and_stays_on_the_screen(desk: Sitting) -> None:
    message = await desk.say("hello there")
    assert (message.text, message.ref.chat, message.addressed) == ("hello there", CHAT, True)
    assert message.sender.id == "local"
    assert "› hello there" in await desk.sees("hello there")


async def test_every_message_has_a_key_of_its_own(desk: Sitting) -> None:
    first, second = await desk.say("same"), await desk.say("same")
    assert first.key != second.key
    assert first.ref != second.ref


async def test_alt_enter_begins_a_new_line_of_the_same_message(desk: Sitting) -> None:
    message = await desk.say("one\x1b\rtwo")
    assert message.text == "one\ntwo"


async def test_empty_lines_are_not_sent(desk: Sitting) -> None:
    desk.keys(ENTER + "   " + ENTER)
    assert (await desk.say("words")).text == "words"
    assert len(desk.events) == 1


async def test_the_arrow_brings_back_what_was_typed_before(desk: Sitting) -> None:
    await desk.say("first question")
    desk.keys(UP + ENTER)
    event = await desk.next_event()
    assert isinstance(event, IncomingMessage)
    assert event.text == "first question"


async def test_a_command_is_completed_with_its_summary(desk: Sitting) -> None:
    await desk.platform.publish([CommandInfo(name="model", summary="Choose the model")])
    desk.keys("/mo")
    await desk.sees("Choose the model")
    desk.keys(TAB + ENTER)
    event = await desk.next_event()
    assert isinstance(event, IncomingMessage)
    assert event.text == "/model"


async def test_ctrl_c_stops_the_answer(desk: Sitting) -> None:
    desk.keys(CTRL_C)
    event = await desk.next_event()
    assert isinstance(event, StopPressed)
    assert event.chat == CHAT


async def test_ctrl_c_takes_back_a_line_that_was_begun(desk: Sitting) -> None:
    desk.keys("not this")
    await desk.sees("not this")
    desk.keys(CTRL_C)
    assert (await desk.say("but this")).text == "but this"
    assert len(desk.events) == 1


async def test_ctrl_d_leaves(tmp_path: Path) -> None:
    with seated(tmp_path) as desk:
        desk.keys(CTRL_D)
        async with asyncio.timeout(PATIENCE):
            await desk.platform.run(desk.sink, lambda: None)
    assert not desk.events
    assert "›" not in desk.terminal.seen()  # the prompt does not stay behind


# ---------------------------------------------------------------- files


async def test_a_recording_is_sent_as_an_attachment(desk: Sitting, tmp_path: Path) -> None:
    file = tmp_path / "a question.ogg"
    file.write_bytes(b"OggS")
    message = await desk.say(f"/voice {file}")
    (attachment,) = message.attachments
    assert (attachment.kind, attachment.name, attachment.size) == (
        FileKind.VOICE,
        "a question.ogg",
        4,
    )
    await desk.platform.download(attachment, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"OggS"


async def test_a_picture_is_sent_with_words(desk: Sitting, tmp_path: Path) -> None:
    file = tmp_path / "my cat.jpg"
    file.write_bytes(b"\xff\xd8")
    message = await desk.say(f"/photo '{file}' what's this?")
    assert message.text == "what's this?"
    assert (message.attachments[0].kind, message.attachments[0].mime) == (
        FileKind.IMAGE,
        "image/jpeg",
    )


async def test_a_file_that_is_not_there_is_said_and_nothing_is_sent(desk: Sitting) -> None:
    desk.keys("/voice nowhere.ogg" + ENTER)
    await desk.sees("There is no file “nowhere.ogg”.")
    desk.keys("/photo" + ENTER)
    await desk.sees("Which file? For example: /photo cat.jpg")
    assert desk.events == []


async def test_a_picture_from_the_bot_is_saved_and_shown_small(
    desk: Sitting, tmp_path: Path
) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (64, 32), (200, 30, 30)).save(picture, "PNG")
    file = OutgoingFile(name="picture.png", mime="image/png", content=picture.getvalue())
    await desk.platform.send(CHAT, Reply(text="Here.", files=(file,)))
    await desk.platform.send(CHAT, Reply(text="And again.", files=(file,)))
    assert (tmp_path / "images" / "picture.png").read_bytes() == picture.getvalue()
    assert (tmp_path / "images" / "picture-2.png").exists()
    seen = desk.terminal.seen()
    assert "▀" * 40 in seen
    assert "images/picture-2.png" in seen.replace("\n", "")


async def test_a_damaged_picture_is_saved_without_a_preview(desk: Sitting, tmp_path: Path) -> None:
    file = OutgoingFile(name="../evil.png", mime="image/png", content=b"no picture")
    await desk.platform.send(CHAT, Reply(text="Here.", files=(file,)))
    assert (tmp_path / "images" / "evil.png").read_bytes() == b"no picture"
    assert "▀" not in desk.terminal.seen()


# ---------------------------------------------------------------- answers

ANSWER = """\
# Lighthouses

They **shine** with `light`, see [more](https://example.org/more).

1. first
2. second

```python
def shine():
    return True
```

| height | built |
|---|---|
| 30 m | 1871 |

That is all."""

DRAWN = [
    "                                  Lighthouses",
    "They shine with light, see more (https://example.org/more).",
    " 1 first",
    " 2 second",
    " def shine():",
    "     return True",
    " height  built",
    " 30 m    1871",
    "That is all.",
]


@pytest.mark.parametrize("step", [3, 20, 1000])
async def test_an_answer_is_drawn_once_however_it_arrives(desk: Sitting, step: int) -> None:
    draft = desk.platform.draft(await desk.say("what are lighthouses?"))
    for at in range(step, len(ANSWER), step):
        await draft.show(settle(ANSWER[:at]))
        await asyncio.sleep(0)  # the terminal draws
    await draft.finish(Reply(text=ANSWER))
    seen = await desk.sees("That is all.")
    lines = seen.splitlines()
    positions = [lines.index(line) for line in DRAWN]
    assert positions == sorted(positions)
    for line in DRAWN:
        assert lines.count(line) == 1, seen
    assert "**" not in seen
    assert "```" not in seen


async def test_markdown_is_seen_as_such_while_it_is_written(desk: Sitting) -> None:
    draft = desk.platform.draft(await desk.say("go"))
    await draft.show("They **shine** at ni")
    seen = await desk.sees("They shine at ni")
    assert seen.index("They shine") < seen.rindex("›")
    await draft.show("They **shine** at night.\n\n- one\n- two")
    assert (await desk.sees("• two")).count("They shine at night.") == 1


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("床前明月光，\n疑是地上霜。", "床前明月光，\n疑是地上霜。"),
        ("a Promise<void> in your <div>", "a Promise<void> in your <div>"),
        ("use <b> or <code>, if a<b and c>d", "use <b> or <code>, if a<b and c>d"),
        ("<b>one</b> and <kbd>two</kbd>", "one and two"),
        ("| a |\n|---|\n| <ul><li>b</li></ul> and <li> |", "• b   and <li>"),
        ("<answer>\nIt was.\n</answer>", "<answer>\nIt was.\n</answer>"),
        ("<details>\n<summary>Why</summary>\n\nSo\n\n</details>", "Why\n\nSo"),
        ("one<br>two, x<sup>2</sup>", "one\ntwo, x^2"),
        ("see <https://a.example>, [b](https://b.example)", "see https://a.example, b (https"),
        (
            "- [x] so it is[^1]\n\n[^1]: https://a.example",
            "☑ so it is[1]\n\n[1]: https://a.example",
        ),
        ("- one\n- ![two](https://a.example)", "• one\n • 🖼 two (https://a.example)"),
        (r"so \[ \frac{1}{2} \times 4 = 2 \]", "so ½ × 4 = 2"),
    ],
)
async def test_words_in_angles_and_ends_of_lines_are_seen(
    desk: Sitting, written: str, seen: str
) -> None:
    await desk.platform.send(CHAT, Reply(text=written))
    await desk.sees(seen)


@pytest.mark.parametrize(
    "text", ["a zebra ***Note:**", "a zebra $x", "a zebra \\( x", "a zebra <b>x"]
)
async def test_marks_wait_for_what_decides_about_them(desk: Sitting, text: str) -> None:
    draft = desk.platform.draft(await desk.say("go"))
    await draft.show(settle(text))
    assert not set(await desk.sees("a zebra")) & set("*$(<")


async def test_an_address_that_is_said_at_the_end_is_seen(desk: Sitting) -> None:
    draft = desk.platform.draft(await desk.say("go"))
    await draft.show("see [it][1]\n\nAnd all of this")
    await desk.sees("see it [1]")
    await draft.finish(Reply(text="see [it][1]\n\nAnd all of this.\n\n[1]: https://a.example"))
    await desk.sees("[1]: https://a.example")


async def test_bold_in_chinese_and_products_are_seen_as_such(desk: Sitting) -> None:
    await desk.platform.send(CHAT, Reply(text="**注意：**后面是2*3*4"))
    assert "*注" not in await desk.sees("注意：后面是2*3*4")


async def test_an_answer_longer_than_the_window_scrolls_away_whole(tmp_path: Path) -> None:
    code = "\n".join(f"line_{n} = {n}" for n in range(60))
    text = f"Here:\n\n```python\n{code}\n```\n\nDone."
    async with sitting(tmp_path, rows=12) as desk:
        draft = desk.platform.draft(await desk.say("go"))
        for at in range(0, len(text), 40):
            await draft.show(text[:at])
            await asyncio.sleep(0)
        await draft.show(text[:-10])
        await desk.sees("line_59 = 59")
        assert len([line for line in desk.terminal.screen() if "line_" in line]) <= 8
        await draft.finish(Reply(text=text))
        seen = await desk.sees("Done.")
        for n in range(60):
            assert seen.count(f"line_{n} = {n}\n") == 1


async def test_a_model_cannot_drive_the_terminal(desk: Sitting) -> None:
    draft = desk.platform.draft(await desk.say("go"))
    await draft.show("one \x1b]0;title\x07 two")
    await draft.finish(Reply(text="one \x1b]0;title\x07 two \x1b[2J three"))
    await desk.sees("one ]0;title two [2J three")


async def test_a_line_can_be_typed_while_an_answer_is_written(desk: Sitting) -> None:
    draft = desk.platform.draft(await desk.say("first"))
    await draft.show("The answer gr")
    desk.keys("secon")
    await desk.sees("› secon")
    await draft.show("The answer grows")
    await desk.sees("The answer grows")
    assert (await desk.say("d")).text == "second"
    await draft.finish(Reply(text="The answer grows up."))
    seen = desk.terminal.seen()
    assert seen.count("The answer") == 1
    assert "The answer grows up." in seen


async def test_an_answer_that_is_written_anew_is_shown_whole(desk: Sitting) -> None:
    message = await desk.say("go")
    ref = await desk.platform.send(CHAT, Reply(text="⏳ 1 message before yours"))
    draft = desk.platform.draft(message, ref=ref)
    await draft.show("Now it is")
    await desk.sees("Now it is")
    await draft.finish(Reply(text="Now it is your turn."))
    await desk.sees("Now it is your turn.")


async def test_the_bot_at_work_is_seen_and_leaves_no_trace(desk: Sitting) -> None:
    message = await desk.say("go")
    async with desk.platform.typing(CHAT):
        await desk.sees("⠙")
    await desk.platform.draft(message).finish(Reply(text="Done."))
    seen = await desk.sees("Done.")
    assert not set(seen) & set("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")


async def test_colours_are_left_out_when_nobody_wants_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with sitting(tmp_path) as desk:
        before = len(desk.terminal.written)
        await desk.platform.send(CHAT, Reply(text="# Title\n\n`code`"))
        seen = desk.terminal.written[before:]
        assert "code" in seen
        assert "\x1b[36" not in seen
        assert "\x1b[1;36" not in seen


# ---------------------------------------------------------------- buttons

MENU = ((Button("Small", "a"), Button("Large", "b")), (Button("None", "c"),))


async def test_a_typed_number_presses_the_button(desk: Sitting) -> None:
    await desk.say("menu")
    ref = await desk.platform.send(CHAT, Reply(text="Which?", buttons=MENU))
    await desk.sees("[1] Small   [2] Large   [3] None")
    desk.keys("2" + ENTER)
    event = await desk.next_event()
    assert isinstance(event, ButtonPress)
    assert (event.ref, event.value) == (ref, "b")


async def test_a_number_stands_before_its_wide_label(desk: Sitting) -> None:
    menu = tuple(Button("重新生成", str(number)) for number in range(8))
    await desk.platform.send(CHAT, Reply(text="哪一个？", buttons=(menu,)))
    seen = await desk.sees("[8]")
    assert [number for number in range(1, 9) if f"[{number}] 重新生成" not in seen] == []


async def test_a_number_is_a_message_when_no_button_has_it(desk: Sitting) -> None:
    assert (await desk.say("2")).text == "2"
    ref = await desk.platform.send(CHAT, Reply(text="Which?", buttons=MENU))
    assert (await desk.say("4")).text == "4"
    await desk.platform.edit(ref, Reply(text="Which?"))
    assert (await desk.say("2")).text == "2"


async def test_an_edit_that_changes_only_the_buttons_prints_only_the_buttons(
    desk: Sitting,
) -> None:
    ref = await desk.platform.send(CHAT, Reply(text="Which?", buttons=MENU))
    await desk.platform.edit(ref, Reply(text="Which?", buttons=((Button("Other", "d"),),)))
    seen = await desk.sees("[1] Other")
    assert seen.count("Which?") == 1


async def test_an_edited_message_is_printed_again(desk: Sitting) -> None:
    ref = await desk.platform.send(CHAT, Reply(text="Which?", buttons=MENU))
    await desk.platform.edit(ref, Reply(text="You took **Large**."))
    assert "You took Large." in await desk.sees("You took")
    await desk.platform.notice(
        ButtonPress(key="k", ref=ref, sender=(await desk.say("x")).sender, value="a"), "Too late."
    )
    await desk.sees("Too late.")
