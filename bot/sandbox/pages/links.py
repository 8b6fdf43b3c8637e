"""Links that somebody wrote, as a page may follow them."""

from __future__ import annotations

from html import escape
from urllib.parse import urlsplit

_SCHEMES = {"http", "https", "mailto"}


def opening(address: str) -> str:
    """The opening tag of a link; an address that a browser should not follow leads nowhere."""
    if "@" in address and ":" not in address:
        address = f"mailto:{address}"
    elif "://" not in address and not address.startswith("mailto:"):
        address = f"http://{address}"
    try:
        is_safe = urlsplit(address).scheme in _SCHEMES
    except ValueError:
        is_safe = False
    target = f' href="{escape(address)}" target="_blank" rel="noreferrer noopener"'
    return f"<a{target if is_safe else ''}>"
