"""Every command on every platform, as a person uses it: typed, by button, and wrongly."""

from __future__ import annotations

import asyncio
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest

from bot.core.clock import SystemClock
from bot.core.defaults import Persona
from bot.platforms.telegram import connect
from bot.sandbox.slack.server import SlackSandbox
from bot.sandbox.telegram import serve
from tests.house import DEFAULTS
from tests.platforms.slack.stage import platform_for
from tests.platforms.telegram.stage import settings_for
from tests.seats import (
    Opener,
    Seat,
    SlackSeat,
    TelegramSeat,
    at_slack,
    at_telegram,
    at_the_terminal,
    running,
)

MANY = replace(DEFAULTS, personas=(Persona(name="Poet", prompt="Answer in verse."),))


@pytest.fixture
def tmp_path(tmp_path: Path, sqlite_template: Path) -> Path:
    """A folder in which the bot finds its database migrated."""
    shutil.copy(sqlite_template, tmp_path / "house.db")
    return tmp_path


Step: TypeAlias = tuple[str, str]
"""What is done (`say …` or `press …`), and what is seen then."""

SCRIPTS: dict[str, tuple[Step, ...]] = {
    "help": (
        ("say /start", "Hello Ann!"),
        ("say /help", "Conversation"),
        ("say /help", "explains one of them"),
        ("say /help set", "Set temperature and other parameters"),
        ("say /help nonsense", "There is no command /nonsense."),
        ("say /hepl", "Did you mean /help?"),
        ("say /stop", "Nothing is being written right now."),
    ),
    "settings": (
        ("say /settings", "Settings of this chat"),
        ("press Language: as your app", "The language of my own sentences."),
        ("press ‹ Back", "Press one to change it"),
        ("say /settings language zh", "本聊天的“语言”已改为：简体中文。"),
        ("say /settings language en", "In this chat from now on – Language: English."),
        ("say /settings language klingon", "“klingon” is not one of the choices."),
        ("say /settings langauge", "Did you mean “language”?"),
    ),
    "set": (
        ("say /set", "how freely words are chosen"),
        ("press temperature", "Write /set temperature VALUE for any other."),
        ("press 0.7", "temperature (0 … 2): 0.7"),
        ("say /set top_p 0.5", "top_p of this chat is now 0.5."),
        ("say /set temperature 9", "temperature takes 0 … 2, not “9”."),
        ("say /set default", "All parameters are as the model likes them again."),
    ),
    "system": (
        ("say /system", "Nothing was said here about how I should answer."),
        ("say /system Answer in rhymes.", "Answer in rhymes."),
        ("press Back to usual", "I answer in my usual way again."),
    ),
    "persona": (
        ("say /persona", "As whom shall I answer?"),
        ("press Poet", "From now on I answer as Poet in this chat."),
        ("say /persona poe", "Did you mean “Poet”?"),
        ("say /persona none", "I answer in my usual way again."),
    ),
    "model": (
        ("say /model deepseek", "2 models match “deepseek”"),
        ("press deepseek-chat", "From now on deepseek-chat answers in this chat."),
        ("press ⭐ Keep as favourite", "deepseek-chat is a favourite of this chat now."),
        ("say /model nonsense", "There is no model “nonsense”."),
        ("say /model default", "The usual model answers here again: gpt-4o-mini."),
    ),
    "answers": (
        ("say /retry", "There is no question yet that I could answer again."),
        ("say hello", "You said: hello"),
        ("say /context", "2 messages of this conversation"),
        ("say /retry", "You said: hello"),
        ("say /undo", "Taken back, with its answer"),
        ("say /undo", "There is nothing to take back in this conversation."),
    ),
    "chats": (
        ("say /chats", "There are no conversations here yet."),
        ("say hello", "You said: hello"),
        ("say /chats rename 1 Greetings", "Conversation 1 is now called “Greetings”."),
        ("say /new", "A fresh start."),
        ("press 📚 Earlier conversations", "Conversations of this chat"),
        ("press Greetings", "To rename it, write /chats rename 1 NAME"),
        ("press ▶️ Go on with it", "We go on with “Greetings”."),
        ("say /chats 99", "There is no conversation 99 here."),
        ("say /chats burn 1", "Write /chats, /chats 3"),
        ("say /chats delete 1", "Delete “Greetings” for good"),
        ("press 🗑 Delete", "“Greetings” is deleted."),
    ),
    "export": (
        ("say /export", "There is nothing to export in this conversation yet."),
        ("say hello", "You said: hello"),
        ("say /export pdf", "Write /export, /export json"),
        ("say /export json", "2 messages."),
    ),
    "forget": (
        ("say hello", "You said: hello"),
        ("say /forget it", "Write /forget, /forget chat"),
        ("say /forget", "What shall I forget? It cannot be brought back."),
        ("press Cancel", "Nothing is forgotten."),
        ("say /forget", "What shall I forget? It cannot be brought back."),
        ("press 🗑 This chat", "Forgotten: everything said in this chat"),
        ("say /forget me yes", "Forgotten: everything you said"),
        ("say /chats", "There are no conversations here yet."),
    ),
}


async def play(seat: Seat, script: tuple[Step, ...]) -> None:
    """Do what the script says, and see what it says."""
    for step, seen in script:
        verb, _, what = step.partition(" ")
        await (seat.say(what) if verb == "say" else seat.press(what))
        await seat.sees(re.sub(r"(?<![\w/])/(?=[a-z])", seat.mark, seen))


@pytest.mark.parametrize("seated", [at_telegram, at_slack], ids=["telegram", "slack"])
async def test_people_use_all_commands_in_their_app(seated: Opener, tmp_path: Path) -> None:
    """Each family of commands in a chat of its own, all at once: a chat has its pace."""
    async with seated(tmp_path, defaults=MANY) as sit_down:
        seats = {family: sit_down() for family in SCRIPTS}
        await asyncio.gather(*(play(seats[family], SCRIPTS[family]) for family in SCRIPTS))
        await seats["export"].gets(".json")


@pytest.mark.parametrize("family", SCRIPTS)
async def test_the_operator_uses_all_commands_at_the_terminal(family: str, tmp_path: Path) -> None:
    async with at_the_terminal(tmp_path, defaults=MANY) as sit_down:
        seat = sit_down()
        await play(seat, SCRIPTS[family])
        if family == "export":
            await seat.gets(".json")


async def test_in_a_telegram_group_somebody_elses_buttons_do_nothing(tmp_path: Path) -> None:
    async with serve() as telegram:
        platform = connect(settings_for(telegram), clock=SystemClock())
        group = telegram.group("Friends")
        ann, eve = telegram.person(name="Ann"), telegram.person(id=666, name="Eve")
        seat = TelegramSeat(group.seen_by(ann))
        other = group.seen_by(eve)
        async with running(tmp_path, platform):
            await seat.say("/settings")
            await seat.sees("What others say here: I do not listen")
            press = other.press("What others say here: I do not listen")
            await other.wait_for(lambda _: press.answered)
            assert press.toast == "This button belongs to somebody else."
            await seat.press("What others say here: I do not listen")
            await seat.sees("When I listen along")
            await seat.press("I listen along")
            await seat.sees("From now on I listen along here")
            await seat.sees("But this app shows it to me only if I am an administrator")
            other.send("The pizza costs 12")
            await seat.say("@sandbox_bot what does it cost?")
            await seat.sees("what does it cost?")


async def test_people_in_slack_are_told_how_to_write_commands_in_threads(tmp_path: Path) -> None:
    async with at_slack(tmp_path) as sit_down:
        seat = sit_down()
        await seat.say("!help")
        await seat.sees("!help NAME explains one of them.")
        await seat.say("!help settings")
        await seat.sees("Also: !config, !options")
        await seat.say("!foo")
        await seat.sees("There is no command !foo. !help lists them.")


async def test_a_slash_command_in_slack_tells_how_threads_want_it(tmp_path: Path) -> None:
    async with SlackSandbox() as sandbox:
        platform = platform_for(sandbox, SystemClock())
        place = sandbox.person("Ada").channel(sandbox.channel("general"))
        seat = SlackSeat(place)
        async with running(tmp_path, platform):
            await place.slash("/help")
            await seat.sees("/help NAME explains one of them.")
            await seat.sees("In threads write !model instead of /model.")


async def test_in_a_slack_thread_somebody_elses_buttons_do_nothing(tmp_path: Path) -> None:
    async with SlackSandbox() as sandbox:
        platform = platform_for(sandbox, SystemClock())
        ada, bea = sandbox.person("Ada"), sandbox.person("Bea")
        channel = sandbox.channel("general")
        async with running(tmp_path, platform):
            question = await ada.channel(channel).send("<@BOT> hello")
            seat = SlackSeat(ada.thread(question))
            await seat.sees("You said: Ada: hello")
            await seat.say("/settings")
            await seat.sees("Settings of this chat")
            other = SlackSeat(bea.thread(question))
            await other.press("Language: as your app")
            await other.sees("This button belongs to somebody else.")
            await seat.press("Language: as your app")
            await seat.sees("The language of my own sentences.")
