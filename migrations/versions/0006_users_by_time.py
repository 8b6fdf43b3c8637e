"""An index for who was seen last."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_index("ix_users_last_seen", "users", ["last_seen"])


def downgrade() -> None:
    """Back to the revision before."""
    op.drop_index("ix_users_last_seen", table_name="users")
