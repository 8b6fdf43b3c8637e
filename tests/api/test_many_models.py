"""Where the API has no list of models people may type any name: none of them is kept for ever."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterable

import pytest

from bot.api import list_prices, tokens
from bot.api.client import ApiClient
from bot.api.failures.errors import CallFailed
from bot.api.learning import lessons
from bot.api.learning.lessons import MODELS, Lessons
from bot.api.settings import ApiSettings
from bot.core.clock import SystemClock
from bot.core.models import UsageEntry, UsageKind
from bot.errors import ModelErrorKind
from tests.api.asking import ask, question
from tests.api.conftest import Connect
from tests.api.wire_server import HELLO, WireServer

FEW, MANY = 5, 75
LONG = "x" * 2_000
"""What makes a name long."""


async def talk_to(client: ApiClient, server: WireServer, numbers: Iterable[int]) -> None:
    """Do what an answer of each model asks of the client."""
    for number in numbers:
        name = f"{LONG}{number}"
        await client.about(name)
        await ask(client, question(model=name))
        client.priced(UsageEntry(kind=UsageKind.CHAT, model=name, prompt_tokens=1))
        server.requests.clear()
        while not server.arrivals.empty():
            server.arrivals.get_nowait()


@pytest.mark.parametrize(("list_prices_on", "copies"), [(False, 0.5), (True, 4)])
async def test_a_name_that_was_typed_is_forgotten_after_many_others(
    connect: Connect,
    server: WireServer,
    monkeypatch: pytest.MonkeyPatch,
    *,
    list_prices_on: bool,
    copies: float,  # of each name: what looks prices up makes some twenty, of few
) -> None:
    for module in (lessons, list_prices, tokens):
        monkeypatch.setattr(module, "MODELS", FEW)
    server.always = HELLO
    client = connect(models={"gpt-*": {"vision": True}}, list_prices=list_prices_on)
    await talk_to(client, server, range(2 * FEW))
    gc.collect()
    tracemalloc.start()
    try:
        await talk_to(client, server, range(2 * FEW, 2 * FEW + MANY))
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < copies * MANY * len(LONG)


async def test_what_a_model_wants_is_remembered_while_it_is_used() -> None:
    lessons = Lessons(ApiSettings(), clock=SystemClock(), likely=lambda: "")
    refusal = CallFailed(ModelErrorKind.UNSUPPORTED)
    lessons.learn_lack("drawer", refusal, "edits")
    for number in range(MODELS + 1):
        lessons.learn_lack(f"another {number}", refusal, "edits")
        assert lessons.of("", "drawer").lacks == {"edits"}
    for number in range(MODELS):
        lessons.learn_lack(f"one more {number}", refusal, "edits")
    assert not lessons.of("", "drawer").lacks
