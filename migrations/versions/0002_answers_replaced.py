"""Where a message stands in the chat, which turn it came of, and whether it was taken back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """To this revision."""
    op.add_column("messages", sa.Column("turn_id", ID, nullable=True))
    op.add_column("messages", _text("shown", "[]"))
    op.add_column("messages", _text("heading", ""))
    op.add_column(
        "messages", sa.Column("hidden", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    """Back to the revision before."""
    op.execute("DELETE FROM messages WHERE hidden")  # the older version would show them again
    for name in ("hidden", "heading", "shown", "turn_id"):
        op.drop_column("messages", name)


def _text(name: str, default: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)
