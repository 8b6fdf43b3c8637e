"""Finding messages of the bot whose ts nobody wrote down: a process died right after posting them.

Slack tells what stands in a thread, so nothing needs to be guessed. Files are left alone: their
messages are made by Slack, and their ts is known to nobody either way.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bot.core.types import ChatRef, MessageRef
from bot.platforms.slack.calls import Calls, Json
from bot.platforms.slack.ids import answer_thread, make_message, parse_chat, ts_of
from bot.platforms.slack.posting import Poster
from bot.platforms.slack.sent_messages import messages_after

THREADS = 10
"""Threads of a direct message that are looked through; every question there has its own."""
MESSAGES = 200
"""Messages of each that are looked at."""


async def sweep(
    calls: Calls,
    poster: Poster,
    chat: ChatRef,
    bot: str,
    after: Sequence[MessageRef],
    keep: Collection[MessageRef],
    before: Collection[MessageRef],
) -> int:
    """Delete what `bot` posted after all of these and nobody knows of; returns how many.

    Where there is something later in `before`, only what was posted before that; and before
    somebody wrote what nobody knows of, in the same thread: the database is a copy of before, and
    what the bot has said since is not lost. After slash commands alone nothing is: they have no ts,
    and all that stands would be after. Raises `PlatformError` and its kinds.
    """
    newest = max((ts_of(ref) for ref in after), default="")
    if not newest:
        return 0
    end = min((ts for ts in map(ts_of, before) if ts > newest), default="~")
    channel, known = parse_chat(chat).channel, {ts_of(ref) for ref in (*after, *keep)}
    threads = [*_threads(after, keep, newest), *([""] if parse_chat(chat).direct else [])]
    count = 0
    for thread in threads:
        found = await messages_after(calls, channel, thread, newest, MESSAGES)
        for message in sorted(found, key=_ts):
            ts = _ts(message)
            if not newest < ts < end or ts in known:
                continue
            if message.get("user") != bot:
                if "bot_id" not in message:
                    break
            elif not message.get("files"):
                await poster.delete(make_message(chat, ts, thread))
                count += 1
    return count


def _ts(message: Json) -> str:
    return str(message.get("ts", ""))


def _threads(
    after: Sequence[MessageRef], keep: Collection[MessageRef], newest: str
) -> Sequence[str]:
    """The threads that something may have been posted in since, oldest first."""
    asked = {answer_thread(ref) for ref in after}
    later = {answer_thread(ref) for ref in keep if ts_of(ref) > newest}
    return sorted(thread for thread in asked | later if thread)[-THREADS:]
