"""Player themes and logos (contract.md 1.11)."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from tests.protocol.problems import assert_problem, check_shape
from tests.protocol.wire import Answer, Wire, file_part, text_part

from partway.testing.images import jpeg, png

COLOURS = [
    "text", "link", "linkHover", "linkActive", "trackPlayed", "trackUnplayed", "trackBackground", "backgroundTop",
    "backgroundBottom", "backgroundText",
]  # fmt: skip
SWITCHES = {
    "enableApi": True,
    "enableControls": True,
    "forceAutoplay": False,
    "hideTitle": False,
    "forceLoop": False,
}
LOGO = png(200, 100)


def made(wire: Wire, **fields: Any) -> dict[str, Any]:
    answer = wire.ask("POST", "/players", json_body=fields)
    assert answer.status == 201, answer
    return dict(answer.json)


def put_logo(wire: Wire, player_id: str, content: bytes = LOGO, *, link: str = "", filename: str = "l.png") -> Answer:
    others = [text_part("link", link)] if link else []
    return wire.post_form(f"/players/{player_id}/logo", None, file_part(content, filename=filename), *others)


def path_of(wire: Wire, url: str) -> str:
    assert url.startswith(wire.server.url + "/")
    return url.removeprefix(wire.server.url)


def test_a_plain_theme(wire: Wire) -> None:
    theme = made(wire)
    assert re.fullmatch("pl[A-Za-z0-9]{22}", theme["playerId"])
    assert theme["createdAt"] == theme["updatedAt"]
    assert theme == {
        "playerId": theme["playerId"],
        **SWITCHES,
        "createdAt": theme["createdAt"],
        "updatedAt": theme["updatedAt"],
        "assets": {},
    }
    assert wire.get(f"/players/{theme['playerId']}").json == theme
    assert wire.ask("POST", "/players").status == 201, "no body is an empty object"


def test_every_field(wire: Wire) -> None:
    colours = {name: f"rgba({at}, 255, 0, .{at}5)" for at, name in enumerate(COLOURS)}
    switches = {name: not value for name, value in SWITCHES.items()}
    theme = made(wire, name="All of it", unknown=1, **colours, **switches)
    assert theme.items() >= {"name": "All of it", **colours, **switches}.items()
    path = f"/players/{theme['playerId']}"
    assert wire.get(path).json == theme
    changed = wire.ask("PATCH", path, json_body={"name": "Less", "text": "#fff", "forceLoop": False})
    assert changed.status == 200
    expected = {**theme, "name": "Less", "text": "#fff", "forceLoop": False}
    assert changed.json == {**expected, "updatedAt": changed.json["updatedAt"]}
    emptied = wire.ask("PATCH", path, json_body=dict.fromkeys(["name", *COLOURS, *SWITCHES])).json
    assert set(emptied) == {"playerId", *SWITCHES, "createdAt", "updatedAt", "assets"}
    assert {name: emptied[name] for name in SWITCHES} == SWITCHES, "null is the default"
    assert wire.get(path).json == emptied


def test_lists(wire: Wire) -> None:
    names = [f"{uuid4().hex}-{at}" for at in (2, 1, 3)]
    ids = [made(wire, name=name)["playerId"] for name in names]

    def listed(query: str) -> list[str]:
        found = wire.get(f"/players?pageSize=100&{query}")
        assert found.status == 200
        return [theme["playerId"] for theme in found.json["data"] if theme["playerId"] in ids]

    assert wire.get("/players?pageSize=3").json["data"][0] == wire.get(f"/players/{ids[2]}").json
    assert listed("") == ids[::-1]
    assert listed("sortBy=createdAt&sortOrder=asc") == ids
    wire.ask("PATCH", f"/players/{ids[0]}", json_body={"hideTitle": True})
    assert listed("sortBy=updatedAt&sortOrder=desc")[0] == ids[0]
    assert listed("sortBy=name") == [one for _, one in sorted(zip(names, ids, strict=True))]
    for query, name in (("sortBy=title", "sortBy"), ("sortOrder=up", "sortOrder"), ("pageSize=0", "pageSize")):
        assert_problem(wire.get(f"/players?{query}"), "request-invalid-query-parameter", name=name)


def test_asked_twice_made_once(wire: Wire) -> None:
    key = [("Idempotency-Key", uuid4().hex)]
    first, second = (wire.ask("POST", "/players", json_body={"name": "one"}, headers=key) for _ in range(2))
    assert first.json == second.json
    other = wire.ask("POST", "/players", json_body={"name": "other"}, headers=key)
    assert_problem(other, "invalid-attribute", name="Idempotency-Key")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("name", value) for value in ("x" * 101, 1, [], "\0")],
        *[(colour, "red; background: url(x)") for colour in COLOURS],
        *[("text", value) for value in ("", "rgba(256, 0, 0, 1)", "rgba(0,0,0,2)", "rgba(0,0)", "#12", 1, "url(x)")],
        *[("text", value) for value in ("rgba(0, 0, 0, 1)\n", "rgba(٠,0,0,1)", "expression(1)", "rgba(" * 999)],
        *[(switch, value) for switch in SWITCHES for value in (1, "true")],
    ],
)
def test_invalid(wire: Wire, name: str, value: object) -> None:
    theme = made(wire)
    path = f"/players/{theme['playerId']}"
    for method, at in (("POST", "/players"), ("PATCH", path)):
        assert_problem(wire.ask(method, at, json_body={name: value}), "invalid-attribute", name=name)
    assert wire.get(path).json == theme


@pytest.mark.parametrize(
    "colour", ["rgba(1,2,3,1)", "rgb(255, 255, 255)", "RGBA(0, 0, 0, .95)", "rgba(0,0,0,1.0)", "#1A2b3c"]
)
def test_colours(wire: Wire, colour: str) -> None:
    assert made(wire, trackPlayed=colour)["trackPlayed"] == colour


def test_logo(wire: Wire) -> None:
    player_id = made(wire)["playerId"]
    answer = put_logo(wire, player_id, link="https://example.org/about?x=1#y")
    assert answer.status == 201
    assert answer.json == wire.get(f"/players/{player_id}").json
    assets = answer.json["assets"]
    assert assets["link"] == "https://example.org/about?x=1#y"
    image = wire.get(path_of(wire, assets["logo"]), key=None)
    assert (image.status, image.body, image.headers["content-type"]) == (200, LOGO, "image/png")
    assert image.headers["x-content-type-options"] == "nosniff"
    again = put_logo(wire, player_id, jpeg(200, 100), filename="l.jpg").json["assets"]
    assert again["logo"] != assets["logo"], "another logo has another address"
    assert "link" not in again, "the link belongs to the logo"
    image = wire.get(path_of(wire, again["logo"]), key=None)
    assert (image.body, image.headers["content-type"]) == (jpeg(200, 100), "image/jpeg")
    for _ in range(2):
        deleted = wire.ask("DELETE", f"/players/{player_id}/logo")
        assert (deleted.status, deleted.body) == (204, b"")
    assert wire.get(f"/players/{player_id}").json["assets"] == {}
    assert_problem(wire.get(path_of(wire, again["logo"]), key=None), "resource-not-found", name="playerId")


def test_no_logo(wire: Wire) -> None:
    player_id = made(wire)["playerId"]
    before = put_logo(wire, player_id).json
    invalid, extension = "uploaded-file-invalid-file", "uploaded-file-extension-invalid"
    for content, filename, slug in (
        (png(201, 100), "l.png", invalid),
        (jpeg(200, 101), "l.jpg", invalid),
        (LOGO[:20], "l.png", invalid),
        (b"GIF89a" + bytes(100), "l.png", invalid),
        (b"GIF89a" + bytes(100), "l.gif", extension),
        (b"<svg/>", "l.svg", extension),
        (b"text", "", extension),
        (b"", "l.png", "uploaded-file-empty"),
        (LOGO + bytes(100 * 1024), "l.png", "uploaded-file-too-large"),
    ):
        assert_problem(put_logo(wire, player_id, content, filename=filename), slug, name="file")
    for link in ("javascript:alert(1)", "ftp://example.org", "//example.org", "https://", "https://a b", 'http://a/"x'):
        assert_problem(put_logo(wire, player_id, link=link), "invalid-attribute", name="link")
    assert_problem(
        put_logo(wire, player_id, link="https://example.org/" + "x" * 2000), "invalid-attribute", name="link"
    )
    path = f"/players/{player_id}/logo"
    two = wire.post_form(path, None, file_part(LOGO), file_part(LOGO))
    assert_problem(two, "uploaded-file-multiple-files", name="file")
    assert_problem(wire.ask("POST", path, json_body={}), "uploaded-file-no-file", name="file")
    assert wire.get(f"/players/{player_id}").json == before, "nothing has changed"


def test_delete(wire: Wire) -> None:
    player_id = made(wire)["playerId"]
    logo = path_of(wire, put_logo(wire, player_id).json["assets"]["logo"])
    deleted = wire.ask("DELETE", f"/players/{player_id}")
    assert (deleted.status, deleted.body) == (204, b"")
    for one in (player_id, "plX"):
        for method in ("GET", "PATCH", "DELETE"):
            answer = wire.ask(method, f"/players/{one}", json_body={} if method == "PATCH" else None)
            assert_problem(answer, "resource-not-found", name="playerId")
        assert_problem(wire.ask("DELETE", f"/players/{one}/logo"), "resource-not-found", name="playerId")
        assert_problem(put_logo(wire, one), "resource-not-found", name="playerId")
    assert_problem(wire.get(logo, key=None), "resource-not-found")


def test_the_theme_of_a_video(wire: Wire) -> None:
    """Null unsets it, and what is absent stays."""
    player_id = made(wire)["playerId"]
    path = f"/videos/{wire.create(playerId=player_id)}"
    assert wire.get(path).json["playerId"] == player_id
    assert wire.ask("PATCH", path, json_body={"title": "new"}).json["playerId"] == player_id
    assert wire.ask("PATCH", path, json_body={"playerId": None}).json["playerId"] is None
    assert wire.ask("PATCH", path, json_body={"playerId": player_id}).json["playerId"] == player_id


def test_strangers(wire: Wire) -> None:
    for method, path in (("GET", ""), ("POST", ""), ("GET", "/x"), ("DELETE", "/x"), ("POST", "/x/logo")):
        assert check_shape(wire.ask(method, "/players" + path, key=None))["status"] == 401
