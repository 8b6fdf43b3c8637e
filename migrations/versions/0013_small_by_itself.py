"""When what is old was deleted last; and indexes for finding a person, or a chat, to forget."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
BY_PERSON = sa.text("sender_id <> ''")


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "purges",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("began_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purges")),
    )
    # Not concurrently, which no transaction can hold: of a million rows each takes a second or two.
    op.create_index(
        "ix_messages_sender",
        "messages",
        ["sender_id", "conversation_id"],
        sqlite_where=BY_PERSON,
        postgresql_where=BY_PERSON,
    )
    op.create_index("ix_turns_person", "turns", ["user_id", "platform"])
    op.create_index("ix_usage_chat", "usage", ["chat", "platform"])


def downgrade() -> None:
    """Back to the revision before."""
    op.drop_index("ix_usage_chat", table_name="usage")
    op.drop_index("ix_turns_person", table_name="turns")
    op.drop_index("ix_messages_sender", table_name="messages")
    op.drop_table("purges")
