"""Which message a broadcast stands in, so that nobody takes it for a lost one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision; of what was sent before, nothing is known."""
    message = sa.Column("message", sa.Text(), nullable=False, server_default="")
    op.add_column("broadcast_chats", message)


def downgrade() -> None:
    """Back to the revision before."""
    op.drop_column("broadcast_chats", "message")
