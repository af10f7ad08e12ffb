"""What the local folder promises beyond every store's promise: its layout, its steps, its descriptors."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from partway.blobs.local import LocalBlobs
from partway.errors import BlobError
from partway.testing import faults
from partway.testing.blob_conformance import SourceBroke, buffers_of, is_readable, keys_of, read_all, sample

SCRIPT = Path(__file__).with_name("one_put.py")
MIB = 1024 * 1024
POINTS = [point for point in faults.UPLOAD_POINTS if point.startswith("blob-")]


def run(root: Path, action: str, length: int, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(root), action, str(length)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def report_of(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def files_in(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


NOTHING_LEFT = {"is_readable": False, "files": [], "descriptors_left_open": 0, "afterwards": 5}


@pytest.mark.parametrize("point", POINTS)
def test_a_failed_step_fails_the_part(point: str, tmp_path: Path) -> None:
    done = run(tmp_path, "put", 2 * MIB, PARTWAY_FAULT=f"{point}:error")
    assert report_of(done) == {"outcome": "BlobError", **NOTHING_LEFT}


def test_no_room_fails_the_part(tmp_path: Path) -> None:
    assert report_of(run(tmp_path, "limit", 3 * MIB)) == {"outcome": "BlobError", **NOTHING_LEFT}


@pytest.mark.parametrize("point", POINTS)
def test_cancelled_inside_a_step(point: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    gate.touch()
    done = run(tmp_path / "blobs", "cancel", 2 * MIB, PARTWAY_FAULT=f"{point}:pause", PARTWAY_FAULT_FILE=str(gate))
    assert report_of(done) == {"outcome": "CancelledError", **NOTHING_LEFT}


@pytest.mark.anyio
@pytest.mark.parametrize("point", POINTS)
async def test_killed_at_a_step(point: str, tmp_path: Path) -> None:
    assert run(tmp_path, "put", 2 * MIB, PARTWAY_FAULT=f"{point}:kill").returncode == -signal.SIGKILL
    blobs = LocalBlobs(tmp_path)
    # Whole or absent; what is left of a broken put is listed, and can be removed under its key.
    assert await is_readable(blobs, "first") == (point in ("blob-renamed", "blob-durable"))
    if await is_readable(blobs, "first"):
        assert await read_all(blobs, "first") == sample(2 * MIB)
    assert await keys_of(blobs) == ["first"]
    await blobs.delete("first")
    assert await keys_of(blobs) == []
    assert files_in(tmp_path) == []
    await blobs.put("first", buffers_of(b"again", 5))


@pytest.mark.anyio
async def test_layout(tmp_path: Path) -> None:
    root = tmp_path / "new" / "blobs"
    await LocalBlobs(root).put("some-key", buffers_of(b"body", 4))
    path = root / f"{zlib.crc32(b'some-key') & 0xFF:02x}" / "some-key"
    assert files_in(root) == [str(path.relative_to(root))]
    assert path.read_bytes() == b"body"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    # Another process finds it, and whatever else lies about doesn't matter.
    (root / "lost+found").mkdir()
    (root / "note.txt").write_text("not a blob")
    assert await keys_of(LocalBlobs(root)) == ["some-key"]


@pytest.mark.anyio
async def test_a_part_is_under_another_name_until_it_is_whole(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    async def watched() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield sample(MIB)
            seen.append(files_in(tmp_path))

    await LocalBlobs(tmp_path).put("one", watched())
    folder = f"{zlib.crc32(b'one') & 0xFF:02x}"
    assert seen == [[f"{folder}/one.part"]] * 3
    assert files_in(tmp_path) == [f"{folder}/one"]


@pytest.mark.anyio
async def test_a_folder_that_can_not_be_written_is_an_error_of_the_store(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path)
    # In the folder's place: a file, which stops even a privileged process.
    (tmp_path / f"{zlib.crc32(b'one') & 0xFF:02x}").touch()
    with pytest.raises(BlobError):
        await blobs.put("one", buffers_of(b"body", 4))
    with pytest.raises(BlobError):
        await read_all(blobs, "one")


@pytest.mark.anyio
async def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path)
    body = sample(3 * MIB)
    await blobs.put("kept", buffers_of(body, MIB))

    async def broken() -> AsyncIterator[bytes]:
        yield body
        raise SourceBroke

    async def life(index: int) -> None:
        await blobs.put(f"key-{index}", buffers_of(body[: index * 1000], 4096))
        with pytest.raises(BlobError):
            await blobs.put("kept", buffers_of(b"other", 5))
        with pytest.raises(SourceBroke):
            await blobs.put(f"broken-{index}", broken())
        reading = aiter(blobs.read("kept", 0, len(body)))
        await anext(reading)
        await reading.aclose()  # type: ignore[attr-defined]
        for steps in range(4):
            for work in (blobs.put(f"gone-{index}", buffers_of(body, MIB)), read_all(blobs, "kept")):
                task = asyncio.ensure_future(work)
                for _ in range(steps):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait({task})
                await blobs.delete(f"gone-{index}")
        await read_all(blobs, f"key-{index}")

    await life(99)
    before = len(os.listdir("/dev/fd"))
    await asyncio.gather(*map(life, range(8)))
    assert len(os.listdir("/dev/fd")) == before
