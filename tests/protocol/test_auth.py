"""``/auth``: both styles on every endpoint, rotation of refresh tokens (contract.md 1.2; 0, facts 11 to 14)."""

from __future__ import annotations

import json
from typing import Any

from tests.protocol.problems import assert_problem
from tests.protocol.wire import Answer, Wire, basic, film


def log_in(wire: Wire) -> dict[str, Any]:
    answer = wire.ask("POST", "/auth/api-key", json_body={"apiKey": wire.server.api_key}, key=None)
    assert answer.status == 200
    login: dict[str, Any] = answer.json
    return login


def refresh(wire: Wire, token: str, kind: str = "application/json") -> Answer:
    body = json.dumps({"refreshToken": token}).encode()
    return wire.ask("POST", "/auth/refresh", body=body, headers=[("Content-Type", kind)], key=None)


def test_log_in(wire: Wire) -> None:
    login = log_in(wire)
    assert set(login) == {"token_type", "expires_in", "access_token", "refresh_token"}
    assert login["token_type"] == "Bearer"
    assert login["expires_in"] == 3600
    assert log_in(wire)["access_token"] != login["access_token"]
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert wire.get("/videos", key=f"{scheme} {login['access_token']}").status == 200


def test_a_header_along_with_a_log_in_is_ignored(wire: Wire) -> None:
    """Node sends Basic along; an empty or a wrong one must not matter either."""
    for header in (wire.key, "", " ", "Bearer expired", "nonsense"):
        body = {"apiKey": wire.server.api_key}
        answer = wire.ask("POST", "/auth/api-key", json_body=body, headers=[("Authorization", header)], key=None)
        assert answer.status == 200


def test_any_content_type(wire: Wire) -> None:
    """Browsers refresh as text/plain (contract.md 0, fact 11); Go's JSON ends in a newline."""
    token = log_in(wire)["refresh_token"]
    for kind in (
        "text/plain;charset=UTF-8",
        "application/json; charset=utf-8",
        "application/x-www-form-urlencoded",
        "",
    ):
        answer = refresh(wire, token, kind)
        assert answer.status == 200, kind
        token = answer.json["refresh_token"]
    body = json.dumps({"apiKey": wire.server.api_key}).encode() + b"\n"
    assert wire.ask("POST", "/auth/api-key", body=body, key=None).status == 200


def test_refresh_tokens_are_good_once(wire: Wire) -> None:
    first = log_in(wire)
    second = refresh(wire, first["refresh_token"]).json
    assert set(second) == set(first)
    assert {first["refresh_token"], first["access_token"]}.isdisjoint({second["refresh_token"], second["access_token"]})
    assert_problem(refresh(wire, first["refresh_token"]), "authentication-invalid-user-credentials", name="")
    for login in (first, second):
        assert wire.get("/videos", key=f"Bearer {login['access_token']}").status == 200
    assert refresh(wire, second["refresh_token"]).status == 200


def test_tokens_are_not_interchangeable(wire: Wire) -> None:
    login = log_in(wire)
    # Each has just been good as what it is, and so may be remembered.
    assert wire.get("/videos").status == 200
    assert wire.get("/videos", key=f"Bearer {login['access_token']}").status == 200
    assert_problem(refresh(wire, login["access_token"]), "authentication-invalid-user-credentials")
    assert_problem(wire.get("/videos", key=f"Bearer {login['refresh_token']}"), "authentication-invalid-access-token")
    assert_problem(wire.get("/videos", key=f"Bearer {wire.server.api_key}"), "authentication-invalid-access-token")
    assert_problem(wire.get("/videos", key=basic(login["access_token"])), "authentication-invalid-api-key")


def test_both_styles_on_every_endpoint(wire: Wire) -> None:
    bearer = f"Bearer {log_in(wire)['access_token']}"
    for key in (bearer, wire.key, wire.key.replace("Basic", "basic")):
        video_id = wire.ask("POST", "/videos", json_body={"title": "x"}, key=key).video_id
        token = wire.ask("POST", "/upload-tokens", key=key).json["token"]
        for method, path, status in (
            ("GET", "/videos", 200),
            ("GET", f"/videos/{video_id}", 200),
            ("GET", f"/videos/{video_id}/status", 200),
            ("GET", f"/-/videos/{video_id}/parts", 200),
            ("GET", "/upload-tokens", 200),
            ("GET", f"/upload-tokens/{token}", 200),
            ("DELETE", f"/upload-tokens/{token}", 204),
        ):
            assert wire.ask(method, path, key=key).status == status, path
        assert wire.post_form(f"/videos/{video_id}/source", None, key=key).slug == "uploaded-file-no-file"
        assert wire.ask("PATCH", f"/videos/{video_id}", json_body={"title": "y"}, key=key).status == 200
        assert wire.ask("DELETE", f"/videos/{video_id}", key=key).status == 204


def test_a_password_beside_the_key_is_ignored(wire: Wire) -> None:
    with_password = basic(wire.server.api_key + ":anything")
    assert wire.get("/videos", key=with_password).status == 200


def test_every_endpoint_but_uploads_by_token_needs_a_key(wire: Wire) -> None:
    video_id = wire.create()
    before = wire.get(f"/videos/{video_id}").json
    for method, path in (
        ("GET", "/videos"),
        ("POST", "/videos"),
        ("GET", f"/videos/{video_id}"),
        ("PATCH", f"/videos/{video_id}"),
        ("DELETE", f"/videos/{video_id}"),
        ("GET", f"/videos/{video_id}/status"),
        ("POST", f"/videos/{video_id}/source"),
        ("GET", "/upload-tokens"),
        ("POST", "/upload-tokens"),
        ("GET", "/upload-tokens/toX"),
        ("DELETE", "/upload-tokens/toX"),
        ("GET", f"/-/videos/{video_id}/parts"),
        ("POST", f"/-/videos/{video_id}/finish"),
    ):
        body = {"title": "x"} if method in ("POST", "PATCH") else None
        assert_problem(wire.ask(method, path, json_body=body, key=None), "authentication-missing-authorization-header")
        assert_problem(wire.ask(method, path, json_body=body, key=" "), "authentication-missing-authorization-header")
        assert_problem(wire.ask(method, path, json_body=body, key=basic("x")), "authentication-invalid-api-key")
    assert wire.get(f"/videos/{video_id}").json == before
    wire.send(video_id, None, film(100))
    assert wire.get(f"/vod/{video_id}/mp4/source.mp4", key=None).status == 200, "what is public is"
