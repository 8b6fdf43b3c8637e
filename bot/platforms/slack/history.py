"""What stands in a channel, as Slack tells it."""

from __future__ import annotations

from bot.platforms.slack.calls import Calls, Json


async def messages_after(
    calls: Calls, channel: str, thread: str, oldest: str, limit: int
) -> list[Json]:
    """The messages of a thread since a ts or, without a thread, those beside the threads.

    Of a thread the first message is always among them. Raises `PlatformError` and its kinds.
    """
    method = "conversations.replies" if thread else "conversations.history"
    args = {"channel": channel, "ts": thread or None, "oldest": oldest, "limit": str(limit)}
    answer = await calls.call(method, args)
    return list(answer.get("messages", []))
