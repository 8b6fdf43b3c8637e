"""Drafts and rich messages, and what happens where Telegram does not take them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.delivery.delivery import Delivery
from bot.core.delivery.partial import settle
from bot.core.delivery.split import pages as cut
from bot.core.fakes.clock import ManualClock
from bot.core.types import Button, ChatRef, MessageRef, Reply, Style, Thoughts
from bot.errors import NotYourTurn
from bot.platforms.telegram.ids import make_chat
from bot.platforms.telegram.markdown.rich import MAX_RICH, compose, measure, pages
from bot.sandbox.telegram import rich as sandbox
from bot.sandbox.telegram.calls import Call
from bot.sandbox.telegram.errors import BadRequest
from tests.platform_contract import HastyClock
from tests.platforms.telegram.markdown.judging import fetching, moments
from tests.platforms.telegram.stage import TelegramStage, group, private, staged

ANSWERS = sorted((Path(__file__).parents[2] / "data" / "answers").glob("*.md"))
STOP = Button("Stop it", "stop")
TABLE = "## Prices\n\n| a | b |\n|---|---|\n| 1 | $x^2$ |"


@pytest.fixture
def clock() -> HastyClock:
    return HastyClock()


@pytest.fixture
async def drafting(clock: HastyClock) -> AsyncIterator[TelegramStage]:
    async with staged(private, clock=clock, style=Style(drafts=True)) as stage:
        yield stage


@pytest.fixture
async def rich() -> AsyncIterator[TelegramStage]:
    async with staged(private, clock=HastyClock(), style=Style(rich=True)) as stage:
        yield stage


# ---------------------------------------------------------------- Markdown of rich messages


async def test_lines_of_a_rich_message_are_lines(rich: TelegramStage) -> None:
    """Telegram takes a single line break for none, as GitHub does."""
    await rich.platform.send(rich.incoming.ref.chat, Reply(text="> Roses\n> are\n\nred,\nviolets"))
    assert await rich.kept() == ["Roses\nare\nred,\nviolets"]


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\u0085"])
async def test_ends_of_lines_of_any_kind_keep_words_apart(rich: TelegramStage, end: str) -> None:
    await rich.platform.send(rich.incoming.ref.chat, Reply(text=f"one{end}two"))
    assert await rich.kept() == ["one\ntwo"]


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        (r"\(x^2\) is \[y+1\]", "$x^2$ is $$y+1$$"),
        ("from $5 to $10, $10-$20", r"from \$5 to \$10, \$10-\$20"),
        ("it is $x^2$ for \\$7", "it is $x^2$ for \\$7"),
        ("1==1 and 2==2", r"1\=\=1 and 2\=\=2"),
        ("==this== and ||that||", "==this== and ||that||"),
        ("a || b || c", r"a \|\| b \|\| c"),
        ("`a || b == c`", "`a || b == c`"),
        ("```sh\na=$b || c\nd==e\n```", "```sh\na=$b || c\nd==e\n```"),
        ("~5 is ~~not~~ ~six~", r"~5 is ~~not~~ \~six\~"),
        ("a Vec<String> is <b>no</b> <i>tag</i>", "a Vec&lt;String> is <b>no</b> <i>tag</i>"),
        ("20&deg; &rarr; &lt;b&gt; &amp;amp;", "20° → &lt;b&gt; &amp;amp;"),
        ("see https://a.example/?b==c&d=$1||2 a==b", r"see https://a.example/?b==c&d=$1||2 a\=\=b"),
        ("<T> is a type", "&lt;T> is a type"),
        ("your <div> is <u>open</u>", "your &lt;div> is <u>open</u>"),
        ("<p> is a tag", "&lt;p> is a tag"),
        ("**注意：**后面2*3*4", "**注意**：后面2\\*3\\*4"),
        ("<div>\nVec<T>\n</div>", "<div>\nVec&lt;T>\n</div>"),
        ("# Title\n\n| a | b |\n|---|---|\n| $1 || |", None),
    ],
)
def test_signs_mean_in_a_rich_message_what_they_mean_elsewhere(
    written: str, sent: str | None
) -> None:
    shown = compose(written).markdown
    assert shown == (written.replace("$1", r"\$1") if sent is None else sent)


# ---------------------------------------------------------------- drafts


async def test_a_draft_is_no_message_until_it_is_finished(drafting: TelegramStage) -> None:
    draft = drafting.platform.draft(drafting.incoming, stop=STOP)
    await draft.show("**Half** of")
    seen = drafting.view.screen()
    assert seen.answers == () and draft.ref is None
    assert seen.draft is not None and seen.draft.stop
    assert (seen.draft.text, seen.draft.entities[0]["type"]) == ("Half of", "bold")
    ref = await draft.finish(Reply(text="**Half** of it", buttons=((STOP,),)))
    seen = drafting.view.screen()
    assert seen.draft is None
    assert [(m.id, m.text, m.buttons) for m in seen.answers] == [
        (int(ref.id), "Half of it", (("Stop it",),))
    ]


async def test_a_draft_that_is_stopped_stays_until_its_message_is_there(
    drafting: TelegramStage,
) -> None:
    draft = drafting.platform.draft(drafting.incoming)
    await draft.show("half an ans")
    drafting.view.stop_draft()
    seen = drafting.view.screen()
    assert seen.draft is not None and (seen.draft.text, seen.draft.stop) == ("half an ans", False)
    await draft.finish(Reply(text="half an ans"))
    assert drafting.view.screen().draft is None
    assert await drafting.kept() == ["half an ans"]


async def test_the_first_drafts_of_many_chats_each_have_their_turn() -> None:
    clock = ManualClock()
    async with staged(private, clock=clock, style=Style(drafts=True)) as stage:
        people = [stage.telegram.person(id=3000 + n, name=f"P{n}").private() for n in range(80)]
        for person in people:
            person.send("hello")
        questions = [MessageRef(make_chat(3000 + n), stage.incoming.ref.id) for n in range(80)]
        drafts = [stage.platform.draft(replace(stage.incoming, ref=ref)) for ref in questions]
        for _ in range(3):  # thirty calls a second are all that Telegram takes
            for draft in drafts:
                with suppress(NotYourTurn):
                    await draft.show("half an ans")
            await clock.advance(1.1)
        assert all(person.screen().draft is not None for person in people)


async def test_the_same_draft_grows(drafting: TelegramStage) -> None:
    draft = drafting.platform.draft(drafting.incoming)
    await draft.status("💭 Thinking…")
    first = drafting.view.screen().draft
    await draft.show("Yes")
    second = drafting.view.screen().draft
    assert first is not None and second is not None
    assert first.id == second.id != 0 and second.text == "Yes"
    other = drafting.platform.draft(drafting.incoming)
    await other.show("No")
    third = drafting.view.screen().draft
    assert third is not None and third.id != first.id


async def drafts_of(stage: TelegramStage, count: int) -> list[Call]:
    """The calls that showed a draft, once there are so many."""
    calls = stage.telegram.calls
    await stage.view.wait_for(lambda _: len(calls.of("sendMessageDraft")) >= count)
    return calls.of("sendMessageDraft")


async def test_a_draft_is_shown_again_before_it_vanishes() -> None:
    clock = HastyClock()
    async with staged(private, clock=clock, style=Style(drafts=True)) as stage:
        delivery = Delivery(stage.platform, stage.incoming, clock=clock, stop=STOP)
        async with delivery:
            delivery.write("a long pause follows")
            drafts = await drafts_of(stage, 3)
            assert {call.status for call in drafts} == {200}
            await delivery.finish()
    assert [m.text for m in stage.view.screen().answers] == ["a long pause follows"]


@pytest.mark.parametrize("typed", [0, 1])
@pytest.mark.parametrize("style", [Style(), Style(drafts=True)])
async def test_what_is_seen_of_an_answer_takes_the_place_of_typing(
    style: Style, typed: int
) -> None:
    """Else it would be shown that the bot types for some seconds after the end of the answer."""
    clock = ManualClock()
    async with staged(private, clock=clock, style=style) as stage:
        chat, calls = stage.incoming.ref.chat, stage.telegram.calls
        draft = stage.platform.draft(stage.incoming)
        async with stage.platform.typing(chat):
            await clock.advance(typed)
            await stage.view.wait_for(lambda _: len(calls.of("sendChatAction")) == typed)
            await draft.status("💭 Thinking…")
            for seconds in range(3, 12, 3):
                await clock.advance(3)
                await draft.status(f"💭 Thinking… {seconds} s")
        await draft.finish(Reply(text="Yes."))
        assert len(calls.of("sendChatAction")) == typed


async def test_a_text_without_drafts_is_edited_with_a_stop_button(
    drafting: TelegramStage, clock: HastyClock
) -> None:
    drafting.telegram.faults.fail_next(400, "Bad Request: no drafts", method="sendMessageDraft")
    draft = drafting.platform.draft(drafting.incoming, stop=STOP)
    await draft.show("one")
    assert await drafting.kept() == ["one"] and await drafting.buttons() == ["Stop it"]
    await draft.show("one two")
    assert await drafting.kept() == ["one two"]
    await draft.finish(Reply(text="one two three"))
    assert await drafting.kept() == ["one two three"]
    chat = drafting.incoming.ref.chat
    assert not drafting.platform.capabilities(chat).vanishes
    await clock.sleep(10)
    await drafting.platform.draft(drafting.incoming, stop=STOP).show("the next answer")
    assert (await drafting.kept())[-1] == "the next answer"  # no draft is tried any more


async def test_a_draft_that_has_to_wait_is_not_refused() -> None:
    clock = HastyClock()
    async with staged(private, clock=clock, style=Style(drafts=True)) as stage:
        stage.telegram.faults.refuse_next(3, method="sendMessageDraft")
        async with Delivery(stage.platform, stage.incoming, clock=clock) as delivery:
            delivery.write("hello")
            seen = await stage.view.wait_for(lambda screen: screen.draft)
            assert seen.answers == ()
            await delivery.finish()
        assert stage.platform.capabilities(stage.incoming.ref.chat).vanishes


async def test_groups_have_no_drafts() -> None:
    async with staged(group, clock=HastyClock(), style=Style(drafts=True)) as stage:
        assert not stage.platform.capabilities(stage.incoming.ref.chat).vanishes
        await stage.platform.draft(stage.incoming, stop=STOP).show("one")
        assert await stage.kept() == ["one"]


# ---------------------------------------------------------------- rich messages


async def test_markdown_goes_as_it_is(rich: TelegramStage) -> None:
    ref = await rich.platform.send(rich.incoming.ref.chat, Reply(text=TABLE))
    assert rich.view.screen().answers[-1].rich == TABLE
    await rich.platform.edit(ref, Reply(text=TABLE + "\n| 2 | 3 |", buttons=((STOP,),)))
    seen = rich.view.screen().answers[-1]
    assert seen.rich.endswith("| 2 | 3 |") and seen.buttons == (("Stop it",),)
    await rich.platform.edit(ref, Reply(text=TABLE + "\n| 2 | 3 |", buttons=((STOP,),)))


async def test_code_at_the_beginning_keeps_its_indentation(rich: TelegramStage) -> None:
    text = "    if a:\n        b()\n\nso it is"
    await rich.platform.send(rich.incoming.ref.chat, Reply(text=f" \n\n{text}\n"))
    assert rich.view.screen().answers[-1].rich == text


async def test_what_is_open_is_closed_while_it_is_written(rich: TelegramStage) -> None:
    draft = rich.platform.draft(rich.incoming, stop=STOP)
    await draft.show("so **very")
    assert rich.view.screen().answers[-1].rich == "so **very**"


async def test_thoughts_are_details_of_a_rich_message(rich: TelegramStage) -> None:
    thoughts = Thoughts(title="💭 Thought for 3 s", text="1 < 2\n```\na < b && c < d")
    await rich.platform.send(rich.incoming.ref.chat, Reply(text="Yes.", thoughts=thoughts))
    assert rich.view.screen().answers[-1].rich == (
        "Yes.\n\n<details><summary>💭 Thought for 3 s</summary>\n\n"
        "1 < 2\n```\na < b && c < d\n```\n\n</details>"
    )


async def test_thoughts_fetch_nothing_and_stay_folded_up(rich: TelegramStage) -> None:
    text = "hm </details> ![x](https://evil.example/?q=secret) <img src=y>\n```\n![x](y)\n```"
    thoughts = Thoughts(title="💭 Thought for 3 s", text=text)
    await rich.platform.send(rich.incoming.ref.chat, Reply(text="Yes.", thoughts=thoughts))
    sent = rich.view.screen().answers[-1].rich
    assert not fetching(sent) and "![" not in sent
    assert sent.count("</details>") == 1 and sent.endswith("</details>")


async def test_thoughts_fill_what_room_there_is(rich: TelegramStage) -> None:
    thoughts = Thoughts(title="💭 Thought for 3 s", text="hm " * 20_000)
    chat = rich.incoming.ref.chat
    await rich.platform.send(chat, Reply(text="word " * 3000, thoughts=thoughts))
    assert "<details>" in rich.view.screen().answers[-1].rich
    await rich.platform.send(chat, Reply(text="word " * 6553, thoughts=thoughts))
    assert "<details>" not in rich.view.screen().answers[-1].rich


async def test_what_is_refused_as_rich_arrives_as_classic_text(rich: TelegramStage) -> None:
    chat = rich.incoming.ref.chat
    rich.telegram.faults.fail_next(400, "Bad Request: too rich", method="sendRichMessage")
    ref = await rich.platform.send(chat, Reply(text="**hello**"))
    assert await rich.kept() == ["hello"] and not rich.view.screen().answers[-1].rich
    rich.telegram.faults.fail_next(400, "Bad Request: too rich", method="editMessageText")
    await rich.platform.edit(ref, Reply(text="**bye**"))
    assert await rich.kept() == ["bye"]
    assert rich.platform.capabilities(chat).max_text < MAX_RICH  # twice in a row: never mind
    await rich.platform.send(chat, Reply(text=TABLE))
    assert not rich.view.screen().answers[-1].rich


async def test_one_text_that_is_refused_does_not_spoil_the_next(rich: TelegramStage) -> None:
    chat = rich.incoming.ref.chat
    for _ in range(3):
        rich.telegram.faults.fail_next(400, "Bad Request: too rich", method="sendRichMessage")
        await rich.platform.send(chat, Reply(text="hello"))
        await rich.platform.send(chat, Reply(text="hello"))
        assert rich.view.screen().answers[-1].rich == "hello"


@pytest.mark.parametrize("drafts", [False, True])
async def test_an_answer_that_cannot_be_rich_is_refused_once_and_spoils_no_other(
    *, drafts: bool
) -> None:
    wide = "|".join(f"c{n}" for n in range(21))  # a table has 20 columns at most
    table = f"|{wide}|\n|{'-|' * 21}\n|{wide}|"
    clock = HastyClock()
    async with staged(private, clock=clock, style=Style(drafts=drafts, rich=True)) as stage:
        draft = stage.platform.draft(stage.incoming, stop=STOP)
        for line in range(3):
            await clock.sleep(10)
            await draft.show(table + f"\n|{wide}|" * line)
        await draft.finish(Reply(text=table))
        assert [call.status for call in stage.telegram.calls].count(400) == 1
        assert "c20" in stage.view.screen().answers[-1].text
        await stage.platform.send(stage.incoming.ref.chat, Reply(text=TABLE))
        assert stage.view.screen().answers[-1].rich == TABLE


async def test_a_long_text_that_is_refused_arrives_whole(rich: TelegramStage) -> None:
    chat = rich.incoming.ref.chat
    words = [f"word{n}" for n in range(1500)]
    rich.telegram.faults.fail_next(400, "Bad Request: no", method="sendRichMessage")
    ref = await rich.platform.send(chat, Reply(text=" ".join(words), buttons=((STOP,),)))
    seen = rich.view.screen().answers
    assert " ".join(message.text for message in seen).split() == words
    assert [bool(m.buttons) for m in seen] == [False] * (len(seen) - 1) + [True]
    rich.telegram.faults.fail_next(400, "Bad Request: no", method="editMessageText")
    await rich.platform.edit(ref, Reply(text=" ".join(words), buttons=((STOP,),)))
    assert " ".join(await rich.kept()).split() == words
    await rich.platform.edit(ref, Reply(text="short now"))
    assert await rich.kept() == ["short now"]


async def test_a_long_text_that_is_refused_while_it_is_written_stands_there_once(
    rich: TelegramStage,
) -> None:
    words = [f"word{n}" for n in range(1500)]
    rich.telegram.faults.fail_next(400, "Bad Request: no", method="sendRichMessage")
    draft = rich.platform.draft(rich.incoming, stop=STOP)
    await draft.show(" ".join(words[:1200]))
    assert len(await rich.kept()) == 1
    ref = await draft.finish(Reply(text=" ".join(words), buttons=((STOP,),)))
    assert " ".join(await rich.kept()).split() == words
    assert await rich.buttons() == [STOP.label]
    await rich.platform.delete([ref])
    assert await rich.kept() == []


async def test_all_of_a_long_text_that_is_refused_in_a_group_says_what_it_answers() -> None:
    async with staged(group, clock=HastyClock(), style=Style(rich=True)) as stage:
        draft = stage.platform.draft(stage.incoming)
        await draft.show("word")
        stage.telegram.faults.fail_next(400, "Bad Request: no", method="editMessageText")
        await draft.finish(Reply(text="word " * 1500, answering=stage.incoming.ref))
        answers = stage.view.screen().answers
        assert len(answers) == 2
        assert {answer.reply_to for answer in answers} == {int(stage.incoming.ref.id)}


@pytest.mark.parametrize("refused", [1, 2])
async def test_an_answer_of_several_rich_messages_of_which_some_are_refused_is_whole(
    rich: TelegramStage, refused: int
) -> None:
    chat, words = rich.incoming.ref.chat, [f"word{n}" for n in range(9_000)]
    rich.telegram.faults.fail_next(400, "Bad Request: no", method="sendRichMessage", times=refused)
    ref = await rich.platform.send(chat, Reply(text=" ".join(words), buttons=((STOP,),)))
    assert " ".join(await rich.kept()).split() == words
    assert await rich.buttons() == [STOP.label]
    await rich.platform.edit(ref, Reply(text="short now"))
    assert await rich.kept() == ["short now"]


async def test_a_rich_draft_that_is_refused_goes_on_as_a_classic_one() -> None:
    style = Style(drafts=True, rich=True)
    async with staged(private, clock=HastyClock(), style=style) as stage:
        stage.telegram.faults.fail_next(400, "Bad Request: no", method="sendRichMessageDraft")
        draft = stage.platform.draft(stage.incoming)
        await draft.show("**one**")
        seen = stage.view.screen().draft
        assert seen is not None and (seen.text, seen.rich) == ("one", "")


@pytest.mark.parametrize("times", [1, 2])
async def test_a_message_that_is_gone_is_not_taken_for_a_refusal(
    rich: TelegramStage, times: int
) -> None:
    chat = rich.incoming.ref.chat
    for _ in range(times):
        ref = await rich.platform.send(chat, Reply(text="hello"))
        await rich.delete(ref)
        with pytest.raises(Exception, match="essage to edit not found"):
            await rich.platform.edit(ref, Reply(text="bye"))
    assert rich.platform.capabilities(chat).max_text == MAX_RICH


# ---------------------------------------------------------------- what is sent


@pytest.mark.parametrize("file", ANSWERS, ids=lambda file: file.stem)
def test_every_answer_is_taken_whole_and_cut_and_measured_rightly(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    for end in [*moments(text), len(text)]:
        shown = compose(settle(text[:end]), partial=end < len(text))
        if shown.is_visible:
            sandbox.from_markdown(shown.markdown)  # raises when it is refused
    if "<details>" in text:
        return  # one that is cut is another text, which may be refused, and is then sent as classic
    for page in pages(text * min(30, 3 * MAX_RICH // (2 * len(text)))):
        sandbox.from_markdown(page.markdown)


def test_many_short_lines_are_cut_by_their_number() -> None:
    text = "\n".join(f"- item {n}" for n in range(2000))
    with pytest.raises(BadRequest):
        sandbox.from_markdown(text)
    found = pages(text)
    assert len(found) > 2
    for page in found:
        sandbox.from_markdown(page.markdown)
    assert measure("```\n" + "x\n" * 2000 + "```") < MAX_RICH
    assert len(list(cut("word " * 20_000, MAX_RICH, measure))) == 4


async def test_the_style_of_one_chat_is_not_that_of_another(rich: TelegramStage) -> None:
    plain = rich.platform.styled(Style())
    chat: ChatRef = rich.incoming.ref.chat
    assert plain.capabilities(chat).max_text < rich.platform.capabilities(chat).max_text
    await plain.send(chat, Reply(text=TABLE))
    assert not rich.view.screen().answers[-1].rich
