"""The client of an OpenAI-compatible API.

`connect` gives the client, `check` looks at a configuration from outside, `RememberingCounter`
counts tokens offline. Nothing heavy is imported before it is needed.

A request goes from `client` to `answers`, `images`, `transcriptions`, `embeddings` or `catalogue`;
then to `attempts`, which waits for a turn (`limits`), chooses an address (`endpoints`) and tries
again (`failures.retry`); and out through `http`. A streamed answer comes back through `streaming`
and the reader of its protocol (`protocols`). What goes wrong becomes a `CallFailed` in
`failures.errors`; what a refusal tells of a model is read and remembered in `learning`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bot.api.settings import ApiSettings
from bot.api.tokens import RememberingCounter
from bot.core.facts import Notebook
from bot.core.ports import Clock
from bot.core.types import Finding

if TYPE_CHECKING:
    from bot.api.client import ApiClient

__all__ = ["ApiSettings", "RememberingCounter", "check", "connect"]


def connect(settings: ApiSettings, *, clock: Clock, notebook: Notebook | None = None) -> ApiClient:
    """The client. No I/O yet. `close` it at the end, in the loop that used it.

    It knows what an open `notebook` has of models, and writes there what it learns.
    """
    import random

    from bot.api.client import ApiClient

    return ApiClient(settings, clock=clock, dice=random.Random(), notebook=notebook)


async def check(
    settings: ApiSettings, others: Mapping[str, str] | None = None
) -> Sequence[Finding]:
    """Look at every base URL, the key and the models; a line each.

    `others` are models of other tables, by what to call their key.
    """
    from bot.api.checks import check_api

    return await check_api(settings, others or {})
