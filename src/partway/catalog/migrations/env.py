"""Alembic's entry: the connection comes from ``partway.catalog.migrate``."""

from __future__ import annotations

from alembic import context

from partway.catalog.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
