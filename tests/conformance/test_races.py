"""Requests that meet, in two processes or on two connections: the upload service on either database."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import xxhash
from tests.conformance.conftest import Catalog

from partway.blobs.local import LocalBlobs
from partway.catalog import uploads as rows
from partway.catalog import videos as video_rows
from partway.catalog.database import Database
from partway.catalog.paging import Order
from partway.catalog.videos import Video, VideoFilter
from partway.errors import AlreadyUploaded, NotFound, PartAlreadySent, Refused
from partway.ledger import Limits, PartNumber, State
from partway.services.tokens import UploadTokens
from partway.services.uploads import AcceptedPart, TokenBearer, Uploads
from partway.services.videos import Videos
from partway.testing.blob_conformance import keys_of, read_all, sample
from partway.testing.forms import SentFile, SentForm
from partway.testing.waiting import wait_until

ONE_PART = Path(__file__).with_name("one_part.py")
NEW = Video("", "title", created_at=0, updated_at=0)


@dataclass
class Process:
    """One part on its way in, in a process of its own."""

    process: subprocess.Popen[str]

    def wait_until_holding(self) -> None:
        """Wait until it stands between lock and write."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "holding\n", self.process.communicate()

    def answer(self) -> dict[str, Any]:
        output, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, errors
        found: dict[str, Any] = json.loads(output.splitlines()[-1])
        return found


@dataclass
class Node:
    """The services of one process: its own connections to a catalog and a store that others use too."""

    database: Database
    blobs: LocalBlobs

    def __post_init__(self) -> None:
        self.uploads = Uploads(self.database, self.blobs, Limits(piece_bytes_min=1), request_deadline=60, token_grace=0)
        self.videos = Videos(self.database, self.blobs)
        self.tokens = UploadTokens(self.database)

    async def part(self, video_id: str, address: PartNumber, body: bytes) -> AcceptedPart | type[Refused]:
        """Send a part; the answer, or the kind of refusal."""
        try:
            return await self.uploads.accept_part(video_id, address, SentForm(SentFile(body)))
        except Refused as error:
            return type(error)

    async def holds(self, video_id: str, *bodies: bytes) -> bool:
        """Whether exactly these parts are held, by digest and by their blobs' bytes."""
        async with self.database.read() as tx:
            parts = await rows.all_parts(tx, video_id)
        assert [part.content.digest for part in parts] == [xxhash.xxh3_128_hexdigest(body) for body in bodies]
        assert [await read_all(self.blobs, part.blob_key) for part in parts] == list(bodies)
        return sorted(part.blob_key for part in parts) == await keys_of(self.blobs)


@dataclass
class Ground:
    """A catalog, a folder of blobs, and whoever meets there."""

    catalog: Catalog
    folder: Path

    @property
    def gate(self) -> Path:
        return self.folder / "gate"

    @property
    def stored(self) -> list[Path]:
        """The blobs that are durable."""
        return [path for path in (self.folder / "blobs").rglob("*") if path.is_file() and path.suffix != ".part"]

    def node(self) -> Node:
        return Node(self.catalog.open(), LocalBlobs(self.folder / "blobs"))

    def start(self, video_id: str, header: str, length: int, seed: int, *, fault: str = "") -> Process:
        """Send a part from another process; ``fault`` pauses it while the gate is shut."""
        environment = {**os.environ, "PARTWAY_FAULT": fault, "PARTWAY_FAULT_FILE": str(self.gate)}
        words = [self.catalog.url, str(self.folder / "blobs"), video_id, header, str(length), str(seed)]
        return Process(
            subprocess.Popen(
                [sys.executable, str(ONE_PART), *words],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )

    def shut_gate(self) -> None:
        self.gate.touch()

    def open_gate(self) -> None:
        self.gate.unlink()

    def wait_for_waiter(self, durable: int) -> None:
        """Wait until so many blobs are durable and, where that can be seen, somebody waits for a lock."""
        wait_until(lambda: len(self.stored) == durable and self.catalog.has_waiter(), "the second one waits")


@pytest.fixture
def ground(catalog: Catalog, tmp_path: Path) -> Ground:
    return Ground(catalog, tmp_path)


@pytest.fixture
async def nodes(ground: Ground) -> Any:
    found = [ground.node(), ground.node()]
    yield found
    for node in found:
        await node.database.close()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("held", "meeting"),
    [
        ("1/*", "2/3 3/3"),
        pytest.param("1/3", "3/* 2/*", marks=pytest.mark.slow),
        pytest.param("2/*", "3/3 1/*", marks=pytest.mark.slow),
    ],
)
async def test_two_last_parts_in_two_processes(ground: Ground, nodes: list[Node], held: str, meeting: str) -> None:
    """The first stands between lock and write while the second comes: the second completes, nothing is lost."""
    node = nodes[0]
    video = await node.videos.create(NEW, asked_by="test")
    number = int(held[0])
    total = None if held[2] == "*" else 3
    await node.part(video.video_id, PartNumber(number, total), sample(1000, number))
    one, other = (f"part {text}" for text in meeting.split())
    ground.shut_gate()
    first = ground.start(video.video_id, one, 1000, int(one[5]), fault="accept-begun:pause")
    await asyncio.to_thread(first.wait_until_holding)
    second = ground.start(video.video_id, other, 1000, int(other[5]))
    await asyncio.to_thread(ground.wait_for_waiter, 3)
    ground.open_gate()
    assert await asyncio.to_thread(first.answer) == {"outcome": "accepted", "is_complete": False}
    assert await asyncio.to_thread(second.answer) == {"outcome": "accepted", "is_complete": True}
    summary, _ = await node.uploads.held(video.video_id)
    assert (summary.state, summary.total, summary.pieces) == (State.COMPLETE, 3, 3)
    assert await node.holds(video.video_id, *(sample(1000, seed) for seed in (1, 2, 3)))


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.parametrize("is_same", [True, False], ids=["same-bytes", "other-bytes"])
async def test_one_part_twice_in_two_processes(ground: Ground, nodes: list[Node], is_same: bool) -> None:
    node = nodes[0]
    video = await node.videos.create(NEW, asked_by="test")
    ground.shut_gate()
    first = ground.start(video.video_id, "part 1/2", 1000, 1, fault="accept-begun:pause")
    await asyncio.to_thread(first.wait_until_holding)
    second = ground.start(video.video_id, "part 1/2", 1000, 1 if is_same else 7)
    await asyncio.to_thread(ground.wait_for_waiter, 2)
    ground.open_gate()
    assert await asyncio.to_thread(first.answer) == {"outcome": "accepted", "is_complete": False}
    answer = await asyncio.to_thread(second.answer)
    assert answer["outcome"] == ("accepted" if is_same else "PartAlreadySent")
    # One row, one blob: the second's is gone.
    assert await node.holds(video.video_id, sample(1000, 1))


@pytest.mark.slow
@pytest.mark.anyio
async def test_a_part_meets_a_deletion(ground: Ground, nodes: list[Node]) -> None:
    """Whoever has the lock first: never a part on a tombstone, and in the end no blob and no row."""
    node, other = nodes
    video = await node.videos.create(NEW, asked_by="test")
    async with other.database.write() as tx:
        await rows.lock(tx, video.video_id)
        late = ground.start(video.video_id, "part 1/*", 1000, 1)
        await asyncio.to_thread(ground.wait_for_waiter, 1)
        await video_rows.entomb(tx, video.video_id, at=1)
    assert await asyncio.to_thread(late.answer) == {"outcome": "NotFound"}
    async with node.database.read() as tx:
        assert await rows.all_parts(tx, video.video_id) == []
    assert await node.videos.bury() == 1
    assert await keys_of(node.blobs) == []

    video = await node.videos.create(NEW, asked_by="test")
    ground.shut_gate()
    early = ground.start(video.video_id, "part 1/*", 1000, 2, fault="accept-begun:pause")
    await asyncio.to_thread(early.wait_until_holding)
    deleting = asyncio.create_task(other.videos.delete(video.video_id))
    await asyncio.to_thread(ground.wait_for_waiter, 1)
    assert not deleting.done()
    ground.open_gate()
    assert await asyncio.to_thread(early.answer) == {"outcome": "accepted", "is_complete": False}
    await asyncio.wait_for(deleting, 60)
    assert await node.part(video.video_id, PartNumber(1), sample(1000, 2)) is NotFound
    assert await node.videos.bury() == 1
    assert await keys_of(node.blobs) == []
    async with node.database.read() as tx:
        assert await rows.all_parts(tx, video.video_id) == []


@pytest.mark.anyio
async def test_all_parts_at_once_on_two_connections(nodes: list[Node]) -> None:
    for attempt in range(4):
        video = await nodes[0].videos.create(NEW, asked_by="test")
        bodies = [sample(500 + number, 100 * attempt + number) for number in range(1, 10)]
        numbers = [*range(1, 10, 2), *range(2, 10, 2)]
        answers = await asyncio.gather(
            *(
                nodes[number % 2].part(
                    video.video_id, PartNumber(number, 9 if number == 4 else None), bodies[number - 1]
                )
                for number in numbers
            )
        )
        assert all(isinstance(answer, AcceptedPart) for answer in answers), answers
        assert [getattr(answer, "is_complete", None) for answer in answers].count(True) == 1
        summary, parts = await nodes[1].uploads.held(video.video_id)
        assert summary.state is State.COMPLETE
        assert [part.content.digest for part in parts] == [xxhash.xxh3_128_hexdigest(body) for body in bodies]


@pytest.mark.anyio
async def test_the_same_parts_again_and_others_at_once(nodes: list[Node]) -> None:
    """Every part twice by the same sender and once by a stranger, all at once: one of them is held, whole."""
    video = await nodes[0].videos.create(NEW, asked_by="test")
    mine = [sample(900, number) for number in range(4)]
    theirs = [sample(900, 50 + number) for number in range(4)]

    async def send(node: Node, bodies: list[bytes], number: int) -> Any:
        return await node.part(video.video_id, PartNumber(number + 1, 4), bodies[number])

    sent = [send(nodes[number % 2], bodies, number) for number in range(4) for bodies in (mine, theirs, mine)]
    answers = await asyncio.gather(*sent)
    for number in range(4):
        first, stranger, again = answers[3 * number : 3 * number + 3]
        assert {type(first), type(again)} == {AcceptedPart} or {first, again} <= {PartAlreadySent, AlreadyUploaded}
        assert isinstance(first, AcceptedPart) != isinstance(stranger, AcceptedPart)
    summary, parts = await nodes[0].uploads.held(video.video_id)
    assert (summary.state, summary.pieces) == (State.COMPLETE, 4)
    # The losers' blobs are gone.
    assert sorted(part.blob_key for part in parts) == await keys_of(nodes[0].blobs)


@pytest.mark.anyio
async def test_two_tokens_start_one_container(ground: Ground, nodes: list[Node]) -> None:
    """Both name the same empty container while it is locked: one fills it, for the other it isn't there."""
    node = nodes[0]
    video = await node.videos.create(NEW, asked_by="test")

    async def start(node: Node, token: str) -> Any:
        bearer = TokenBearer(token, is_expired=False)
        form = SentForm(("videoId", video.video_id), SentFile(sample(1000, ord(token[0]))))
        try:
            return await node.uploads.accept_part_by_token(bearer, PartNumber(1, 2), form, None)
        except Refused as error:
            return type(error)

    holder = ground.node()
    async with holder.database.write() as tx:
        await rows.lock(tx, video.video_id)
        starting = [asyncio.create_task(start(node, token)) for node, token in zip(nodes, "ab", strict=True)]
        await asyncio.to_thread(ground.wait_for_waiter, 2)
    answers = await asyncio.gather(*starting)
    await holder.database.close()
    assert sorted(map(str, answers)) == sorted(map(str, [AcceptedPart(video.video_id, False), NotFound]))
    winner = "ab"[answers.index(AcceptedPart(video.video_id, False))]
    async with node.database.read() as tx:
        assert (await rows.get(tx, video.video_id)).upload_token == winner
    assert await node.holds(video.video_id, sample(1000, ord(winner)))


@pytest.mark.anyio
async def test_one_idempotency_key_at_once(nodes: list[Node]) -> None:
    """A creating request sent twice at once makes one thing: a video, a token, an upload by token."""
    one, other = nodes
    token = await one.tokens.create(0, asked_by="test")
    bearer = TokenBearer(token.token, is_expired=False)

    def upload(node: Node, key: str) -> Awaitable[AcceptedPart]:
        form = SentForm(SentFile(sample(1000, 1)))
        return node.uploads.accept_part_by_token(bearer, PartNumber(1), form, key)

    def create(node: Node, key: str) -> Awaitable[Video]:
        return node.videos.create(NEW, asked_by="test", idempotency_key=key, asked="body")

    for attempt in range(6):
        key = f"key {attempt}"
        made: list[Callable[[Node, str], Awaitable[Any]]] = [
            upload,
            create,
            lambda node, key: node.tokens.create(5, asked_by="test", idempotency_key=key),
        ]
        for make in made:
            first, second = await asyncio.gather(make(one, key), make(other, key))
            assert first == second
    found = await one.videos.find(VideoFilter(), Order(), page=1, page_size=100)
    assert found.total == 12
    assert len(await keys_of(one.blobs)) == 6
