"""The trash, chosen posters, and what a creation may ask for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for column in (
        sa.Column("clip", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("watermark", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("transcript", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("transcript_summary", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("transcript_summary_attributes", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("discarded_at", sa.BigInteger(), nullable=True),
        sa.Column("deletes_at", sa.BigInteger(), nullable=True),
    ):
        op.add_column("videos", column)
    op.create_index(op.f("ix_videos_deletes_at"), "videos", ["deletes_at"], unique=False)
    for choice in (
        sa.Column("media_type", sa.String(length=32), nullable=False, server_default="image/jpeg"),
        sa.Column("timecode", sa.String(length=32), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("made_version", sa.Integer(), nullable=False, server_default="0"),
    ):
        op.add_column("pictures", choice)
