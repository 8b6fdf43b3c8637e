"""How the bot gets its updates: by asking, or at an address of its own.

https://core.telegram.org/bots/api#getting-updates.
"""

from __future__ import annotations

import re

from bot.sandbox.telegram.errors import BadRequest, Refused
from bot.sandbox.telegram.params import Params
from bot.sandbox.telegram.state import Json
from bot.sandbox.telegram.world import World

_LONGEST_POLL = 50  # seconds; Client.h: LONG_POLL_MAX_TIMEOUT
_CONFLICT = (
    "terminated by other getUpdates request; make sure that only one bot instance is running"
)


async def get_updates(world: World, params: Params) -> list[Json]:
    """https://core.telegram.org/bots/api#getupdates."""
    queue = world.updates
    if queue.webhook_url:
        raise Refused(
            409,
            "can't use getUpdates method while webhook is active; "
            "use deleteWebhook to delete the webhook first",
        )
    queue.allow(params)
    queue.confirm(params.integer("offset"))
    limit = max(1, min(100, params.integer("limit", 100)))
    seconds = max(0, min(_LONGEST_POLL, params.integer("timeout")))
    queue.conflict()
    if not queue.pending and seconds and not await queue.wait(seconds):
        raise Refused(409, _CONFLICT)
    return queue.pending[:limit]


def set_webhook(world: World, params: Params) -> bool:
    """Take over the address; an empty one removes it. http:// is for a server of one's own."""
    url = params.text("url")
    if url and not url.startswith(("https://", "http://") if world.local else "https://"):
        raise BadRequest("bad webhook: An HTTPS URL must be provided for webhook")
    if not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", params.text("secret_token")):
        raise BadRequest("secret token contains unallowed characters")
    world.updates.allow(params)
    world.updates.webhook_url = url
    world.webhook.secret = params.text("secret_token")
    world.webhook.connections = max(1, min(100, params.integer("max_connections", 40)))
    if url:
        world.updates.conflict()
        world.webhook.deliver()
    return True


def delete_webhook(world: World, params: Params) -> bool:
    """https://core.telegram.org/bots/api#deletewebhook."""
    world.updates.webhook_url = ""
    return True


def get_webhook_info(world: World, params: Params) -> Json:
    """https://core.telegram.org/bots/api#getwebhookinfo."""
    world.changes.tell(0, "webhook looked at")
    webhook = world.webhook
    info: Json = {
        "url": world.updates.webhook_url,
        "has_custom_certificate": False,
        "pending_update_count": len(world.updates.pending),
    }
    if webhook.last_error_date:
        info |= {
            "last_error_date": webhook.last_error_date,
            "last_error_message": webhook.last_error,
        }
    if info["url"]:
        info["max_connections"] = webhook.connections
    return info
