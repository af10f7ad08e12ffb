"""Sources that are to be fetched from an address."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "ingests",
        sa.Column("video_id", sa.String(length=32), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("validator", sa.Text(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["video_id"], ["videos.video_id"], name=op.f("fk_ingests"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("video_id", name=op.f("pk_ingests")),
    )
    op.add_column("uploads", sa.Column("restarts", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("uploads", sa.Column("reason", sa.Text(), nullable=True))
