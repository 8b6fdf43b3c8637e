"""What the model knows: forwards, what a group says, summaries, and how full its window is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain, repeat
from pathlib import Path

import pytest

from bot.api.settings import ModelSettings
from bot.core.access import Access
from bot.core.chat import KeptMessage, NewMessage, Role, TextPart
from bot.core.commands.context import bar
from bot.core.fakes.platform import ANN, CHAT
from bot.core.memory.overhearing import KEPT
from bot.core.memory.summing import oldest
from bot.core.types import Forward, Sender, UserId
from bot.sandbox.openai.backend import Endpoint, ModelCard
from bot.sandbox.openai.scripted import Answer
from bot.sandbox.openai.windows import Window
from tests.house import DEFAULTS, House, open_house
from tests.patience import PATIENCE

EVE = Sender(UserId("666"), "Eve")
SMALL = replace(DEFAULTS, context_window=1_000, system_prompt="")


async def ask(house: House, text: str, sender: Sender = ANN) -> str:
    message = house.platform.message(text, sender=sender, group=True)
    return (await house.tell(message))[-1]


async def chatter(house: House, text: str, sender: Sender = EVE) -> None:
    """Somebody says something to the others."""
    await house.happen(house.platform.message(text, sender=sender, group=True, addressed=False))


# ---------------------------------------------------------------- forwards


async def test_what_is_forwarded_is_told_with_its_author(house: House) -> None:
    message = house.platform.message("What does she mean?")
    await house.tell(replace(message, forwards=(Forward(author="Zoe", text="Meet at noon"),)))
    assert house.asked()[-1] == (
        "user",
        "What does she mean?\n\n[Forwarded from Zoe]\nMeet at noon",
    )


async def test_a_forwarded_command_is_not_obeyed(house: House) -> None:
    await house.say("My name is Bob")
    message = house.platform.message("")
    forward = Forward(author="Mallory", text="/forget me yes")
    await house.tell(replace(message, forwards=(forward,)))
    assert "/forget me yes" in str(house.asked()) and "Bob" in str(house.asked())


# ---------------------------------------------------------------- groups


async def test_a_group_that_wants_it_is_listened_to_and_told_so_once(house: House) -> None:
    await chatter(house, "before")
    text = await ask(house, "/settings listening on")
    assert text.startswith("👂 From now on I listen along here")
    assert (await ask(house, "/settings listening on")).startswith(
        "In this chat from now on – What others say here:"
    )
    await chatter(house, "The pizza costs 12")
    await chatter(house, "/other_bot do it")
    await chatter(house, "And the wine 9", ANN)
    assert len(house.platform.kept()) == 3  # no answer to them
    await ask(house, "What do we pay?")
    assert house.asked()[1:] == [
        ("user", "Eve: The pizza costs 12"),
        ("user", "Ann: And the wine 9"),
        ("user", "Ann: What do we pay?"),
    ]
    await chatter(house, "Thanks")
    await ask(house, "And with tip?")
    told = [content for role, content in house.asked() if role == "user"]
    assert told[-2:] == ["Eve: Thanks", "Ann: And with tip?"]
    assert told[0] == "Eve: The pizza costs 12"  # it is part of the conversation now
    assert told.count(told[0]) == 1


async def test_what_was_said_since_is_no_part_of_a_question_that_is_asked_again(
    house: House,
) -> None:
    await ask(house, "/settings listening on")
    await ask(house, "What do we pay?")
    await chatter(house, "Thanks")
    await house.tell(replace(house.platform.press("🔁 Regenerate"), group=True))
    assert house.asked()[1:] == [("user", "Ann: What do we pay?")]
    await ask(house, "And with tip?")
    assert house.asked()[-2:] == [("user", "Eve: Thanks"), ("user", "Ann: And with tip?")]


async def test_a_model_that_wants_turns_hears_a_group_as_well(tmp_path: Path) -> None:
    async with open_house(tmp_path, defaults=replace(DEFAULTS, model="gemma")) as house:
        card = ModelCard(
            id="gemma", owner="me", endpoints=frozenset({Endpoint.CHAT}), takes_turns=True
        )
        house.api.script.cards.append(card)
        await ask(house, "/settings listening on")
        await chatter(house, "The pizza costs 12")
        await chatter(house, "And the wine 9", ANN)
        assert "You said" in await ask(house, "What do we pay?")
        together = "Eve: The pizza costs 12\n\nAnn: And the wine 9\n\nAnn: What do we pay?"
        assert house.asked()[1:] == [("user", together)]


async def test_that_nobody_listens_any_more_is_said_without_a_warning(house: House) -> None:
    await ask(house, "/settings listening on")
    assert (await ask(house, "/settings listening off")).startswith("In this chat from now on")


async def test_without_the_wish_nothing_is_kept(house: House) -> None:
    await chatter(house, "The pizza costs 12")
    await ask(house, "What do we pay?")
    assert "pizza" not in str(house.asked())
    assert await house.services.stores.overheard.remarks(CHAT) == []


async def test_what_was_heard_is_forgotten_with_the_wish_and_with_new(house: House) -> None:
    await ask(house, "hello")
    for end in ("/settings listening off", "/new", "/chats 1"):
        await ask(house, "/settings listening on")
        await chatter(house, "The pizza costs 12")
        await ask(house, end)
        assert await house.services.stores.overheard.remarks(CHAT) == []


async def test_a_busy_group_fills_nothing(house: House) -> None:
    await ask(house, "/settings listening on")
    for number in range(KEPT + 20):
        await chatter(house, f"{number} " + "x" * 5_000)
    remarks = await house.services.stores.overheard.remarks(CHAT)
    assert len(remarks) == KEPT and max(len(each.text) for each in remarks) == 500


async def test_a_stranger_in_the_group_is_not_listened_to(tmp_path: Path) -> None:
    access = Access(users=frozenset({"fake:7"}))
    async with open_house(tmp_path, access=access) as house:
        await ask(house, "/settings listening on", Sender(UserId("7"), "Bob"))
        await chatter(house, "hear me", EVE)
        assert await house.services.stores.overheard.remarks(CHAT) == []


async def test_listening_is_a_matter_of_groups(house: House) -> None:
    assert "listening" not in (await house.say("/settings"))[-1]
    assert "There is no setting “listening”" in (await house.say("/settings listening on"))[-1]


# ---------------------------------------------------------------- summaries


async def summed(house: House) -> str:
    """Wait until there is a summary."""
    conversation = await house.services.stores.conversations.current(CHAT)
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await house.services.stores.summaries.latest(conversation)
            if found is not None:
                return found.text
            await asyncio.sleep(0.005)


async def test_what_no_longer_fits_is_summed_up_and_the_originals_stay(tmp_path: Path) -> None:
    defaults = replace(SMALL, summary_model="gpt-4o")
    async with open_house(tmp_path, defaults=defaults) as house:
        house.api.script.answer_with(
            lambda question: (
                "They agreed on Tuesday."
                if "Sum up" in str(question.messages[0])
                else "Title"
                if "title" in str(question.messages[0])
                else "yes " * 60
            )
        )
        for number in range(8):
            await house.say(f"Number {number}: " + "word " * 60)
        assert await summed(house) == "They agreed on Tuesday."
        await house.say("When?")
        asked = house.asked_for("When?")
        role, text = asked[0]
        assert role == "system" and "They agreed on Tuesday." in str(text)
        assert "Number 0" not in str(asked)
        told = [*summaries(house), str(asked)]
        assert all(any(f"Number {n}:" in each for each in told) for n in range(8))  # none is lost
        view = (await house.say("/context"))[-1]
        assert "- summary of what was said earlier: " in view and "summed up" in view
        await house.say("/export")
        assert "Number 0" in house.platform.files()[-1].content.decode()
        await house.say("/new")
        await house.say("hello")
        assert "Tuesday" not in str(house.asked())


SLOW_SUMMARY = Answer(text="They agreed on Tuesday.", chunk=1, pace=0.01)


async def test_a_summary_carries_on_the_one_before_it_and_all_of_them_count(
    tmp_path: Path,
) -> None:
    defaults = replace(SMALL, summary_model="gpt-4o")
    made = chain([Answer(text=" ")], repeat(SLOW_SUMMARY))  # at first the model has no words
    async with open_house(tmp_path, defaults=defaults) as house:
        house.api.script.answer_with(
            lambda question: next(made) if "Sum up" in str(question.messages[0]) else "yes " * 60
        )
        async with asyncio.timeout(PATIENCE):
            while len(summaries(house)) < 3:  # also while the first one is being made
                await house.say("word " * 60)
            assert "Earlier summary: They agreed on Tuesday." in summaries(house)[-1]
            while not await are_counted(house):  # noqa: ASYNC110 - beside the conversation
                await asyncio.sleep(0.005)


async def are_counted(house: House) -> bool:
    """Whether who asked is told of as many requests for titles and summaries as there were."""
    requests = house.api.traffic.to("/chat/completions")
    made = sum(request.json["model"] == "gpt-4o" for request in requests)
    return f"- `gpt-4o`: {made} requests, " in (await house.say("/usage"))[-1]


def summaries(house: House) -> list[str]:
    """What the cheap model was asked to sum up."""
    asked = [str(request.json) for request in house.api.traffic.to("/chat/completions")]
    return [text for text in asked if "Sum up" in text]


async def test_without_a_cheap_model_the_oldest_are_left_out_and_context_says_so(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path, defaults=SMALL) as house:
        for number in range(8):
            await house.say(f"Number {number}: " + "word " * 120)
        assert "Number 0" not in str(house.asked()) and "Number 7" in str(house.asked())
        text = (await house.say("/context"))[-1]
        assert "older messages no longer fit and are left out. /new starts afresh." in text
        assert "of 1,000 tokens" in text and "█" in text


@pytest.mark.parametrize("model", ["no-such-model", "gpt-4o"])
async def test_a_cheap_model_that_fails_leaves_everything_as_it_was(
    tmp_path: Path, model: str
) -> None:
    defaults = replace(SMALL, summary_model=model)
    async with open_house(tmp_path, defaults=defaults) as house:
        house.api.script.windows["gpt-4o"] = Window(tokens=20)  # nothing fits
        for number in range(6):
            assert (await house.say(f"Number {number}: " + "word " * 120))[-1]
        conversation = await house.services.stores.conversations.current(CHAT)
        assert await house.services.stores.summaries.latest(conversation) is None


def kept(*roles: Role) -> list[KeptMessage]:
    return [
        KeptMessage(
            id=at,
            created=datetime.now(UTC),
            message=NewMessage(role=role, parts=(TextPart("x"),)),
        )
        for at, role in enumerate(roles)
    ]


@pytest.mark.parametrize(
    ("costs", "leave", "room", "count"),
    [
        ((10, 10, 10, 10, 10, 10), 20, 100, 4),  # the newest exchange stays
        ((10, 10, 10, 10, 10, 10), 20, 30, 2),  # no more than the cheap model takes
        ((90, 90, 10, 10, 10, 10), 20, 30, 2),  # but one exchange in any case
        ((10, 10, 10, 10, 10, 10), 60, 100, 0),  # nothing when all of it is to stay
    ],
)
def test_whole_exchanges_are_summed_up(
    costs: tuple[int, ...], leave: int, room: int, count: int
) -> None:
    messages = kept(*[Role.USER, Role.ASSISTANT] * 3)
    assert len(oldest(messages, costs, leave=leave, room=room)) == count


# ---------------------------------------------------------------- /context


async def test_context_shows_what_the_next_question_takes_along(house: House) -> None:
    text = (await house.say("/context"))[-1]
    assert text.startswith("**0% of the window of gpt-4o-mini is full**")
    assert "- instruction: " in text and "No message is left out." in text
    assert "- nothing was said in this conversation yet" in text and "0 messages" not in text
    await house.say("hello " * 400)
    text = (await house.say("/context"))[-1]
    assert "- 2 messages of this conversation: " in text
    await ask(house, "/settings listening on")
    await chatter(house, "The pizza costs 12")
    assert "- what others said meanwhile: " in await ask(house, "/context")


async def test_a_long_talk_is_sent_along_whole_and_context_says_what_that_costs(
    tmp_path: Path,
) -> None:
    prices = {"gpt-4o-mini": ModelSettings(input_price=Decimal(1_000))}  # of a million tokens
    async with open_house(tmp_path, prices=prices) as house:
        for number in range(30):
            await house.say(f"Number {number}")
        assert all(f"'Number {number}'" in str(house.asked()) for number in range(30))
        text = (await house.say("/context"))[-1]
        assert "To send it along costs about $" in text


async def test_context_says_that_the_instruction_is_too_long(tmp_path: Path) -> None:
    async with open_house(tmp_path, defaults=SMALL) as house:
        await house.say("/system " + "word " * 1_500)
        said = (await house.say("/context"))[-1]
        assert said.startswith("⚠️ The instruction of this chat takes 1,")
        assert "the window of gpt-4o-mini has room for 750. Shorten it with /system" in said


async def test_remarks_that_do_not_fit_are_left_out_oldest_first(tmp_path: Path) -> None:
    async with open_house(tmp_path, defaults=SMALL) as house:
        await ask(house, "/settings listening on")
        for number in range(10):
            await chatter(house, f"Number {number} is " + "long " * 90)
        assert "What is it?" in await ask(house, "What is it?")
        asked = str(house.asked())
        assert "Number 9 is" in asked and "Number 0 is" not in asked
        assert "Number 9 is" in str(house.asked()[-2])
        assert "And now?" in await ask(house, "And now?")


async def test_context_without_a_model(tmp_path: Path) -> None:
    async with open_house(tmp_path, defaults=replace(DEFAULTS, model="")) as house:
        assert await house.say("/context") == ["No model is chosen yet. Choose one with /model."]


@pytest.mark.parametrize(("share", "full"), [(0, 0), (0.001, 1), (0.5, 6), (1, 12), (3, 12)])
def test_the_bar_shows_anything_at_all(share: float, full: int) -> None:
    assert bar(share) == "█" * full + "░" * (12 - full)
