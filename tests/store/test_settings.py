"""What an operator may write for `storage.url`."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.store import StorageSettings, open_store
from tests.store.conftest import names


@pytest.mark.parametrize(
    ("url", "meant", "place"),
    [
        ("sqlite:///bot.db", "sqlite:///bot.db", "SQLite bot.db"),
        (
            "sqlite+aiosqlite:////var/bot.db",
            "sqlite:////var/bot.db",
            "SQLite /var/bot.db",
        ),
        ("sqlite:///bot#1.db", "sqlite:///bot#1.db", "SQLite bot#1.db"),
        ("postgres://u:p@db/chat", "postgresql+asyncpg://u:p@db/chat", "PostgreSQL db/chat"),
        ("postgresql://u:p@db:5433/c", "postgresql+asyncpg://u:p@db:5433/c", "PostgreSQL db/c"),
        (
            "postgresql://u:p@db/c?sslmode=require",
            "postgresql+asyncpg://u:p@db/c?ssl=require",
            "PostgreSQL db/c",
        ),
        (
            "postgresql://u@/c?host=/run/pg",
            "postgresql+asyncpg://u@/c?host=%2Frun%2Fpg",
            "PostgreSQL /run/pg/c",
        ),
    ],
)
def test_the_usual_forms_are_understood(url: str, meant: str, place: str) -> None:
    settings = StorageSettings(url=url)
    assert settings.url == meant
    assert settings.place == place


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("bot.db", "not a database URL; use sqlite:///FILE"),
        ("", "not a database URL"),
        ("sqlite://bot.db", "sqlite:///bot.db"),
        ("sqlite://", "name a file"),
        ("sqlite:///:memory:", "name a file"),
        ("mysql://u@h/d", "“mysql” is not supported; use sqlite:///FILE or postgresql://"),
        ("postgresql+psycopg://u@h/d", "“postgresql+psycopg” is not supported"),
        ("postgresql://u:p@h:abc/db", "the port of the database URL must be a number up to 65535"),
        ("postgresql://u:p@h:99999/db", "the port of the database URL must be a number up to"),
        ("postgresql://u:p@/d?host=h&port=abc", "the port of the database URL must be a number"),
        ("postgresql://u:p@host", "the database's name is missing"),
        ("postgresql://u:p@host/d?pool=3", "the option “pool”"),
    ],
)
def test_other_forms_are_refused_with_advice(url: str, advice: str) -> None:
    with pytest.raises(ValidationError) as refused:
        StorageSettings(url=url)
    assert advice in str(refused.value)


def test_a_password_is_not_shown() -> None:
    settings = StorageSettings(url="postgresql://bot:hunter2@db/chat")
    assert "hunter2" not in repr(settings) + str(settings) + settings.place


async def test_a_file_is_named_as_its_url_says(tmp_path: Path) -> None:
    async with open_store(StorageSettings(url=f"sqlite:///{tmp_path}/my%20bot%231%2541.db")):
        pass
    assert names(tmp_path) == ["my bot#1%41.db", "my bot#1%41.db-owner"]


def test_without_a_setting_the_database_is_beside_the_process() -> None:
    assert StorageSettings().sqlite_file == Path("chinwag.db")
