"""Tags of all videos together (contract.md 1.8)."""

from __future__ import annotations

from partway.catalog import tags
from partway.catalog.database import Database
from partway.catalog.paging import Order, Page
from partway.catalog.tags import Tag


class Tags:
    """The verb of tags."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, piece: str, order: Order, *, page: int, page_size: int) -> Page[Tag]:
        """Read one page of the tags that have ``piece`` in them, whatever its case and accents."""
        async with self._database.read() as tx:
            return await tags.find(tx, piece, order, page=page, page_size=page_size)
