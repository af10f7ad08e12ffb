"""Upload tokens and ``/upload?token=`` (contract.md 1.4, 2.5 and "Decided")."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from tests.protocol.problems import assert_problem, check_shape
from tests.protocol.wire import Wire, file_part, film, pieces_of, text_part, wait_for

SOURCE = film(3000)
ONE, TWO, THREE = pieces_of(SOURCE, 1000)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")


def test_create_read_delete(wire: Wire) -> None:
    answer = wire.ask("POST", "/upload-tokens", json_body={"ttl": 60})
    assert answer.status == 200, "not 201"
    token = answer.json
    assert set(token) == {"token", "ttl", "createdAt", "expiresAt"}
    assert re.fullmatch("to[A-Za-z0-9]{22}", token["token"])
    assert token["ttl"] == 60
    assert MOMENT.fullmatch(token["createdAt"])
    assert MOMENT.fullmatch(token["expiresAt"])
    assert wire.get(f"/upload-tokens/{token['token']}").json == token
    deleted = wire.ask("DELETE", f"/upload-tokens/{token['token']}")
    assert (deleted.status, deleted.body) == (204, b"")
    for method in ("GET", "DELETE"):
        assert_problem(wire.ask(method, f"/upload-tokens/{token['token']}"), "resource-not-found")
    longest = wire.ask("POST", "/upload-tokens", json_body={"ttl": 2_147_483_647})
    assert longest.json["expiresAt"].startswith("20")
    assert wire.ask("POST", "/upload-tokens", json_body={"ttl": 0}).json["expiresAt"] is None


def test_lists(wire: Wire) -> None:
    made = [wire.token(ttl) for ttl in (300, 100, 200)]
    newest = wire.get("/upload-tokens?pageSize=3").json
    assert [token["token"] for token in newest["data"]] == made[::-1], "newest first, and read-your-writes"
    assert newest["pagination"]["currentPageItems"] == 3
    by_ttl = wire.get("/upload-tokens?sortBy=ttl&sortOrder=desc&pageSize=100").json["data"]
    assert [token["ttl"] for token in by_ttl] == sorted((token["ttl"] for token in by_ttl), reverse=True)
    oldest = wire.get("/upload-tokens?sortBy=createdAt&sortOrder=asc&pageSize=100").json["data"]
    assert [token["createdAt"] for token in oldest] == sorted(token["createdAt"] for token in oldest)
    wire.ask("DELETE", f"/upload-tokens/{made[0]}")
    assert made[0] not in [token["token"] for token in wire.get("/upload-tokens?pageSize=100").json["data"]]
    for query, name in (("sortBy=token", "sortBy"), ("sortOrder=up", "sortOrder"), ("pageSize=0", "pageSize")):
        assert_problem(wire.get(f"/upload-tokens?{query}"), "request-invalid-query-parameter", name=name)


def test_the_first_piece_makes_a_video(wire: Wire, upload_token: str) -> None:
    first = wire.upload(upload_token, "part 1/3", ONE, filename="10m.mp4.part.a")
    assert first.json == {"videoId": first.video_id}
    video = wire.get(f"/videos/{first.video_id}").json
    assert (video["title"], video["public"]) == ("10m.mp4.part.a", True)
    assert not wire.upload(upload_token, "part 2/3", TWO, first.video_id, "10m.mp4.part.b").is_complete
    done = wire.upload(upload_token, "part 3/3", THREE, first.video_id, "10m.mp4.part.c")
    assert done.json == wire.get(f"/videos/{first.video_id}").json
    assert done.json["title"] == "10m.mp4.part.a"
    assert wire.source(first.video_id) == SOURCE


def test_open_ended(wire: Wire, upload_token: str) -> None:
    video_id = wire.upload(upload_token, "part 1/*", ONE).video_id
    assert not wire.upload(upload_token, "part 2/*", TWO, video_id).is_complete
    assert wire.upload(upload_token, "part 3/3", b"", video_id).is_complete
    assert wire.source(video_id) == ONE + TWO


@pytest.mark.parametrize("content_range", [None, "part 1/1", "bytes 0-2999/3000"])
def test_small_files(wire: Wire, upload_token: str, content_range: str | None) -> None:
    answer = wire.upload(upload_token, content_range, SOURCE)
    assert answer.is_complete
    assert wire.source(answer.video_id) == SOURCE


def test_the_field_may_come_before_or_after_the_file(wire: Wire, upload_token: str) -> None:
    """Python and browsers put it before, Node, Go and PHP after (contract.md 0, fact 2)."""
    path = f"/upload?token={upload_token}"
    for before in (True, False):
        video_id = wire.upload(upload_token, "part 1/2", ONE).video_id
        named, file = text_part("videoId", video_id), file_part(TWO)
        parts = (named, file) if before else (file, named)
        assert wire.post_form(path, "part 2/2", *parts, key=None).is_complete
        assert wire.source(video_id) == ONE + TWO


def test_an_account_beside_the_token_is_ignored(wire: Wire, upload_token: str) -> None:
    """Python and Go send a Bearer, Node an empty header (contract.md 0, fact 13)."""
    for key in ("Bearer long-expired", " ", wire.key, "nonsense"):
        path = f"/upload?token={upload_token}"
        assert wire.post_form(path, None, file_part(ONE), key=key).is_complete


def test_an_empty_container_may_be_named_first(wire: Wire, upload_token: str) -> None:
    """And keeps its title (contract.md 2.5)."""
    video_id = wire.create("its own title")
    assert not wire.upload(upload_token, "part 1/2", ONE, video_id, "other.mp4").is_complete
    done = wire.upload(upload_token, "part 2/2", TWO, video_id, "other.mp4")
    assert (done.is_complete, done.json["title"]) == (True, "its own title")


@pytest.mark.parametrize("later", ["part 2/3", "part 2/*", "part 3/3", "bytes 1000-1999/3000", "bytes 1000-1999/*"])
def test_later_pieces_have_to_name_their_video(wire: Wire, upload_token: str, later: str) -> None:
    """The SDKs' known bug: a clear refusal instead of one broken video per piece."""
    before = wire.get("/videos?pageSize=1").json["pagination"]["itemsTotal"]
    for named in (None, ""):
        assert_problem(wire.upload(upload_token, later, TWO, named), "attribute-required", name="videoId")
    assert "videoId" in wire.upload(upload_token, later, TWO).json["detail"]
    assert wire.get("/videos?pageSize=1").json["pagination"]["itemsTotal"] == before


# What a token may fill (contract.md "Decided").


def test_another_tokens_video(wire: Wire) -> None:
    mine, other = wire.token(), wire.token()
    video_id = wire.upload(mine, "part 1/2", ONE).video_id
    held = wire.held(video_id)
    for content_range, body in (("part 2/2", TWO), ("part 1/2", ONE), ("part 1/2", TWO)):
        assert_problem(wire.upload(other, content_range, body, video_id), "resource-not-found", name="videoId")
    assert wire.held(video_id) == held
    assert wire.upload(mine, "part 2/2", TWO, video_id).is_complete
    assert_problem(wire.upload(other, "part 2/2", TWO, video_id), "resource-not-found", name="videoId")
    assert_problem(wire.upload(mine, "part 2/2", ONE, video_id), "video-source-already-uploaded")
    assert wire.upload(mine, "part 2/2", TWO, video_id).is_complete


def test_the_accounts_video(wire: Wire, upload_token: str) -> None:
    """Begun with the key, it is not the token's; begun with the token, it is the account's as well."""
    video_id = wire.create()
    wire.send(video_id, "part 1/2", ONE)
    assert_problem(wire.upload(upload_token, "part 2/2", TWO, video_id), "resource-not-found", name="videoId")
    video_id = wire.upload(upload_token, "part 1/2", ONE).video_id
    assert wire.send(video_id, "part 2/2", TWO).is_complete


def test_unknown_video(wire: Wire, upload_token: str) -> None:
    for named in ("viDoesNotExist0000000000", "x", "x" * 5000, "vi\0"):
        for content_range in (None, "part 1/2", "part 2/2"):
            answer = wire.upload(upload_token, content_range, ONE, named)
            assert_problem(answer, "resource-not-found", name="videoId")


def test_two_names_in_one_form(wire: Wire, upload_token: str) -> None:
    """The first one counts, whatever comes after the file."""
    mine, other = wire.create(), wire.create()
    path = f"/upload?token={upload_token}"
    parts = (text_part("videoId", mine), file_part(ONE), text_part("videoId", other))
    assert wire.post_form(path, "part 1/1", *parts, key=None).json["videoId"] == mine
    assert wire.held(other)["pieces"] == []


# Time (contract.md 2.5).


def expired(wire: Wire, token: str) -> None:
    wait_for(lambda: wire.get(f"/upload-tokens/{token}").status == 404)


@pytest.mark.slow
def test_an_expired_token_goes_on_with_what_it_has_started(wire: Wire) -> None:
    token, fresh = wire.token(ttl=1), wire.create()
    video_id = wire.upload(token, "part 1/2", ONE).video_id
    expired(wire, token)
    assert token not in [one["token"] for one in wire.get("/upload-tokens?pageSize=100").json["data"]]
    for named in (None, fresh):
        for content_range in (None, "part 1/2"):
            answer = wire.upload(token, content_range, ONE, named)
            assert_problem(answer, "authentication-invalid-upload-token")
    assert wire.held(fresh)["pieces"] == []
    assert wire.upload(token, "part 2/2", TWO, video_id).is_complete


@pytest.mark.slow
def test_after_its_grace_it_is_dead(hasty_wire: Wire) -> None:
    token = hasty_wire.token(ttl=1)
    video_id = hasty_wire.upload(token, "part 1/2", ONE).video_id
    expired(hasty_wire, token)
    answer = hasty_wire.upload(token, "part 2/2", TWO, video_id)
    assert_problem(answer, "authentication-invalid-upload-token")


def test_a_deleted_token_is_dead_at_once(wire: Wire) -> None:
    """For what it has started, too (contract.md 1.4)."""
    token = wire.token()
    video_id = wire.upload(token, "part 1/2", ONE).video_id
    assert wire.ask("DELETE", f"/upload-tokens/{token}").status == 204
    for named in (None, video_id):
        answer = wire.upload(token, "part 2/2" if named else None, TWO, named)
        assert_problem(answer, "authentication-invalid-upload-token")
    assert len(wire.held(video_id)["pieces"]) == 1


def test_a_token_is_good_for_many(wire: Wire, upload_token: str) -> None:
    assert len({wire.upload(upload_token, None, ONE).video_id for _ in range(3)}) == 3


def test_a_deleted_video_takes_nothing_more(wire: Wire, upload_token: str) -> None:
    video_id = wire.upload(upload_token, "part 1/2", ONE).video_id
    wire.ask("DELETE", f"/videos/{video_id}")
    assert_problem(wire.upload(upload_token, "part 2/2", TWO, video_id), "resource-not-found", name="videoId")


def test_strange_tokens(wire: Wire) -> None:
    for token in ("nobody", "to" + "x" * 5000, "\0", "é", "to%", " "):
        answer = wire.post_form(f"/upload?token={quote(token)}", None, file_part(ONE), key=wire.key)
        assert check_shape(answer)["status"] == 401
