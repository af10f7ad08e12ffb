"""What the crash tests stand on: a source in three parts, and a plain sender that sees connections break."""

from __future__ import annotations

import base64
import http.client
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xxhash

from partway.testing.server import RunningServer
from partway.testing.waiting import wait_until

MIB = 1024 * 1024
BOUNDARY = "boundary-of-the-crash-tests"
HEAD = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="film.mp4"\r\n\r\n'.encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()


class Lost(Exception):
    """The connection broke before the answer was there."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def is_complete(self) -> bool:
        """Whether this is a completing part's answer, the full Video, and not that of another accepted part."""
        assert self.status == 201, self
        assert "videoId" in self.json
        return "assets" in self.json


@dataclass
class Film:
    """A source, in parts: two of a little more than 5 MiB and a small last one, in a container we serve back."""

    seed: int = 0
    parts: list[bytes] = field(init=False)

    def __post_init__(self) -> None:
        filler = random.Random(self.seed)
        start = b"\x00\x00\x00\x14ftypisom\x00\x00\x00\x00isom"
        self.parts = [
            start + filler.randbytes(5 * MIB + 11 - len(start)),
            filler.randbytes(5 * MIB + 200_003),
            filler.randbytes(70_001),
        ]

    @property
    def body(self) -> bytes:
        return b"".join(self.parts)

    @property
    def digests(self) -> list[str]:
        return [xxhash.xxh3_128_hexdigest(part) for part in self.parts]


@dataclass
class Sender:
    """Talks to a server, or to a proxy before it; every request has a connection of its own."""

    server: RunningServer
    port: int

    @property
    def authorization(self) -> str:
        return "Basic " + base64.b64encode(f"{self.server.api_key}:".encode()).decode()

    def request(
        self, method: str, path: str, body: bytes | Iterator[bytes] | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send a request and read the whole answer.

        Raises:
            Lost: the connection broke.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, {"Authorization": self.authorization, **(headers or {})})
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        except (ConnectionError, http.client.HTTPException) as error:
            raise Lost(repr(error)) from error
        finally:
            connection.close()

    def create(self) -> str:
        answer = self.request("POST", "/videos", b'{"title": "film"}', {"Content-Type": "application/json"})
        assert answer.status == 201, answer
        return str(answer.json["videoId"])

    def send(self, video_id: str, header: str, body: bytes) -> Answer:
        """Send one part."""
        return self.request(
            "POST",
            f"/videos/{video_id}/source",
            HEAD + body + TAIL,
            {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Content-Range": header},
        )

    def try_to_send(self, video_id: str, header: str, body: bytes) -> Answer | None:
        """Send one part; None if the answer is lost."""
        try:
            return self.send(video_id, header, body)
        except Lost:
            return None

    def delete(self, video_id: str) -> Answer | None:
        try:
            return self.request("DELETE", f"/videos/{video_id}")
        except Lost:
            return None

    def held(self, video_id: str) -> dict[int, str]:
        """Part number -> digest."""
        answer = self.request("GET", f"/-/videos/{video_id}/parts")
        assert answer.status == 200, answer
        return {piece["part"]: piece["digest"] for piece in answer.json["pieces"]}

    def source(self, video_id: str) -> bytes:
        answer = self.request("GET", f"/vod/{video_id}/mp4/source.mp4")
        assert answer.status == 200, answer
        return answer.body

    def parts_in_flight(self) -> int:
        lines = self.request("GET", "/metrics").body.decode().splitlines()
        return int(float(next(line.split()[1] for line in lines if line.startswith("partway_parts_in_flight "))))

    def wait_until_still(self) -> None:
        """Wait until no part is on its way in."""
        wait_until(lambda: self.parts_in_flight() == 0, "every upload has ended")


def files_in(server: RunningServer) -> list[Path]:
    """Every file in the blob folder."""
    return [path for path in (server.data_dir / "blobs").rglob("*") if path.is_file()]


def wait_until_blobs_are(server: RunningServer, count: int) -> None:
    """Wait until the blob folder holds so many files, and none of them is half written."""
    wait_until(
        lambda: len(files_in(server)) == count and not any(path.suffix == ".part" for path in files_in(server)),
        f"{count} blobs are there and nothing else: {files_in(server)}",
    )
