"""Delivering, on a clock and an answering side that the test turns by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import text
from tests.unit.work.conftest import Place

from partway.catalog.clock import SECOND, now
from partway.catalog.deliveries import Delivery, DeliveryState
from partway.errors import DeliveryFailed, JobPostponed, JobStopped, LeaseLost, NotFound, WebhookLimitReached
from partway.jobs.base import Job, JobContext, JobState
from partway.jobs.memory import MemoryJobs
from partway.services.delivering import RETRIES, Delivering, signature
from partway.services.events import EVENTS, UPLOAD_COMPLETED, UPLOAD_EXPIRED, Event, announce
from partway.services.webhooks import Webhooks

pytestmark = pytest.mark.anyio

URL = "https://hooks.example/partway"
CONTEXT = JobContext(Job("webhook:x", "webhook"))


def test_signature_is_the_original_s() -> None:
    """The golden vector of contract.md 5."""
    body = (
        b'{"type":"video.encoding.quality.completed","emittedAt":"2021-01-29T15:46:25.217Z",'
        b'"videoId":"vi0000000000000000000000","liveStreamId":"li0000000000000000000000",'
        b'"encoding":"hls","quality":"720p"}'
    )
    found = signature("sig_sec_0000000000000000000000", body)
    assert found == "27a77d3a7fc626854886b5dbfae4e32c8b0170c1ea1b714c91ba77f1e7774e8c"


@dataclass
class Answers:
    """A courier that answers as it is bidden, 200 when nothing is said, and notes what it was given."""

    next: list[int | str] = field(default_factory=list)
    posted: list[tuple[str, Mapping[str, str], Any]] = field(default_factory=list)

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        self.posted.append((url, headers, json.loads(body)))
        answer = self.next.pop(0) if self.next else 200
        if isinstance(answer, str):
            raise DeliveryFailed(answer)
        return answer

    def videos(self) -> list[str]:
        return [body["videoId"] for _, _, body in self.posted]


@dataclass
class Hook:
    """A registered webhook, and the moves of a test."""

    place: Place
    webhook_id: str
    courier: Answers

    async def tell(self, *video_ids: str, event: str = UPLOAD_COMPLETED) -> None:
        async with self.place.database.write() as tx:
            await announce(tx, *(Event(event, video_id) for video_id in video_ids), at=now())

    async def deliver(self, context: JobContext = CONTEXT) -> float:
        """Make the attempts that are due; how many seconds it asks to wait."""
        try:
            await Delivering(self.place.database).deliver(self.webhook_id, self.courier, context)
        except JobPostponed as postponed:
            return postponed.seconds
        return 0.0

    async def skip_the_wait(self) -> None:
        async with self.place.database.write() as tx:
            await tx.execute(text("UPDATE deliveries SET next_at = 0 WHERE state = 'waiting'"))

    async def log(self) -> list[Delivery]:
        found = await self.place.house.webhooks.deliveries(self.webhook_id, page=1, page_size=100)
        return list(reversed(found.items))


@pytest.fixture
async def hook(place: Place) -> Hook:
    made = await place.house.webhooks.create(URL, [UPLOAD_COMPLETED], asked_by="test")
    return Hook(place, made.webhook_id, Answers())


async def test_what_is_told_and_how(hook: Hook) -> None:
    await hook.tell("vi1")
    assert await hook.deliver() == 0
    ((url, headers, body),) = hook.courier.posted
    secret = (await hook.place.house.webhooks.get(hook.webhook_id)).signature_secret
    (line,) = await hook.log()
    assert url == URL
    assert body == {"type": UPLOAD_COMPLETED, "emittedAt": body["emittedAt"], "videoId": "vi1"}
    assert headers == {
        "Content-Type": "application/json",
        "X-Api-Video-WebhookID": hook.webhook_id,
        "X-Api-Video-Signature": signature(secret, line.body.encode()),
        "X-Partway-Delivery": f"delivery_{line.number}",
    }
    assert (line.state, line.attempts, line.response_status, line.error) == (DeliveryState.DELIVERED, 1, 200, None)


@pytest.mark.parametrize("status", [101, 200, 204, 299])
async def test_below_300_is_success(hook: Hook, status: int) -> None:
    hook.courier.next = [status]
    await hook.tell("vi1")
    assert await hook.deliver() == 0
    assert [line.state for line in await hook.log()] == [DeliveryState.DELIVERED]


@pytest.mark.parametrize("answer", [300, 302, 404, 410, 500, "There was no answer."])
async def test_everything_else_is_tried_three_times_more(hook: Hook, answer: int | str) -> None:
    hook.courier.next = [answer] * (RETRIES + 1)
    await hook.tell("vi1")
    for attempt in range(1, RETRIES + 1):
        assert 2 < await hook.deliver() <= 3
        (line,) = await hook.log()
        assert (line.state, line.attempts) == (DeliveryState.WAITING, attempt)
        assert line.next_at is not None
        assert await hook.deliver() > 2  # asked for too early, it waits
        await hook.skip_the_wait()
    assert await hook.deliver() == 0
    (line,) = await hook.log()
    assert (line.state, line.attempts, line.next_at) == (DeliveryState.FAILED, RETRIES + 1, None)
    assert len(hook.courier.posted) == RETRIES + 1
    assert line.error is not None
    assert line.response_status == (answer if isinstance(answer, int) else None)
    assert await hook.deliver() == 0
    assert len(hook.courier.posted) == RETRIES + 1


async def test_nothing_overtakes_one_that_waits(hook: Hook) -> None:
    hook.courier.next = [500]
    await hook.tell("vi1", "vi2")
    assert await hook.deliver() > 0
    await hook.tell("vi3")
    assert await hook.deliver() > 0
    assert hook.courier.videos() == ["vi1"]
    await hook.skip_the_wait()
    assert await hook.deliver() == 0
    assert hook.courier.videos() == ["vi1", "vi1", "vi2", "vi3"]


async def test_one_given_up_makes_room(hook: Hook) -> None:
    hook.courier.next = [500] * (RETRIES + 1)
    await hook.tell("vi1", "vi2")
    for _ in range(RETRIES + 1):
        await hook.deliver()
        await hook.skip_the_wait()
    assert hook.courier.videos() == ["vi1"] * (RETRIES + 1) + ["vi2"]


async def test_only_who_asked_is_told(hook: Hook) -> None:
    other = await hook.place.house.webhooks.create(URL, [UPLOAD_EXPIRED], asked_by="test")
    await hook.tell("vi1")
    await hook.tell("vi2", event=UPLOAD_EXPIRED)
    assert [line.event for line in await hook.log()] == [UPLOAD_COMPLETED]
    assert [line.event for line in await Hook(hook.place, other.webhook_id, hook.courier).log()] == [UPLOAD_EXPIRED]


async def test_a_transaction_that_fails_tells_nothing(hook: Hook) -> None:
    async def fail() -> None:
        async with hook.place.database.write() as tx:
            await announce(tx, Event(UPLOAD_COMPLETED, "vi1"), at=now())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await hook.log() == []


async def test_redelivery_is_a_delivery_of_its_own(hook: Hook) -> None:
    hook.courier.next = [500] * (RETRIES + 1)
    await hook.tell("vi1")
    for _ in range(RETRIES + 1):
        await hook.deliver()
        await hook.skip_the_wait()
    (failed,) = await hook.log()
    again = await hook.place.house.webhooks.redeliver(hook.webhook_id, f"delivery_{failed.number}")
    assert (again.redelivery_of, again.body, again.attempts) == (failed.number, failed.body, 0)
    assert await hook.deliver() == 0
    assert [line.state for line in await hook.log()] == [DeliveryState.FAILED, DeliveryState.DELIVERED]
    for unknown in ("delivery_999", "delivery_0", "delivery_", "x", "delivery_99999999999999999999"):
        with pytest.raises(NotFound):
            await hook.place.house.webhooks.redeliver(hook.webhook_id, unknown)


async def test_a_lost_lease_makes_no_attempt(hook: Hook) -> None:
    await hook.tell("vi1")
    context = JobContext(Job("webhook:x", "webhook"))
    context.stop(LeaseLost())
    with pytest.raises(JobStopped):
        await hook.deliver(context)
    assert hook.courier.posted == []


async def test_the_reconciler_sets_one_job_going_for_a_webhook_again_and_again(hook: Hook) -> None:
    jobs = MemoryJobs()
    await hook.tell("vi1", "vi2")
    assert await hook.place.house.work.reconcile(jobs) == 1
    assert await hook.place.house.work.reconcile(jobs) == 0
    (waiting,) = await jobs.list(handler="webhook")
    assert (waiting.job.payload, waiting.state) == ({"webhookId": hook.webhook_id}, JobState.WAITING)
    await jobs.cancel(waiting.job.id)
    assert await hook.place.house.work.reconcile(jobs) == 1
    hook.courier.next = [500]
    await hook.deliver()
    await jobs.cancel(waiting.job.id)
    assert await hook.place.house.work.reconcile(jobs) == 0  # not before its time


@pytest.mark.slow
async def test_a_deleted_webhook_is_told_nothing(hook: Hook) -> None:
    await hook.tell("vi1")
    await hook.place.house.webhooks.delete(hook.webhook_id)
    await hook.tell("vi2")
    assert await hook.deliver() == 0
    assert hook.courier.posted == []
    assert await hook.place.rows("deliveries") == []
    assert await hook.place.rows("webhook_events") == []


async def test_the_log_forgets_what_is_old(hook: Hook) -> None:
    await hook.tell("vi1", "vi2")
    async with hook.place.database.write() as tx:
        old = {"at": now() - 8 * 86400 * SECOND}
        await tx.execute(text("UPDATE deliveries SET created_at = :at WHERE body LIKE '%vi1%'"), old)
    assert await hook.place.house.webhooks.forget() == 1
    assert [json.loads(line.body)["videoId"] for line in await hook.log()] == ["vi2"]


async def test_a_number_is_never_used_twice(hook: Hook) -> None:
    """Or an id in somebody's log would come to mean another delivery."""
    await hook.tell("vi1")
    ((number, *_),) = await hook.place.rows("deliveries")
    async with hook.place.database.write() as tx:
        await tx.execute(text("DELETE FROM deliveries"))
    await hook.tell("vi2")
    ((following, *_),) = await hook.place.rows("deliveries")
    assert following != number


async def test_there_are_only_so_many(place: Place) -> None:
    few = Webhooks(place.database, most=2, kept=1)
    for _ in range(2):
        await few.create(URL, EVENTS, asked_by="test")
    with pytest.raises(WebhookLimitReached):
        await few.create(URL, EVENTS, asked_by="test")
