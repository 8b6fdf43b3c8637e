"""`/usage`: what somebody, or everybody, has used, in words and as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from bot.core.chart import chart_of
from bot.core.commands.people import subject_of, titled
from bot.core.commands.quota import limit_line
from bot.core.commands.table import ABOUT, Command
from bot.core.i18n import N_
from bot.core.limits.calendar import Period
from bot.core.limits.ledger import DAYS_SHOWN, Spender, Total
from bot.core.limits.quota import MINUTE, Measure
from bot.core.models import UsageKind
from bot.core.names import harmless
from bot.core.punctuation import items, listed, noted, valued
from bot.core.spending import sentences
from bot.core.turn import TurnContext
from bot.core.types import IncomingMessage, OutgoingFile, Person

EVERYBODY = "all"
PEOPLE = 10
"""People in the list of who uses most."""
KINDS = {
    UsageKind.CHAT: "",
    UsageKind.IMAGE: N_("drawing"),
    UsageKind.AUDIO: N_("listening"),
    UsageKind.EMBEDDING: N_("searching"),
}


async def usage(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
    """Show the sender's own usage; an admin may name somebody, or `all`."""
    _ = ctx.texts.gettext
    person: Person | None = ctx.person
    if argument:
        if not ctx.admin:
            await ctx.say(_("Only admins can see what others use. `/usage` shows your own."))
            return
        person = None
        if argument.lower() != EVERYBODY:
            subject = await subject_of(ctx, argument)
            if subject is None:
                await ctx.say(_("Whose? Write `/usage ID`, or `/usage all` for everybody."))
                return
            person = Person.of(subject)
    parts = [f"**{await _title(ctx, person)}**", *await _figures(ctx, person)]
    await ctx.say("\n\n".join(parts), files=await _picture(ctx, person))


async def _title(ctx: TurnContext, person: Person | None) -> str:
    _ = ctx.texts.gettext
    if person is None:
        return _("Used by everybody")
    if person == ctx.person:
        return _("What you have used")
    return _("Used by {who}").format(who=await titled(ctx, person))


async def _figures(ctx: TurnContext, person: Person | None) -> list[str]:
    _, ledger = ctx.texts.gettext, ctx.services.stores.ledger
    month = ctx.formats.month(ctx.services.budget.calendar.today())
    found = {period: await ledger.totals(person, period) for period in Period}
    if not found[Period.ALL]:
        return [_("Nothing yet.")]
    names = {Period.DAY: _("Today"), Period.MONTH: month, Period.ALL: _("All time")}
    parts = ["\n".join(f"- {usage_line(ctx, names[each], found[each])}" for each in Period)]
    if found[Period.MONTH]:
        title = _("{month} by model").format(month=month)
        lines = (usage_line(ctx, _label(ctx, each), [each]) for each in found[Period.MONTH])
        parts.append(listed(title, lines))
    if person is None:
        parts += await _people(ctx, month)
    else:
        parts += await _limits(ctx, person)
    return parts


async def _people(ctx: TurnContext, month: str) -> list[str]:
    """Who has used most this month."""
    found = await ctx.services.stores.ledger.spenders(Period.MONTH, limit=PEOPLE)
    if not found:
        return []
    lines = [
        valued(ctx.texts, f"{harmless(one.name) or '–'} `{one.person}`", _spent(ctx, one))
        for one in found
    ]
    return [listed(ctx.texts.gettext("{month} by person").format(month=month), lines)]


def _spent(ctx: TurnContext, one: Spender) -> str:
    money = _money(ctx, one.cost, requests=one.requests, unpriced=one.unpriced)
    return items(ctx.texts, (_tokens(ctx, one.tokens), money))


async def _limits(ctx: TurnContext, person: Person) -> list[str]:
    admin = ctx.gate.administers(str(person))
    found = await ctx.services.budget.standings(person, admin=admin)
    own = [each for each in found if not each.ceiling.shared]
    if not own:
        return []
    _, words = ctx.texts.gettext, sentences(ctx)
    lines = [
        _("{line}, starts afresh on {when}").format(
            line=limit_line(ctx, each), when=words.resets(each.ceiling.period)
        )
        for each in own
    ]
    return [listed(_("Limits"), lines)]


async def _picture(ctx: TurnContext, person: Person | None) -> Sequence[OutgoingFile]:
    """The chart of the last days, where there is something to see and files can be sent."""
    if not ctx.capabilities.max_file_out:
        return ()
    days = ctx.services.budget.calendar.days(DAYS_SHOWN)
    found = await ctx.services.stores.ledger.days(person, days)
    chart = chart_of(found, days, ctx.services.formats("en"))
    if chart is None:
        return ()
    png = await ctx.services.draw_chart(chart)
    return (OutgoingFile(name="usage.png", mime="image/png", content=png),)


# ---------------------------------------------------------------- lines


def _label(ctx: TurnContext, total: Total) -> str:
    """A model, and what it was used for if not for answers."""
    kind = KINDS[total.kind]
    model = f"`{total.model}`"
    if not kind:
        return model
    return noted(ctx.texts, model, ctx.texts.gettext(kind))


def usage_line(ctx: TurnContext, label: str, totals: Sequence[Total]) -> str:
    """`Today: 5 requests, 1,234 tokens, $0.12`."""
    requests = sum(one.requests for one in totals)
    tokens = sum(one.tokens for one in totals)
    images = sum(one.images for one in totals)
    seconds = sum(one.seconds for one in totals)
    text = ctx.texts.ngettext("{count} request", "{count} requests", requests)
    amounts = [text.format(count=ctx.formats.number(requests))]
    if tokens:
        amounts.append(_tokens(ctx, tokens))
    if images:
        amounts.append(sentences(ctx).amount(Measure.IMAGES, Decimal(images)))
    if seconds:
        minutes = Decimal(str(seconds)) / MINUTE
        amounts.append(sentences(ctx).amount(Measure.AUDIO, minutes))
    if requests:
        cost = sum((one.cost for one in totals), Decimal(0))
        unpriced = sum(one.unpriced for one in totals)
        amounts.append(_money(ctx, cost, requests=requests, unpriced=unpriced))
    return valued(ctx.texts, label, items(ctx.texts, amounts))


def _tokens(ctx: TurnContext, tokens: int) -> str:
    return sentences(ctx).amount(Measure.TOKENS, Decimal(tokens))


def _money(ctx: TurnContext, cost: Decimal, *, requests: int, unpriced: int) -> str:
    """What it cost, as far as prices are known: an unknown price is not zero."""
    if unpriced >= requests:
        return ctx.texts.gettext("price unknown")
    money = ctx.formats.money(cost)
    if not unpriced:
        return money
    text = ctx.texts.ngettext(
        "{money} and {count} request of unknown price",
        "{money} and {count} requests of unknown price",
        unpriced,
    )
    return text.format(money=money, count=ctx.formats.number(unpriced))


USAGE = Command(
    name="usage",
    family=ABOUT,
    summary=N_("See what you have used, with a chart"),
    usage="[ID|all]",
    run=usage,
    aliases=("cost",),
    details=N_("Today, this month and in all, by model. Admins see anybody’s, or all together."),
    examples=("/usage", "/usage all"),
    urgent=True,
)
