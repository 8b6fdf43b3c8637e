"""The commands as somebody at a shell uses them: a process, its streams and its exit code."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import re
import signal
import struct
import sys
import termios
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.facts import Fact
from bot.core.types import (
    ChatId,
    ChatRef,
    IncomingMessage,
    MessageId,
    MessageRef,
    Sender,
    Unreadable,
    UserId,
)
from bot.sandbox import telegram as telegram_sandbox
from bot.sandbox.openai import ScriptedApi, serve_scripted
from bot.sandbox.openai.faults import Raw, Refuse
from bot.sandbox.openai.scripted import Answer
from bot.sandbox.slack.server import SlackSandbox
from bot.store import StorageSettings, open_store
from tests.patience import PATIENCE
from tests.processes import Launcher
from tests.shell import COMMAND, Ended, Shell, bot, settings


@pytest.fixture
async def api() -> AsyncGenerator[ScriptedApi]:
    async with serve_scripted(key="k-sandbox") as running:
        yield running


# ---------------------------------------------------------------- help and mistakes


def test_help_names_every_command(shell: Shell) -> None:
    ended = shell("--help")
    assert ended.code == 0
    for command in ("run", "chat", "demo", "check", "manifest", "db"):
        assert re.search(rf"^    {command} ", ended.out, re.MULTILINE)


def test_the_version_is_told(shell: Shell) -> None:
    assert re.fullmatch(r"chinwag \d+\.\d+\.\d+\n", shell("--version").out)


def test_without_a_standard_output_it_works_in_silence(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", None)  # as after `>&-`
    assert shell("db", "upgrade") == Ended(code=0, out="", err="")


@pytest.mark.parametrize("arguments", [("rnu",), ("db", "upgarde"), ("run", "--fast")])
def test_a_wrong_command_line_is_explained(shell: Shell, arguments: tuple[str, ...]) -> None:
    ended = shell(*arguments)
    assert ended.code == 2
    assert ended.err.startswith("usage: bot")


@pytest.mark.parametrize(("arguments", "offered"), [((), "chat"), (("db",), "backup")])
def test_without_a_command_the_help_is_shown(
    shell: Shell, arguments: tuple[str, ...], offered: str
) -> None:
    ended = shell(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == shell(*arguments, "--help").out
    assert re.search(rf"^    {offered} ", ended.err, re.MULTILINE)


def test_run_without_a_configuration_says_what_to_set(shell: Shell) -> None:
    ended = shell("run")
    assert (ended.code, ended.out) == (2, "")
    assert "BOT_TELEGRAM__TOKEN" in ended.err
    assert not list(Path.cwd().iterdir())


@pytest.mark.parametrize("command", ["run", "chat", "check", "db upgrade"])
@pytest.mark.parametrize("before", [True, False])
def test_a_wrong_setting_ends_every_command_with_its_place(
    shell: Shell, command: str, before: bool
) -> None:
    Path("my.toml").write_text('[api]\nmodle = "m"\n')
    option, words = ("--config", "my.toml"), command.split()
    ended = shell(*option, *words) if before else shell(*words, *option)
    assert ended == Ended(
        code=2, out="", err="my.toml: api.modle: unknown key; did you mean model?\n"
    )


def test_a_manifest_for_something_that_is_no_url_is_refused(shell: Shell) -> None:
    ended = shell("manifest", "--url", "bot.example/slack")
    assert (ended.code, ended.out) == (2, "")
    assert "--url: must begin with https:// or http://" in ended.err


def test_the_manifest_of_the_slack_app_is_json(shell: Shell) -> None:
    ended = shell("manifest")
    manifest = json.loads(ended.out)
    assert ended.code == 0
    assert "/model" in [found["command"] for found in manifest["features"]["slash_commands"]]


async def test_a_mistake_shows_no_traceback_in_a_real_process(
    launcher: Launcher, tmp_path: Path
) -> None:
    env = settings(API__MAX_IN_FLIGHT="many")
    ended = await bot(launcher, "run", folder=tmp_path, env=env, fresh=True)
    assert ended == Ended(
        code=2,
        out="",
        err="BOT_API__MAX_IN_FLIGHT: expected a whole number, "
        "for example BOT_API__MAX_IN_FLIGHT='100'\n",
    )


# ---------------------------------------------------------------- the database


def test_the_database_is_made_and_upgraded_once(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOT_STORAGE__URL", "sqlite:///here.db")
    assert shell("db", "upgrade") == Ended(code=0, out="SQLite here.db: migrated\n", err="")
    assert shell("db", "upgrade").out == "SQLite here.db: up to date already\n"


def test_a_file_that_is_no_database_is_reported_and_left_alone(shell: Shell) -> None:
    Path("chinwag.db").write_bytes(b"my diary, not a database\n" * 100)
    ended = shell("db", "upgrade")
    assert ended.code == 1
    assert ended.err.startswith("bot: ")
    assert Path("chinwag.db").read_bytes().startswith(b"my diary")


async def give_up_a_turn() -> None:
    """Leave one turn in `chinwag.db` that failed for good."""
    async with open_store(StorageSettings()) as stores:
        await stores.turns.bury(Unreadable(key="k", platform="telegram", raw="{", reason="torn"))


async def leave_a_turn() -> None:
    """Leave one message in `chinwag.db` that waits."""
    ref = MessageRef(ChatRef("telegram", ChatId("1001")), MessageId("5"))
    sender = Sender(UserId("1001"), "Ann")
    async with open_store(StorageSettings()) as stores:
        message = IncomingMessage(key="m", ref=ref, sender=sender, text="my secret")
        await stores.turns.accept(message, urgent=False)


async def leave_facts() -> None:
    """Leave in `chinwag.db` what was learnt about models, one of a hostile name."""
    fact = Fact(address="http://here/v1", model="o3", name="window", value="4096")
    turns = replace(fact, name="takes_turns", value="true")
    async with open_store(StorageSettings()) as stores:
        await stores.facts.put(
            [fact, turns, replace(fact, model="o4"), replace(fact, model="o5\x1b[2J")]
        )


def test_an_operator_sees_what_was_learnt_about_models_and_drops_it(shell: Shell) -> None:
    shell("db", "upgrade")
    assert "learnt" not in shell("db", "status").out
    asyncio.run(leave_facts())
    status = shell("db", "status")
    assert "learnt about models (`bot db unlearn` forgets it)\n" in status.out
    assert "  o3 at http://here/v1: takes_turns true; window 4096\n" in status.out
    assert shell("db", "unlearn", "o3").out.startswith("facts forgotten: 2;")
    status = shell("db", "status")
    assert "o3" not in status.out and "  o4 at http://here/v1: window 4096\n" in status.out
    assert "  o5 [2J at http://here/v1: window 4096\n" in status.out  # it empties no screen
    assert shell("db", "unlearn").out.startswith("facts forgotten: 2;")
    assert "learnt" not in shell("db", "status").out


def test_an_operator_looks_after_the_database(shell: Shell) -> None:
    shell("db", "upgrade")
    asyncio.run(give_up_a_turn())
    status = shell("db", "status")
    assert status.code == 0
    assert "waiting 0, running 0, given up 1" in status.out
    assert re.search(r"^  1  .* UTC  telegram:.* torn$", status.out, re.MULTILINE)
    asyncio.run(leave_a_turn())
    status = shell("db", "status")
    assert re.search(r"^  2  .* UTC  telegram:1001  waiting$", status.out, re.MULTILINE)
    assert "secret" not in status.out
    assert shell("db", "retry", "7").out == "0 wait again\n"
    assert "never purged" in status.out
    none = "deleted: 0 turns, 0 buttons, 0 entries of usage, 0 messages, 0 files\n"
    assert shell("db", "purge").out == none
    assert re.search(r"^last purged \d.* UTC$", shell("db", "status").out, re.MULTILINE)
    assert shell("db", "backup", "copy.db").code == 0
    assert Path("copy.db").read_bytes().startswith(b"SQLite format 3")
    again = shell("db", "backup", "copy.db")
    assert again == Ended(code=1, out="", err="bot: copy.db exists already; name a new file\n")


@pytest.mark.parametrize("age", ["1e9", "1e6", "inf"])
def test_an_age_beyond_all_calendars_is_refused_with_the_most(shell: Shell, age: str) -> None:
    ended = shell("db", "purge", "--days", age)
    assert ended.code == 2
    assert "argument --days: at most 36500" in ended.err


@pytest.mark.parametrize("port", ["99999", "-1"])
def test_a_port_that_none_can_be_is_refused(shell: Shell, port: str) -> None:
    ended = shell("demo", f"--port={port}")
    assert ended.code == 2
    assert "argument --port: a port is a number from 0 to 65535" in ended.err


@pytest.mark.parametrize("age", ["0", "-3", "nan", "old"])
def test_what_may_still_be_repeated_is_not_purged(shell: Shell, age: str) -> None:
    ended = shell("db", "purge", "--days", age)
    assert ended.code == 2
    assert "--days" in ended.err


def test_a_database_that_is_not_there_is_not_made_by_looking(shell: Shell) -> None:
    ended = shell("db", "status")
    assert ended == Ended(code=1, out="", err="bot: there is no database chinwag.db yet\n")
    assert not list(Path.cwd().iterdir())


# ---------------------------------------------------------------- check


async def test_check_is_content_when_everything_works(
    launcher: Launcher, tmp_path: Path, api: ScriptedApi
) -> None:
    async with telegram_sandbox.serve(judge=False) as telegram:
        env = settings(
            api,
            TELEGRAM__TOKEN=telegram.token,
            TELEGRAM__BASE_URL=telegram.base_url,
            ACCESS__ADMINS='["telegram:1001"]',
        )
        ended = await bot(launcher, "check", folder=tmp_path, env=env)
    assert ended.code == 0, ended
    lines = ended.out.splitlines()
    assert all(line.startswith("✓ ") for line in lines)
    for subject in ("database", "Telegram", "gpt-4o-mini"):
        assert any(subject in line for line in lines)
    assert "✓ access: 1 in the lists may speak" in lines


async def test_check_looks_for_the_models_of_summaries_and_personas(
    launcher: Launcher, tmp_path: Path, api: ScriptedApi
) -> None:
    tutor = {"name": "Tutor", "prompt": "Ask.", "model": "gpt-4o-mini"}
    critic = {"name": "Critic", "prompt": "Doubt.", "model": "gtp-4o"}
    personas = json.dumps([tutor, critic, {"name": "Poet", "prompt": "Rhyme."}])
    env = settings(api, CHAT__SUMMARY_MODEL="gpt-4o-mimi", CHAT__PERSONAS=personas)
    lines = (await bot(launcher, "check", folder=tmp_path, env=env)).out.splitlines()
    assert "✗ chat.summary_model: gpt-4o-mimi: the API does not list it" in lines
    assert "✓ chat.personas: Tutor: gpt-4o-mini" in lines
    assert "✗ chat.personas: Critic: gtp-4o: the API does not list it" in lines
    assert not [line for line in lines if "Poet" in line]
    nowhere = "✗ platforms: none is configured; only `bot chat` and `bot demo` work"
    assert nowhere in lines


async def test_no_word_of_a_server_drives_the_terminal_or_makes_up_a_line(
    launcher: Launcher, tmp_path: Path, api: ScriptedApi
) -> None:
    api.faults.add(Refuse(401, "No.\x1b]52;c;cm0gLXJm\x07\x1b[2J\u202e"))
    refused = (await bot(launcher, "check", folder=tmp_path, env=settings(api))).out
    assert "No." in refused and not set(refused) & set("\x1b\x07\u202e")
    hostile = {"id": "a\n✓ access: all is well\x1b[2J", "object": "model"}
    api.faults.add(Raw(json.dumps({"data": [hostile]}).encode()))
    listed = (await bot(launcher, "check", folder=tmp_path, env=settings(api, API__MODEL=""))).out
    assert "for example to a" in listed and "\n✓ access" not in listed and "\x1b" not in listed


async def test_check_says_what_to_do_about_each_fault(
    launcher: Launcher, tmp_path: Path, api: ScriptedApi
) -> None:
    async with telegram_sandbox.serve(judge=False) as telegram:
        env = settings(
            api,
            API__KEY="k-wrong",
            TELEGRAM__TOKEN="1000:wrong",
            TELEGRAM__BASE_URL=telegram.base_url,
        )
        ended = await bot(launcher, "check", folder=tmp_path, env=env)
    assert ended.code == 1
    faults = re.findall(r"^✗ .*\n    → .*$", ended.out, re.MULTILINE)
    assert len(faults) >= 3  # the key, the token, and nobody may speak
    assert "k-wrong" not in ended.out + ended.err
    assert "1000:wrong" not in ended.out + ended.err
    assert ended.err == ""  # no line of the log stands between the findings


# ---------------------------------------------------------------- chat on a pipe


async def test_a_question_on_a_pipe_is_answered(
    launcher: Launcher, tmp_path: Path, api: ScriptedApi
) -> None:
    api.script.answer("Because of **Rayleigh** scattering.\n\n- short waves\n- long waves")
    ended = await bot(
        launcher, "chat", folder=tmp_path, env=settings(api), typed="Why is\nthe sky blue?\n"
    )
    assert ended == Ended(
        code=0,
        out="Because of **Rayleigh** scattering.\n\n- short waves\n- long waves\n",
        err="",
    )
    (asked,) = api.traffic.to("/chat/completions")
    assert asked.json["messages"] == [{"role": "user", "content": "Why is\nthe sky blue?"}]


async def test_the_conversation_goes_on_in_the_next_process(
    launcher: Launcher, tmp_path: Path, api: ScriptedApi
) -> None:
    env = settings(api)
    api.script.answer("Hello Ann.", "You are Ann.")
    await bot(launcher, "chat", folder=tmp_path, env=env, typed="I am Ann.")
    ended = await bot(launcher, "chat", folder=tmp_path, env=env, typed="Who am I?")
    assert ended.out == "You are Ann.\n"
    asked = api.traffic.to("/chat/completions")[-1].json["messages"]
    assert isinstance(asked, list)
    assert [message["content"] for message in asked] == ["I am Ann.", "Hello Ann.", "Who am I?"]


async def test_commands_work_on_a_pipe(
    launcher: Launcher, tmp_path: Path, api: ScriptedApi
) -> None:
    ended = await bot(launcher, "chat", folder=tmp_path, env=settings(api), typed="/help")
    assert ended.code == 0
    assert "/model" in ended.out
    assert not api.traffic.to("/chat/completions")


async def test_a_question_that_cannot_be_answered_is_an_error(
    launcher: Launcher, tmp_path: Path, api: ScriptedApi
) -> None:
    api.faults.add(Refuse(401), times=None)
    ended = await bot(launcher, "chat", folder=tmp_path, env=settings(api), typed="hello")
    assert (ended.code, ended.out) == (1, "")
    assert "key" in ended.err.splitlines()[-1]
    assert "Traceback" not in ended.err


# ---------------------------------------------------------------- chat at a terminal


@asynccontextmanager
async def terminal(folder: Path, env: Mapping[str, str]) -> AsyncGenerator[Terminal]:
    """`bot chat` on a real pseudo-terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "chat", cwd=folder, env=dict(env), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    found = Terminal(ours, process)
    try:
        yield found
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        found.close()


class Terminal:
    """The person's side of a pseudo-terminal."""

    def __init__(self, descriptor: int, process: asyncio.subprocess.Process) -> None:
        self._descriptor = descriptor
        self.process = process
        self._seen = b""
        self._news = asyncio.Event()
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    async def leave(self) -> int:
        """Press Ctrl-D until the process ends; a key that comes before the prompt is lost."""
        async with asyncio.timeout(PATIENCE):
            while self.process.returncode is None:
                with suppress(OSError):  # it has gone already
                    self.keys("\x04")
                await asyncio.wait({asyncio.ensure_future(self.process.wait())}, timeout=0.5)
        return self.process.returncode or 0

    def keys(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    async def sees(self, text: str) -> None:
        """Wait until the program has written a text."""
        async with asyncio.timeout(PATIENCE):
            while text not in self.text:
                self._news.clear()
                await self._news.wait()

    @property
    def text(self) -> str:
        """Everything written, without colours and other control sequences."""
        return re.sub(r"\x1b\[[?\d;]*[ ]?[A-Za-z]", "", self._seen.decode(errors="replace"))

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, 65536)
        except OSError:  # the program has ended
            asyncio.get_running_loop().remove_reader(self._descriptor)
            return
        if b"\x1b[6n" in data:  # it asks where the cursor is
            os.write(self._descriptor, b"\x1b[1;1R")
        self._seen += data
        self._news.set()


async def test_somebody_chats_at_a_terminal_and_leaves(tmp_path: Path, api: ScriptedApi) -> None:
    api.script.answer("It is **blue**, mostly.")
    async with terminal(tmp_path, settings(api)) as desk:
        await desk.sees("Ctrl-D leaves")
        desk.keys("What colour is the sky?\r")
        await desk.sees("It is blue, mostly.")
        assert await desk.leave() == 0
    assert "Traceback" not in desk.text
    assert "**" not in desk.text


async def test_ctrl_c_stops_an_answer_and_the_chat_goes_on(
    tmp_path: Path, api: ScriptedApi
) -> None:
    api.script.answer(Answer(text="word " * 1000, chunk=5, pace=0.05), "Second answer.")
    async with terminal(tmp_path, settings(api)) as desk:
        await desk.sees("Ctrl-D leaves")
        desk.keys("Go on for ever.\r")
        await desk.sees("word")
        desk.keys("\x03")
        await desk.sees("Stopped.")
        await api.traffic.until(lambda seen: seen.abandoned == 1)
        desk.keys("And now?\r")
        await desk.sees("Second answer.")
        assert await desk.leave() == 0


# ---------------------------------------------------------------- run


async def test_run_warns_when_neither_key_nor_model_is_set(
    launcher: Launcher, tmp_path: Path
) -> None:
    """The folder of the database is missing, so that it ends by itself after that."""
    env = settings(STORAGE__URL="sqlite:///none/chinwag.db", TELEGRAM__TOKEN="1000:made-up")
    ended = await bot(launcher, "run", folder=tmp_path, env=env)
    assert "no API key is set" in ended.err and "set BOT_API__KEY" in ended.err
    assert "no model is set" in ended.err and "set BOT_API__MODEL" in ended.err
    env |= {"BOT_API__KEY": "k", "BOT_API__MODEL": "m"}
    ended = await bot(launcher, "run", folder=tmp_path, env=env)
    assert (ended.code, "is set" in ended.err) == (1, False)


async def test_slack_without_its_bot_token_is_not_left_out_in_silence(
    launcher: Launcher, tmp_path: Path, api: ScriptedApi
) -> None:
    async with telegram_sandbox.serve(judge=False) as telegram, SlackSandbox() as slack:
        env = settings(
            api,
            TELEGRAM__TOKEN=telegram.token,
            TELEGRAM__BASE_URL=telegram.base_url,
            SLACK__APP_TOKEN=slack.app_token,
            SLACK__BASE_URL=slack.base_url,
            ACCESS__OPEN="true",
        )
        checked = await bot(launcher, "check", folder=tmp_path, env=env)
    assert (checked.code, checked.out.count("✗")) == (1, 1)
    assert "✗ Slack bot token: slack.bot_token is not set\n" in checked.out
    env["BOT_STORAGE__URL"] = "sqlite:///none/chinwag.db"  # so that it ends by itself
    ended = await bot(launcher, "run", folder=tmp_path, env=env)
    assert "slack is off" in ended.err and "set BOT_SLACK__BOT_TOKEN" in ended.err


async def test_run_answers_in_telegram_until_a_signal_ends_it(
    tmp_path: Path, api: ScriptedApi
) -> None:
    api.script.answer("Hello **Ann**.")
    async with telegram_sandbox.serve(judge=False) as telegram:
        env = settings(
            api,
            TELEGRAM__TOKEN=telegram.token,
            TELEGRAM__BASE_URL=telegram.base_url,
            ACCESS__USERS='["telegram:1001"]',
        )
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "run", cwd=tmp_path, env=env, stderr=asyncio.subprocess.PIPE
        )
        chat = telegram.person(id=1001, name="Ann").private()
        chat.send("hello, this is private")
        try:
            await chat.wait_for(lambda screen: "Hello Ann." in str(screen))
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(PATIENCE):
                _, log = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert process.returncode == 0
    entries = [json.loads(line) for line in log.decode().splitlines()]
    [done] = [entry for entry in entries if entry["event"] == "turn done"]
    assert done["model"] == "gpt-4o-mini" and done["tokens"] > 0
    assert done["cost"] > 0 and done["seconds"] >= 0
    assert telegram.token not in log.decode()
    assert "this is private" not in log.decode()
