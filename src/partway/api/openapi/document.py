"""The OpenAPI document (3.1), from the mounted routes and their rows."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

from pydantic.alias_generators import to_camel
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute, Mount, Route

from partway import errors
from partway.api.openapi.operation import BYTES, TEXT, Answer, Caller, Form, Operation, Parameter, Schema, ref
from partway.api.openapi.rows import OPERATIONS
from partway.api.openapi.shapes import SHAPES
from partway.api.problems import PROBLEMS, REFERENCE, problem_of
from partway.api.schemas.base import Payload
from partway.errors import PartwayError, message_of

_CONVERTOR = re.compile(r"{(\w+):\w+}")
_NAME = re.compile(r"{(\w+)}")
_SECURITY: dict[Caller, list[dict[str, list[str]]]] = {
    "key": [{"key": []}, {"bearer": []}],
    "upload token": [{"uploadToken": []}],
    "anybody": [],
}
_NAMES = {
    "aggregation": "How it is counted: `count`, `rate`, `total`, `average`, `sum`, `peak`, `live`.",
    "breakdown": "What it is broken down by, such as `country`.",
    "deliveryId": "A delivery's id.",
    "ending": "The kind of file.",
    "kind": "`video` or `audio`.",
    "language": "A language tag such as `en` or `fr-CA`.",
    "liveStreamId": "A live stream's id.",
    "metric": "What is counted, such as `play` or `view`.",
    "number": "Which one, from 0.",
    "packaging": "The version of the packager.",
    "playerId": "A player theme's id.",
    "summaryId": "A summary's id.",
    "token": "The token.",
    "videoId": "A video's id.",
    "watermarkId": "A watermark's id.",
    "webhookId": "A webhook's id.",
}
"""What stands in a path."""
_PATTERNS = {"kind": "^(video|audio)$", "language": "^[a-z]{2}(-[A-Z]{2})?$", "number": "^[0-9]{1,9}$"}
_WORDS = {401: "The caller is not known.", 404: "It is not there.", 503: "The storage is unavailable; try again."}
_JSON_REFUSALS = (errors.InvalidPayload, errors.MissingAttribute, errors.InvalidAttribute)
_KEY_REFUSALS = (
    errors.MissingAuthorization,
    errors.InvalidAuthorization,
    errors.InvalidApiKey,
    errors.InvalidAccessToken,
    errors.TooManyRequests,
)
_INTRODUCTION = "\n\n".join(
    (
        "Upload videos part by part, in any order, and play them while they are still on their way.",
        "This is api.video's API as partway speaks it; what differs on purpose stands in partway's docs under "
        "`reference/compatibility.md`. Paths that begin with `/-/` are partway's own.",
        "Send the API key as the user name of HTTP Basic, or a bearer token of `POST /auth/api-key`. A refused request "
        "is answered with a problem object; under `/vod/` whatever is no asset has an empty body.",
    )
)


class Mounted(NamedTuple):
    """A route as it is mounted."""

    method: str
    path: str
    """As it stands in the description: parameters in the contract's spelling."""
    group: str
    summary: str

    @property
    def name(self) -> str:
        """What its row is called."""
        return f"{self.method} {self.path}"


def mounted(routes: Sequence[BaseRoute]) -> Iterator[Mounted]:
    """Every route, HEAD left out; a folder of files is none."""
    for prefix, route in _flat("", routes):
        if isinstance(route, Mount):
            continue
        path = _NAME.sub(lambda name: "{" + to_camel(name[1]) + "}", _CONVERTOR.sub(r"{\1}", prefix + route.path))
        group = str(next(iter(getattr(route, "tags", None) or ()), "Playback"))
        summary = (inspect.getdoc(route.endpoint) or "").partition("\n")[0]
        for method in sorted((route.methods or {"GET"}) - {"HEAD"}):
            yield Mounted(method, path, group, summary)


def _flat(prefix: str, routes: Sequence[BaseRoute]) -> Iterator[tuple[str, Route | Mount]]:
    for route in routes:
        inner: Any = route
        if hasattr(route, "original_router"):
            yield from _flat(prefix + inner.include_context.prefix, inner.original_router.routes)
        elif isinstance(route, Route | Mount):
            yield prefix, route


def document(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The description of these routes.

    Raises:
        KeyError: a route has no row.
    """
    found = list(mounted(routes))
    payloads = {row.body.__name__: row.body for row in OPERATIONS.values() if isinstance(row.body, type)}
    paths: dict[str, dict[str, Any]] = {}
    for route in found:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, OPERATIONS[route.name])
    return {
        "openapi": "3.1.0",
        "info": {"title": "partway", "version": version("partway"), "description": _INTRODUCTION},
        "paths": paths,
        "tags": [{"name": group} for group in dict.fromkeys(route.group for route in found)],
        "components": {
            "schemas": {**_payload_schemas(list(payloads.values())), **SHAPES},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "basic", "description": "The API key as user name, no password."},
                "bearer": {"type": "http", "scheme": "bearer", "description": "An access token of /auth/api-key."},
                "uploadToken": {"type": "apiKey", "in": "query", "name": "token", "description": "An upload token."},
            },
        },
    }


def _payload_schemas(payloads: Sequence[type[Payload]]) -> dict[str, Schema]:
    _, made = models_json_schema(
        [(payload, "validation") for payload in payloads], by_alias=True, ref_template="#/components/schemas/{model}"
    )
    schemas: dict[str, Schema] = made.get("$defs", {})
    return schemas


def _operation(route: Mounted, row: Operation) -> dict[str, Any]:
    names = _NAME.findall(route.path)
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": TEXT, "description": _NAMES.get(name, "")}
        for name in names
    ]
    described: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "-", f"{route.method.lower()} {route.path}").strip("-"),
        "tags": [route.group],
        "summary": route.summary,
        "parameters": parameters + [_parameter(one) for one in row.parameters],
        "responses": {str(status): _answer(answer) for status, answer in row.answers.items()} | _refused(row, names),
        "security": {"key": [{"key": []}, {"bearer": []}], "upload token": [{"uploadToken": []}], "anybody": []}[
            row.caller
        ],
    }
    if row.body is not None:
        described["requestBody"] = {"required": not row.body_may_be_missing, "content": _content(row.body)}
    return described


def _in_path(name: str) -> dict[str, Any]:
    schema = {**TEXT, "pattern": _PATTERNS[name]} if name in _PATTERNS else TEXT
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": _NAMES.get(name, "")}


def _parameter(one: Parameter) -> dict[str, Any]:
    described = {"name": one.name, "in": one.place, "schema": one.schema, "description": one.description}
    return described | ({"style": one.style, "explode": True} if one.style else {})


def _answer(answer: Answer) -> dict[str, Any]:
    content = {media_type: {"schema": schema} for media_type, schema in answer.content.items()}
    return {"description": answer.description, **({"content": content} if content else {})}


def _content(body: type[Payload] | Form) -> dict[str, Any]:
    if isinstance(body, Form):
        members = {"file": {**BYTES, "description": body.file}, **body.fields}
        return {"multipart/form-data": {"schema": {"type": "object", "properties": members, "required": ["file"]}}}
    return {"application/json": {"schema": ref(body.__name__)}}


def refusals_of(row: Operation, path: str) -> set[type[PartwayError]]:
    """Every error that an operation may answer with: its own, and what comes with what it takes."""
    found = set(row.refusals)
    if row.caller == "key":
        found |= {*_KEY_REFUSALS}
        if _NAME.search(path):
            found.add(errors.NotFound)
    if any(one.name in ("currentPage", "sortBy") for one in row.parameters):
        found.add(errors.InvalidQueryParameter)
    if any(one.place == "header" and one.name == "Idempotency-Key" for one in row.parameters):
        # Not found: what an earlier request with this key has made was deleted since.
        found |= {errors.InvalidAttribute, errors.NotFound}
    if isinstance(row.body, type):
        found |= {*_JSON_REFUSALS}
    return found


def _refused(row: Operation, names: Sequence[str]) -> dict[str, Any]:
    by_status: dict[int, dict[str, str]] = {}
    for kind in refusals_of(row, "".join(f"{{{name}}}" for name in names)):
        status, slug = PROBLEMS[kind]
        by_status.setdefault(status, {})[slug] = _title(kind)
    if names and row.caller == "key":
        # A name with a slash in it is another path.
        by_status.setdefault(404, {})["unrecognized-request-url"] = "Unrecognized request URL."
    return {str(status): _problem(status, by_status[status]) for status in sorted(by_status)}


def _title(kind: type[PartwayError]) -> str:
    return str(problem_of(kind())[1]["title"]) if kind is errors.BlobError else message_of(kind)


def _problem(status: int, titles: dict[str, str]) -> dict[str, Any]:
    lines = "\n".join(f"- `{slug}`: {titles[slug]}" for slug in sorted(titles))
    kinds = [REFERENCE + slug for slug in sorted(titles)]
    narrowed = {"properties": {"status": {"const": status}, "type": {"enum": kinds}}}
    return {
        "description": f"{_WORDS.get(status, 'Refused; nothing has changed.')}\n\n{lines}",
        "content": {"application/json": {"schema": {"allOf": [ref("Problem"), narrowed]}}},
    }
