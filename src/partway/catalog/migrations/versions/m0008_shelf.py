"""Watermarks, summaries, and tags that are found whatever their case and accents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from partway.catalog.folding import folded

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_BATCH = 1000


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "watermarks",
        sa.Column("watermark_id", sa.String(length=40), nullable=False),
        sa.Column("blob_key", sa.String(length=64), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=32), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("watermark_id", name=op.f("pk_watermarks")),
        sa.UniqueConstraint("blob_key"),
    )
    op.create_table(
        "summaries",
        sa.Column("summary_id", sa.String(length=40), nullable=False),
        sa.Column("video_id", sa.String(length=32), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("source_status", sa.String(length=16), nullable=False),
        sa.Column("abstract", sa.Text(), nullable=True),
        sa.Column("takeaways", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["video_id"], ["videos.video_id"], name=op.f("fk_summaries"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("summary_id", name=op.f("pk_summaries")),
        sa.UniqueConstraint("video_id"),
    )
    op.add_column("video_tags", sa.Column("folded", sa.Text(), nullable=False, server_default=""))
    _fold()


def _fold() -> None:
    """Fill the new column, value by value: many videos share one."""
    tags = sa.table("video_tags", sa.column("value", sa.Text()), sa.column("folded", sa.Text()))
    connection, last = op.get_bind(), None
    while True:
        found = sa.select(tags.c.value).distinct().order_by(tags.c.value).limit(_BATCH)
        values = list(connection.execute(found if last is None else found.where(tags.c.value > last)).scalars())
        for value in values:
            connection.execute(sa.update(tags).where(tags.c.value == value).values(folded=folded(value)))
        if len(values) < _BATCH:
            return
        last = values[-1]
