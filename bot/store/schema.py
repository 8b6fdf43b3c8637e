"""The tables.

A change here needs a migration, like the newest in `migrations/versions`, and its number as `HEAD`
in `migrate.py`; tests compare the three.
"""

from __future__ import annotations

import sqlalchemy as sa

from bot.store.columns import Dollars, Id, Utc, Words
from bot.store.indexes import where

WAITING = "state = 'waiting'"
WAITING_IN_LANE = "state = 'waiting' AND NOT urgent"
RUNNING = "state = 'running'"
RUNNING_IN_LANE = "state = 'running' AND NOT urgent"
ACTIVE_IN_LANE = "state IN ('waiting', 'running') AND NOT urgent"
ENDED = "finished_at IS NOT NULL"
JOINED = "state = 'joined'"
GESTURE = "gesture <> ''"
MESSAGE = "message <> ''"
UNSWEPT = "unswept <> ''"
BY_PERSON = "sender_id <> ''"
"""Conditions of partial indexes. Queries must use these very words: a bound parameter in place
of the literal keeps SQLite from using the index (https://www.sqlite.org/partialindex.html)."""

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

users = sa.Table(
    "users",
    metadata,
    sa.Column("platform", Words, primary_key=True),
    sa.Column("id", Words, primary_key=True),
    sa.Column("name", Words, nullable=False),
    sa.Column("language", Words, nullable=False),
    sa.Column("first_seen", Utc, nullable=False),
    sa.Column("last_seen", Utc, nullable=False),
    sa.Index("ix_users_last_seen", "last_seen"),
)

chats = sa.Table(
    "chats",
    metadata,
    sa.Column("platform", Words, primary_key=True),
    sa.Column("id", Words, primary_key=True),
    sa.Column("settings", Words, nullable=False),  # JSON
    sa.Column("updated_at", Utc, nullable=False),
)

conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("platform", Words, nullable=False),
    sa.Column("chat", Words, nullable=False),
    sa.Column("current", sa.Boolean, nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("number", sa.Integer, nullable=False, server_default="0"),  # within its chat
    sa.Column("title", Words, nullable=False, server_default=""),
    sa.Column("active_at", Utc, nullable=True),  # when something was said last
    sa.Index("ix_conversations_chat", "platform", "chat", "id"),
    sa.Index("uq_conversations_current", "platform", "chat", unique=True, info=where("current")),
    sqlite_autoincrement=True,
)

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column(
        "conversation_id", Id, sa.ForeignKey(conversations.c.id, ondelete="CASCADE"), nullable=False
    ),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("role", Words, nullable=False),
    sa.Column("parts", Words, nullable=False),  # JSON; pictures as the key of their file
    sa.Column("tool_calls", Words, nullable=True),  # JSON
    sa.Column("tool_call_id", Words, nullable=False),
    sa.Column("sender_id", Words, nullable=False),
    sa.Column("sender_name", Words, nullable=False),
    sa.Column("model", Words, nullable=False),
    sa.Column("usage", Words, nullable=True),  # JSON
    sa.Column("state", Words, nullable=False),
    sa.Column("turn_id", Id, nullable=True),  # no key: turns are purged, messages stay
    sa.Column("shown", Words, nullable=False, server_default="[]"),  # JSON
    sa.Column("heading", Words, nullable=False, server_default=""),
    sa.Column("hidden", sa.Boolean, nullable=False, server_default=sa.false()),
    # Serves the page of a conversation, newest first, whatever else there is.
    sa.Index("ix_messages_conversation", "conversation_id", "id"),
    # Those of three tables that grow by which a person, or a chat, is found to be forgotten. The
    # platform comes last: SQLite's planner takes what begins with it for just as good.
    sa.Index("ix_messages_sender", "sender_id", "conversation_id", info=where(BY_PERSON)),
    sqlite_autoincrement=True,
)

summaries = sa.Table(
    "summaries",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column(
        "conversation_id", Id, sa.ForeignKey(conversations.c.id, ondelete="CASCADE"), nullable=False
    ),
    sa.Column("through_id", Id, nullable=False),  # the last message that it covers
    sa.Column("text", Words, nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sa.Index("ix_summaries_conversation", "conversation_id", "through_id"),
)

overheard = sa.Table(
    "overheard",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("platform", Words, nullable=False),
    sa.Column("key", Words, nullable=False),
    sa.Column("chat", Words, nullable=False),
    sa.Column("sender_id", Words, nullable=False),
    sa.Column("sender_name", Words, nullable=False),
    sa.Column("text", Words, nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("message", Words, nullable=False, server_default=""),  # its id
    sa.UniqueConstraint("platform", "key"),
    sa.Index("ix_overheard_chat", "platform", "chat", "id"),
    sqlite_autoincrement=True,
)

files = sa.Table(
    "files",
    metadata,
    sa.Column("sha256", Words, primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Utc, nullable=False),
)

message_files = sa.Table(
    "message_files",
    metadata,
    sa.Column("message_id", Id, sa.ForeignKey(messages.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("sha256", Words, sa.ForeignKey(files.c.sha256), primary_key=True),
    # The type of a picture that the bot drew; empty for one that is part of the message.
    sa.Column("drawn", Words, nullable=False, server_default=""),
    sa.Index("ix_message_files_sha256", "sha256"),
)

turns = sa.Table(
    "turns",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("platform", Words, nullable=False),
    sa.Column("key", Words, nullable=False),
    sa.Column("chat", Words, nullable=False),  # empty for an event nobody can read
    sa.Column("user_id", Words, nullable=False),
    sa.Column("kind", Words, nullable=False),
    sa.Column("event", Words, nullable=False),  # JSON
    sa.Column("message", Words, nullable=False, server_default=""),  # the id of what was written
    sa.Column("gesture", Words, nullable=False, server_default=""),  # a second key, if any
    sa.Column("urgent", sa.Boolean, nullable=False),
    sa.Column("state", Words, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("owner", Words, nullable=True),
    sa.Column("lease_until", Utc, nullable=True),
    sa.Column("partial", Words, nullable=False),
    sa.Column("shown", Words, nullable=False),  # JSON
    sa.Column("progress", Words, nullable=False, server_default=""),
    # The newest message of the bot when the turn began, and once it has ended, at its end; JSON.
    sa.Column("stood", Words, nullable=False, server_default=""),
    sa.Column("lead", Id, nullable=True),  # the turn that answers this one, too
    # Its person asked to be forgotten before it was over: nothing of it stays.
    sa.Column("forgotten", sa.Boolean, nullable=False, server_default=sa.false()),
    # Somebody stopped it where no process could be told: whoever works on it next only ends it.
    sa.Column("stopped", sa.Boolean, nullable=False, server_default=sa.false()),
    # Its message was deleted in the chat: nothing that it said stays.
    sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false()),
    # Where what it may have posted, unknown to anybody, is still to be looked for; JSON.
    sa.Column("unswept", Words, nullable=False, server_default=""),
    sa.Column("error", Words, nullable=True),
    sa.Column("accepted_at", Utc, nullable=False),
    sa.Column("started_at", Utc, nullable=True),
    sa.Column("finished_at", Utc, nullable=True),
    sa.UniqueConstraint("platform", "key"),
    sa.Index("uq_turns_gesture", "platform", "gesture", unique=True, info=where(GESTURE)),
    # Serve what is asked about the newest turns of a chat, ended or not, and about a message.
    sa.Index("ix_turns_chat", "platform", "chat", "id"),
    sa.Index("ix_turns_message", "platform", "chat", "message", info=where(MESSAGE)),
    sa.Index("ix_turns_person", "user_id", "platform"),
    sa.Index("ix_turns_joined", "lead", info=where(JOINED)),
    sa.Index("ix_turns_waiting", "urgent", "id", info=where(WAITING)),
    sa.Index("ix_turns_lane", "platform", "chat", "id", info=where(ACTIVE_IN_LANE)),
    # One turn at a time per chat, whatever the processes do.
    sa.Index("uq_turns_running", "platform", "chat", unique=True, info=where(RUNNING_IN_LANE)),
    sa.Index("ix_turns_running", "lease_until", info=where(RUNNING)),
    sa.Index("ix_turns_ended", "finished_at", info=where(ENDED)),
    sa.Index("ix_turns_unswept", "id", info=where(UNSWEPT)),
    sqlite_autoincrement=True,
)

turn_files = sa.Table(
    "turn_files",
    metadata,
    sa.Column("turn_id", Id, sa.ForeignKey(turns.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", Words, nullable=False),
    sa.Column("mime", Words, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

usage = sa.Table(
    "usage",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("platform", Words, nullable=False),
    sa.Column("chat", Words, nullable=False),
    sa.Column("user_id", Words, nullable=False),
    sa.Column("kind", Words, nullable=False),
    sa.Column("model", Words, nullable=False),
    sa.Column("prompt_tokens", sa.BigInteger, nullable=False),
    sa.Column("completion_tokens", sa.BigInteger, nullable=False),
    sa.Column("images", sa.Integer, nullable=False),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("cost", Dollars, nullable=True),
    sa.Column("latency", sa.Double, nullable=True),
    sa.Column("first_token", sa.Double, nullable=True),
    sa.Column("estimated", sa.Boolean, nullable=False),
    sa.Index("ix_usage_user", "platform", "user_id", "created_at"),
    sa.Index("ix_usage_chat", "chat", "platform"),
    sa.Index("ix_usage_created_at", "created_at"),
    sqlite_autoincrement=True,
)

ratings = sa.Table(
    "ratings",
    metadata,
    sa.Column("platform", Words, primary_key=True),
    sa.Column("chat", Words, primary_key=True),
    sa.Column("turn_id", Id, primary_key=True, autoincrement=False),
    sa.Column("user_id", Words, primary_key=True),
    sa.Column("model", Words, nullable=False),
    sa.Column("good", sa.Boolean, nullable=False),
    sa.Column("created_at", Utc, nullable=False),
)

actions = sa.Table(
    "actions",
    metadata,
    sa.Column("id", Words, primary_key=True),
    sa.Column("platform", Words, nullable=False),
    sa.Column("chat", Words, nullable=False),
    sa.Column("name", Words, nullable=False),
    sa.Column("argument", Words, nullable=False),
    sa.Column("owner", Words, nullable=True),
    sa.Column("created_at", Utc, nullable=False),
    sa.Index("ix_actions_created_at", "created_at"),
)

usage_totals = sa.Table(
    "usage_totals",
    metadata,
    # Both empty: everybody together.
    sa.Column("platform", Words, primary_key=True),
    sa.Column("user_id", Words, primary_key=True),
    sa.Column("period", Words, primary_key=True),  # a day, a month, or nothing for all time
    sa.Column("kind", Words, primary_key=True),
    sa.Column("model", Words, primary_key=True),
    sa.Column("requests", sa.BigInteger, nullable=False),
    sa.Column("prompt_tokens", sa.BigInteger, nullable=False),
    sa.Column("completion_tokens", sa.BigInteger, nullable=False),
    sa.Column("images", sa.BigInteger, nullable=False),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("cost", Dollars, nullable=False),
    sa.Column("unpriced", sa.BigInteger, nullable=False),
    sa.Index("ix_usage_totals_period", "period"),
)

reservations = sa.Table(
    "reservations",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("turn_id", Id, sa.ForeignKey(turns.c.id, ondelete="CASCADE"), nullable=True),
    sa.Column("platform", Words, nullable=False),
    sa.Column("user_id", Words, nullable=False),
    sa.Column("tokens", sa.BigInteger, nullable=False),
    sa.Column("cost", Dollars, nullable=False),
    sa.Column("images", sa.BigInteger, nullable=False),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("expires_at", Utc, nullable=True),  # only of work outside of a turn
    sa.Index("ix_reservations_turn_id", "turn_id"),
    sqlite_autoincrement=True,
)

person_limits = sa.Table(
    "person_limits",
    metadata,
    sa.Column("platform", Words, primary_key=True),
    sa.Column("user_id", Words, primary_key=True),
    sa.Column("limits", Words, nullable=False),  # JSON
    sa.Column("updated_at", Utc, nullable=False),
)

quota_notes = sa.Table(
    "quota_notes",
    metadata,
    sa.Column("platform", Words, primary_key=True),
    sa.Column("user_id", Words, primary_key=True),
    sa.Column("name", Words, primary_key=True),
    sa.Column("period", Words, nullable=False),
)

grants = sa.Table(
    "grants",
    metadata,
    sa.Column("subject", Words, primary_key=True),  # `platform:id` of a person or a chat
    sa.Column("allowed", sa.Boolean, nullable=False),
    sa.Column("granted_by", Words, nullable=False),
    sa.Column("updated_at", Utc, nullable=False),
)

broadcasts = sa.Table(
    "broadcasts",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("platform", Words, nullable=False),
    sa.Column("user_id", Words, nullable=False),
    sa.Column("text", Words, nullable=False),
    sa.Column("state", Words, nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sqlite_autoincrement=True,
)

broadcast_chats = sa.Table(
    "broadcast_chats",
    metadata,
    sa.Column(
        "broadcast_id", Id, sa.ForeignKey(broadcasts.c.id, ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("platform", Words, primary_key=True),
    sa.Column("chat", Words, primary_key=True),
    sa.Column("state", Words, nullable=False),
    sa.Column("message", Words, nullable=False, server_default=""),  # the id of what was posted
)

model_facts = sa.Table(
    "model_facts",
    metadata,
    sa.Column("address", Words, primary_key=True),  # a base URL of the API
    sa.Column("model", Words, primary_key=True),
    sa.Column("name", Words, primary_key=True),
    sa.Column("value", Words, nullable=False),  # JSON
    sa.Column("learnt_at", Utc, nullable=False),
)


purges = sa.Table(
    "purges",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),  # one row
    sa.Column("began_at", Utc, nullable=False),
    sa.Column("ended_at", Utc, nullable=True),  # the last one that came to its end
)
