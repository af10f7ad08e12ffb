"""Bring a database to the schema of a version that does not exist yet, in a process of its own.

    next_version.py URL MIGRATIONS

MIGRATIONS is a folder like ``partway/catalog/migrations`` with one revision more. Prints what ``prepare`` says.
"""

from __future__ import annotations

import sys
from pathlib import Path

from partway.catalog import database, migrate, migrations

url, folder = sys.argv[1:]
migrate._MIGRATIONS = Path(folder)
migrate.HEAD = database.HEAD = f"{int(migrations.HEAD) + 1:04}"
print(database.open_database(url).prepare())
