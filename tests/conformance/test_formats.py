"""docs/formats.md is true: the data folder, the blob layout, every table and column."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import google_crc32c
import pytest
import xxhash

from partway.catalog import tables
from partway.catalog import uploads as rows
from partway.catalog.database import open_database
from partway.catalog.videos import Video
from partway.dialects.apivideo import parse
from partway.settings import Settings
from partway.testing.blob_conformance import sample
from partway.testing.forms import SentFile, SentForm
from partway.wiring import database_url, open_house

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")


def rows_below(heading: str) -> list[tuple[str, str]]:
    """The first column's name in backquotes, and the second column, of the table below a heading."""
    section = PAGE.partition(f"\n{heading}\n")[2].partition("\n#")[0]
    return re.findall(r"^\| `([^`]+)` \| (.+) \|$", section, re.MULTILINE)


def test_every_table_has_its_place() -> None:
    assert re.findall(r"^### `(\w+)`$", PAGE, re.MULTILINE) == list(tables.metadata.tables)


@pytest.mark.parametrize("table", tables.metadata.tables)
def test_every_column_has_its_meaning(table: str) -> None:
    described = rows_below(f"### `{table}`")
    assert [name for name, _ in described] == [column.name for column in tables.metadata.tables[table].columns]


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def run_the_page(data: Path, video_id: str) -> bytes:
    """Run the page's own program."""
    found = re.search(r"```python\n(.+?)```", PAGE, re.DOTALL)
    assert found is not None
    return subprocess.run(
        [sys.executable, "-c", found[1], str(data), video_id], capture_output=True, check=True, timeout=60
    ).stdout


@pytest.mark.anyio
@pytest.mark.parametrize(
    "headers", [("part 3/3", "part 1/*", "part 2/*"), ("bytes 200-249/250", "bytes 0-99/*", "bytes 100-199/*")]
)
async def test_a_source_can_be_had_out_by_hand(tmp_path: Path, headers: tuple[str, ...]) -> None:
    settings = Settings(data=tmp_path / "data", piece_bytes_min=1)
    body = sample(250)
    pieces = [body[200:], body[:100], body[100:200]]
    async with open_house(settings) as house:
        video = await house.videos.create(Video("", "t", created_at=0, updated_at=0), asked_by="test")
        for header, piece in zip(headers, pieces, strict=True):
            await house.uploads.accept_part(video.video_id, parse(header), SentForm(SentFile(piece)))
        _, parts = await house.uploads.held(video.video_id)
        assert run_the_page(settings.data, video.video_id) == body
        kept = files_in(settings.data)
    blobs = {path for path in kept if path.startswith("blobs/")}
    assert len(blobs) == 3
    assert {path.rpartition("/")[2] for path in blobs} == {part.blob_key for part in parts}
    assert all(re.fullmatch(r"blobs/[0-9a-f]{2}/[0-9a-f]{32}", path) for path in blobs)
    assert kept - blobs <= {name for name, _ in rows_below("## The data folder")}
    assert "partway.db" in kept


@pytest.mark.anyio
async def test_digests_are_what_the_page_says(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data")
    body = sample(1234)
    async with open_house(settings) as house:
        video = await house.videos.create(Video("", "t", created_at=0, updated_at=0), asked_by="test")
        await house.uploads.accept_part(video.video_id, parse("part 1/1"), SentForm(SentFile(body)))
        key, secret = await house.access.create_key("name")
    database = open_database(database_url(settings))
    async with database.read() as tx:
        part = (await tx.execute(tables.parts.select())).one()
        assert (await rows.get(tx, video.video_id)).summary.pieces == 1
        hashed = (await tx.execute(tables.api_keys.select())).one().key_hash
    await database.close()
    assert (part.position, part.length, part.total) == (1, 1234, 1)
    assert part.digest == xxhash.xxh3_128_hexdigest(body)
    assert part.crc32c == google_crc32c.value(body)
    assert hashed == hashlib.sha256(secret.encode()).hexdigest()
    assert re.fullmatch(r"ak[A-Za-z0-9]{22}", key.key_id)
    assert re.fullmatch(r"vi[A-Za-z0-9]{22}", video.video_id)
