"""The SQL of taking in: what there is in the queue when an event comes, and its new row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningInsert

from bot.core.queue import Turn, TurnState
from bot.core.settings import ChatSettings, handed_down
from bot.core.types import ChatRef, Event, IncomingMessage, Unreadable
from bot.store import chat_settings, codec
from bot.store.belonging import chat_columns
from bot.store.columns import storable, utc_now
from bot.store.database import insert, insert_for
from bot.store.drivers.connection import Connection, exists
from bot.store.json_rows import as_json, rows_of, select_rows
from bot.store.queue.claims import stood_in
from bot.store.queue.lanes import lane_index
from bot.store.schema import ACTIVE_IN_LANE, WAITING_IN_LANE, turns


@dataclass(frozen=True, slots=True)
class Offer:
    """An event to be taken in; where it may `begin`, it does so when nothing stands before it.

    `lobby` is that of its chat, if what is chosen there shall be looked up.
    """

    event: Event
    urgent: bool
    begin: bool = False
    lobby: ChatRef | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """What there is in the queue when an event comes.

    `known` is the event's own turn, if it was taken in before. `stood` is the bot's newest message
    when the newest turn of the chat ended; `settings` are the chat's, and `lobby_settings` those of
    its lobby. All three are JSON.
    """

    known: int | None
    waiting_in_chat: int
    active_in_chat: int
    waiting_in_all: int
    stood: str | None
    settings: str | None
    lobby_settings: str | None


async def situations(connection: Connection, offers: Sequence[Offer]) -> Sequence[Situation]:
    """The situation for each event. Urgent turns do not count: nothing waits for them."""
    named = as_json([_named(offer.event, offer.lobby) for offer in offers])
    result = await connection.execute(
        _finding_situations(connection.dialect.name), {"offers": named}
    )
    return [Situation(*row) for row in result.all()]


async def knows(connection: Connection, platform: str, key: str) -> bool:
    """Whether there is a turn for an event with this key, and not only for its deletion."""
    is_known = (turns.c.platform == platform, turns.c.key == key)
    return await exists(connection, *is_known, turns.c.kind != codec.WITHDRAWN)


def _named(event: Event, lobby: ChatRef | None) -> dict[str, str]:
    named = {"key": event.key, "gesture": _gesture(event), "lobby": lobby.id if lobby else ""}
    return {**chat_columns(event.chat), **named}


_NAMED = dict.fromkeys(("platform", "chat", "key", "gesture", "lobby"), "text")


@cache
def _finding_situations(dialect: str) -> sa.TextClause:
    return sa.text(
        f"""WITH offer AS ({select_rows(dialect, "offers", _NAMED)})
        SELECT
        coalesce(
            (SELECT id FROM turns WHERE platform = offer.platform AND key = offer.key),
            (SELECT id FROM turns WHERE platform = offer.platform AND gesture = offer.gesture
                AND gesture <> '')),
        (SELECT count(*) FILTER (WHERE state = 'waiting') FROM turns {lane_index(dialect)}
            WHERE platform = offer.platform AND chat = offer.chat AND {ACTIVE_IN_LANE}),
        (SELECT count(*) FROM turns {lane_index(dialect)}
            WHERE platform = offer.platform AND chat = offer.chat AND {ACTIVE_IN_LANE}),
        (SELECT count(*) FROM turns WHERE {WAITING_IN_LANE}),
        ({stood_in("offer.platform", "offer.chat")}),
        (SELECT settings FROM chats WHERE platform = offer.platform AND id = offer.chat),
        (SELECT settings FROM chats WHERE platform = offer.platform AND id = offer.lobby)
        FROM offer ORDER BY number"""
    )


def _gesture(event: Event) -> str:
    return event.gesture if isinstance(event, IncomingMessage) and not event.edited else ""


async def add(
    connection: Connection, event: Event, *, urgent: bool, settled: bool = False
) -> int | None:
    """A waiting turn for an event; None when its key is known.

    What is `settled` asks for no work any more: only its key is kept.
    """
    row = _row(event, urgent=urgent)
    if settled:
        row |= {"state": TurnState.DONE.value, "message": "", "event": "{}"}
    statement = _adding(connection.dialect.name, settled)
    new: int | None = (await connection.execute(statement, row)).scalar_one_or_none()
    return new


def _row(event: Event, *, urgent: bool) -> dict[str, str | int]:
    return {
        **chat_columns(event.chat),
        "user_id": event.sender.id,
        "urgent": urgent,
        "state": TurnState.WAITING.value,
        "message": event.ref.id if isinstance(event, IncomingMessage) else "",
        "gesture": _gesture(event),
        **_new(event),
    }


@cache
def _adding(dialect: str, settled: bool) -> ReturningInsert[Any]:
    return (
        insert_for(dialect, turns)
        .values(accepted_at=utc_now(), finished_at=utc_now() if settled else None)
        .on_conflict_do_nothing()
        .returning(turns.c.id)
    )


async def begin(
    connection: Connection, met: Sequence[tuple[Offer, Situation]], owner: str, lease: float
) -> Sequence[Turn | None]:
    """A turn that runs from the start for each event; None for one that has one, or must wait.

    For events before which nothing was seen to stand: another process may have been quicker.
    """
    rows = [
        _row(offer.event, urgent=offer.urgent) | _running(situation, owner)
        for offer, situation in met
    ]
    beginning = _beginning(connection.dialect.name, lease)
    result = await connection.execute(beginning, {"rows": as_json(rows)})
    ids = {(platform, key): turn_id for turn_id, platform, key in result.all()}
    begun: list[Turn | None] = []
    for (offer, situation), row in zip(met, rows, strict=True):
        # Taken out: of two events with one key only the first has got in.
        turn_id = ids.pop((row["platform"], storable(offer.event.key)), None)
        begun.append(
            None if turn_id is None else _turn(turn_id, offer, situation, str(row["event"]))
        )
    return begun


def _running(situation: Situation, owner: str) -> dict[str, str | int]:
    return {"state": TurnState.RUNNING.value, "owner": owner, "stood": situation.stood or ""}


@cache
def _beginning(dialect: str, lease: float) -> ReturningInsert[Any]:
    now = {"accepted_at": utc_now(), "started_at": utc_now(), "lease_until": utc_now(lease)}
    new = rows_of(dialect, "rows", _BEGUN)
    rows = (
        sa.select(*(new.c[name] for name in _BEGUN), *now.values())
        # Without it SQLite takes ON for that of a join (https://www.sqlite.org/lang_upsert.html).
        .where(sa.text("TRUE"))
        .order_by(new.c.number)
    )
    return (
        insert_for(dialect, turns)
        .from_select([*_BEGUN, *now], rows, include_defaults=False)
        .on_conflict_do_nothing()
        .returning(turns.c.id, turns.c.platform, turns.c.key)
    )


_TEXTS = "platform chat user_id state message gesture key kind event partial shown owner stood"
_BEGUN = dict.fromkeys(_TEXTS.split(), "text") | {"urgent": "boolean", "attempt": "integer"}
"""What `_row` and `_running` say, with its type."""


def _turn(turn_id: int, offer: Offer, situation: Situation, text: str) -> Turn:
    """What has just been put into a row, as another attempt would read it."""
    event, kept = offer.event, storable(text)
    if kept != text:
        event = codec.load_event(codec.kind_of(event), kept)
    chat = event.chat
    return Turn(
        id=turn_id,
        chat=chat,
        event=event,
        urgent=offer.urgent,
        followed=False,
        settings=_settings(offer, situation),
        stood=codec.SHOWN.load(situation.stood)[0] if situation.stood else None,
    )


def _settings(offer: Offer, situation: Situation) -> ChatSettings | None:
    own = chat_settings.read(situation.settings, offer.event.chat)
    if own is not None or offer.lobby is None:
        return own
    return handed_down(chat_settings.read(situation.lobby_settings, offer.lobby) or ChatSettings())


async def bury(connection: Connection, event: Unreadable) -> None:
    """A dead turn for an event that nobody can read, unless its key is known."""
    statement = (
        insert(connection, turns)
        .values(
            platform=event.platform,
            chat="",
            user_id="",
            urgent=False,
            state=TurnState.DEAD.value,
            error=event.reason,
            finished_at=utc_now(),
            accepted_at=utc_now(),
            **_new(event),
        )
        .on_conflict_do_nothing()
    )
    await connection.execute(statement)


def _new(event: Event | Unreadable) -> dict[str, str | int]:
    return {
        "key": event.key,
        "kind": codec.kind_of(event),
        "event": codec.dump_event(event),
        "attempt": 1,
        "partial": "",
        "shown": codec.SHOWN.dump(()),
    }
