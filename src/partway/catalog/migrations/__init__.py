"""The schema's history."""

HEAD = "0011"
"""The newest revision; a test compares it with the files, so that a current schema is known without alembic."""
