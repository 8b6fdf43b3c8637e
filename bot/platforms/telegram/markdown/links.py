"""Which addresses Telegram takes as the target of a link."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

MAX_URL = 2048
_HOST = re.compile(
    r"(?:[^\W_](?:[\w-]*[^\W_])?\.)+(?:[^\W\d_]{1,63}|xn--[a-z0-9-]+)", re.IGNORECASE
)
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_FORBIDDEN = re.compile(r"[\s\x00-\x1f\x7f<>\"\\^`{|}]")


def usable(url: str) -> bool:
    """Whether Telegram takes a link to this address.

    TDLib refuses the whole message for one address it does not like (`get_checked_link` in its
    LinkManager), so this is stricter than it: http, https and tg only, and a host with a dot.
    """
    if len(url) > MAX_URL or _FORBIDDEN.search(url):
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme == "tg":
        return parts.netloc.isalnum() and parts.netloc.lower() != "user"  # a mention
    return parts.scheme in {"http", "https"} and port != 0 and _is_host(parts)


def _is_host(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    if "@" in parts.netloc:
        return False
    if _IPV4.fullmatch(host):
        return all(int(number) < 256 for number in host.split("."))
    return len(host) < 256 and _HOST.fullmatch(host) is not None
