"""Whether somebody stopped a turn while no process was working on it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    stopped = sa.Column("stopped", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("turns", stopped)


def downgrade() -> None:
    """Back to the revision before."""
    op.drop_column("turns", "stopped")
