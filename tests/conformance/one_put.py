"""Put blobs into a local store in a process of its own, and print what came of it as one JSON object.

    one_put.py ROOT {put,cancel,limit} LENGTH

``put`` just does it; ``cancel`` waits until the armed fault point holds it and then cancels it, twice;
``limit`` forbids files above 1 MiB first. Whatever happens, a second, small put follows.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import sys
from pathlib import Path

from partway.blobs.local import LocalBlobs
from partway.testing import faults
from partway.testing.blob_conformance import buffers_of, is_readable, sample
from partway.testing.waiting import wait_until


def descriptors() -> int:
    return len(os.listdir("/dev/fd"))


def files_in(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*") if path.is_file())


async def attempt(blobs: LocalBlobs, action: str, length: int) -> str:
    putting = asyncio.ensure_future(blobs.put("first", buffers_of(sample(length), 64 * 1024)))
    if action == "cancel":
        await asyncio.to_thread(wait_until, lambda: faults._visits, "the put comes to the fault point")
        for _ in range(2):
            putting.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        os.unlink(os.environ["PARTWAY_FAULT_FILE"])
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await putting
    if putting.cancelled():
        return "CancelledError"
    error = putting.exception()
    return "stored" if error is None else type(error).__name__


async def main(root: str, action: str, length: str) -> None:
    if action == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * 1024, 1024 * 1024))
    blobs = LocalBlobs(Path(root))
    before = descriptors()
    outcome = await attempt(blobs, action, int(length))
    report = {
        "outcome": outcome,
        "is_readable": await is_readable(blobs, "first"),
        "files": files_in(Path(root)),
        "descriptors_left_open": descriptors() - before,
        "afterwards": (await blobs.put("second", buffers_of(b"small", 5))).length,
    }
    print(json.dumps(report))


asyncio.run(main(*sys.argv[1:]))
