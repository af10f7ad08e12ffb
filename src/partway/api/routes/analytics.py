"""``/data``: nothing is measured, so that every answer is valid and empty (contract.md 1.13)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request

from partway.api.caller import authenticate
from partway.api.lists import chosen, envelope, ordering, paging
from partway.errors import InvalidQueryParameter
from partway.services.house import House

_TOTALS = ("play", "start", "end", "impression", "impression-time", "watch-time", "ccv", "view")
_AGGREGATIONS = ("count", "rate", "total", "average", "sum", "peak", "live")
_SERIES = ("play", "play-rate", "start", "end", "impression", "ccv-peak", "ccv-average", "view")
_BUCKETS = (*_SERIES, "play-total")
_BREAKDOWNS = (
    *("media-id", "media-type", "continent", "country"),
    *("device-type", "operating-system", "browser", "referrer"),
)
_INTERVALS = ("minute", "hour", "day")
_DURATIONS = ("3s", "5s", "10s", "30s")
_A_DAY = timedelta(days=1)
# The clients' models have no words for these: there, the context is silent about them.
_UNSPEAKABLE = frozenset(("peak", "live", "referrer"))


def router(house: House) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/data", tags=["Analytics"])

    @routes.get("/metrics/{metric}/{aggregation}")
    async def get_metric(request: Request, metric: str, aggregation: str) -> dict[str, Any]:
        """Get a figure about all plays: nothing is measured, it is 0."""
        await authenticate(request, house.access)
        _check("metric", metric, _TOTALS)
        _check("aggregation", aggregation, _AGGREGATIONS)
        return {"context": _context(request, metric, aggregation=aggregation), "data": 0}

    @routes.get("/buckets/{metric}/{breakdown}")
    async def get_buckets(request: Request, metric: str, breakdown: str) -> dict[str, Any]:
        """Get a figure by country, browser and the like: nothing is measured, there are none."""
        await authenticate(request, house.access)
        _check("metric", metric, _BUCKETS)
        _check("breakdown", breakdown, _BREAKDOWNS)
        page, size = paging(request)
        ordering(request, ("metricValue", "dimensionValue"))
        context = _context(request, metric, breakdown=breakdown)
        return {"context": context, **envelope(request, (), total=0, page=page, size=size)}

    @routes.get("/timeseries/{metric}")
    async def get_time_series(request: Request, metric: str) -> dict[str, Any]:
        """Get a figure over time: nothing is measured, there are no points."""
        await authenticate(request, house.access)
        _check("metric", metric, _SERIES)
        page, size = paging(request)
        ordering(request, ("metricValue", "emittedAt"))
        interval = chosen(request, "interval", _INTERVALS) or "hour"
        context = _context(request, metric, interval=interval)
        return {"context": context, **envelope(request, (), total=0, page=page, size=size)}

    return routes


def _context(request: Request, metric: str, **others: str) -> dict[str, Any]:
    """What was asked, in the words of the clients' models: ``view`` is ``unique-view-5`` there."""
    seconds = (chosen(request, "viewDuration", _DURATIONS) or "5s").removesuffix("s")
    # The Python client writes True.
    unique = request.query_params.get("unique", "false").lower()
    _check("unique", unique, ("true", "false", "1", "0"))
    name = {"view": f"view-{seconds}", "play-total": "play"}.get(metric, metric)
    if unique in ("true", "1") and name.startswith(("view", "ccv")):
        name = f"unique-{name}"
    spoken = {key: value for key, value in others.items() if value not in _UNSPEAKABLE}
    return {"metric": name, **spoken, "timeframe": _timeframe(request)}


def _timeframe(request: Request) -> dict[str, str]:
    """The time asked about: the day before ``to``, which is now, unless the query says otherwise."""
    to = _moment(request, "to") or datetime.now(UTC)
    start = _moment(request, "from") or to - _A_DAY
    if start > to:
        raise InvalidQueryParameter("This is after the end.", name="from")
    return {"from": start.isoformat(timespec="seconds"), "to": to.isoformat(timespec="seconds")}


def _moment(request: Request, name: str) -> datetime | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        # A plus that was not escaped has become a blank.
        found = datetime.fromisoformat(text.strip().replace(" ", "+"))
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        found = datetime.min.replace(tzinfo=UTC)
    # Nobody has watched before; and there has to be a day before it.
    if found.year < 2000:
        raise InvalidQueryParameter("This has to be a time like 2024-02-05T00:00:00+01:00.", name=name)
    return found


def _check(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InvalidQueryParameter(f"This is one of {', '.join(known)}.", name=name)
