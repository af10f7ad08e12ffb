"""The table from errors to problem objects leaves none out."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from partway import errors
from partway.api.problems import PROBLEMS, answer_to, problem_of, too_slow, unknown_path, wrong_method
from partway.errors import PartwayError, Refused


def below(kind: type[PartwayError]) -> Iterator[type[PartwayError]]:
    for child in kind.__subclasses__():
        yield child
        yield from below(child)


LEAVES = [kind for kind in below(Refused) if not kind.__subclasses__() and kind is not errors.SeveralProblems]


@pytest.mark.parametrize("kind", LEAVES)
def test_every_refusal_has_a_row_of_its_own(kind: type[Refused]) -> None:
    assert kind in PROBLEMS
    status, body = problem_of(kind("A detail.", name="a name", allowed=(1, 9)))
    assert 400 <= status < 500
    assert body == {
        "type": f"https://docs.api.video/reference/{PROBLEMS[kind].slug}",
        "title": errors.message_of(kind),
        "status": status,
        "name": "" if kind is errors.InvalidCredentials else "a name",
        "detail": "A detail.",
        "range": {"min": 1, "max": 9},
    }


def test_slugs_are_not_shared() -> None:
    slugs = [PROBLEMS[kind].slug for kind in LEAVES]
    assert len(slugs) == len(set(slugs))


@pytest.mark.parametrize(
    "kind", [errors.BodyError, errors.BlobError, *below(errors.BodyError), *below(errors.BlobError)]
)
def test_failures_are_told_without_their_secrets(kind: type[PartwayError]) -> None:
    status, body = problem_of(kind("/some/path failed"))
    assert {"type", "title", "status"} <= set(body)
    assert body["status"] == status
    if issubclass(kind, errors.BlobError):
        assert (status, "/some/path" in json.dumps(body)) == (503, False)
        assert answer_to(kind()).headers["retry-after"].isdigit()


def test_several_problems_are_one_object() -> None:
    missing, invalid = errors.MissingAttribute(name="title"), errors.InvalidAttribute("No.", name="tags")
    status, body = problem_of(errors.SeveralProblems([missing, invalid]))
    assert status == 400
    assert body["title"] == "This attribute is required."
    assert body["problems"] == [problem_of(missing)[1], problem_of(invalid)[1]]


def test_answers_without_an_error() -> None:
    for answer, status in ((unknown_path(), 404), (wrong_method("GET"), 405), (too_slow(), 408)):
        body = json.loads(bytes(answer.body))
        assert (answer.status_code, body["status"], set(body)) == (status, status, {"type", "title", "status"})
    assert wrong_method("GET, HEAD").headers["allow"] == "GET, HEAD"
