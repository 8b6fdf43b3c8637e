"""Limits: what is set aside before a request, what is said, and that nothing slips through."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bot.api.settings import ModelSettings
from bot.core.access import Access
from bot.core.fakes.platform import CHAT
from bot.core.limits.budget import Quotas
from bot.core.limits.calendar import Calendar, Period
from bot.core.limits.quota import Measure, QuotaSyntaxError, parse_limits
from bot.core.types import (
    Attachment,
    ChatId,
    ChatRef,
    FileId,
    FileKind,
    MessageRef,
    Reply,
    Sender,
    UserId,
)
from bot.errors import PlatformError
from bot.sandbox.openai.faults import Drop, Hang, Raw, Refuse
from bot.sandbox.openai.scripted import Answer
from bot.sandbox.openai.traffic import Traffic
from tests.attached import picture, recording
from tests.house import DEFAULTS, House, open_house
from tests.patience import until
from tests.sounds import beeps
from tests.watch import Hurry

WU = Sender(UserId("2"), "小吴", language="zh-hans")


class Wall:
    """A clock on the wall that a test sets."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 25, 17, 30, tzinfo=UTC)

    @property
    def calendar(self) -> Calendar:
        return Calendar(now=lambda: self.now)


def own(**limits: int | str) -> Quotas:
    return Quotas(own=_limits(limits))


def everybody(**limits: int | str) -> Quotas:
    return Quotas(everybody=_limits(limits))


def _limits(limits: Mapping[str, int | str]) -> dict[tuple[Period, Measure], Decimal | None]:
    return parse_limits([f"{name}={value}" for name, value in limits.items()])


BY_TOKEN = ModelSettings(input_price=Decimal(10), output_price=Decimal(40))
"""The price of a model that draws or listens and is paid by the token, like gpt-image-1."""


def used(tokens: int) -> Answer:
    """An answer that the API says has taken so many tokens with its question."""
    return Answer(text="Done.", prompt_tokens=tokens // 2, completion_tokens=tokens - tokens // 2)


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "house.db")) as database:
        return database.execute(query).fetchall()


# ---------------------------------------------------------------- a day of somebody


async def test_near_the_limit_there_is_one_note_and_at_it_a_clear_sentence(tmp_path: Path) -> None:
    wall = Wall()
    async with open_house(
        tmp_path, quotas=own(daily_tokens=10_000), calendar=wall.calendar
    ) as house:
        house.api.script.answer(used(4_000), used(4_500), used(1_000))
        assert await house.say("one") == ["Done."]
        note = (
            "💡 You have used 85% of your limit of 10,000 tokens a day. It starts afresh on "
            "Nov 26 00:00 (in 6 hours)."
        )
        assert (await house.say("two"))[1:] == ["Done.", note]
        assert (await house.say("three"))[3:] == ["Done."]  # told once a day
        house.api.script.answer(used(499))
        assert (await house.say("four"))[4:] == ["Done."]
        assert (await house.say("five"))[5:] == [
            "⚠️ You have reached your limit of 10,000 tokens a day. It starts afresh on "
            "Nov 26 00:00 (in 6 hours)."
        ]
        assert len(house.api.traffic.to("/chat/completions")) == 4
        wall.now = datetime(2026, 11, 26, 0, 1, tzinfo=UTC)
        house.api.script.answer(used(9_000))
        assert (await house.say("six"))[6:] == [
            "Done.",
            note.replace("85", "90").replace(
                "Nov 26 00:00 (in 6 hours)", "Nov 27 00:00 (in 24 hours)"
            ),
        ]


async def test_a_note_that_cannot_be_shown_makes_no_answer_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_house(tmp_path, quotas=own(daily_tokens=1_000)) as house:
        send = house.platform.send

        async def refuse(chat: ChatRef, reply: Reply) -> MessageRef:
            if reply.text.startswith("💡"):
                raise PlatformError("bad gateway")
            return await send(chat, reply)

        monkeypatch.setattr(house.platform, "send", refuse)
        house.api.script.answer(used(900))
        assert await house.say("one") == ["Done."]
        assert len(house.api.traffic.to("/chat/completions")) == 1


async def test_who_may_have_no_pictures_is_told_so_only_when_asking_for_one(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path, quotas=own(daily_images=0)) as house:
        house.api.script.answer(used(900))
        assert await house.say("one") == ["Done."]
        assert (await house.say("/image a cat"))[-1].startswith("⚠️")
        assert house.api.traffic.to("/images/generations") == []


async def test_the_sentence_is_in_the_persons_language(tmp_path: Path) -> None:
    wall = Wall()
    async with open_house(
        tmp_path, quotas=own(monthly_tokens=100), calendar=wall.calendar
    ) as house:
        assert await house.say("你好", sender=WU) == [
            "⚠️ 这需要 261 个 token，超出了这里的上限（每月 100 个 token）。"
        ]


async def test_what_is_left_limits_the_length_of_the_answer(tmp_path: Path) -> None:
    async with open_house(tmp_path, quotas=own(daily_tokens=2_000)) as house:
        house.api.script.answer(used(1_000), used(10))
        await house.say("one")
        await house.say("two")
        first, second = [r.json for r in house.api.traffic.to("/chat/completions")]
        assert 1_900 < first["max_tokens"] < 2_000
        assert 900 < second["max_tokens"] < 1_000


async def test_who_wants_short_answers_still_gets_one_of_the_little_that_is_left(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path, quotas=own(daily_tokens=1_000)) as house:
        await house.say("/set max_tokens 100")
        house.api.script.answer(used(800), used(50))
        await house.say("one")
        assert (await house.say("two"))[-1] == "Done."


async def test_without_limits_a_request_is_as_it_was(house: House) -> None:
    await house.say("one")
    assert "max_tokens" not in house.api.traffic.to("/chat/completions")[0].json


async def test_money_is_limited_where_the_price_is_known(tmp_path: Path) -> None:
    prices = {"gpt-4o-mini": ModelSettings(input_price=Decimal(1_000), output_price=Decimal(1_000))}
    async with open_house(tmp_path, quotas=own(daily_cost="1.50"), prices=prices) as house:
        house.api.script.answer(used(1_000))
        await house.say("one")
        [request] = house.api.traffic.to("/chat/completions")
        assert 1_400 < request.json["max_tokens"] < 1_500
        house.api.script.answer(used(300))
        await house.say("two")
        assert (await house.say("three"))[-1].startswith(
            "⚠️ What is left of your limit of $1.50 a day is too little for an answer."
        )


async def test_a_photo_in_a_question_is_asked_for_with_its_words(tmp_path: Path) -> None:
    async with open_house(tmp_path, quotas=own(daily_tokens=1_000)) as house:
        photo = picture(house)
        [text] = await house.tell(house.platform.message("what is this?", attachments=(photo,)))
        assert text.startswith("⚠️ This takes 1,3") and "here is 1,000 tokens a day" in text
        assert house.api.traffic.to("/chat/completions") == []


async def test_who_has_talked_past_a_limit_is_told_to_start_afresh(tmp_path: Path) -> None:
    async with open_house(tmp_path, quotas=own(daily_tokens=1_000)) as house:
        house.api.script.answer(Answer(text="word " * 1_500, completion_tokens=100))
        await house.say("one")
        text = (await house.say("two"))[-1]
        assert text.startswith("⚠️ This takes 1,")
        assert text.endswith(
            ", and the limit here is 1,000 tokens a day. Without what was said before it takes "
            "less: /new starts afresh."
        )
        await house.say("/new")
        assert (await house.say("two"))[-1].startswith("**You said:** two")


async def test_who_has_used_a_limit_up_is_told_so_however_much_the_next_answer_takes(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path, quotas=own(daily_tokens=1_000)) as house:
        house.api.script.answer(
            Answer(text="word " * 1_500, prompt_tokens=10, completion_tokens=990)
        )
        await house.say("one")
        text = (await house.say("two"))[-1]
        assert text.startswith("⚠️ You have reached your limit of 1,000 tokens a day. It starts")


async def test_pictures_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with open_house(tmp_path, quotas=own(daily_images=1)) as house:
        assert (await house.say("/image a cat"))[0].startswith("🎨 a cat")
        kept = await house.say("/image a dog")
        assert kept[-1].startswith("⚠️ You have reached your limit of 1 picture a day.")
        assert "drawing failed" not in caplog.text  # nothing has
        assert len(house.api.traffic.to("/images/generations")) == 1


async def test_long_answers_at_once_take_no_more_than_is_set_aside_for_them(tmp_path: Path) -> None:
    async with open_house(tmp_path, quotas=own(daily_tokens=20_000)) as house:
        with house.api.held():
            for number in range(4):
                await house.write("Tell me all.", chat=ChatRef("fake", ChatId(f"c{number}")))
            asked = house.api.traffic.to
            await until(lambda: len(asked("/chat/completions")) == 4)
        lengths = [request.json.get("max_tokens") for request in asked("/chat/completions")]
        assert sorted(lengths, key=str) == [4_096, 4_096, 4_096, None]
        for number in range(4):
            await house.answered(ChatRef("fake", ChatId(f"c{number}")))
        await house.say("And now?")  # by itself
        assert "max_tokens" not in asked("/chat/completions")[-1].json


@pytest.mark.parametrize(
    "quotas",
    [own(daily_tokens=500_000), own(daily_images=2), everybody(daily_tokens=20_000)],
    ids=["tokens", "pictures", "everybody"],
)
async def test_answers_at_once_are_as_long_as_they_are_while_much_is_left_of_ones_own(
    tmp_path: Path, quotas: Quotas
) -> None:
    other = ChatRef("fake", ChatId("other"))
    async with open_house(tmp_path, quotas=quotas) as house:
        with house.api.held():
            asked = house.api.traffic.to
            await house.write("/image a cat", chat=other)
            await until(lambda: len(asked("/images/generations")) == 1)
            await house.write("Tell me all.")
            await until(lambda: len(asked("/chat/completions")) == 1)
            await house.write("Tell me all.", chat=ChatRef("fake", ChatId("third")))
            await until(lambda: len(asked("/chat/completions")) == 2)
        assert not [each for each in asked("/chat/completions") if "max_tokens" in each.json]


async def test_pictures_that_are_paid_by_the_token_end_at_a_limit_of_cost(tmp_path: Path) -> None:
    prices, asked = {"gpt-image-1": BY_TOKEN}, "/images/generations"
    async with open_house(tmp_path, quotas=own(daily_cost="0.1"), prices=prices) as house:
        refused = await house.say("/image a cat --quality high")  # it may cost $0.25
        assert "This takes $0.25, and the limit here is $0.10 a day." in refused[0]
        for _ in range(5):
            *_, last = await house.say("/image a cat")  # it costs $0.042
        assert "limit of $0.10 a day" in last
        assert len(house.api.traffic.to(asked)) == 2
        assert rows(tmp_path, "SELECT sum(cost) < 1e11 FROM usage") == [(1,)]


async def test_a_picture_paid_by_the_token_and_left_in_the_middle_is_counted(
    tmp_path: Path,
) -> None:
    quotas, prices = own(daily_cost="0.1"), {"gpt-image-1": BY_TOKEN}
    async with open_house(tmp_path, quotas=quotas, prices=prices) as house:
        house.api.faults.add(Drop(), times=None)
        await house.say("/image a cat")
        await house.say("/image a cat")
        assert "limit of $0.10 a day" in (await house.say("/image a cat"))[-1]


async def test_minutes_of_audio_are_asked_for_before_they_are_heard(tmp_path: Path) -> None:
    async with open_house(tmp_path, quotas=own(daily_audio_minutes="0.05")) as house:
        voice = recording(house, beeps(6.0))
        message = house.platform.message("", attachments=(voice,))
        [text] = await house.tell(message)
        assert text.startswith("⚠️ This takes 0.1 minutes of audio, and the limit here is")
        assert house.api.traffic.requests == []


@pytest.mark.parametrize(("words", "begins"), [("", "> 🎤 Hello?"), ("/transcribe", "🎤 Hello?")])
async def test_a_recording_that_is_heard_at_the_second_try_counts_once(
    tmp_path: Path, words: str, begins: str
) -> None:
    patient = replace(DEFAULTS, patience=30.0)
    quotas = own(daily_audio_minutes="0.15")
    async with open_house(tmp_path, defaults=patient, quotas=quotas, clock=Hurry()) as house:
        house.api.faults.add(Refuse(503), on="/audio/transcriptions")
        house.api.script.transcribe("Hello?")
        voice = recording(house, beeps(6.0))
        [text] = await house.tell(house.platform.message(words, attachments=(voice,)))
        assert text.startswith(begins)
        assert len(house.api.traffic.to("/audio/transcriptions")) == 2
    assert rows(tmp_path, "SELECT count(*) FROM usage WHERE kind = 'audio'") == [(1,)]


async def test_a_price_that_cannot_be_makes_nobody_forget_what_was_said(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        pricing = {"prompt": "1e30", "completion": "1e30"}
        listed = {"data": [{"id": house.services.defaults.model, "pricing": pricing}]}
        house.api.faults.add(Raw(json.dumps(listed).encode()), on="/models", times=None)
        await house.say("My name is Ann.")
        await house.say("What is my name?")
        assert "My name is Ann." in str(house.asked())


async def test_recordings_that_are_paid_by_the_token_end_at_a_limit_of_cost(tmp_path: Path) -> None:
    quotas, prices = own(daily_cost="0.001"), {"whisper-1": BY_TOKEN}
    async with open_house(tmp_path, quotas=quotas, prices=prices) as house:
        voice = recording(house, beeps(6.0))
        [text] = await house.tell(house.platform.message("/transcribe", attachments=(voice,)))
        assert text.startswith("⚠️ This takes $0.0014, and the limit here is")
        assert house.api.traffic.requests == []


async def test_of_a_recording_in_parts_all_parts_count(tmp_path: Path) -> None:
    quotas = own(daily_audio_minutes="0.1")
    async with open_house(tmp_path, quotas=quotas, part_seconds=3) as house:
        house.platform.contents[FileId("v")] = beeps(12.0)
        voice = Attachment(id=FileId("v"), kind=FileKind.VOICE, mime="audio/ogg", name="v.ogg")
        [text] = await house.tell(house.platform.message("", attachments=(voice,)))
        assert text.startswith("⚠️ This takes 0.2 minutes of audio, and the limit here is")
        assert house.api.traffic.requests == []


async def test_admins_have_no_limits_unless_the_operator_wants_it(tmp_path: Path) -> None:
    access = Access(open=True, admins=frozenset({"fake:1"}))
    strict = Quotas(own=own(daily_tokens=1).own, admins_exempt=False)
    async with open_house(tmp_path, access=access, quotas=own(daily_tokens=1)) as house:
        assert (await house.say("one"))[0].startswith("**You said:** one")
    async with open_house(tmp_path, access=access, quotas=strict, platform=house.platform) as house:
        assert (await house.say("two"))[-1].startswith("⚠️ You have reached your limit of 1 token")


async def test_all_together_can_reach_a_limit(tmp_path: Path) -> None:
    async with open_house(tmp_path, quotas=everybody(daily_tokens=1_000)) as house:
        house.api.script.answer(used(900))
        assert await house.say("one") == ["Done."]  # it is nobody's own to be told of
        kept = await house.say("two", sender=WU)
        assert kept[-1].startswith("⚠️ 大家合起来已达到上限（每天 1,000 个 token）。")


async def test_a_reserved_model_is_for_those_it_is_for(tmp_path: Path) -> None:
    models = {"gpt-4o*": frozenset({"fake:2"})}
    async with open_house(tmp_path, access=Access(open=True, models=models)) as house:
        [text] = await house.say("a secret")
        assert text == (
            "⚠️ The model “gpt-4o-mini” is reserved for others. Choose another with /model."
        )
        assert house.api.traffic.to("/chat/completions") == []
        assert (await house.say("hello", sender=WU))[-1].startswith("**You said:** hello")
        assert "a secret" not in str(house.asked())  # what was not let through is not kept


async def test_a_reserved_model_neither_draws_nor_listens_for_others(tmp_path: Path) -> None:
    models = {name: frozenset({"fake:2"}) for name in ("gpt-image-1", "whisper-1")}
    async with open_house(tmp_path, access=Access(open=True, models=models)) as house:
        voice = recording(house)
        await house.say("/image a cat")
        kept = await house.tell(house.platform.message("", attachments=(voice,)))
        assert kept == [  # and no advice that helps with answers only
            "⚠️ The model “gpt-image-1” is reserved for others.",
            "⚠️ The model “whisper-1” is reserved for others.",
        ]
        assert house.api.traffic.requests == []


# ---------------------------------------------------------------- races and kills


async def test_ten_messages_at_once_cannot_use_the_same_rest(tmp_path: Path) -> None:
    async with open_house(tmp_path, quotas=own(daily_tokens=3_000)) as house:

        def refused(chat: ChatRef) -> bool:
            words = "What is being worked on right now may use up the limit of 3,000 tokens a day."
            return any(words in text for text in house.platform.kept(chat))

        house.api.faults.add(Hang(), on="/chat/completions", times=None)
        chats = [ChatRef("fake", ChatId(f"c{number}")) for number in range(10)]
        for chat in chats:
            await house.write("hello", chat=chat)
        await until(lambda: sum(map(refused, chats)) == 9)
        [request] = house.api.traffic.to("/chat/completions")
        assert request.json["max_tokens"] <= 3_000


async def test_what_a_killed_process_had_set_aside_is_given_back(tmp_path: Path) -> None:
    quotas = own(daily_tokens=4_400)
    async with open_house(tmp_path, quotas=quotas) as house:
        house.api.faults.add(Hang(), on="/chat/completions", times=None)
        await house.write("hello")
        await house.api.traffic.until(lambda seen: seen.in_flight == 1)
        assert rows(tmp_path, "SELECT count(*) FROM reservations") == [(1,)]
        after = tmp_path / "after"
        after.mkdir()
        with closing(sqlite3.connect(tmp_path / "house.db")) as running:
            running.execute("VACUUM INTO ?", (str(after / "house.db"),))  # as a kill leaves it
    assert rows(tmp_path, "SELECT count(*) FROM reservations") == [(0,)]  # shut down in order
    async with open_house(after, quotas=quotas, platform=house.platform) as house:
        await house.sees("You said")
        await house.answered(ChatRef("fake", ChatId("1")))
    assert rows(after, "SELECT count(*) FROM reservations") == [(0,)]


# ---------------------------------------------------------------- what an operator writes


def test_limits_as_an_operator_writes_them() -> None:
    written = ["daily_tokens", "50_000", "monthly_cost=$5", "daily_images", "=", "off"]
    assert parse_limits(written) == {
        (Period.DAY, Measure.TOKENS): Decimal(50_000),
        (Period.MONTH, Measure.COST): Decimal(5),
        (Period.DAY, Measure.IMAGES): None,
    }


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["daily_tokens"], "daily_tokens"),
        (["hourly_tokens", "5"], "hourly_tokens"),
        (["daily_tokens", "daily_cost", "5"], "daily_tokens"),
        (["daily_tokens", "many"], "many"),
        (["daily_tokens", "-1"], "-1"),
        (["daily_tokens", "inf"], "inf"),
        (["daily_tokens", "nan"], "nan"),
        (["daily_tokens", "1e99"], "1e99"),
    ],
)
def test_what_is_no_limit_is_named(words: list[str], wrong: str) -> None:
    with pytest.raises(QuotaSyntaxError, match=wrong):
        parse_limits(words)


def test_a_month_ends_with_its_last_day() -> None:
    wall = Wall()
    wall.now = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    assert wall.calendar.ends(Period.MONTH) == datetime(2027, 1, 1, tzinfo=UTC)
    assert wall.calendar.ends(Period.DAY) == datetime(2027, 1, 1, tzinfo=UTC)
    assert [f"{day:%d}" for day in wall.calendar.days(3)] == ["29", "30", "31"]


async def test_a_title_is_not_paid_for_once_all_together_have_reached_a_limit(
    tmp_path: Path,
) -> None:
    cheap = replace(DEFAULTS, summary_model="gpt-4o")
    for limit, asked in (("1000000", 2), ("1000", 1)):
        folder = tmp_path / limit
        folder.mkdir()
        async with open_house(
            folder, quotas=everybody(daily_tokens=limit), defaults=cheap
        ) as house:
            house.api.script.answer(used(990))
            await house.say("What is the tallest lighthouse?")
            archive = house.services.stores.archive
            while not any(each.title for each in await archive.listed(CHAT)):  # noqa: ASYNC110
                await asyncio.sleep(0.002)
            models = [r.json["model"] for r in house.api.traffic.to("/chat/completions")]
            assert len(models) == asked, models
        assert rows(folder, "SELECT count(*) FROM reservations") == [(0,)]


def models_of(traffic: Traffic) -> list[object]:
    return [request.json["model"] for request in traffic.to("/chat/completions")]


async def test_a_summary_that_all_together_may_not_pay_for_is_quietly_not_made(
    tmp_path: Path,
) -> None:
    dear, free = Decimal(1000), Decimal(0)
    prices = {
        "gpt-4o": ModelSettings(input_price=dear, output_price=dear),
        "gpt-4o-mini": ModelSettings(input_price=free, output_price=free),
    }
    small = replace(DEFAULTS, context_window=1_000, summary_model="gpt-4o")
    for limit, is_made in (("1000", True), ("0.01", False)):
        folder = tmp_path / limit
        folder.mkdir()
        async with open_house(
            folder, quotas=everybody(daily_cost=limit), defaults=small, prices=prices
        ) as house:
            house.api.script.answer_with(lambda question: "yes " * 60)
            for number in range(8):
                kept = await house.say(f"Number {number}: " + "word " * 60)
                assert kept[number].startswith("yes yes") and len(kept) == number + 1
            if is_made:
                await house.api.traffic.until(lambda seen: "gpt-4o" in models_of(seen))
            assert ("gpt-4o" in models_of(house.api.traffic)) == is_made
            while rows(folder, "SELECT 1 FROM reservations"):  # noqa: ASYNC110 - a view
                await asyncio.sleep(0.002)  # the summary ends some time after it was asked for
