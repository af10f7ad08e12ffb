"""Captions and chapters (contract.md 1.5, 1.6)."""

from __future__ import annotations

import pytest
from tests.protocol.problems import assert_problem, check_shape
from tests.protocol.wire import Answer, Wire, file_part, film, text_part

VTT = b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"
OTHER = b"WEBVTT\r\n\r\nintro\r\n00:00.000 --> 00:01.000\r\nHallo\r\n"
KINDS = ["captions", "chapters"]


def put(wire: Wire, video_id: str, kind: str, language: str, content: bytes = VTT, name: str = "file") -> Answer:
    part = file_part(content, name=name, filename=f"{language}.vtt", kind="text/vtt")
    return wire.post_form(f"/videos/{video_id}/{kind}/{language}", None, part)


def shown(wire: Wire, video_id: str, kind: str, language: str) -> Answer:
    return wire.get(f"/vod/{video_id}/{kind}/{language}.vtt", key=None)


def languages(wire: Wire, video_id: str, kind: str, query: str = "") -> list[str]:
    answer = wire.get(f"/videos/{video_id}/{kind}{query}")
    assert answer.status == 200, answer
    return [one["uri"].rpartition("/")[2] for one in answer.json["data"]]


def test_captions_of_an_empty_container(wire: Wire) -> None:
    video_id = wire.create()
    answer = put(wire, video_id, "captions", "fr")
    assert answer.status == 200, "not 201"
    captions = answer.json
    assert captions == {
        "uri": f"/videos/{video_id}/captions/fr",
        "src": f"{wire.server.url}/vod/{video_id}/captions/fr.vtt",
        "srclang": "fr",
        "languageName": "Français",
        "default": False,
    }
    assert wire.get(captions["uri"]).json == captions
    file = shown(wire, video_id, "captions", "fr")
    assert (file.status, file.body) == (200, VTT)
    assert file.headers["content-type"] == "text/vtt"
    assert file.headers["access-control-allow-origin"] == "*"
    assert file.headers["x-content-type-options"] == "nosniff"
    head = wire.ask("HEAD", f"/vod/{video_id}/captions/fr.vtt", key=None)
    assert (head.status, head.headers["content-length"]) == (200, str(len(VTT)))


def test_chapters_of_an_empty_container(wire: Wire) -> None:
    video_id = wire.create()
    answer = put(wire, video_id, "chapters", "en", OTHER)
    assert answer.status == 200
    assert answer.json == {
        "uri": f"/videos/{video_id}/chapters/en",
        "src": f"{wire.server.url}/vod/{video_id}/chapters/en.vtt",
        "language": "en",
    }
    assert wire.get(f"/videos/{video_id}/chapters/en").json == answer.json
    assert shown(wire, video_id, "chapters", "en").body == OTHER
    assert shown(wire, video_id, "captions", "en").status == 404, "one kind is not the other"
    assert languages(wire, video_id, "captions") == []


@pytest.mark.parametrize("kind", KINDS)
def test_list_and_delete(wire: Wire, kind: str) -> None:
    video_id = wire.create()
    for language in ("fr", "en", "pt-BR"):
        assert put(wire, video_id, kind, language).status == 200
    assert languages(wire, video_id, kind) == ["en", "fr", "pt-BR"]
    assert languages(wire, video_id, kind, "?pageSize=2&currentPage=2") == ["pt-BR"]
    pagination = wire.get(f"/videos/{video_id}/{kind}?pageSize=2").json["pagination"]
    assert (pagination["itemsTotal"], pagination["pagesTotal"]) == (3, 2)
    deleted = wire.ask("DELETE", f"/videos/{video_id}/{kind}/fr")
    assert (deleted.status, deleted.body) == (204, b"")
    for method in ("GET", "DELETE"):
        assert_problem(wire.ask(method, f"/videos/{video_id}/{kind}/fr"), "resource-not-found", name="language")
    gone = shown(wire, video_id, kind, "fr")
    assert (gone.status, gone.body) == (404, b"")
    assert languages(wire, video_id, kind) == ["en", "pt-BR"]


@pytest.mark.parametrize("kind", KINDS)
def test_uploading_again_replaces(wire: Wire, kind: str) -> None:
    video_id = wire.create()
    put(wire, video_id, kind, "en")
    again = put(wire, video_id, kind, "EN", OTHER)
    assert again.status == 200
    assert languages(wire, video_id, kind) == ["EN"], "tags are one language whatever their case"
    for tag in ("en", "EN", "eN"):
        assert shown(wire, video_id, kind, tag).body == OTHER
        assert wire.get(f"/videos/{video_id}/{kind}/{tag}").json == again.json


def test_the_default(wire: Wire) -> None:
    video_id = wire.create()
    for language in ("en", "fr"):
        put(wire, video_id, "captions", language)

    def patch(language: str, body: object) -> Answer:
        return wire.ask("PATCH", f"/videos/{video_id}/captions/{language}", json_body=body)

    def defaults() -> list[bool]:
        return [one["default"] for one in wire.get(f"/videos/{video_id}/captions").json["data"]]

    assert patch("en", {"default": True}).json["default"] is True
    assert defaults() == [True, False]
    assert patch("fr", {"default": True}).json == wire.get(f"/videos/{video_id}/captions/fr").json
    assert defaults() == [False, True], "there is one at most"
    assert put(wire, video_id, "captions", "fr", OTHER).json["default"] is True, "another file stays the default"
    assert patch("fr", {"unknown": 1}).json["default"] is True, "what is absent stays"
    assert patch("fr", {"default": False}).json["default"] is False
    assert defaults() == [False, False]
    for wrong in (None, 1, "true", []):
        assert_problem(patch("fr", {"default": wrong}), "invalid-attribute", name="default")
    assert_problem(patch("de", {"default": True}), "resource-not-found", name="language")
    assert_problem(patch("de", {}), "resource-not-found", name="language")


@pytest.mark.parametrize("tag", ["en", "eng", "zh-Hant", "pt-BR", "sr-Latn-RS", "xx", "nn", "fil"])
def test_languages(wire: Wire, tag: str) -> None:
    answer = put(wire, wire.create(), "captions", tag)
    assert answer.status == 200
    assert answer.json["srclang"] == tag
    assert answer.json["languageName"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "tag", ["e", "e1", "es-419", "en_US", "-", "en-", "-en", "é", "en%20", "%00", "x" * 300, "a-b"]
)
def test_no_languages(wire: Wire, kind: str, tag: str) -> None:
    video_id = wire.create()
    quoted = tag.replace("é", "%C3%A9")
    assert_problem(put(wire, video_id, kind, quoted), "invalid-attribute", name="language")
    for method in ("GET", "DELETE"):
        answer = wire.ask(method, f"/videos/{video_id}/{kind}/{quoted}")
        assert_problem(answer, "invalid-attribute", name="language")
    assert shown(wire, video_id, kind, quoted).status == 404
    assert languages(wire, video_id, kind) == []


@pytest.mark.parametrize("name", ["file", "en.vtt", "", "anything at all"])
def test_whatever_the_field_is_called(wire: Wire, name: str) -> None:
    assert put(wire, wire.create(), "captions", "en", name=name).status == 200


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_webvtt(wire: Wire, kind: str) -> None:
    video_id = wire.create()
    put(wire, video_id, kind, "en")
    for content in (b"1\n00:00:00,000 --> 00:00:01,000\nSubRip\n", film(2000), b"\xff\xfe\0", b"WEBVTT\n\njunk", b"\0"):
        assert_problem(put(wire, video_id, kind, "en", content), "uploaded-file-invalid-file", name="file")
    assert_problem(put(wire, video_id, kind, "en", b""), "uploaded-file-empty", name="file")
    large = VTT + b"\n" * 2**22
    assert_problem(put(wire, video_id, kind, "en", large), "uploaded-file-too-large", name="file")
    path = f"/videos/{video_id}/{kind}/en"
    two = wire.post_form(path, None, file_part(VTT), file_part(VTT))
    assert_problem(two, "uploaded-file-multiple-files", name="file")
    for answer in (wire.post_form(path, None), wire.post_form(path, None, text_part("file", VTT.decode()))):
        assert_problem(answer, "uploaded-file-no-file", name="file")
    for body in (b"", VTT, b"{}"):
        assert_problem(wire.ask("POST", path, body=body), "uploaded-file-no-file", name="file")
    cut = wire.ask("POST", path, body=b"--b\r\n", headers=[("Content-Type", "multipart/form-data; boundary=b")])
    assert_problem(cut, "invalid-payload")
    assert shown(wire, video_id, kind, "en").body == VTT, "nothing has changed"


@pytest.mark.parametrize("kind", KINDS)
def test_of_no_video(wire: Wire, kind: str) -> None:
    deleted = wire.create()
    put(wire, deleted, kind, "en")
    wire.ask("DELETE", f"/videos/{deleted}")
    for video_id in ("viX", deleted):
        assert_problem(put(wire, video_id, kind, "en"), "resource-not-found", name="videoId")
        assert_problem(put(wire, video_id, kind, "en", VTT + b"\n" * 2**21), "resource-not-found", name="videoId")
        for method, path in (("GET", ""), ("GET", "/en"), ("DELETE", "/en")):
            answer = wire.ask(method, f"/videos/{video_id}/{kind}{path}")
            assert_problem(answer, "resource-not-found", name="videoId")
        assert (shown(wire, video_id, kind, "en").status, shown(wire, video_id, kind, "en").body) == (404, b"")


@pytest.mark.parametrize("kind", KINDS)
def test_strangers(wire: Wire, kind: str) -> None:
    video_id = wire.create()
    part = file_part(VTT)
    missing = wire.post_form(f"/videos/{video_id}/{kind}/en", None, part, key=None)
    assert_problem(missing, "authentication-missing-authorization-header")
    for method in ("GET", "DELETE"):
        assert check_shape(wire.ask(method, f"/videos/{video_id}/{kind}/en", key=None))["status"] == 401
    assert languages(wire, video_id, kind) == []


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_private_video(wire: Wire, kind: str) -> None:
    """Closed to strangers, and open by the address that each answer of the API makes anew."""
    video_id = wire.create(public=False)
    sources = [put(wire, video_id, kind, "en").json["src"]]
    sources += [wire.get(f"/videos/{video_id}/{kind}/en").json["src"]]
    sources += [one["src"] for one in wire.get(f"/videos/{video_id}/{kind}").json["data"]]
    assert len(set(sources)) == 3
    closed = shown(wire, video_id, kind, "en")
    assert (closed.status, closed.body) == (404, b"")
    for source in sources:
        path = source.removeprefix(wire.server.url)
        assert path.startswith(f"/vod/{video_id}/token/")
        opened = wire.get(path, key=None)
        assert (opened.status, opened.body) == (200, VTT)
        assert opened.headers["cache-control"].startswith("private")
    session = wire.get(f"{path.partition(f'/{kind}/')[0]}/session", key=None).json["session_token"]
    assert wire.get(f"/vod/{video_id}/{kind}/en.vtt?avh={session}", key=None).body == VTT
