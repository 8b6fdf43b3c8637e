"""`/quota`: admins see the limits, and give single people others."""

from __future__ import annotations

import logging
from decimal import Decimal

from bot.core.commands.people import subject_of, titled
from bot.core.commands.table import ADMIN, Command
from bot.core.i18n import N_
from bot.core.limits.ledger import Standing
from bot.core.limits.quota import NAMES, Ceiling, Limits, QuotaSyntaxError, ceilings, parse_limits
from bot.core.punctuation import enumerated, items, listed, valued
from bot.core.spending import sentences
from bot.core.turn import TurnContext
from bot.core.types import IncomingMessage, Person

log = logging.getLogger(__name__)

DEFAULT = "default"


async def quota(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
    """Show the limits of all, show those of somebody, or change them."""
    words = argument.split()
    if not words:
        await ctx.say(await _overview(ctx))
        return
    end = _end_of_name(words)
    subject = await subject_of(ctx, " ".join(words[:end]))
    _ = ctx.texts.gettext
    if subject is None:
        text = _("Whose? Write `/quota ID`, for example `/quota {id}`.")
        await ctx.say(text.format(id=ctx.person))
        return
    person = Person.of(subject)
    try:
        if words[end:]:
            await _change(ctx, person, words[end:])
    except QuotaSyntaxError as error:
        await ctx.say(_not_understood(ctx, str(error)))
    else:
        await ctx.say(await _of(ctx, person))


def _not_understood(ctx: TurnContext, word: str) -> str:
    _ = ctx.texts.gettext
    if word.lower() in NAMES:
        return _("`{name}` needs a number behind it, or `off`.").format(name=word.lower())
    text = _("I do not understand “{word}”. Limits are: {names}; each takes a number or `off`.")
    names = enumerated(ctx.texts, (f"`{name}`" for name in NAMES))
    return text.format(word=word, names=names)


def _end_of_name(words: list[str]) -> int:
    """Where the limits begin: a name may have several words, an id has one."""
    limits = (*NAMES, DEFAULT)
    for number, word in enumerate(words):
        if word.partition("=")[0].lower() in limits:
            return number
    is_id = any(letter.isdigit() for letter in words[0])
    return len(words) if len(words) > 1 and "=" not in words[1] and not is_id else 1


async def _change(ctx: TurnContext, person: Person, words: list[str]) -> None:
    limits: Limits = {}
    if [word.lower() for word in words] != [DEFAULT]:
        limits = {**await _set_for(ctx, person), **parse_limits(words)}
    await ctx.services.budget.set_limits(person, limits)
    log.info("limits set", extra={**ctx.log, "subject": str(person), "limits": len(limits)})


async def _overview(ctx: TurnContext) -> str:
    _, quotas = ctx.texts.gettext, ctx.services.budget.quotas
    parts = [
        _named(_("Each person"), [_limit(ctx, each) for each in ceilings(quotas.own, {})], ctx),
        _named(_("All together"), await _standings(ctx, ceilings({}, quotas.everybody)), ctx),
    ]
    special = await ctx.services.stores.ledger.people_with_limits()
    if special:
        lines = [
            valued(ctx.texts, f"`{person}`", _own(ctx, limits))
            for person, limits in special.items()
        ]
        parts.append(_named(_("Single people"), lines, ctx))
    parts.append(
        _(
            "`/quota ID` shows somebody’s, `/quota ID daily_tokens 50000` changes one, "
            "`/quota ID default` takes the changes back."
        )
    )
    return "\n\n".join(parts)


async def _of(ctx: TurnContext, person: Person) -> str:
    """What holds for somebody, and how much of it is used."""
    _, budget = ctx.texts.gettext, ctx.services.budget
    admin = ctx.gate.administers(str(person))
    standings = await budget.standings(person, admin=admin)
    lines = [limit_line(ctx, each) for each in standings if not each.ceiling.shared]
    own = await _set_for(ctx, person)
    title = _("Limits of {who}").format(who=await titled(ctx, person))
    parts = [_named(title, lines, ctx)]
    if admin and budget.quotas.admins_exempt:
        parts.append(_("Admins have no limits."))
    if own:
        parts.append(_("Set by hand: {limits}").format(limits=_own(ctx, own)))
    return "\n\n".join(parts)


async def _set_for(ctx: TurnContext, person: Person) -> Limits:
    """What an admin has set for somebody, as it is now."""
    return (await ctx.services.stores.ledger.people_with_limits()).get(person, {})


async def _standings(ctx: TurnContext, found: tuple[Ceiling, ...]) -> list[str]:
    standings = await ctx.services.stores.ledger.standings(ctx.person, found) if found else ()
    return [limit_line(ctx, each) for each in standings]


def limit_line(ctx: TurnContext, standing: Standing) -> str:
    """`50,000 tokens a day: 80% used`."""
    limit = standing.ceiling.limit
    share = float(min(Decimal(1), standing.used / limit)) if limit else 1.0
    return ctx.texts.gettext("{limit}: {percent} used").format(
        limit=_limit(ctx, standing.ceiling), percent=ctx.formats.percent(share)
    )


def _limit(ctx: TurnContext, ceiling: Ceiling) -> str:
    return sentences(ctx).limit(ceiling)


def _own(ctx: TurnContext, limits: Limits) -> str:
    """`50,000 tokens a day, monthly_cost off`."""
    written = [_limit(ctx, each) for each in ceilings(limits, {})]
    off = [name for name, limit in NAMES.items() if limit in limits and limits[limit] is None]
    text = ctx.texts.gettext("{name} off")
    return items(ctx.texts, [*written, *(text.format(name=name) for name in off)])


def _named(title: str, lines: list[str], ctx: TurnContext) -> str:
    return listed(title, lines or [ctx.texts.gettext("no limits")])


QUOTA = Command(
    name="quota",
    family=ADMIN,
    summary=N_("See and set limits"),
    usage=N_("[ID] [NAME VALUE…]"),
    run=quota,
    aliases=("limit", "limits"),
    details=N_(
        "Limits are daily_tokens, daily_cost (US dollars), daily_images, daily_audio_minutes, and "
        "the same with monthly. `off` lifts one, `default` takes all changes of somebody back."
    ),
    examples=("/quota", "/quota telegram:1001 daily_tokens 50000", "/quota telegram:1001 default"),
    admin=True,
    urgent=True,
)
