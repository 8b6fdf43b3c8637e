"""Slack's errors in the terms of the core; the one place that knows their codes.

The codes are on the page of each method at docs.slack.dev.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import (
    ChatGone,
    MessageGone,
    OutcomeUnknown,
    PlatformDown,
    PlatformError,
    RateLimited,
)

BAD_TOKEN = frozenset(
    {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"}
)
OUTSIDE = frozenset({"channel_not_found", "not_in_channel", "no_permission"})
NOT_TO_WRITE = frozenset(
    {
        "cannot_reply_to_message",
        "ekm_access_denied",
        "messages_tab_disabled",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "restricted_action_thread_only_channel",
    }
)
"""What is said where admins let nobody, or no app, write."""
_CHAT_GONE = OUTSIDE | NOT_TO_WRITE | frozenset({"is_archived", "thread_not_found", "is_inactive"})
_MESSAGE_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
_UNKNOWN = frozenset(
    {"fatal_error", "internal_error", "messaging_processing_failed", "request_timeout"}
    | {"service_unavailable", "update_failed"}
)
_DOWN = frozenset({"external_channel_migrating", "org_login_required", "team_added_to_org"})
"""What is said while a workspace joins an organisation, or a channel is shared with another."""
_STREAM_CLOSED = frozenset({"message_not_in_streaming_state", "stopped_by_user"})
_STREAMING = frozenset({"streaming_state_conflict", "cant_delete_message"})
"""What Slack says of a message that is still streaming; of another person's, too, it says that it
cannot be deleted."""
_LIMITED = frozenset({"ratelimited", "rate_limited"})


class Refused(PlatformError):
    """Slack said no; `code` is its word for why."""

    def __init__(self, code: str, needed: str = "") -> None:
        super().__init__(f"{code} (needs {needed})" if needed else code)
        self.code = code
        self.needed = needed


class Unreachable(PlatformDown):
    """No connection to Slack: the call has surely not been carried out."""


class StreamClosed(PlatformError):
    """The stream has ended, by age or by the person's Stop; its message stands."""


class StillStreaming(PlatformError):
    """The message cannot be edited or deleted before its stream is stopped."""


def translate(failure: SlackApiError) -> PlatformError:
    """The error of the core that says the same as an answer with `ok: false`."""
    response = failure.response
    if not isinstance(response, AsyncSlackResponse):  # the SDK could not read the answer
        return OutcomeUnknown(str(failure))
    body = response.data if isinstance(response.data, dict) else {}
    code = str(body.get("error") or "")
    if response.status_code == 429 or code in _LIMITED:
        return RateLimited(float(response.headers.get("Retry-After", 1)))
    if response.status_code >= 500 or code in _UNKNOWN:
        return OutcomeUnknown(code or f"HTTP {response.status_code}")
    if code in _DOWN:
        return PlatformDown(code)
    if code in _CHAT_GONE:
        return ChatGone(code)
    if code in _MESSAGE_GONE:
        return MessageGone(code)
    if code in _STREAM_CLOSED:
        return StreamClosed(code)
    if code in _STREAMING:
        return StillStreaming(code)
    return Refused(code or f"HTTP {response.status_code}", str(body.get("needed") or ""))


@contextmanager
def translated() -> Iterator[None]:
    """Turn what slack-sdk and aiohttp raise inside the block into errors of the core."""
    try:
        yield
    except SlackApiError as failure:
        raise translate(failure) from failure
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as failure:
        raise Unreachable(str(failure)) from failure
    except aiohttp.ClientResponseError as failure:  # by name: its own text shows what was sent
        told = f"{type(failure).__name__}: HTTP {failure.status}"
        raise OutcomeUnknown(told) from failure
    except (TimeoutError, aiohttp.ClientError, OSError) as failure:
        raise OutcomeUnknown(repr(failure)) from failure
    except SlackClientError as failure:
        raise PlatformError(str(failure)) from failure
