"""Whether a video may be watched while it arrives."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("videos", sa.Column("early_playback", sa.Boolean(), nullable=True))
