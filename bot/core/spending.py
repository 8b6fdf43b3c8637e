"""Everything that costs asks here first, whether this person may use this model and so much.

What a request may use is set aside before it is made, so that ten requests at once cannot use the
same rest. With the end of the turn the entries of `Outcome.usage` take its place, in one
transaction; a turn that fails, is given back or dies with its process gives it back, too.

The functions that ask raise `ModelError` (NOT_ALLOWED, with the sentence to say), `StoreError`.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

from bot.core.chat import PICTURE_TOKENS, ChatRequest, Role, pictures_in
from bot.core.limits.ledger import Refused, Reserved, Wish
from bot.core.limits.quota import Amount, amount_of, ceilings
from bot.core.limits.quota_sentences import QuotaSentences
from bot.core.models import UsageEntry, UsageKind
from bot.core.queue import Outcome
from bot.core.services import Services
from bot.core.turn import TurnContext
from bot.core.types import FileId, Person, UserId
from bot.errors import ModelError, ModelErrorKind, PlatformError, StoreError

log = logging.getLogger(__name__)

ANSWER = 4_096
"""Tokens set aside for an answer whose length nobody limits."""
SHORT = 256
"""An answer of fewer tokens is not worth asking for."""
DRAWN, FINE = 1_300, 6_300
"""Tokens of a picture: 1,056 or, at the highest quality, up to 6,240 (OpenAI's guide "Image
generation"), 1,290 (Google, "Gemini API pricing")."""
HEARD = 6
"""Tokens per second of audio, as what is written takes them: gpt-4o-transcribe, $0.006 a minute."""
TRIFLE = Decimal("0.000001")
"""What amounts differ by that are the same, but for how they are rounded."""
SCARCE = 16
"""So many times what is set aside for an answer: where less is left of a limit, it is scarce."""
NOBODY = Person("", UserId(""))
"""Under whose name chores are set aside."""
NEAR = Decimal("0.8")
"""The part of a limit from which a person is told, once in its period."""


async def reserve_answer(ctx: TurnContext, request: ChatRequest) -> ChatRequest:
    """Set aside what an answer takes; returns the request, shortened where little is left."""
    may_use(ctx, request.model)
    found = await ctx.services.budget.ceilings(ctx.person, admin=ctx.admin)
    if not found:  # counting tokens takes a moment
        return request
    longest = request.sampling.max_tokens or ANSWER
    whole = _question(ctx.services, request, longest)
    wish = Wish(
        person=ctx.person,
        least=_worth(ctx.services, replace(whole, completion_tokens=min(SHORT, longest))),
        most=_worth(ctx.services, whole),
        ceilings=found,
        turn=ctx.turn.id,
    )
    talked = any(message.role is Role.ASSISTANT for message in request.messages)
    own = tuple(ctx.set_aside)
    reserved = await _reserve(ctx, wish, talked=talked)
    room = _room(ctx, whole, reserved.amount, wish.most)
    if room >= longest and not _is_shared_out(reserved, own):
        return request
    return replace(request, sampling=replace(request.sampling, max_tokens=min(room, longest)))


def _is_shared_out(reserved: Reserved, own: Sequence[Amount]) -> bool:
    """Whether the little that is left goes to more of the person's than this turn, with its `own`.

    Then no more may be used than is set aside: ten long answers at once would use ten limits up.
    Else an answer is as long as it is: what a model thinks may take ten times what is set aside.
    """
    return any(
        standing.reserved > sum(each.of(standing.ceiling.measure) for each in own) + TRIFLE
        and standing.left < SCARCE * reserved.amount.of(standing.ceiling.measure)
        for standing in reserved.standings
        if not standing.ceiling.shared
    )


async def reserve_images(ctx: TurnContext, *, model: str, count: int, fine: bool = False) -> None:
    """Set aside what drawing takes; `fine` pictures take more."""
    await _reserve_all(ctx, drawing_of(ctx.services, model=model, count=count, fine=fine))


def drawing_of(
    services: Services, *, model: str, count: int, words: int = 0, fine: bool = False
) -> UsageEntry:
    """What drawing comes to before it is known, with a prompt of so many tokens."""
    entry = UsageEntry(kind=UsageKind.IMAGE, model=model, prompt_tokens=words, images=count)
    return _foreseen(services, entry, tokens=count * (FINE if fine else DRAWN))


def listening_to(services: Services, *, model: str, seconds: float) -> UsageEntry:
    """What writing a recording down comes to before it is known."""
    entry = UsageEntry(kind=UsageKind.AUDIO, model=model, seconds=seconds)
    return _foreseen(services, entry, tokens=int(seconds * HEARD))


def _foreseen(services: Services, entry: UsageEntry, *, tokens: int) -> UsageEntry:
    """The entry; with so many tokens where they have a price, and what it counts has none.

    Else a limit of cost would never be reached by what is paid by the token.
    """
    priced, by_tokens = services.api.priced, replace(entry, completion_tokens=tokens)
    is_priced = priced(replace(entry, prompt_tokens=0)).cost is not None
    return entry if is_priced or priced(by_tokens).cost is None else by_tokens


async def reserve_audio(ctx: TurnContext, recording: FileId, *, model: str, seconds: float) -> None:
    """Set aside what listening takes: all clips of a recording together, once in a turn.

    A recording that is heard again after a failure is paid for once, and has its share already.
    """
    if recording in ctx.reserved:
        return
    await _reserve_all(ctx, listening_to(ctx.services, model=model, seconds=seconds))
    ctx.reserved.add(recording)


@asynccontextmanager
async def reserve_chore(services: Services, request: ChatRequest) -> AsyncGenerator[None]:
    """Set aside what work takes that nobody waits for (a title, a summary), while it lasts.

    Only what all together may use is in its way: its person has been answered already.
    """
    whole = _question(services, request, request.sampling.max_tokens or SHORT)
    amount = _worth(services, whole)
    limits = ceilings({}, services.budget.quotas.everybody)
    found = await services.budget.reserve(
        Wish(person=NOBODY, least=amount, most=amount, ceilings=limits)
    )
    if isinstance(found, Refused):
        raise ModelError(ModelErrorKind.NOT_ALLOWED, "all together have reached a limit")
    try:
        yield
    finally:
        if found.id:
            await services.stores.ledger.release(found.id)


async def remind(ctx: TurnContext, outcome: Outcome) -> None:
    """Tell somebody who comes near a limit with this turn; once in its day or month."""
    spent = amount_of(outcome.usage)
    for standing in ctx.standings:
        ceiling = standing.ceiling
        used = standing.used + spent.of(ceiling.measure)
        if ceiling.shared or not ceiling.limit or used < NEAR * ceiling.limit:
            continue
        try:
            if await ctx.services.stores.ledger.first_time(ctx.person, ceiling):
                await ctx.tell(sentences(ctx).note(standing, used))
        except (PlatformError, StoreError) as error:  # only a note: /usage says the same
            log.info("note not shown", extra={**ctx.log, "error": repr(error)})


def may_use(ctx: TurnContext, model: str, *, answers: bool = True) -> None:
    """Raise `ModelError` when a model is reserved for others.

    With /model people choose which one `answers`, and no other.
    """
    if ctx.may_use(model):
        return
    _ = ctx.texts.gettext
    text = _("The model “{model}” is reserved for others.")
    if answers:
        text = _("The model “{model}” is reserved for others. Choose another with /model.")
    raise ModelError(ModelErrorKind.NOT_ALLOWED, text.format(model=model))


async def _reserve_all(ctx: TurnContext, entry: UsageEntry) -> None:
    may_use(ctx, entry.model, answers=False)
    amount = _worth(ctx.services, entry)
    found = await ctx.services.budget.ceilings(ctx.person, admin=ctx.admin)
    wish = Wish(person=ctx.person, least=amount, most=amount, ceilings=found, turn=ctx.turn.id)
    await _reserve(ctx, wish)


async def _reserve(ctx: TurnContext, wish: Wish, *, talked: bool = False) -> Reserved:
    found = await ctx.services.budget.reserve(wish)
    if isinstance(found, Refused):
        ceiling = found.standing.ceiling
        log.info(
            "limit reached",
            extra={
                **ctx.log,
                "limit": f"{ceiling.period}_{ceiling.measure}",
                "shared": ceiling.shared,
            },
        )
        raise ModelError(ModelErrorKind.NOT_ALLOWED, sentences(ctx).refusal(found, talked=talked))
    if not ctx.standings:
        ctx.standings.extend(found.standings)
    ctx.set_aside.append(found.amount)
    return found


def _question(services: Services, request: ChatRequest, answer: int) -> UsageEntry:
    """What a request comes to when its answer has so many tokens."""
    words = sum(services.count_tokens(message.text) for message in request.messages)
    return UsageEntry(
        kind=UsageKind.CHAT,
        model=request.model,
        prompt_tokens=words + PICTURE_TOKENS * pictures_in(request.messages),
        completion_tokens=answer,
    )


def _worth(services: Services, entry: UsageEntry) -> Amount:
    return amount_of([services.api.priced(entry)])


def _room(ctx: TurnContext, whole: UsageEntry, granted: Amount, most: Amount) -> int:
    """Tokens that the answer may have within what is granted."""
    room = granted.tokens - whole.prompt_tokens
    if granted.cost < most.cost:  # so tokens of the answer cost something
        base = _worth(ctx.services, replace(whole, completion_tokens=0)).cost
        each = (most.cost - base) / whole.completion_tokens
        room = min(room, int((granted.cost - base) / each))
    return max(1, room)


def sentences(ctx: TurnContext) -> QuotaSentences:
    """What is said about limits, in the language of the chat."""
    calendar = ctx.services.budget.calendar
    return QuotaSentences(texts=ctx.texts, formats=ctx.formats, calendar=calendar)
