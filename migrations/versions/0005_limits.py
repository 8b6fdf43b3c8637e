"""Sums of what was used, what is set aside, who is let in by hand, and broadcasts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)

PERIODS = (("%Y-%m-%d", "YYYY-MM-DD"), ("%Y-%m", "YYYY-MM"), ("", ""))
"""A day, a month, and all time, as SQLite and as PostgreSQL write them."""


def upgrade() -> None:
    """To this revision."""
    _totals()
    _sum_up()
    _quotas()
    op.create_table(
        "grants",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("subject", name="pk_grants"),
    )
    _broadcasts()


def _totals() -> None:
    op.create_table(
        "usage_totals",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
        sa.Column("images", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("unpriced", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "platform", "user_id", "period", "kind", "model", name="pk_usage_totals"
        ),
    )
    op.create_index("ix_usage_totals_period", "usage_totals", ["period"])


def _sum_up() -> None:
    """Fill the sums from what is there, in days of UTC."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    for for_sqlite, for_postgres in PERIODS:
        period = "''"
        if for_sqlite and sqlite:
            period = f"strftime('{for_sqlite}', created_at)"
        elif for_sqlite:
            period = f"to_char(created_at AT TIME ZONE 'UTC', '{for_postgres}')"
        for platform, user in (("platform", "user_id"), ("''", "''")):
            op.execute(
                f"""INSERT INTO usage_totals
                SELECT who_platform, who_user, period, kind, model, count(*), sum(prompt_tokens),
                    sum(completion_tokens), sum(images), sum(seconds), coalesce(sum(cost), 0),
                    sum(CASE WHEN cost IS NULL THEN 1 ELSE 0 END)
                FROM (
                    SELECT {platform} AS who_platform, {user} AS who_user, {period} AS period,
                        usage.* FROM usage
                ) AS each_one
                GROUP BY who_platform, who_user, period, kind, model"""
            )


def _quotas() -> None:
    op.create_table(
        "reservations",
        sa.Column("id", ID, nullable=False),
        sa.Column("turn_id", ID, nullable=True),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("images", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_reservations"),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["turns.id"], name="fk_reservations_turn_id", ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reservations_turn_id", "reservations", ["turn_id"])
    op.create_table(
        "person_limits",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("limits", sa.Text(), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("platform", "user_id", name="pk_person_limits"),
    )
    op.create_table(
        "quota_notes",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "user_id", "name", name="pk_quota_notes"),
    )


def _broadcasts() -> None:
    op.create_table(
        "broadcasts",
        sa.Column("id", ID, nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_broadcasts"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "broadcast_chats",
        sa.Column("broadcast_id", ID, nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("broadcast_id", "platform", "chat", name="pk_broadcast_chats"),
        sa.ForeignKeyConstraint(
            ["broadcast_id"],
            ["broadcasts.id"],
            name="fk_broadcast_chats_broadcast_id",
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    """Back to the revision before."""
    for table in (
        "broadcast_chats",
        "broadcasts",
        "grants",
        "quota_notes",
        "person_limits",
        "reservations",
        "usage_totals",
    ):
        op.drop_table(table)
