"""Whether the message of a turn was deleted in the chat, and where a remark of a group stands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    withdrawn = sa.Column("withdrawn", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("turns", withdrawn)
    message = sa.Column("message", sa.Text(), nullable=False, server_default="")
    op.add_column("overheard", message)


def downgrade() -> None:
    """Back to the revision before."""
    op.drop_column("overheard", "message")
    op.drop_column("turns", "withdrawn")
