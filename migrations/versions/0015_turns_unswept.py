"""Where it is still to be looked for messages that a turn has posted and nobody knows of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

UNSWEPT = sa.text("unswept <> ''")


def upgrade() -> None:
    """To this revision."""
    unswept = sa.Column("unswept", sa.Text(), nullable=False, server_default="")
    op.add_column("turns", unswept)
    op.create_index(
        "ix_turns_unswept", "turns", ["id"], sqlite_where=UNSWEPT, postgresql_where=UNSWEPT
    )


def downgrade() -> None:
    """Back to the revision before."""
    op.drop_index("ix_turns_unswept", "turns")
    op.drop_column("turns", "unswept")
