"""How soon a video can be watched: while it arrives, and when it has arrived.

    python -m bench.watching [--minutes 1,10,60,240] [--mbit 1] [--rounds 3] [--real-minutes 10]

The long files are sparse, with a real index at the end, and are sent in order. Everything is asked over HTTP, as a
player asks. ``ffmpeg -c copy`` to HLS takes turns with us on a real file; it begins where an upload ends. No worker
runs beside: posters are not what is timed.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from bench.throttle import throttled
from bench.viewer import POLL_SECONDS, Viewer, listed_seconds
from bench.wire import MIB, Sender
from partway.client import Client
from partway.client.events import Created, Event
from partway.testing.media import ffmpeg
from partway.testing.server import RunningServer, running_server
from partway.testing.sparse import write_sparse_mp4

PART = 64 * MIB
SEGMENT_SECONDS = 4.0
"""Keyframes are two seconds apart in the sparse files, so a segment is four."""
CLIENT_RATE = 5_000_000


def main() -> None:
    """Run it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--minutes", default="1,10,60,240")
    arguments.add_argument("--mbit", type=float, default=1.0, help="of the sparse files")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--real-minutes", type=int, default=10)
    given = arguments.parse_args()
    minutes = [int(number) for number in given.minutes.split(",")]
    with (
        tempfile.TemporaryDirectory(prefix="partway-bench-") as name,
        running_server(environment={"PARTWAY_WORKERS": "0"}) as server,
    ):
        folder = Path(name)
        films = {number: folder / f"{number}.mp4" for number in minutes}
        for number, film in films.items():
            write_sparse_mp4(film, seconds=number * 60, size=int(number * 60 * given.mbit * 125_000))
        bench = Bench(server, given.rounds)
        bench.complete(films)
        bench.first_segment(films)
        bench.edge(folder)
        bench.peer(folder, given.real_minutes)


class Bench:
    """The measurements, on one server."""

    def __init__(self, server: RunningServer, rounds: int) -> None:
        self.server = server
        self.sender = Sender(server.url, server.api_key)
        self.rounds = rounds

    def complete(self, films: dict[int, Path]) -> None:
        """From the last byte's acknowledgement to the complete playlist."""
        cold, _ = self._complete(next(iter(films.values())))
        print(f"          {cold * 1000:.1f} ms for the first video of a server that has just started; not counted")
        taken: dict[int, list[float]] = {number: [] for number in films}
        sizes: dict[int, int] = {}
        for _ in range(self.rounds):
            for number, film in films.items():
                seconds, sizes[number] = self._complete(film)
                taken[number].append(seconds)
        for number, times in taken.items():
            print(
                f"{number:4} min: acknowledged -> complete playlist ({sizes[number] / 1000:.0f} kB) {spread(times)}, "
                "0 bytes written for it"
            )
        if len(taken) > 1:
            shortest, longest = min(taken), max(taken)
            growth = statistics.median(taken[longest]) - statistics.median(taken[shortest])
            print(f"          {growth * 1000 / (longest - shortest) * 60:+.1f} ms for each further hour")

    def _complete(self, film: Path) -> tuple[float, int]:
        video_id = self.sender.create("complete")
        acknowledged = self.send(video_id, film)
        playlist = Viewer(self.server.url, video_id).until_complete()[1]
        stored = sum(path.stat().st_size for path in self.server.data_dir.glob("blobs/*/*"))
        assert stored == film.stat().st_size, "something was written beside the source"
        self.forget(video_id)
        return playlist.at - acknowledged, len(playlist.body)

    def first_segment(self, films: dict[int, Path]) -> None:
        """From the first byte sent to the first segment in the viewer's hands, our client sending at 5 MB/s."""
        taken: dict[int, list[float]] = {number: [] for number in films}
        for _ in range(self.rounds):
            for number, film in films.items():
                taken[number].append(self._first_segment(film))
        for number, times in taken.items():
            print(f"{number:4} min: first byte at 5 MB/s -> first segment {spread(times)}")

    def _first_segment(self, film: Path) -> float:
        seen: list[float] = []
        begun: list[str] = []

        def on_progress(event: Event) -> None:
            # Called in this thread while the client's own goes on sending.
            if isinstance(event, Created):
                begun.append(event.video_id)
            elif not seen:
                seen.append(Viewer(self.server.url, begun[0]).until_first_segment())
                raise EnoughError

        with (
            throttled(self.server.port, CLIENT_RATE) as throttle,
            Client(throttle.url, self.server.api_key) as client,
            contextlib.suppress(EnoughError),
        ):
            client.upload(film, on_progress=on_progress, remember=False)
        self.forget(begun[0])
        return seen[0] - throttle.first_piece_at

    def edge(self, folder: Path) -> None:
        """How far the listed segments trail the unbroken prefix that is committed."""
        seconds, size = 1200, 600 * 1_000_000
        film = folder / "edge.mp4"
        write_sparse_mp4(film, seconds=seconds, size=size, moov_first=True)
        video_id, trails = self.sender.create("edge"), list[float]()
        viewer, sent = Viewer(self.server.url, video_id), 0
        with open(film, "rb") as file:
            start = size - media_bytes(file.read(16 * MIB))
        for offset in range(0, size - 10 * MIB, 5 * MIB):
            sent = offset + 5 * MIB
            self.piece(video_id, film, f"bytes {offset}-{sent - 1}/{size}", offset, 5 * MIB)
            found = viewer.playlist()
            # The sparse files are even: so many bytes of media, so many seconds.
            committed = max(0.0, (sent - start) / (size - start) * seconds)
            trails.append((committed - (listed_seconds(found[1]) if found else 0.0)) / SEGMENT_SECONDS)
        print(
            f"  20 min: the edge trails what is committed by {statistics.median(trails):.2f} segments in the middle, "
            f"{max(trails):.2f} at most (asked right after each of {len(trails)} answers)"
        )
        self.forget(video_id)

    def peer(self, folder: Path, minutes: int) -> None:
        """A real file: ``ffmpeg -c copy``, and the three clocks of the public benchmark."""
        film = real_film(folder, minutes)
        ours, theirs, clocks = list[float](), list[float](), list[tuple[float, ...]]()
        written = 0
        for _ in range(self.rounds):
            began = time.perf_counter()
            video_id = self.sender.create("real")
            acknowledged = self.send(video_id, film)
            viewer = Viewer(self.server.url, video_id)
            ours.append(viewer.until_complete()[1].at - acknowledged)
            first, every = self._encoded(video_id)
            clocks.append((first - began, every - began, viewer.until_first_segment() - began))
            self.forget(video_id)
            taken, written = remux(film, folder / "remuxed")
            theirs.append(taken)
        ratio = statistics.median(theirs) / statistics.median(ours)
        print(f"{minutes:4} min, real, {film.stat().st_size / 1e6:.0f} MB: complete playlist {spread(ours)}")
        print(f"          ffmpeg -c copy to HLS {spread(theirs)}: {ratio:.0f} times; {written / 1e6:.0f} MB written")
        print("          the clocks of the public benchmark, from POST /videos on, with the upload over loopback:")
        names = ("first quality encoded", "all qualities encoded", "time to playback")
        for name, times in zip(names, zip(*clocks, strict=True), strict=True):
            print(f"          {name:22} {spread(times)}")

    def _encoded(self, video_id: str) -> tuple[float, float]:
        """When the first HLS quality is encoded, and when all are."""
        first = 0.0
        while True:
            found = self.sender.call("GET", f"/videos/{video_id}/status")["encoding"]["qualities"]
            at = time.perf_counter()
            states = [one["status"] for one in found if one["type"] == "hls"]
            first = first or (at if "encoded" in states else 0.0)
            if states and set(states) == {"encoded"}:
                return first, at
            time.sleep(POLL_SECONDS)

    def send(self, video_id: str, film: Path) -> float:
        """Send a whole film in order; when its last answer had come."""
        size = film.stat().st_size
        count = max(1, size // PART)
        for number in range(1, count + 1):
            offset = (number - 1) * PART
            self.piece(video_id, film, f"part {number}/{count}", offset, PART if number < count else size - offset)
        return time.perf_counter()

    def piece(self, video_id: str, film: Path, content_range: str, offset: int, length: int) -> None:
        sent = self.sender.send(video_id, content_range, length, buffers=slice_of(film, offset, length))
        assert sent.status == 201, sent.body

    def forget(self, video_id: str) -> None:
        """Delete a video, and wait until the disk is as before."""
        self.sender.call("DELETE", f"/videos/{video_id}")
        while any(self.server.data_dir.glob("blobs/*/*")):
            time.sleep(POLL_SECONDS)


class EnoughError(Exception):
    """Ends an upload whose first segment has been seen."""


def slice_of(film: Path, offset: int, length: int) -> Iterable[bytes]:
    """Yield some bytes of a file."""
    with open(film, "rb") as file:
        file.seek(offset)
        while length:
            buffer = file.read(min(MIB, length))
            length -= len(buffer)
            yield buffer


def media_bytes(head: bytes) -> int:
    """The length of what follows the header of ``mdat``, which stands somewhere in ``head`` with a 64-bit size."""
    at = head.index(b"mdat")
    return int.from_bytes(head[at + 4 : at + 12], "big") - 16


def real_film(folder: Path, minutes: int) -> Path:
    """A film that an encoder has made: one minute, over and over."""
    minute, film = folder / "minute.mp4", folder / "real.mp4"
    source = ("-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30", "-f", "lavfi", "-i", "sine=sample_rate=48000")
    encoder = ("-t", "60", "-c:v", "libx264", "-preset", "ultrafast", "-g", "60", "-bf", "2", "-pix_fmt", "yuv420p")
    run(*source, *encoder, "-b:v", "5M", "-c:a", "aac", minute)
    run("-stream_loop", str(minutes - 1), "-i", minute, "-c", "copy", film)
    return film


def remux(film: Path, folder: Path) -> tuple[float, int]:
    """Let ffmpeg cut a film for HLS; how long it took, and how many bytes it wrote."""
    folder.mkdir()
    cut = ("-f", "hls", "-hls_segment_type", "fmp4", "-hls_time", "4", "-hls_playlist_type", "vod")
    taken = timed(lambda: run("-i", film, "-c", "copy", *cut, folder / "out.m3u8"))
    written = 0
    for path in folder.iterdir():
        written += path.stat().st_size
        path.unlink()
    folder.rmdir()
    return taken, written


def run(*arguments: str | Path) -> None:
    subprocess.run([ffmpeg(), "-v", "error", "-y", *arguments], check=True, stdin=subprocess.DEVNULL)


def timed(call: Callable[[], None]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def spread(seconds: Iterable[float]) -> str:
    """The median, and the least and the most, in milliseconds."""
    times = [one * 1000 for one in seconds]
    return f"{statistics.median(times):7.1f} ms (of {len(times)}: {min(times):.1f}-{max(times):.1f})"


if __name__ == "__main__":
    main()
