"""A viewer for benchmarks: asks for playlists and segments as a player does, and nothing else."""

from __future__ import annotations

import http.client
import re
import time
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

POLL_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Answer:
    """What came, and when it had come whole."""

    status: int
    body: bytes
    at: float


class Viewer:
    """Watches one video, over one connection that is kept.

    Args:
        url: the server's.
    """

    def __init__(self, url: str, video_id: str) -> None:
        where = urlsplit(url)
        self._connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=600)
        self.master = f"/vod/{video_id}/hls/manifest.m3u8"

    def get(self, path: str) -> Answer:
        """Ask once."""
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        body = answer.read()
        return Answer(answer.status, body, time.perf_counter())

    def playlist(self) -> tuple[str, Answer] | None:
        """The playlist of the only variant and its path; None while there is none."""
        master = self.get(self.master)
        if master.status != 200:
            return None
        (uri,) = [line for line in master.body.decode().splitlines() if line and not line.startswith("#")]
        path = urljoin(self.master, uri)
        answer = self.get(path)
        return (path, answer) if answer.status == 200 else None

    def until_complete(self) -> tuple[str, Answer]:
        """Ask until the playlist has its end."""
        while True:
            found = self.playlist()
            if found is not None and b"#EXT-X-ENDLIST" in found[1].body:
                return found
            time.sleep(POLL_SECONDS)

    def until_first_segment(self) -> float:
        """Ask until the first segment is listed, fetch it and its init segment; when that was done."""
        while True:
            found = self.playlist()
            segments = listed(found[1]) if found else []
            if found and segments:
                (init,) = re.findall(r'#EXT-X-MAP:URI="([^"]+)"', found[1].body.decode())
                answers = [self.get(urljoin(found[0], uri)) for uri in (init, segments[0])]
                if all(answer.status == 200 for answer in answers):
                    return answers[-1].at
            time.sleep(POLL_SECONDS)


def listed(playlist: Answer) -> list[str]:
    """The URIs of a playlist's segments."""
    return [line for line in playlist.body.decode().splitlines() if line and not line.startswith("#")]


def listed_seconds(playlist: Answer) -> float:
    """How long the listed segments last together."""
    return sum(float(seconds) for seconds in re.findall(r"#EXTINF:([0-9.]+)", playlist.body.decode()))
