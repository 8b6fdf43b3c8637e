"""What a turn is about, what it is answered together with, and what stood when it began."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """To this revision."""
    for name in ("message", "gesture", "stood"):
        text = sa.Column(name, sa.Text(), nullable=False, server_default="")
        op.add_column("turns", text)
    op.add_column("turns", sa.Column("lead", ID, nullable=True))
    op.create_index("ix_turns_chat", "turns", ["platform", "chat", "id"])
    _partial("uq_turns_gesture", ["platform", "gesture"], "gesture <> ''", unique=True)
    _partial("ix_turns_message", ["platform", "chat", "message"], "message <> ''")
    _partial("ix_turns_joined", ["lead"], "state = 'joined'")


def downgrade() -> None:
    """Back to the revision before, where nothing is answered together."""
    op.execute("UPDATE turns SET state = 'waiting' WHERE state = 'joined'")
    for name in ("ix_turns_joined", "ix_turns_message", "uq_turns_gesture", "ix_turns_chat"):
        op.drop_index(name, "turns")
    for name in ("lead", "stood", "gesture", "message"):
        op.drop_column("turns", name)


def _partial(name: str, columns: list[str], condition: str, *, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(
        name, "turns", columns, unique=unique, sqlite_where=where, postgresql_where=where
    )
