"""Analytics: nothing is measured, and every answer is valid and empty (contract.md 1.13)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from tests.protocol.problems import assert_problem, check_shape
from tests.protocol.wire import Wire

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")


def test_a_figure(wire: Wire) -> None:
    answer = wire.get("/data/metrics/play/count")
    assert answer.status == 200
    assert answer.json["data"] == 0
    context = answer.json["context"]
    assert (context["metric"], context["aggregation"]) == ("play", "count")
    start, end = context["timeframe"]["from"], context["timeframe"]["to"]
    assert MOMENT.fullmatch(start)
    assert MOMENT.fullmatch(end)
    assert datetime.fromisoformat(end) - datetime.fromisoformat(start) == timedelta(days=1)


@pytest.mark.parametrize(
    ("path", "context"),
    [
        ("metrics/view/count", {"metric": "view-5", "aggregation": "count"}),
        ("metrics/view/count?viewDuration=30s&unique=true", {"metric": "unique-view-30", "aggregation": "count"}),
        ("metrics/ccv/average?unique=true", {"metric": "unique-ccv", "aggregation": "average"}),
        ("metrics/ccv/peak", {"metric": "ccv"}),
        ("metrics/watch-time/sum?filterBy[mediaId][]=vi1", {"metric": "watch-time", "aggregation": "sum"}),
        ("buckets/play/country", {"metric": "play", "breakdown": "country"}),
        ("buckets/play-total/media-id?sortBy=metricValue&sortOrder=desc", {"metric": "play", "breakdown": "media-id"}),
        ("buckets/view/referrer", {"metric": "view-5"}),
        ("timeseries/play-rate", {"metric": "play-rate", "interval": "hour"}),
        (
            "timeseries/ccv-peak?unique=1&interval=day",
            {"metric": "unique-ccv-peak", "interval": "day"},
        ),
    ],
)
def test_contexts(wire: Wire, path: str, context: dict[str, str]) -> None:
    """They say what was asked in the words that the clients' models know."""
    body = wire.get(f"/data/{path}").json
    assert {name: value for name, value in body["context"].items() if name != "timeframe"} == context
    if path.startswith("metrics"):
        assert set(body) == {"context", "data"}
        return
    assert set(body) == {"context", "data", "pagination"}
    assert body["data"] == []
    assert body["pagination"]["itemsTotal"] == 0


@pytest.mark.parametrize(
    ("query", "start", "end"),
    [
        ("to=2024-02-05T00:00:00Z", "2024-02-04T00:00:00+00:00", "2024-02-05T00:00:00+00:00"),
        (
            "from=2024-02-05T00:00:00%2B01:00&to=2024-02-06T00:00:00-05:00",
            "2024-02-04T23:00:00+00:00",
            "2024-02-06T05:00:00+00:00",
        ),
        ("from=2024-02-05T00:00:00+01:00&to=2024-02-05", "2024-02-04T23:00:00+00:00", "2024-02-05T00:00:00+00:00"),
    ],
)
def test_timeframes(wire: Wire, query: str, start: str, end: str) -> None:
    answer = wire.get(f"/data/timeseries/play?{query}")
    assert answer.json["context"]["timeframe"] == {"from": start, "to": end}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("metrics/x/count", "metric"),
        ("metrics/play/x", "aggregation"),
        ("buckets/x/country", "metric"),
        ("buckets/play/x", "breakdown"),
        ("buckets/play/country?pageSize=0", "pageSize"),
        ("buckets/play/country?sortBy=emittedAt", "sortBy"),
        ("timeseries/play-total", "metric"),
        ("timeseries/play?interval=week", "interval"),
        ("timeseries/play?sortOrder=up", "sortOrder"),
        ("timeseries/view?viewDuration=4s", "viewDuration"),
        ("timeseries/view?unique=maybe", "unique"),
        *[(f"timeseries/play?to={text}", "to") for text in ("", "x", "%00", "0001-01-01T00:00:00-23:00", "1999-12-31")],
        ("timeseries/play?to=9999-12-31T23:59:59-23:00", "to"),
        ("timeseries/play?from=9999-12-31T23:59:59Z", "from"),
        ("timeseries/play?from=2024-02-05&to=2024-02-04", "from"),
    ],
)
def test_invalid(wire: Wire, path: str, name: str) -> None:
    assert_problem(wire.get(f"/data/{path}"), "request-invalid-query-parameter", name=name)


def test_strangers(wire: Wire) -> None:
    for path in ("metrics/play/count", "buckets/play/country", "timeseries/play"):
        assert check_shape(wire.get(f"/data/{path}", key=None))["status"] == 401
