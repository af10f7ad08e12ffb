"""What ``GET /metrics`` tells Prometheus of this process."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.responses import Response

REGISTRY = CollectorRegistry()

REQUESTS = Counter("partway_requests", "Requests answered.", ["method", "status"], registry=REGISTRY)
PARTS = Counter("partway_parts", "Parts taken in, by outcome.", ["outcome"], registry=REGISTRY)
PARTS_IN_FLIGHT = Gauge("partway_parts_in_flight", "Parts arriving at this moment.", registry=REGISTRY)
PART_SECONDS = Histogram(
    "partway_part_seconds",
    "Seconds from a part's first byte to its answer.",
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300),
    registry=REGISTRY,
)


def answer() -> Response:
    """The metrics in Prometheus' text format."""
    return Response(generate_latest(REGISTRY), media_type="text/plain; version=0.0.4; charset=utf-8")
