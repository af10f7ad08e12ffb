"""Accept one part in a process of its own, as the server would, and print the answer as one JSON line.

    one_part.py URL BLOBS VIDEO_ID CONTENT_RANGE LENGTH SEED

Prints ``holding`` first if an armed fault point pauses it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from pathlib import Path

from partway.blobs.local import LocalBlobs
from partway.catalog.database import open_database
from partway.dialects import apivideo
from partway.errors import PartwayError
from partway.ledger import Limits
from partway.services.uploads import Uploads
from partway.testing import faults
from partway.testing.blob_conformance import sample
from partway.testing.forms import SentFile, SentForm
from partway.testing.waiting import wait_until


def tell() -> None:
    wait_until(lambda: faults._visits, "the fault point is reached")
    print("holding", flush=True)


async def main(url: str, blobs: str, video_id: str, header: str, length: str, seed: str) -> None:
    database = open_database(url)
    uploads = Uploads(database, LocalBlobs(Path(blobs)), Limits(piece_bytes_min=1), request_deadline=60, token_grace=0)
    try:
        form = SentForm(SentFile(sample(int(length), int(seed))))
        accepted = await uploads.accept_part(video_id, apivideo.parse(header), form)
        answer = {"outcome": "accepted", "is_complete": accepted.is_complete}
    except PartwayError as error:
        answer = {"outcome": type(error).__name__}
    await database.close()
    print(json.dumps(answer), flush=True)


if faults._armed:
    threading.Thread(target=tell, daemon=True).start()
asyncio.run(main(*sys.argv[1:]))
