"""Whether somebody asked to be forgotten while a turn of theirs was not over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    forgotten = sa.Column("forgotten", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("turns", forgotten)


def downgrade() -> None:
    """Back to the revision before."""
    op.drop_column("turns", "forgotten")
