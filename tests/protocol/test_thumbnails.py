"""``/videos/{videoId}/thumbnail``: a poster uploaded, or picked (contract.md 1.3)."""

from __future__ import annotations

import subprocess
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from tests.protocol.problems import assert_problem
from tests.protocol.wire import Wire, file_part, film, text_part, wait_for

from partway.testing.images import jpeg, png
from partway.testing.media import ffmpeg, sample

MIB = 1024 * 1024
WEBP = b64decode("UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAwA0JaQAA3AA/vuUAAA=")
"""One pixel."""


def thumbnail(wire: Wire, video_id: str) -> Any:
    return wire.get(f"/vod/{video_id}/thumbnail.jpg", key=None)


def pick(wire: Wire, video_id: str, timecode: Any) -> Any:
    return wire.ask("PATCH", f"/videos/{video_id}/thumbnail", json_body={"timecode": timecode})


@pytest.mark.parametrize(
    ("picture", "suffix", "media_type"),
    [(jpeg(64, 48), "jpg", "image/jpeg"), (png(5, 4), "png", "image/png"), (WEBP, "webp", "image/webp")],
    ids=["jpg", "png", "webp"],
)
def test_an_upload_into_an_empty_container(wire: Wire, picture: bytes, suffix: str, media_type: str) -> None:
    """Node, Java and C# do it before any upload; the picture comes back byte for byte."""
    video_id = wire.create()
    assert thumbnail(wire, video_id).status == 202
    answer = wire.upload_picture(video_id, picture, f"picture.{suffix}")
    assert answer.status == 200
    assert answer.json == wire.get(f"/videos/{video_id}").json
    assert answer.json["assets"]["thumbnail"].endswith("thumbnail.jpg")
    found = thumbnail(wire, video_id)
    assert (found.status, found.body) == (200, picture)
    assert found.headers["content-type"] == media_type
    assert found.headers["x-content-type-options"] == "nosniff"
    assert wire.status(video_id)["ingest"] is None


def test_whatever_the_field_is_called(wire: Wire) -> None:
    """The Node SDK names it after the file (contract.md 0, fact 1); text fields beside it mean nothing."""
    video_id = wire.create()
    for filename in ("a picture.JPG", "x.jpeg", "picture", "", "/some/where/x.webp", "small.mp4"):
        assert wire.upload_picture(video_id, jpeg(64, 48), filename, name=filename or "file").status == 200
    path = f"/videos/{video_id}/thumbnail"
    assert wire.post_form(path, None, text_part("link", "x"), file_part(png(3, 2), filename="x.png")).status == 200


def test_a_newer_one_replaces_it(wire: Wire) -> None:
    video_id = wire.create()
    wire.upload_picture(video_id, png(4, 3, (1, 1, 1)))
    first = thumbnail(wire, video_id)
    wire.upload_picture(video_id, png(4, 3, (2, 2, 2)))
    second = thumbnail(wire, video_id)
    assert (first.body, second.body) == (png(4, 3, (1, 1, 1)), png(4, 3, (2, 2, 2)))
    path, etag = f"/vod/{video_id}/thumbnail.jpg", second.headers["etag"]
    assert first.headers["etag"] != etag
    assert wire.get(path, key=None, headers=[("If-None-Match", etag)]).status == 304
    assert wire.get(path, key=None, headers=[("If-None-Match", first.headers["etag"])]).status == 200
    head = wire.ask("HEAD", path, key=None)
    assert (head.status, head.headers["content-length"], head.body) == (200, str(len(second.body)), b"")


@pytest.mark.parametrize(
    ("body", "filename", "slug"),
    [
        (b"GIF89a" + bytes(50), "x.gif", "uploaded-file-extension-invalid"),
        (film(5000), "x.mp4", "uploaded-file-extension-invalid"),
        (b"", "x.png", "uploaded-file-empty"),
        (b"GIF89a" + bytes(50), "x.png", "uploaded-file-invalid-file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "x.png", "uploaded-file-invalid-file"),
        (png(4, 3)[:30], "x.png", "uploaded-file-invalid-file"),
        (film(5000), "x.jpg", "uploaded-file-invalid-file"),
        (png(4, 3) + bytes(8 * MIB), "x.png", "uploaded-file-too-large"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(len(value)),
)
def test_what_is_refused_changes_nothing(wire: Wire, body: bytes, filename: str, slug: str) -> None:
    video_id = wire.create()
    wire.upload_picture(video_id, png(9, 9))
    before = wire.get(f"/videos/{video_id}").json
    assert_problem(wire.upload_picture(video_id, body, filename), slug, name="file")
    assert wire.get(f"/videos/{video_id}").json == before
    assert thumbnail(wire, video_id).body == png(9, 9)


def test_eight_mebibytes_are_allowed(wire: Wire) -> None:
    body = jpeg(64, 48).ljust(8 * MIB, b"\0")
    assert wire.upload_picture(wire.create(), body, "x.jpg").status == 200


def test_forms(wire: Wire) -> None:
    path = f"/videos/{wire.create()}/thumbnail"
    assert_problem(wire.post_form(path, None, text_part("a", "b")), "uploaded-file-no-file", name="file")
    two = (file_part(png(1, 1), filename="a.png"), file_part(png(1, 1), filename="b.png"))
    assert_problem(wire.post_form(path, None, *two), "uploaded-file-multiple-files", name="file")
    assert_problem(wire.ask("POST", path, body=b"{}"), "uploaded-file-no-file")
    missing = wire.post_form("/videos/viNone/thumbnail", None, file_part(png(1, 1), filename="a.png"))
    assert_problem(missing, "resource-not-found", name="videoId")
    answer = wire.post_form(path, None, file_part(png(1, 1)), key=None)
    assert_problem(answer, "authentication-missing-authorization-header")


@pytest.mark.parametrize("timecode", ["00:00:01", "00:15:22.05", "100:00:00.123", "00:00:02:15", "3", "3.5", "9999999"])
def test_a_pick_on_an_empty_container(wire: Wire, timecode: str) -> None:
    """Accepted whatever the length of what will come (contract.md 1.3)."""
    video_id = wire.create()
    answer = pick(wire, video_id, timecode)
    assert answer.status == 200
    assert answer.json["assets"]["thumbnail"].endswith("thumbnail.jpg")
    assert thumbnail(wire, video_id).status == 202


@pytest.mark.parametrize("timecode", ["", "x", "1:2:3", "00:60:00", "-1", "00:00:01.1234", "12345678", "1e3", "٣", 3])
def test_what_is_no_timecode(wire: Wire, timecode: Any) -> None:
    assert_problem(pick(wire, wire.create(), timecode), "invalid-attribute", name="timecode")


def test_picks_that_are_none(wire: Wire) -> None:
    path = f"/videos/{wire.create()}/thumbnail"
    assert_problem(wire.ask("PATCH", path, json_body={}), "attribute-required", name="timecode")
    assert_problem(pick(wire, "viNone", "1"), "resource-not-found", name="videoId")
    answer = wire.ask("PATCH", path, json_body={"timecode": "1"}, key=None)
    assert_problem(answer, "authentication-missing-authorization-header")


def colour_of(picture: bytes) -> str:
    """Which of red, green and blue a picture is."""
    arguments = ["-v", "error", "-i", "pipe:0", "-vf", "scale=1:1", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]
    done = subprocess.run([ffmpeg(), *arguments], input=picture, capture_output=True, check=True)
    return ("red", "green", "blue")[max(range(3), key=lambda at: done.stdout[at])]


@pytest.fixture(scope="session")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of red, green and blue each, a keyframe every second."""
    path = tmp_path_factory.mktemp("colours") / "colours.mp4"
    inputs = [
        word for name in ("red", "lime", "blue") for word in ("-f", "lavfi", "-i", f"color={name}:64x48:r=10:d=2")
    ]
    joined = "[0][1][2]concat=n=3"
    encoder = ("-c:v", "libx264", "-g", "10", "-x264-params", "scenecut=0", "-pix_fmt", "yuv420p")
    subprocess.run([ffmpeg(), "-v", "error", *inputs, "-filter_complex", joined, *encoder, path], check=True)
    return path


@pytest.mark.slow
def test_picks_of_a_video(wire: Wire, colours: Path) -> None:
    """Before it is uploaded and after, back and forth, and beyond its end, where the first frame is meant."""
    video_id = wire.create()
    pick(wire, video_id, "00:00:02.500")
    wire.send(video_id, None, colours.read_bytes())
    wait_for(lambda: thumbnail(wire, video_id).status == 200, 60)
    first = thumbnail(wire, video_id)
    assert (first.headers["content-type"], colour_of(first.body)) == ("image/jpeg", "green")
    for timecode, colour in (("5", "blue"), ("00:00:01:05", "red"), ("00:00:04", "blue"), ("01:00:00", "red")):
        before = thumbnail(wire, video_id)
        pick(wire, video_id, timecode)
        assert thumbnail(wire, video_id).status == 200, "the earlier one is there until the new one is made"
        wait_for(lambda before=before: thumbnail(wire, video_id).headers["etag"] != before.headers["etag"], 60)  # type: ignore[misc]
        assert colour_of(thumbnail(wire, video_id).body) == colour, timecode


@pytest.mark.slow
def test_an_upload_wins_over_what_is_made(wire: Wire, media_dir: Path) -> None:
    """Uploaded before the video, it stays; a later pick is a newer choice."""
    video_id, other = wire.create(), wire.create()
    wire.upload_picture(video_id, png(4, 3))
    for one in (video_id, other):
        wire.send(one, None, sample(media_dir, "silent").read_bytes()[:900_000])
    wait_for(lambda: thumbnail(wire, other).status == 200, 60)
    assert thumbnail(wire, video_id).body == png(4, 3)
    pick(wire, video_id, "0")
    wait_for(lambda: thumbnail(wire, video_id).headers["content-type"] == "image/jpeg", 60)


@pytest.mark.slow
def test_a_pick_of_what_is_no_video_leaves_the_upload(wire: Wire) -> None:
    video_id = wire.create()
    wire.upload_picture(video_id, png(4, 3))
    wire.send(video_id, None, film(5000))
    before = thumbnail(wire, video_id).headers["etag"]
    pick(wire, video_id, "1")
    wait_for(lambda: thumbnail(wire, video_id).headers["etag"] != before, 60)
    assert thumbnail(wire, video_id).body == png(4, 3)
