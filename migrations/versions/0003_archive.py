"""Conversations get a number, a title and a time; summaries; what was overheard in groups."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """To this revision."""
    number = sa.Column("number", sa.Integer(), nullable=False, server_default="0")
    op.add_column("conversations", number)
    op.add_column("conversations", sa.Column("title", sa.Text(), nullable=False, server_default=""))
    op.add_column("conversations", sa.Column("active_at", TIME, nullable=True))
    op.execute(
        """UPDATE conversations SET
        number = (SELECT count(*) FROM conversations AS earlier
            WHERE earlier.platform = conversations.platform AND earlier.chat = conversations.chat
            AND earlier.id <= conversations.id),
        active_at = (SELECT max(created_at) FROM messages
            WHERE messages.conversation_id = conversations.id)"""
    )
    op.create_table(
        "summaries",
        sa.Column("id", ID, nullable=False),
        sa.Column("conversation_id", ID, nullable=False),
        sa.Column("through_id", ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_summaries"),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_summaries_conversation_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_summaries_conversation", "summaries", ["conversation_id", "through_id"])
    op.create_table(
        "overheard",
        sa.Column("id", ID, nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("sender_id", sa.Text(), nullable=False),
        sa.Column("sender_name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_overheard"),
        sa.UniqueConstraint("platform", "key", name="uq_overheard_platform_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_overheard_chat", "overheard", ["platform", "chat", "id"])


def downgrade() -> None:
    """Back to the tables of before."""
    op.drop_table("overheard")
    op.drop_table("summaries")
    for column in ("active_at", "title", "number"):
        op.drop_column("conversations", column)
