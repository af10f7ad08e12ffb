"""Copies of videos: blobs may belong to several."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NAMES = {"uq": "uq_%(table_name)s_%(column_0_name)s"}


def upgrade() -> None:
    """Apply."""
    # SQLite has given the constraint no name, PostgreSQL one of its own.
    (unique,) = sa.inspect(op.get_bind()).get_unique_constraints("parts")
    with op.batch_alter_table("parts", naming_convention=_NAMES) as parts:
        parts.drop_constraint(unique["name"] or "uq_parts_blob_key", type_="unique")
    op.create_index(op.f("ix_parts_blob_key"), "parts", ["blob_key"], unique=False)
    op.add_column("uploads", sa.Column("origin", sa.String(length=16), nullable=True))
