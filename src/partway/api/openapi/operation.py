"""What a row says of one operation: what it takes, what it answers, how it refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from partway.api.schemas.base import Payload
from partway.errors import PartwayError

Schema = dict[str, Any]
Caller = Literal["key", "upload token", "anybody"]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
YES_OR_NO: Schema = {"type": "boolean"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
ADDRESS: Schema = {"type": "string", "format": "uri-reference"}
BYTES: Schema = {"type": "string", "format": "binary"}


def ref(name: str) -> Schema:
    """A named shape."""
    return {"$ref": f"#/components/schemas/{name}"}


def or_null(schema: Schema) -> Schema:
    """That shape, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def one_of(*words: str) -> Schema:
    """One of these words."""
    return {"type": "string", "enum": list(words)}


def a_list(schema: Schema) -> Schema:
    """Any number of them."""
    return {"type": "array", "items": schema}


def shape(may_be_missing: Sequence[str] = (), /, **members: Schema) -> Schema:
    """An object with these members and no others; all are there but those that ``may_be_missing``."""
    return {
        "type": "object",
        "properties": members,
        "required": [name for name in members if name not in may_be_missing],
        "additionalProperties": False,
    }


def a_page_of(name: str) -> Schema:
    """A list's answer (contract.md 4.4)."""
    return shape(data=a_list(ref(name)), pagination=ref("Pagination"))


@dataclass(frozen=True)
class Parameter:
    """A query parameter, or with ``place`` a header."""

    name: str
    schema: Schema
    description: str
    place: Literal["query", "header"] = "query"
    style: str | None = None


PAGING = (
    Parameter("currentPage", {**WHOLE, "minimum": 1, "default": 1}, "The page wanted, from 1."),
    Parameter("pageSize", {**WHOLE, "minimum": 1, "maximum": 100, "default": 25}, "How many items a page has."),
)
IDEMPOTENCY = Parameter(
    "Idempotency-Key",
    {**TEXT, "maxLength": 255},
    "Asked twice with the same key, it is done once; 404 if what it made was deleted since.",
    "header",
)


def sorting(*keys: str) -> tuple[Parameter, Parameter]:
    """The order of a list."""
    return (
        Parameter("sortBy", one_of(*keys), "What to sort by."),
        Parameter("sortOrder", one_of("asc", "desc"), "In which direction."),
    )


@dataclass(frozen=True)
class Answer:
    """A status that is no refusal; without ``content`` it has no body."""

    description: str
    content: Mapping[str, Schema] = field(default_factory=dict)


def json_answer(schema: Schema, description: str = "Done.") -> Answer:
    """An answer in JSON."""
    return Answer(description, {"application/json": schema})


NOTHING = Answer("Done; there is no body.")
NOT_YET = Answer("Not yet: ask again later. There is no body.")
NEVER = Answer("Not there, or not for you. There is no body.")


@dataclass(frozen=True)
class Form:
    """A multipart/form-data body: one file, whatever its field is called, and text fields."""

    file: str
    """What the file is, in words."""
    fields: Mapping[str, Schema] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """One row."""

    answers: Mapping[int, Answer]
    parameters: tuple[Parameter, ...] = ()
    body: type[Payload] | Form | None = None
    body_may_be_missing: bool = False
    refusals: tuple[type[PartwayError], ...] = ()
    """What it refuses with, beyond what every operation of its kind does: see ``document``."""
    caller: Caller = "key"
