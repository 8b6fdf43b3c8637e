"""What an operator reads when the configuration is wrong, and what happens when it is right."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from bot.config import Config, load_config, require_platform
from bot.config_reading import tables_of
from bot.core.access import Access
from bot.core.i18n import texts
from bot.core.phrases import told
from bot.errors import ConfigError
from bot.platforms.settings import revealed

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "config.example.toml"
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(text: str) -> Path:
        path = tmp_path / "my.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


POSTED = (
    "Telegram posts to https:// alone, on port 443, 80, 88 or 8443; let a reverse proxy listen "
    "there and lead to web.port"
)


def problems(path: Path | None = None, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(path, environ)
    return str(caught.value).splitlines()


# ---------------------------------------------------------------- what is read


def test_without_file_and_variables_the_defaults_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = load_config(None, {})
    assert config.api.base_urls == ("https://api.apiyi.com/v1", "https://vip.apiyi.com/v1")
    assert config.api.max_in_flight == 100
    assert config.api.requests_per_minute == 3000
    assert config.api.tokens_per_minute == 1_000_000
    assert config.telegram.base_url == "https://api.telegram.org"
    assert config.telegram.mode == "polling"
    assert config.slack.base_url == "https://slack.com/api/"
    assert config.slack.mode == "socket"
    assert config.storage.url == "sqlite:///chinwag.db"
    assert config.access.access() == Access()


def test_chinwag_toml_of_the_working_directory_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("chinwag.toml").write_text('[api]\nmodel = "here"\n')
    assert load_config(None, {}).api.model == "here"


def test_a_named_file_is_read_instead(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("chinwag.toml").write_text('[api]\nmodel = "here"\n')
    assert load_config(write('[api]\nmodel = "there"\n'), {}).api.model == "there"


def test_a_file_saved_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "windows.toml"
    path.write_bytes(b'\xef\xbb\xbf[api]\r\nmodel = "m"\r\n')
    assert load_config(path, {}).api.model == "m"


def test_the_environment_wins_over_the_file(write: Write) -> None:
    path = write('[api]\nmodel = "file"\nimage_model = "kept"\n')
    config = load_config(path, {"BOT_API__MODEL": "environment"})
    assert (config.api.model, config.api.image_model) == ("environment", "kept")


def test_lists_numbers_and_switches_come_from_the_environment(write: Write) -> None:
    config = load_config(
        write(""),
        {
            "BOT_ACCESS__ADMINS": '["telegram:1001", "slack:U0123"]',
            "BOT_ACCESS__OPEN": "true",
            "BOT_API__MAX_IN_FLIGHT": "7",
        },
    )
    assert config.access.access() == Access(
        open=True, admins=frozenset({"telegram:1001", "slack:U0123"})
    )
    assert config.api.max_in_flight == 7


def test_an_empty_variable_counts_as_not_set(write: Write) -> None:
    config = load_config(write('[api]\nmodel = "m"\n'), {"BOT_API__MODEL": ""})
    assert config.api.model == "m"


def test_a_secret_can_stand_in_a_file(write: Write, tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("k-123456\n")
    config = load_config(write(""), {"BOT_API__KEY_FILE": str(secret)})
    assert config.api.key is not None
    assert config.api.key.get_secret_value() == "k-123456"


def test_variables_of_other_programs_do_not_disturb(write: Write) -> None:
    environ = {"BOT_NAME": "x", "PATH": "/bin", "ROBOT_API__KEY": "y", "BOTTLE": "z"}
    assert load_config(write(""), environ) == Config()


def test_the_image_sets_nothing_that_would_win_over_the_operators_file() -> None:
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    variables = {
        f"BOT_{table}__{key}".upper() for table, keys in tables_of(Config).items() for key in keys
    }
    assert [name for name in variables if name in image] == []


# ---------------------------------------------------------------- what is refused


def test_an_unknown_key_is_told_with_the_nearest_name(write: Write) -> None:
    path = write('[telegram]\ntokn = "1:a"\n')
    assert problems(path) == [f"{path}: telegram.tokn: unknown key; did you mean token?"]


def test_an_unknown_table_is_told_with_the_nearest_name(write: Write) -> None:
    path = write('[telegarm]\ntoken = "1:a"\n')
    assert problems(path) == [f"{path}: telegarm: unknown table; did you mean telegram?"]


def test_a_key_outside_its_table_is_told_where_it_belongs(write: Write) -> None:
    path = write('bot_token = "x"\n')
    assert problems(path) == [f"{path}: bot_token: belongs under [slack]"]


def test_a_table_written_as_a_value_is_told(write: Write) -> None:
    path = write("api = 5\n")
    assert problems(path) == [f"{path}: api: expected a table; write [api] above its keys"]


@pytest.mark.parametrize(
    ("toml", "line"),
    [
        (
            '[api]\nmax_in_flight = "many"',
            "api.max_in_flight: expected a whole number, for example max_in_flight = 100",
        ),
        (
            "[api]\nmodel = 4",
            "api.model: expected a text in double quotes",
        ),
        (
            '[access]\nadmins = "telegram:1"',
            'access.admins: expected a list of texts, for example admins = ["telegram:1001"]',
        ),
        (
            "[access]\nadmins = [1001]",
            "access.admins, entry 1: expected a text in double quotes, "
            'for example admins = ["telegram:1001"]',
        ),
        (
            '[access]\nusers = ["1001"]',
            "access.users: “1001” is no id; write telegram:1001 or slack:U0123, "
            "the bot tells strangers theirs, "
            'for example users = ["slack:U0123"]',
        ),
        (
            '[access]\nopen = "perhaps"',
            "access.open: expected true or false, for example open = false",
        ),
        (
            '[log]\nlevel = "loud"',
            "log.level: must be 'debug', 'info', 'warning' or 'error', "
            'for example level = "info"',
        ),
        (
            '[quota]\ntimezone = "Mars"',
            "quota.timezone: “Mars” is no time zone; write one like Europe/Berlin, "
            'for example timezone = "UTC"',
        ),
        (
            "[quota]\nuser_daily_tokens = -1",
            "quota.user_daily_tokens: must be greater than or equal to 0",
        ),
        (
            '[access]\nmodels = { "gpt-5" = ["1001"] }',
            "access.models: “1001” is no id; write telegram:1001 or slack:U0123, "
            "the bot tells strangers theirs, for example "
            'models = { "gpt-5*" = ["telegram:1001", "slack:C0123"] }',
        ),
        (
            '[telegram]\nwebhook_url = "https://bot.example:eight/telegram"',
            f"telegram.webhook_url: {POSTED}",
        ),
        (
            '[slack]\nbot_token = "xapp-1"',
            "slack.bot_token: must begin with xoxb-: copy it from “OAuth & Permissions”",
        ),
        (
            '[slack]\napp_token = "xoxb-1"',
            "slack.app_token: must begin with xapp-: copy it from “Basic Information”",
        ),
        (
            '[telegram]\nwebhook_url = "https://bot.example:8080/telegram"',
            f"telegram.webhook_url: {POSTED}",
        ),
        (
            '[telegram]\nwebhook_url = "http://bot.example/telegram"',
            f"telegram.webhook_url: {POSTED}",
        ),
        (
            "[chat]\ncontext_window = 3",
            "chat.context_window: must be greater than or equal to 512, "
            "for example context_window = 32000",
        ),
    ],
)
def test_a_wrong_value_is_told_with_what_to_write(write: Write, toml: str, line: str) -> None:
    path = write(toml)
    assert problems(path) == [f"{path}: {line}"]


@pytest.mark.parametrize(
    "entry",
    [
        "Telegram:1001",
        "telegram:@ann",
        "telegram: 1001",
        "telegram:1001 ",
        "telegram:",
        "slack:@ann",
        "slack:ANN",
        "discord:1001",
    ],
)
@pytest.mark.parametrize("list_", ["admins", "users", "chats"])
def test_an_entry_that_can_match_nobody_is_refused(write: Write, list_: str, entry: str) -> None:
    (line,) = problems(write(f'[access]\n{list_} = ["{entry}"]'))
    assert f"“{entry}” is no id; write telegram:1001 or slack:U0123" in line


@pytest.mark.parametrize(
    "entry",
    [
        "telegram:1001",
        "telegram:-1001234",
        "telegram:-1001234/17",
        "slack:U0123",
        "slack:C0123",
        "slack:T1:C1:1712.01",
        "slack:T1:C1:",
    ],
)
def test_people_groups_topics_channels_and_threads_can_be_let_in(write: Write, entry: str) -> None:
    config = load_config(write(f'[access]\nchats = ["{entry}"]'), {})
    assert config.access.access().chats == {entry}


def test_what_to_write_instead_can_be_written(write: Write) -> None:
    tables = tables_of(Config)
    wrong = [
        f"[{table}]\n" + "".join(f"{key} = 1979-05-27\n" for key in keys)
        for table, keys in tables.items()
    ]
    examples = [
        (line.split(": ")[1].partition(".")[0], line.partition(", for example ")[2])
        for line in problems(write("".join(wrong)))
    ]
    assert len(examples) == sum(map(len, tables.values()))
    load_config(write("\n".join(f"{table}.{text}" for table, text in examples if text)), {})


def test_a_wrong_variable_is_told_by_its_own_name(write: Write) -> None:
    lines = problems(
        write(""),
        BOT_ACCESS__ADMINS="telegram:1001",
        BOT_API__MAX_IN_FLIGHT="many",
        BOT_TELEGRAM__TOKE="1:a",
        BOT_TELEGRAM_TOKEN="1:a",
    )
    assert lines == [
        "BOT_ACCESS__ADMINS: expected JSON, with straight double quotes, "
        "for example BOT_ACCESS__ADMINS='[\"telegram:1001\"]'",
        "BOT_TELEGRAM_TOKEN: unknown variable; did you mean BOT_TELEGRAM__TOKEN?",
        "BOT_TELEGRAM__TOKE: unknown variable; did you mean BOT_TELEGRAM__TOKEN?",
        "BOT_API__MAX_IN_FLIGHT: expected a whole number, for example BOT_API__MAX_IN_FLIGHT='100'",
    ]


def test_every_problem_is_told_at_once(write: Write) -> None:
    path = write('[api]\nmodle = "m"\nmax_in_flight = []\n[bots]\n')
    assert len(problems(path, BOT_LOG__FORMAT="xml")) == 4


def test_broken_toml_is_told_with_its_line(write: Write) -> None:
    path = write("[api]\nmodel = gpt\n")
    (line,) = problems(path)
    assert line.startswith(f"{path}: not valid TOML: ")
    assert "line 2" in line


def test_quotes_that_are_not_straight_are_spoken_of(write: Write) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(write("[api]\nmodel = “gpt”\n"), {})
    assert str(caught.value).endswith('write texts in straight quotes, "so"')
    assert "英文双引号" in told(caught.value, texts("zh"))


def test_a_bot_api_server_of_ones_own_posts_anywhere(write: Write) -> None:
    url = "http://bot.example:8080/telegram"
    environ = {"BOT_TELEGRAM__WEBHOOK_URL": url, "BOT_TELEGRAM__BASE_URL": "http://127.0.0.1:8081"}
    assert load_config(write(""), environ).telegram.webhook_url == url


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    assert problems(path) == [
        f"{path}: no such file or directory; check the path and its permissions"
    ]


def test_a_directory_and_a_binary_file_are_told(tmp_path: Path) -> None:
    assert problems(tmp_path) == [f"{tmp_path}: is a directory; check the path and its permissions"]
    binary = tmp_path / "b.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    assert problems(binary) == [f"{binary}: not UTF-8 text; save it as UTF-8"]


def test_a_secret_file_that_is_missing_or_set_twice_is_told(write: Write, tmp_path: Path) -> None:
    missing = tmp_path / "none"
    assert problems(write(""), BOT_API__KEY_FILE=str(missing)) == [
        f"BOT_API__KEY_FILE: {missing}: no such file or directory; check the path"
    ]
    lines = problems(write(""), BOT_API__KEY_FILE=str(missing), BOT_API__KEY="k")
    assert lines == ["BOT_API__KEY_FILE: BOT_API__KEY is set too; keep one of the two"]


def test_a_secret_file_with_nothing_in_it_switches_nothing_off_in_silence(
    write: Write, tmp_path: Path
) -> None:
    empty = tmp_path / "token"
    empty.write_text("\n")
    assert problems(write(""), BOT_TELEGRAM__TOKEN_FILE=str(empty)) == [
        f"BOT_TELEGRAM__TOKEN_FILE: {empty}: the file is empty; write the value into it"
    ]


def test_a_secret_file_saved_with_a_byte_order_mark_is_read(write: Write, tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_bytes(b"\xef\xbb\xbfsk-1\r\n")
    config = load_config(write(""), {"BOT_API__KEY_FILE": str(secret)})
    assert revealed(config.api.key) == "sk-1"


# ---------------------------------------------------------------- secrets


def test_a_secret_is_never_part_of_a_text(write: Write) -> None:
    path = write('[slack]\nbot_token = "xoxb-hunter2"\nmode = "xoxb-hunter2"\n')
    with pytest.raises(ConfigError) as caught:
        load_config(path, {"BOT_API__KEY": "k-hunter2", "BOT_ACCESS__USERS": '["k-hunter2"]'})
    assert "BOT_ACCESS__USERS" in str(caught.value)
    error: BaseException | None = caught.value
    while error is not None:
        assert "hunter2" not in str(error) + told(error, texts("zh"))
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("between", ["/", "?", "#", "]", "℀"])
@pytest.mark.parametrize("start", ["p[4ss", "4711"])
@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("BOT_STORAGE__URL", "postgresql://u:{}@127.0.0.1/db"),
        ("BOT_API__PROXY", "http://u:{}@127.0.0.1:8080"),
    ],
)
def test_no_half_of_a_password_is_told_when_it_breaks_its_url(
    write: Write, variable: str, url: str, start: str, between: str
) -> None:
    (line,) = problems(write(""), **{variable: url.format(f"{start}{between}w0rd")})
    assert "in a password write / as %2F" in line
    assert "4ss" not in line
    assert "4711" not in line
    assert "w0rd" not in line


@pytest.mark.parametrize("password", ["hunter2", "hunt@er2", "hunt/er2", "hunt#er2", "hunt?er2"])
@pytest.mark.parametrize(
    "url",
    [
        "https://u:{}@api.example/v1",
        "http://u:{}@api.example/v1",
        "htps://u:{}@api.example/v1",
        "https//u:{}@api.example/v1",
        "https:/u:{}@api.example/v1",
        "https:u:{}@api.example/v1",
        "u:{}@api.example/v1",
        "//u:{}@api.example/v1",
        "https://u:{}@",
        "https://u:{}@api.example/v1/models",
        "https://{}@api.example/v1",
        "https://api.example/v1?key={}",
        "htps://api.example/v1?key={}",
        "htps://api.example/v1#{}",
    ],
)
def test_no_password_is_told_when_the_base_url_of_the_api_is_wrong(
    write: Write, url: str, password: str
) -> None:
    (line,) = problems(write(""), BOT_API__BASE_URLS=json.dumps([url.format(password)]))
    assert "hunt" not in line
    assert "er2" not in line


def test_no_password_is_told_when_the_database_is_called_by_a_wrong_name(write: Write) -> None:
    (line,) = problems(write(""), BOT_STORAGE__URL="sqlite://u:hunter2@host/db")
    assert "hunter2" not in line


def test_secrets_are_known_to_the_log_and_hidden_in_the_configuration(write: Write) -> None:
    config = load_config(
        write('[storage]\nurl = "postgresql+asyncpg://bot:p4ssw0rd@host/db"\n'),
        {"BOT_API__KEY": "k-secret", "BOT_TELEGRAM__TOKEN": "1:t-secret"},
    )
    assert set(config.secrets()) == {"k-secret", "1:t-secret", "p4ssw0rd"}
    assert "-secret" not in repr(config)


# ---------------------------------------------------------------- nothing configured


def test_nothing_configured_gives_a_guide_that_names_what_to_set() -> None:
    with pytest.raises(ConfigError) as caught:
        require_platform(Config())
    guide = str(caught.value)
    for name in ("BOT_API__KEY", "BOT_TELEGRAM__TOKEN", "BOT_SLACK__BOT_TOKEN", "bot chat"):
        assert name in guide


@pytest.mark.parametrize(
    ("name", "token"), [("BOT_TELEGRAM__TOKEN", "123:token"), ("BOT_SLACK__BOT_TOKEN", "xoxb-1")]
)
def test_one_platform_is_enough(write: Write, name: str, token: str) -> None:
    require_platform(load_config(write(""), {name: token}))


# ---------------------------------------------------------------- the example


def uncommented() -> str:
    """The example with every setting switched on: `# key = value` becomes `key = value`."""
    return re.sub(r"^#(?=\w)", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_the_example_lists_every_key_and_no_other() -> None:
    listed = {table: set(keys) for table, keys in tomllib.loads(uncommented()).items()}
    assert listed == {table: set(keys) for table, keys in tables_of(Config).items()}


def test_the_example_loads_as_it_is_and_with_everything_switched_on(write: Write) -> None:
    assert load_config(EXAMPLE, {}) == Config()
    load_config(write(uncommented()), {})


def test_the_example_shows_the_defaults(write: Write) -> None:
    """Secrets, and what has no default, show a made-up value."""
    shown = load_config(write(uncommented()), {})
    for table, keys in tables_of(Config).items():
        for key in keys:
            default = _value(Config(), table, key)
            if default and not isinstance(default, SecretStr):
                assert _value(shown, table, key) == default, f"{table}.{key}"


def _value(config: Config, table: str, key: str) -> object:
    settings: BaseModel = getattr(config, table)
    value: object = getattr(settings, key)
    return value
