"""What a turn has made already and must not make twice; pictures that can be worked on further."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """To this revision."""
    op.add_column("turns", _text("progress"))
    op.add_column("message_files", _text("drawn"))
    op.create_table(
        "turn_files",
        sa.Column("turn_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("turn_id", "number", name="pk_turn_files"),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["turns.id"], name="fk_turn_files_turn_id", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    """Back to the revision before."""
    op.drop_table("turn_files")
    op.execute("DELETE FROM message_files WHERE drawn <> ''")  # they would be shown to the model
    op.drop_column("message_files", "drawn")
    op.drop_column("turns", "progress")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")
