"""Who may speak, decided in the chat: by admins, for strangers, with buttons and by typing."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.access import Access
from bot.core.fakes.platform import ANN
from bot.core.limits.budget import Quotas
from bot.core.limits.quota import parse_limits
from bot.core.types import ChatId, ChatRef, Sender, UserId
from tests.house import QUICK, House, open_house

BOSS = Sender(UserId("7"), "Boss")
EVE = Sender(UserId("5"), "Eve")
ACCESS = Access(admins=frozenset({"fake:7"}), users=frozenset({"fake:1"}))
TURNED_AWAY = "Sorry, I only answer people I know. The operator can let you in: `fake:5`"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    quotas = Quotas(own=parse_limits(["daily_tokens", "10000"]))
    async with open_house(tmp_path, access=ACCESS, quotas=quotas) as house:
        yield house


async def test_a_stranger_is_let_in_with_a_button_and_shut_out_by_typing(house: House) -> None:
    assert await house.say("hello", sender=EVE) == [TURNED_AWAY]
    [_, listed] = await house.say("/users", sender=BOSS)
    assert re.sub(r"\d+ seconds?", "a moment", listed) == (
        "**👥 2 people have written to me**\n\n"
        "- Boss `fake:7` – admin, a moment ago\n"
        "- Eve `fake:5` – not let in, a moment ago"
    )
    assert house.platform.buttons() == ["Let in Eve"]
    [_, listed] = await house.press("Let in Eve", sender=BOSS)
    assert "- Eve `fake:5` – let in, " in listed
    assert house.platform.buttons() == []
    assert (await house.say("hello", sender=EVE))[-1].startswith("**You said:** hello")
    assert (await house.say("/deny 5", sender=BOSS))[-1] == "🚫 `fake:5` is shut out from now on."
    before = house.platform.kept()
    assert await house.say("hello?", sender=EVE) == [*before, TURNED_AWAY]
    listed = (await house.say("/users", sender=BOSS))[-1]
    assert "- Eve `fake:5` – shut out, " in listed
    assert house.platform.buttons()[-1] == "Let in Eve"


async def test_a_stranger_who_has_only_pressed_start_can_be_let_in_by_name(house: House) -> None:
    assert await house.say("/start", sender=EVE) == [TURNED_AWAY]
    assert (await house.say("/allow Eve", sender=BOSS))[-1] == "✅ `fake:5` may talk to me now."


async def test_the_log_says_who_decided(house: House, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await house.say("/deny 5", sender=BOSS)
    [said] = [vars(record) for record in caplog.records if record.message == "access decided"]
    assert (said["subject"], said["allowed"], said["by"]) == ("fake:5", False, "fake:7")


async def test_what_was_decided_holds_after_a_restart(tmp_path: Path) -> None:
    async with open_house(tmp_path, access=ACCESS) as house:
        [text] = await house.say("/allow fake:5", sender=BOSS)
        assert text == "✅ `fake:5` may talk to me now. Nobody with this id has written to me yet."
    async with open_house(tmp_path, access=ACCESS, platform=house.platform) as house:
        assert (await house.say("hello", sender=EVE))[-1].startswith("**You said:** hello")


async def test_a_whole_chat_is_let_in(house: House) -> None:
    [text] = await house.say("/allow here", sender=BOSS)
    assert text == "✅ Everybody here may talk to me now."
    assert (await house.say("hello", sender=EVE))[-1].startswith("**You said:** hello")


async def test_a_group_is_let_in_with_all_its_topics(house: House) -> None:
    one, other = (ChatRef("fake", ChatId(f"group/{topic}")) for topic in (1, 2))
    [text] = await house.say("/allow here", chat=one, sender=BOSS)
    assert text == "✅ Everybody here may talk to me now."
    [text] = await house.say("hello", chat=other, sender=EVE)
    assert text.startswith("**You said:** hello")


async def test_whom_the_configuration_lets_in_needs_no_button(house: House) -> None:
    await house.say("hello", sender=ANN)
    listed = (await house.say("/users", sender=BOSS))[-1]
    assert "- Ann `fake:1` – let in, " in listed and "Let in Ann" not in house.platform.buttons()


@pytest.mark.parametrize(
    "command", ["/allow 5", "/deny 1", "/users", "/quota", "/quota 1", "/broadcast x"]
)
async def test_who_is_no_admin_is_refused_kindly(house: House, command: str) -> None:
    [text] = await house.say(command, sender=ANN)
    assert text == f"{command.split()[0]} is only for the admins of this bot."
    assert (await house.say("hello", sender=ANN))[-1].startswith("**You said:** hello")


async def test_a_stranger_cannot_use_an_admins_buttons(house: House) -> None:
    await house.say("hello", sender=EVE)
    await house.say("/users", sender=BOSS)
    await house.press("Let in Eve", sender=EVE)
    await house.press("Let in Eve", sender=ANN)
    assert house.platform.notices[-1] == "This button belongs to somebody else."
    assert house.platform.buttons() == ["Let in Eve"]


async def test_the_buttons_of_an_admin_who_is_none_any_more_do_nothing(tmp_path: Path) -> None:
    async with open_house(tmp_path, access=ACCESS) as house:
        for number in range(20, 30):
            await house.say("hello", sender=Sender(UserId(str(number)), f"P{number}"))
        await house.say("hello", sender=ANN)
        await house.say("/broadcast I am down tonight.", sender=BOSS)
        await house.say("/users", sender=BOSS)
    access = Access(admins=frozenset({"fake:8"}), users=frozenset({"fake:1", "fake:7"}))
    async with open_house(tmp_path, access=access, platform=house.platform) as house:
        before = house.platform.kept()
        for label in ("Let in P29", "› 2/2", "Cancel", "Send it"):
            assert await house.press(label, sender=BOSS) == before
        listed = (await house.say("/users", sender=Sender(UserId("8"), "Chief")))[-1]
        assert "- P29 `fake:29` – not let in, " in listed


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("/allow", "Whom? Write `/allow ID` with the id that I tell strangers"),
        ("/allow Zoe Smith", "I know nobody, or several people, by the name “Zoe Smith”. Whom?"),
        ("/deny @zoe", "I know nobody, or several people, by the name “@zoe”. Whom? Write `/deny"),
        ("/deny Иван2", "I know nobody, or several people, by the name “Иван2”. Whom? Write `/d"),
        ("/allow fake:", "I know nobody, or several people, by the name “fake:”. Whom? Write"),
        ("/deny fake:7", "`fake:7` is an admin by configuration; only the operator can change"),
        ("/allow <@U5|eve>", "✅ `fake:U5` may talk to me now."),
        ("/allow slack:U5", "✅ `slack:U5` may talk to me now."),
        ("/allow Here", "✅ Everybody here may talk to me now."),
        ("/deny here", "🚫 From now on I answer only admins here."),
        ("/quota here daily_images 5", "Whose? Write `/quota ID`, for example `/quota fake:7`."),
        ("/quota Zoe Smith", "Whose? Write `/quota ID`, for example `/quota fake:7`."),
    ],
)
async def test_what_an_admin_may_write(house: House, words: str, answer: str) -> None:
    [text] = await house.say(words, sender=BOSS)
    assert text.startswith(answer)


async def test_a_name_does_where_only_one_person_has_it(house: House) -> None:
    for id, name in (
        ("20", "Zoe"),
        ("21", "Max Wu"),
        ("22", "Sam"),
        ("23", "sam"),
        ("24", "Иван2"),
    ):
        await house.say("hello", sender=Sender(UserId(id), name))
    for words, answer in (
        ("/allow @zoe", "✅ `fake:20` may talk to me now."),
        ("/deny Max Wu", "🚫 `fake:21` is shut out from now on."),
        ("/deny иван2", "🚫 `fake:24` is shut out from now on."),
        ("/deny Sam", "I know nobody, or several people, by the name “Sam”. Whom?"),
        ("/quota zoe", "**Limits of Zoe `fake:20`**\n\n- 10,000 tokens a day: 0% used"),
        ("/quota max wu", "**Limits of Max Wu `fake:21`**\n\n- 10,000 tokens a day: 0% used"),
        ("/quota Max Wu daily_tokens=7", "**Limits of Max Wu `fake:21`**\n\n- 7 tokens a day"),
        ("/quota max wu default", "**Limits of Max Wu `fake:21`**\n\n- 10,000 tokens a day"),
        ("/usage max wu", "**Used by Max Wu `fake:21`**"),
    ):
        text = (await house.say(words, sender=BOSS))[-1]
        assert text.startswith(answer), words


async def test_nobody_is_taken_for_another_by_a_name_that_looks_like_an_id(house: House) -> None:
    for id, name in (("20", "31"), ("21", "U5")):
        await house.say("hello", sender=Sender(UserId(id), name))
    for words, answer in (
        ("/allow 31", "✅ `fake:31` may talk to me now."),
        ("/allow <@U5>", "✅ `fake:U5` may talk to me now."),
    ):
        assert (await house.say(words, sender=BOSS))[-1].startswith(answer)
    for id, name in (("20", "31"), ("21", "U5")):
        before = house.platform.kept()
        assert (await house.say("hello", sender=Sender(UserId(id), name)))[: len(before)] == before
        assert "You said" not in house.platform.kept()[-1]


async def test_no_name_makes_a_line_say_something_else(house: House) -> None:
    name = "[Boss](http://evil.example)\n- x `fake:7` \N{RIGHT-TO-LEFT OVERRIDE}"
    await house.say("hello", sender=Sender(UserId("20"), name))
    words = "(Boss)(http://evil.example)- x 'fake:7' `fake:20`"
    await house.say("/allow 20", sender=BOSS)
    await house.say("hello", sender=Sender(UserId("20"), name))
    for command in ("/users", "/quota 20", "/usage 20", "/usage all"):
        assert words in (await house.say(command, sender=BOSS))[-1]
    await house.say("/deny 20", sender=BOSS)
    await house.say("/users", sender=BOSS)
    assert house.platform.buttons()[-1] == "Let in (Boss)(http://evil.example)- x 'fake:7'"


async def test_a_long_list_has_pages(house: House) -> None:
    for number in range(20, 40):
        await house.say("hello", sender=Sender(UserId(str(number)), f"P{number}"))
    listed = (await house.say("/users", sender=BOSS))[-1]
    assert listed.startswith("**👥 21 people have written to me**")
    assert house.platform.buttons()[-1] == "› 2/3"
    await house.press("› 2/3", sender=BOSS)
    assert house.platform.buttons()[-2:] == ["‹ 1/3", "› 3/3"]
    assert "P30" in house.platform.kept()[-1]


async def test_the_list_is_there_without_buttons(tmp_path: Path) -> None:
    plain = replace(QUICK, max_buttons=0)
    async with open_house(tmp_path, access=ACCESS, capabilities=plain) as house:
        await house.say("hello", sender=EVE)
        [_, text] = await house.say("/users", sender=BOSS)
        assert "Boss `fake:7` – admin" in text and "Eve `fake:5` – not let in" in text
        assert house.platform.buttons() == []


# ---------------------------------------------------------------- limits


async def test_an_admin_gives_somebody_other_limits(house: House) -> None:
    await house.say("hello", sender=ANN)
    [_, text] = await house.say("/quota 1", sender=BOSS)
    assert text.startswith("**Limits of Ann `fake:1`**\n\n- 10,000 tokens a day: ")
    text = (await house.say("/quota 1 daily_tokens=5 monthly_cost $2", sender=BOSS))[-1]
    assert "- 5 tokens a day: 100% used\n- $2.00 a month: 0% used" in text
    assert text.endswith("Set by hand: 5 tokens a day, $2.00 a month")
    assert (await house.say("hello", sender=ANN))[-1].startswith("⚠️ You have reached your limit")
    text = (await house.say("/quota", sender=BOSS))[-1]
    assert "**Each person**\n\n- 10,000 tokens a day\n\n**All together**\n\n- no limits" in text
    assert "- `fake:1`: 5 tokens a day, $2.00 a month" in text
    text = (await house.say("/quota 1 daily_tokens off", sender=BOSS))[-1]
    assert text.endswith("Set by hand: $2.00 a month, daily_tokens off")
    assert (await house.say("hello", sender=ANN))[-1].startswith("**You said:** hello")
    text = (await house.say("/quota 1 default", sender=BOSS))[-1]
    assert "Set by hand" not in text
    assert "- 10,000 tokens a day: " in text


async def test_an_admins_own_limits_are_none(house: House) -> None:
    [text] = await house.say("/quota fake:7", sender=BOSS)
    assert text == "**Limits of Boss `fake:7`**\n\n- no limits\n\nAdmins have no limits."


async def test_what_is_said_of_somebodys_limits_is_theirs(tmp_path: Path) -> None:
    own, everybody = parse_limits(["daily_tokens=10000"]), parse_limits(["daily_tokens=50000"])
    quotas = Quotas(own=own, everybody=everybody, admins_exempt=False)
    async with open_house(tmp_path, access=ACCESS, quotas=quotas) as house:
        await house.say("hello", sender=BOSS)
        for command in ("/quota fake:7", "/usage"):
            text = (await house.say(command, sender=BOSS))[-1]
            assert "- 10,000 tokens a day: " in text
            assert "50,000" not in text and "Admins have no limits." not in text
        text = (await house.say("/quota 1 daily_tokens 0", sender=BOSS))[-1]
        assert "- 0 tokens a day: 100% used" in text


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("/quota daily_tokens 5", "Whose? Write `/quota ID`, for example `/quota fake:7`."),
        ("/quota 1 weekly_tokens 5", "I do not understand “weekly_tokens”. Limits are: `daily"),
        ("/quota 1 daily_tokens lots", "I do not understand “lots”. Limits are: `daily_tokens`"),
        ("/quota 1 daily_tokens", "`daily_tokens` needs a number behind it, or `off`."),
        ("/quota 1 daily_tokens daily_cost 5", "`daily_tokens` needs a number behind it, or"),
    ],
)
async def test_what_is_no_limit_is_explained(house: House, words: str, answer: str) -> None:
    [text] = await house.say(words, sender=BOSS)
    assert text.startswith(answer)
