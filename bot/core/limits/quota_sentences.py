"""What people read about limits: how much there is, what is left, and when it starts afresh."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from gettext import NullTranslations
from typing import assert_never

from bot.core.formats import Formats
from bot.core.limits.calendar import Calendar, Period
from bot.core.limits.ledger import Refused, Standing
from bot.core.limits.quota import Ceiling, Measure
from bot.core.punctuation import in_a_row

LEAST = Decimal("0.1")
"""What is less is not told more exactly: some seconds of audio."""
SPENT = Decimal("0.95")
"""From this part of a limit on, nobody is told that there is something left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaSentences:
    """Sentences in one language."""

    texts: NullTranslations
    formats: Formats
    calendar: Calendar

    def amount(self, measure: Measure, value: Decimal) -> str:
        """`50,000 tokens`, `$5.00`, `3 pictures`, `12 minutes of audio`."""
        count, n = self.formats.number(round(value, 1).normalize()), int(value)
        if value and not round(value, 1):
            count = f"<{self.formats.number(LEAST)}"
        match measure:
            case Measure.TOKENS:
                return self.texts.ngettext("{count} token", "{count} tokens", n).format(count=count)
            case Measure.COST:
                return self.formats.money(value)
            case Measure.IMAGES:
                text = self.texts.ngettext("{count} picture", "{count} pictures", n)
                return text.format(count=count)
            case Measure.AUDIO:
                text = self.texts.ngettext(
                    "{count} minute of audio", "{count} minutes of audio", 1 if value == 1 else 2
                )
                return text.format(count=count)
            case unknown:
                assert_never(unknown)

    def limit(self, ceiling: Ceiling) -> str:
        """`50,000 tokens a day`."""
        _ = self.texts.gettext
        amount = self.amount(ceiling.measure, ceiling.limit)
        if ceiling.period is Period.DAY:
            return _("{amount} a day").format(amount=amount)
        return _("{amount} a month").format(amount=amount)

    def resets(self, period: Period) -> str:
        """`Nov 26 00:00 (in 7 hours)`."""
        ends = self.calendar.ends(period)
        return self.texts.gettext("{when} (in {span})").format(
            when=self.formats.moment(ends),
            span=self.formats.span((ends - self.calendar.now()).total_seconds()),
        )

    def refusal(self, refused: Refused, *, talked: bool = False) -> str:
        """Why a request is not made, and when it can be.

        Where it is too much with what was `talked` about before, a new conversation helps.
        """
        _, standing, hint = self.texts.gettext, refused.standing, ""
        if talked:
            hint = _("Without what was said before it takes less: /new starts afresh.")
        ceiling = standing.ceiling
        is_used_up = standing.used > 0 and standing.used >= SPENT * ceiling.limit
        fields = {
            "limit": self.limit(ceiling),
            "when": self.resets(ceiling.period),
            "need": self.amount(ceiling.measure, refused.least),
            "left": self.amount(ceiling.measure, standing.left),
        }
        if refused.least > ceiling.limit and not is_used_up:
            text = _("This takes {need}, and the limit here is {limit}.")
            text = in_a_row(self.texts, text, hint)
        elif standing.used + refused.least <= ceiling.limit:  # only what is under way is too much
            text = _(
                "What is being worked on right now may use up the limit of {limit}. Please try "
                "again when it is done."
            )
        elif ceiling.shared:
            text = _(
                "All of us together have reached the limit of {limit}. It starts afresh on {when}."
            )
        elif is_used_up:
            text = _("You have reached your limit of {limit}. It starts afresh on {when}.")
        elif ceiling.measure in (Measure.TOKENS, Measure.COST):  # what is needed is only guessed
            text = _(
                "What is left of your limit of {limit} is too little for an answer. It starts "
                "afresh on {when}."
            )
            text = in_a_row(self.texts, text, hint)
        else:
            text = _(
                "This takes {need}, and {left} are left of your {limit}. It starts afresh on "
                "{when}."
            )
        return text.format(**fields)

    def note(self, standing: Standing, used: Decimal) -> str:
        """The quiet word near a limit."""
        share = min(Decimal(1), used / standing.ceiling.limit)
        text = self.texts.gettext(
            "💡 You have used {percent} of your limit of {limit}. It starts afresh on {when}."
        )
        return text.format(
            percent=self.formats.percent(float(share)),
            limit=self.limit(standing.ceiling),
            when=self.resets(standing.ceiling.period),
        )
