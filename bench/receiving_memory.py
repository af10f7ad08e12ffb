"""Peak memory of the server while it receives many parts at once.

    python -m bench.receiving_memory [--parts 16] [--mib 64] [--rounds 3]

Prints the peak of a server that has just started, and after each round, for granian and for uvicorn.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor

from bench.wire import MIB, Sender, peak_rss_bytes
from partway.testing.server import running_server


def send_at_once(sender: Sender, video_id: str, parts: int, size: int) -> set[int]:
    """Send all parts of a video at the same time; the answers' status codes."""

    def send(number: int) -> int:
        return sender.send(video_id, f"part {number}/{parts}", size).status

    with ThreadPoolExecutor(parts) as pool:
        return set(pool.map(send, range(1, parts + 1)))


def main() -> None:
    """Run it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--parts", type=int, default=16)
    arguments.add_argument("--mib", type=int, default=64)
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    for http_server in ("granian", "uvicorn"):
        with running_server(environment={"PARTWAY_HTTP_SERVER": http_server}) as server:
            assert server.process is not None
            sender = Sender(server.url, server.api_key)
            line = [f"{http_server:8} fresh {peak_rss_bytes(server.process.pid) / MIB:6.1f} MiB"]
            for _ in range(given.rounds):
                video_id = sender.create("memory")
                begun = time.perf_counter()
                statuses = send_at_once(sender, video_id, given.parts, given.mib * MIB)
                took = time.perf_counter() - begun
                assert statuses == {201}, statuses
                rate = given.parts * given.mib / took
                line.append(f"peak {peak_rss_bytes(server.process.pid) / MIB:6.1f} MiB at {rate:5.0f} MiB/s")
            print(f"{given.parts} parts of {given.mib} MiB at once, durable:", "; ".join(line), flush=True)


if __name__ == "__main__":
    main()
