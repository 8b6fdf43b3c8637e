"""The command line of an operator whose terminal speaks Chinese."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from prompt_toolkit.utils import get_cwidth

from bot.sandbox import telegram as telegram_sandbox
from bot.sandbox.openai import serve_scripted
from bot.sandbox.slack.server import SlackSandbox
from bot.store import StorageSettings, open_store
from bot.store.database import connected
from tests.environment import in_telegram, listening
from tests.processes import Launcher
from tests.shell import COMMAND, Shell, bot, settings

CHINESE = {"LANG": "zh_CN.UTF-8"}
TYPED = re.compile(r"`[^`]*`|“[^”]*”|\bbot db \w+")
ENGLISH = re.compile(r"\b[A-Za-z]+ [A-Za-z]+ [a-z]+\b")


def english_in(text: str) -> list[str]:
    """Three English words in a row, but for what is typed or quoted."""
    return ENGLISH.findall(TYPED.sub("", text))


@pytest.fixture
def chinese(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell in an empty folder whose terminal speaks Chinese."""
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    return shell


@pytest.mark.parametrize(
    "words", ["", "db", "db purge", "db retry", "db backup", "db import", "demo"]
)
def test_help_is_chinese_and_fits_the_terminal(chinese: Shell, words: str) -> None:
    ended = chinese(*words.split(), "--help")
    assert ended.code == 0
    assert ended.out.startswith("用法：bot")
    assert "显示此帮助并退出" in ended.out
    assert "arguments" not in ended.out
    assert english_in(ended.out) == []
    lines = ended.out.splitlines()
    assert max(map(get_cwidth, lines)) <= 80
    assert not [line for line in lines if re.match(r" *[，。；：、）”]", line)]


@pytest.mark.parametrize(
    ("environ", "word"),
    [
        (CHINESE, "未知的键"),
        ({"LANG": "zh_TW.UTF-8"}, "未知的键"),
        ({"LC_ALL": "zh_SG"}, "未知的键"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "zh_CN:en"}, "未知的键"),
        ({"LANG": "C"}, "unknown key"),
        ({"LC_ALL": "POSIX", "LANG": "zh_CN.UTF-8"}, "unknown key"),
        ({"LANG": "tlh_KX.UTF-8"}, "unknown key"),
    ],
)
def test_a_wrong_setting_is_told_in_the_terminal_s_language(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], word: str
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    Path("chinwag.toml").write_text('[api]\nmodle = "m"\n')
    ended = shell("run")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("chinwag.toml: api.modle")
    assert word in ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("rnu", "无效的选择：'rnu'"),
        ("run --fast", "无法识别的参数：--fast"),
        ("db backup", "缺少参数：FILE"),
        ("demo --port", "需要一个值"),
        ("demo --port 99999", "端口是 0 到 65535 之间的数字"),
        ("db purge --days 0", "至少为 1"),
        ("db purge --days old", "无效的值：'old'"),
    ],
)
def test_a_wrong_command_line_is_explained(chinese: Shell, arguments: str, words: str) -> None:
    ended = chinese(*arguments.split())
    assert (ended.code, ended.out) == (2, "")
    assert "错误：" in ended.err
    assert words in ended.err
    assert english_in(ended.err) == []


def test_without_a_configuration_it_says_what_to_set(chinese: Shell) -> None:
    ended = chinese("run")
    assert (ended.code, ended.out) == (2, "")
    assert english_in(ended.err) == []
    table = [line for line in ended.err.splitlines() if "BOT_" in line]
    assert len(table) == 6
    assert len({get_cwidth(line.partition("BOT_")[0]) for line in table}) == 1


async def test_check_says_what_is_fine_and_what_to_do_about_the_rest(
    launcher: Launcher, tmp_path: Path
) -> None:
    async with (
        serve_scripted(key="k-sandbox") as api,
        telegram_sandbox.serve(judge=False) as telegram,
        SlackSandbox() as slack,
    ):
        right = {
            **settings(api),
            **CHINESE,
            **in_telegram(telegram),
            "BOT_SLACK__BASE_URL": slack.base_url,
            "BOT_SLACK__BOT_TOKEN": slack.bot_token,
            "BOT_SLACK__APP_TOKEN": slack.app_token,
            "BOT_ACCESS__ADMINS": '["telegram:1001"]',
        }
        wrong = {
            "BOT_API__BASE_URLS": json.dumps(["http://127.0.0.1:9/v1"]),
            "BOT_API__MODEL": "",
            "BOT_TELEGRAM__TOKEN": "1000:wrong",
            "BOT_SLACK__BOT_TOKEN": "xoxb-wrong",
            "BOT_SLACK__APP_TOKEN": "",
            "BOT_ACCESS__ADMINS": "[]",
            "BOT_STORAGE__URL": "sqlite:///nowhere/bot.db",
        }
        fine = await bot(launcher, "check", folder=tmp_path, env=right)
        faults = await bot(launcher, "check", folder=tmp_path, env=right | wrong)
        misspelt = {"BOT_API__MODEL": "gpt-4o-minni"}
        near = await bot(launcher, "check", folder=tmp_path, env=right | misspelt)
    assert "相近的有 gpt-4o-mini、gpt-4o、" in near.out
    assert (fine.code, faults.code, fine.err, faults.err) == (0, 1, "", "")
    assert english_in(fine.out) == english_in(faults.out) == []
    assert "✓ 数据库：SQLite chinwag.db，启动时会创建" in fine.out
    assert "✓ 访问权限：名单中有 1 项" in fine.out
    assert not [line for line in faults.out.splitlines() if line.startswith("✓")]
    assert "✗ Telegram：令牌被拒绝\n    → 请从 @BotFather 重新复制令牌" in faults.out
    assert "✗ 访问权限：谁都不能和机器人聊天\n    → 请设置 access.admins" in faults.out


async def test_an_address_that_is_taken_is_told(launcher: Launcher, tmp_path: Path) -> None:
    with listening() as port:
        web = {"WEB__METRICS": "true", "WEB__PORT": str(port), "TELEGRAM__TOKEN": "1:unused"}
        ended = await bot(launcher, "run", folder=tmp_path, env=settings(None, **web) | CHINESE)
    assert ended.code == 2
    taken = f"web.host、web.port：无法监听 127.0.0.1:{port}：地址已被占用"
    assert ended.err.splitlines()[-1] == taken


async def test_a_token_that_is_refused_is_told_and_the_log_stays_english(
    launcher: Launcher, tmp_path: Path
) -> None:
    async with telegram_sandbox.serve(judge=False) as telegram:
        wrong = in_telegram(telegram) | {"BOT_TELEGRAM__TOKEN": "1:wrong"}
        ended = await bot(launcher, "run", folder=tmp_path, env=settings() | CHINESE | wrong)
    assert ended.code == 2
    *log, last = ended.err.splitlines()
    assert last.startswith("Telegram 拒绝了 telegram.token：")
    assert "no API key is set: nobody is answered unless the API asks for none" in ended.err
    assert all(json.loads(line)["event"].isascii() for line in log)


def test_a_database_of_a_newer_version_is_told(chinese: Shell) -> None:
    asyncio.run(write_with_a_newer_version(StorageSettings()))
    ended = chinese("db", "status")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("bot：数据库由更新版本的机器人（结构版本 9999）")
    assert "✗ 数据库：SQLite chinwag.db：数据库由更新版本的" in chinese("check").out


async def write_with_a_newer_version(place: StorageSettings) -> None:
    async with open_store(place):
        pass
    async with connected(place) as database:
        newer = "UPDATE alembic_version SET version_num = '9999'"
        await database.write(lambda connection: connection.exec_driver_sql(newer))


def test_the_database_is_looked_after(chinese: Shell) -> None:
    words = ("status", "upgrade", "status", "retry", "purge", "backup x", "backup x")
    said = [chinese("db", *each.split()) for each in words]
    assert [each.code for each in said] == [1, 0, 0, 0, 0, 0, 1]
    assert said[0].err == "bot：还没有数据库 chinwag.db\n"
    assert said[1].out == "SQLite chinwag.db：已迁移\n"
    assert "等待 0，处理中 0，已放弃 0" in said[2].out
    assert said[6].err == "bot：x 已存在；请换一个文件名\n"
    assert english_in("".join(each.out + each.err for each in said)) == []


@pytest.mark.parametrize(
    ("encoding", "line"),
    [
        ("ascii", "x API key: not set"),
        ("gb2312", "x API 密钥：未设置"),
        ("gb18030", "✗ API 密钥：未设置"),
    ],
)
async def test_a_terminal_is_shown_what_it_can_show(
    tmp_path: Path, encoding: str, line: str
) -> None:
    env = settings() | CHINESE | {"PYTHONIOENCODING": encoding}
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "check", cwd=tmp_path, env=env, stdout=-1, stderr=-1
    )
    out, err = await process.communicate()
    assert (process.returncode, err) == (1, b"")
    assert line in out.decode(encoding).splitlines()
