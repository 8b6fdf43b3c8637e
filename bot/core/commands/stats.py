"""`/stats`: how the bot is doing, for admins."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.commands.table import ADMIN, Command
from bot.core.commands.usage import usage_line
from bot.core.i18n import N_
from bot.core.limits.calendar import Period
from bot.core.punctuation import listed
from bot.core.statistics import percentile
from bot.core.turn import TurnContext
from bot.core.types import IncomingMessage

SHARES = (0.5, 0.95)
"""The halfway value, and what all but one in twenty stay below."""


async def stats(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
    """Show who is there, what runs, how quick answers are, what today cost, and the API."""
    _ = ctx.texts.gettext
    totals = await ctx.services.stores.ledger.totals(None, Period.DAY)
    cost = usage_line(ctx, _("Used today"), totals)
    lines = [*await _counts(ctx), *await _times(ctx), cost, *_endpoints(ctx)]
    await ctx.say(listed(f"📊 {_('How I am doing')}", lines))


async def _counts(ctx: TurnContext) -> Sequence[str]:
    _, number = ctx.texts.gettext, ctx.formats.number
    since = ctx.services.budget.calendar.began()
    found = await ctx.services.stores.statistics.activity(since)
    return [
        _("People: {count}, {today} of them today").format(
            count=number(found.people), today=number(found.people_since)
        ),
        _("Chats: {count}").format(count=number(found.chats)),
        _("Done today: {done}; given up: {dead}").format(
            done=number(found.done), dead=number(found.dead)
        ),
        # Not this command itself.
        _("Right now: {running} being worked on, {waiting} waiting").format(
            running=number(found.running - 1), waiting=number(found.waiting)
        ),
    ]


async def _times(ctx: TurnContext) -> Sequence[str]:
    """How long answers took today: half of them, and nineteen in twenty."""
    _ = ctx.texts.gettext
    since = ctx.services.budget.calendar.began()
    found = await ctx.services.stores.statistics.timings(since)
    lines = []
    for text, values in (
        (
            _("First word after: {half} (p50), {most} (p95)"),
            [each.first_token for each in found if each.first_token is not None],
        ),
        (_("Whole answer after: {half} (p50), {most} (p95)"), [each.latency for each in found]),
    ):
        half, most = (percentile(values, share) for share in SHARES)
        if half is not None and most is not None:
            lines.append(
                text.format(half=ctx.formats.seconds(half), most=ctx.formats.seconds(most))
            )
    return lines


def _endpoints(ctx: TurnContext) -> Sequence[str]:
    _, ngettext = ctx.texts.gettext, ctx.texts.ngettext
    lines = []
    for one in ctx.services.api.endpoints():
        if one.silent:
            text = _("API `{host}`: nothing comes from it")
        elif one.resting:
            text = _("API `{host}`: left alone after {failures} failures")
        elif one.failures:
            text = ngettext(
                "API `{host}`: {failures} failure",
                "API `{host}`: {failures} failures in a row",
                one.failures,
            )
        else:
            text = _("API `{host}`: fine")
        lines.append(text.format(host=one.host, failures=ctx.formats.number(one.failures)))
    return lines


STATS = Command(
    name="stats",
    family=ADMIN,
    summary=N_("Show how I am doing"),
    run=stats,
    aliases=("status",),
    examples=("/stats",),
    admin=True,
    urgent=True,
)
