"""Lists: their query parameters and their envelope (contract.md 4.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from partway.errors import InvalidQueryParameter
from partway.services.values import Order, VideoFilter

_LAST_PAGE = 2**31 - 1
_TAGS = re.compile(r"tags(\[[0-9]*\])?")
_METADATA = re.compile(r"metadata\[(?P<key>.+)\]", re.DOTALL)
_FILTERS_MOST = 20


def paging(request: Request) -> tuple[int, int]:
    """The page asked for, from 1, and how many items it has.

    Raises:
        InvalidQueryParameter: out of range, or no number.
    """
    return _number(request, "currentPage", 1, 1, _LAST_PAGE), _number(request, "pageSize", 25, 1, 100)


def ordering(request: Request, keys: Sequence[str], *, default: str = "createdAt") -> Order:
    """The order asked for; ``default`` is sorted by where only a direction is given.

    Raises:
        InvalidQueryParameter: a key or direction we don't know.
    """
    key, direction = request.query_params.get("sortBy"), request.query_params.get("sortOrder")
    if key is not None and key not in keys:
        raise InvalidQueryParameter(f"Sort by one of {', '.join(keys)}.", name="sortBy")
    if direction is not None and direction.lower() not in ("asc", "desc"):
        raise InvalidQueryParameter("The order is asc or desc.", name="sortOrder")
    if key is None and direction is not None:
        key = default
    return Order(key, descending=direction is not None and direction.lower() == "desc")


def chosen(request: Request, name: str, known: Sequence[str]) -> str | None:
    """A parameter that has to be one of a few words, None if it is missing.

    Raises:
        InvalidQueryParameter: it is another one.
    """
    value = request.query_params.get(name)
    if value is not None and value not in known:
        raise InvalidQueryParameter(f"This is one of {', '.join(known)}.", name=name)
    return value


def video_filter(request: Request) -> VideoFilter:
    """The filters of ``GET /videos``; ``tags``, ``tags[]`` and ``tags[n]`` are alike.

    Raises:
        InvalidQueryParameter: there are too many.
    """
    tags: list[str] = []
    pairs: list[tuple[str, str]] = []
    for name, value in request.query_params.multi_items():
        if _TAGS.fullmatch(name) and value:
            tags.append(value)
        elif found := _METADATA.fullmatch(name):
            pairs.append((found["key"], value))
    for name, given in (("tags", tags), ("metadata", pairs)):
        if len(given) > _FILTERS_MOST:
            raise InvalidQueryParameter(f"Filter by at most {_FILTERS_MOST} of them.", name=name)
    return VideoFilter(
        request.query_params.get("title"), request.query_params.get("description"), tuple(tags), tuple(pairs)
    )


def envelope(request: Request, items: Iterable[dict[str, Any]], *, total: int, page: int, size: int) -> dict[str, Any]:
    """One page with its pagination object; links keep the other parameters."""
    found = list(items)
    last = max(1, -(-total // size))
    places = {"self": page, "first": 1, "last": last}
    if page > 1:
        places["previous"] = min(page - 1, last)
    if page < last:
        places["next"] = page + 1
    others = [item for item in request.query_params.multi_items() if item[0] not in ("currentPage", "pageSize")]

    def uri(number: int) -> str:
        return f"{request.url.path}?{urlencode([*others, ('currentPage', number), ('pageSize', size)])}"

    return {
        "data": found,
        "pagination": {
            "currentPage": page,
            "pageSize": size,
            "pagesTotal": last,
            "itemsTotal": total,
            "currentPageItems": len(found),
            "links": [{"rel": rel, "uri": uri(number)} for rel, number in places.items()],
        },
    }


def _number(request: Request, name: str, default: int, least: int, most: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,10}", text) or not least <= int(text) <= most:
        raise InvalidQueryParameter(
            f"This parameter is out of the allowed range of values: {least} to {most}.",
            name=name,
            allowed=(least, most),
        )
    return int(text)
