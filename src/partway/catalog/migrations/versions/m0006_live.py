"""Derived streams: what one live ffmpeg makes of an upload that browsers can't play as it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "derivations",
        sa.Column("video_id", sa.String(length=32), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("fed_bytes", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["video_id"], ["videos.video_id"], name=op.f("fk_derivations"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("video_id", name=op.f("pk_derivations")),
    )
    op.create_table(
        "derived",
        sa.Column("video_id", sa.String(length=32), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("blob_key", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["video_id"], ["videos.video_id"], name=op.f("fk_derived"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("video_id", "attempt", "position", name=op.f("pk_derived")),
        sa.UniqueConstraint("blob_key"),
    )
