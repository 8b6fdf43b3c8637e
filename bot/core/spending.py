"""Everything that costs asks here first, whether this person may use this model and so much.

What a request may use is set aside before it is made, so that ten requests at once cannot use the
same rest. With the end of the turn the entries of `Outcome.usage` take its place, in one
transaction; a turn that fails, is given back or dies with its process gives it back, too.

The functions that ask raise `ModelError` (NOT_ALLOWED, with the sentence to say), `StoreError`.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

from bot.core.chat import ChatRequest, ImagePart, UsageEntry, UsageKind
from bot.core.ledger import Refused, Reserved, Wish
from bot.core.quota import Amount, amount_of
from bot.core.quota_sentences import QuotaSentences
from bot.core.stores import Outcome
from bot.core.turn import TurnContext
from bot.errors import ModelError, ModelErrorKind, PlatformError, StoreError

log = logging.getLogger(__name__)

ANSWER = 4_096
"""Tokens set aside for an answer whose length nobody limits."""
SHORT = 256
"""An answer of fewer tokens is not worth asking for."""
PICTURE = 1_000
"""Tokens that a picture in a question takes, about."""
NEAR = Decimal("0.8")
"""The part of a limit from which a person is told, once in its period."""


async def reserve_answer(ctx: TurnContext, request: ChatRequest) -> ChatRequest:
    """Set aside what an answer takes; returns the request, shortened where little is left."""
    _, asked = await _reserve_answer(ctx, request, turn=ctx.turn.id)
    return asked


async def reserve_images(ctx: TurnContext, *, model: str, count: int) -> None:
    """Set aside what drawing takes."""
    entry = UsageEntry(kind=UsageKind.IMAGE, model=model, images=count)
    await _reserve_all(ctx, entry)


async def reserve_audio(ctx: TurnContext, *, model: str, seconds: float) -> None:
    """Set aside what listening takes: all clips of a recording together."""
    entry = UsageEntry(kind=UsageKind.AUDIO, model=model, seconds=seconds)
    await _reserve_all(ctx, entry)


async def reserve_embedding(ctx: TurnContext, *, model: str, tokens: int) -> None:
    """Set aside what embedding takes."""
    entry = UsageEntry(kind=UsageKind.EMBEDDING, model=model, prompt_tokens=tokens)
    await _reserve_all(ctx, entry)


@asynccontextmanager
async def apart(
    ctx: TurnContext, request: ChatRequest
) -> AsyncGenerator[tuple[ChatRequest, list[UsageEntry]]]:
    """For work that may outlive its turn (a title, a summary).

    Yields the request to make, and a list for what it came to, which is written down at the end of
    the block, however it comes.
    """
    reserved, asked = await _reserve_answer(ctx, request, turn=None)
    entries: list[UsageEntry] = []
    try:
        yield asked, entries
    finally:
        await ctx.services.stores.ledger.settle(reserved.id, ctx.person, ctx.chat, entries)


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


def may_use(ctx: TurnContext, model: str) -> None:
    """Raise `ModelError` when a model is reserved for others."""
    if not ctx.may_use(model):
        text = ctx.texts.gettext(
            "The model “{model}” is reserved for others. Choose another with /model."
        )
        raise ModelError(ModelErrorKind.NOT_ALLOWED, text.format(model=model))


async def _reserve_answer(
    ctx: TurnContext, request: ChatRequest, *, turn: int | None
) -> tuple[Reserved, ChatRequest]:
    may_use(ctx, request.model)
    ceilings = await ctx.services.budget.ceilings(ctx.person, admin=ctx.admin)
    if not ceilings:  # counting tokens takes a moment
        return Reserved(id=0, amount=Amount(), standings=()), request
    prompt = _prompt_tokens(ctx, request)
    longest = request.sampling.max_tokens or ANSWER
    answer = UsageEntry(kind=UsageKind.CHAT, model=request.model, prompt_tokens=prompt)
    wish = Wish(
        person=ctx.person,
        least=_amount(ctx, replace(answer, completion_tokens=min(SHORT, longest))),
        most=_amount(ctx, replace(answer, completion_tokens=longest)),
        ceilings=ceilings,
        turn=turn,
    )
    reserved = await _reserve(ctx, wish)
    room = _room(ctx, answer, reserved.amount, wish.most)
    if room >= longest:
        return reserved, request
    return reserved, replace(request, sampling=replace(request.sampling, max_tokens=room))


async def _reserve_all(ctx: TurnContext, entry: UsageEntry) -> None:
    may_use(ctx, entry.model)
    amount = _amount(ctx, entry)
    ceilings = await ctx.services.budget.ceilings(ctx.person, admin=ctx.admin)
    wish = Wish(person=ctx.person, least=amount, most=amount, ceilings=ceilings, turn=ctx.turn.id)
    await _reserve(ctx, wish)


async def _reserve(ctx: TurnContext, wish: Wish) -> Reserved:
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
        raise ModelError(ModelErrorKind.NOT_ALLOWED, sentences(ctx).refusal(found))
    if not ctx.standings:
        ctx.standings.extend(found.standings)
    return found


def _prompt_tokens(ctx: TurnContext, request: ChatRequest) -> int:
    words = sum(ctx.services.count_tokens(message.text) for message in request.messages)
    pictures = sum(
        isinstance(part, ImagePart) for message in request.messages for part in message.parts
    )
    return words + PICTURE * pictures


def _amount(ctx: TurnContext, entry: UsageEntry) -> Amount:
    return amount_of([ctx.services.api.priced(entry)])


def _room(ctx: TurnContext, question: UsageEntry, granted: Amount, most: Amount) -> int:
    """Tokens that the answer to a question may have within what is granted."""
    room = granted.tokens - question.prompt_tokens
    if granted.cost < most.cost:
        many = 1_000_000
        base = _amount(ctx, question).cost
        each = (_amount(ctx, replace(question, completion_tokens=many)).cost - base) / many
        if each:
            room = min(room, int((granted.cost - base) / each))
    return max(1, room)


def sentences(ctx: TurnContext) -> QuotaSentences:
    """What is said about limits, in the language of the chat."""
    calendar = ctx.services.budget.calendar
    return QuotaSentences(texts=ctx.texts, formats=ctx.formats, calendar=calendar)
