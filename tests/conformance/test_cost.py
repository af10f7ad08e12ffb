"""Accepting a part costs the same whatever the number of parts held, and so does the completing one (design.md 3.5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, update
from tests.conformance.conftest import Catalog

from partway.blobs.memory import MemoryBlobs
from partway.catalog import tables
from partway.catalog.database import Database, SqliteDatabase
from partway.ledger import Address, ByteSpan, Limits, PartNumber
from partway.services.uploads import Uploads
from partway.testing.blob_conformance import sample
from partway.testing.catalog_ground import add_video
from partway.testing.forms import SentFile, SentForm

SIZE = 100
MANY = 9_999


@dataclass(frozen=True)
class Statement:
    """What was sent to the database."""

    text: str
    parameters: Any


@contextmanager
def recorded() -> Iterator[list[Statement]]:
    """Everything that any engine executes within the block."""
    found: list[Statement] = []

    def record(_conn: Any, _cursor: Any, text: str, parameters: Any, _context: Any, _many: bool) -> None:
        if not text.startswith("BEGIN"):
            found.append(Statement(text, parameters))

    event.listen(Engine, "before_cursor_execute", record)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", record)


def address_of(index: int, by_bytes: bool, total: int | None = None) -> Address:
    if by_bytes:
        return ByteSpan(index * SIZE, (index + 1) * SIZE - 1, None if total is None else total * SIZE)
    return PartNumber(index + 1, total)


async def hold(database: Database, video_id: str, count: int, by_bytes: bool) -> None:
    """Give a video its first ``count`` parts, by the shortest way."""
    await add_video(database, video_id)
    rows = [
        {
            "video_id": video_id,
            "position": address_of(index, by_bytes).position,
            "length": SIZE,
            "digest": f"{index:032x}",
            "crc32c": 0,
            "blob_key": f"{video_id} {index}",
            "received_at": 1,
        }
        for index in range(count)
    ]
    async with database.write() as tx:
        await tx.execute(insert(tables.parts), rows)
        await tx.execute(
            update(tables.uploads)
            .where(tables.uploads.c.video_id == video_id)
            .values(
                state="receiving",
                mode="bytes" if by_bytes else "part",
                pieces=count,
                received_bytes=count * SIZE,
                highest=count * SIZE if by_bytes else count,
            )
        )


async def rows_of(database: Database, statement: Statement) -> int:
    """How many rows a query fetches when it is asked once more."""
    async with database.write() as tx:
        found = await tx.exec_driver_sql(statement.text, statement.parameters)
        return len(found.all()) if found.returns_rows else 0


async def plan_of(database: Database, statement: Statement) -> str:
    """How the database goes about a statement, when it may not read a whole table for being small."""
    async with database.write() as tx:
        if isinstance(database, SqliteDatabase):
            found = await tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement.text}", statement.parameters)
            return "\n".join(row.detail for row in found)
        await tx.exec_driver_sql("SET LOCAL enable_seqscan = off")
        found = await tx.exec_driver_sql(f"EXPLAIN {statement.text}", statement.parameters)
        return "\n".join(row[0] for row in found)


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.parametrize("by_bytes", [False, True], ids=["part", "bytes"])
async def test_the_same_for_the_second_and_the_last_of_ten_thousand(
    catalog: Catalog, by_bytes: bool, tmp_path: Path
) -> None:
    database = catalog.open()
    uploads = Uploads(database, MemoryBlobs(), Limits(piece_bytes_min=1), request_deadline=60, token_grace=0)
    body = sample(SIZE)
    costs: dict[str, dict[int, list[tuple[str, int]]]] = {"within": {}, "completing": {}, "again": {}}
    for held in (1, MANY):
        await hold(database, f"within{held}", held, by_bytes)
        await hold(database, f"completing{held}", held, by_bytes)
        for name, address in (
            ("within", address_of(held, by_bytes)),
            ("completing", address_of(held, by_bytes, held + 1)),
            ("again", address_of(held, by_bytes)),
        ):
            video_id = f"{'within' if name == 'again' else name}{held}"
            with recorded() as statements:
                accepted = await uploads.accept_part(video_id, address, SentForm(SentFile(body)))
            assert accepted.is_complete == (name == "completing")
            costs[name][held] = []
            for statement in statements:
                if statement.text.startswith("SELECT"):
                    costs[name][held].append((statement.text, await rows_of(database, statement)))
                else:
                    costs[name][held].append((statement.text, 0))
                plan = await plan_of(database, statement)
                assert "SCAN" not in plan, f"{statement.text}\n{plan}"
                assert "Seq Scan" not in plan, f"{statement.text}\n{plan}"
                assert "Sort" not in plan, f"{statement.text}\n{plan}"
    await database.close()
    for name, cost in costs.items():
        assert cost[1] == cost[MANY], name
        assert sum(rows for _, rows in cost[MANY]) <= 8, cost[MANY]
        assert len(cost[MANY]) <= 12, cost[MANY]
