"""From the last byte to the completing answer, for a small and a large video: they should be the same.

    python -m bench.completing [--sizes 100,20000] [--rounds 3]

Sizes in MB (10^6 bytes). Each upload goes in parts of 200 MiB at most and ends with a part of 6 MiB, whose answer is
timed: only the number of bytes and parts before it differs. The sizes take turns; each upload is deleted after.
"""

from __future__ import annotations

import argparse
import shutil
import statistics

from bench.wire import MIB, Sender
from partway.testing.server import running_server

LAST = 6 * MIB


def main() -> None:
    """Run it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--sizes", default="100,20000", help="in MB")
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    sizes = [int(size) * 1_000_000 for size in given.sizes.split(",")]
    with running_server() as server:
        sender = Sender(server.url, server.api_key)
        taken: dict[int, list[float]] = {size: [] for size in sizes}
        for _ in range(given.rounds):
            for size in sizes:
                if shutil.disk_usage(server.data_dir).free < size + (5 << 30):
                    raise SystemExit(f"{size / 1e9:.1f} GB do not fit on this disk")
                video_id = sender.create("completing")
                left, number = size - LAST, 0
                while left > 0:
                    number += 1
                    length = left if left <= 200 * MIB else min(200 * MIB, left - 5 * MIB)
                    sent = sender.send(video_id, f"part {number}/*", length)
                    assert sent.status == 201, sent.body
                    left -= length
                last = sender.send(video_id, f"part {number + 1}/{number + 1}", LAST)
                assert "assets" in last.body, last.body
                taken[size].append(last.answer_seconds)
                sender.call("DELETE", f"/videos/{video_id}")
        for size in sizes:
            parts = -(-(size - LAST) // (200 * MIB)) + 1
            print(
                f"{size / 1e6:8.0f} MB in {parts:3} parts: last byte -> completing answer "
                f"median {statistics.median(taken[size]) * 1000:6.1f} ms "
                f"(of {len(taken[size])}: {min(taken[size]) * 1000:.1f}-{max(taken[size]) * 1000:.1f})"
            )


if __name__ == "__main__":
    main()
