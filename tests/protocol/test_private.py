"""Private videos: one viewer a token, 24 hours a session, and nothing without one (contract.md "Decided", 6)."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace
from typing import Any
from urllib.parse import urljoin

import pytest
from starlette.routing import Route
from tests.protocol.private import PrivateVideo, page_config, target, without_session
from tests.protocol.wire import Answer, Serve, Wire, film

from partway.api.pages import Pages
from partway.api.routes import vod
from partway.testing.media import sample
from partway.testing.waiting import wait_until

pytestmark = pytest.mark.slow

PLAYED = "/hls/manifest.m3u8"


@pytest.fixture(scope="module")
def source(media_dir: Path) -> Path:
    return sample(media_dir, "plain")


@pytest.fixture(scope="module", params=["granian", pytest.param("uvicorn", marks=pytest.mark.slow)])
def wire(request: pytest.FixtureRequest, serve: Serve) -> Wire:
    return serve(request.param, "plain")


@pytest.fixture(scope="module", params=["granian", pytest.param("postgres", marks=pytest.mark.services)])
def strict_wire(request: pytest.FixtureRequest, serve: Serve) -> Wire:
    """Where a used token has no grace."""
    return serve(request.param, "strict")


@pytest.fixture(scope="module")
def video(wire: Wire, source: Path) -> PrivateVideo:
    return PrivateVideo.of(wire, source)


@pytest.fixture(scope="module")
def strict(strict_wire: Wire, source: Path) -> PrivateVideo:
    return PrivateVideo.of(strict_wire, source)


def assert_nothing(answer: Answer) -> None:
    """As of a video that does not exist."""
    assert (answer.status, answer.body) == (404, b""), answer
    assert answer.headers["cache-control"] == "no-store"
    assert not {"etag", "content-type", "content-range", "accept-ranges", "location"} & set(answer.headers)


def assert_closed(video: PrivateVideo, path: str) -> None:
    """No method, range or condition gets anything out of this address."""
    unknown = video.get("/vod/vi0000000000000000000000" + path.partition(video.video_id)[2].partition("?")[0])
    for method in ("GET", "HEAD"):
        answer = video.get(path, method)
        assert_nothing(answer)
        assert set(answer.headers) == set(unknown.headers)
    assert_nothing(video.get(path, Range="bytes=0-0"))
    assert_nothing(video.get(path, Range="bytes=99999999999-"))
    assert_nothing(video.get(path, If_None_Match="*"))
    assert_nothing(video.get(path, Authorization=video.wire.key))


def test_every_answer_mints_new_addresses(video: PrivateVideo) -> None:
    video_id, wire = video.video_id, video.wire
    listed = [one for one in wire.get("/videos?title=Nobody").json["data"] if one["videoId"] == video_id]
    answers = [
        *listed,
        wire.get(f"/videos/{video_id}").json,
        wire.ask("PATCH", f"/videos/{video_id}", json_body={"description": "x"}).json,
        wire.ask("POST", "/videos", json_body={"title": "t", "public": False}).json,
    ]
    assert len(answers) == 4
    tokens = []
    for answer in answers:
        root, assets = f"{wire.server.url}/vod/{answer['videoId']}", answer["assets"]
        token = assets["player"].removeprefix(f"{root}?token=")
        assert re.fullmatch(r"[\w-]{36,}", token)
        assert assets == {
            "player": f"{root}?token={token}",
            "iframe": f'<iframe src="{root}?token={token}" width="100%" height="100%" frameborder="0" scrolling="no" '
            'allowfullscreen="true"></iframe>',
            "hls": f"{root}/token/{token}/hls/manifest.m3u8",
            "thumbnail": f"{root}/token/{token}/thumbnail.jpg",
            "mp4": f"{root}/token/{token}/mp4/source.mp4",
        }
        tokens.append(token)
    assert len(set(tokens)) == len(tokens)


def test_a_session_opens_everything_and_every_uri_carries_it(video: PrivateVideo) -> None:
    avh = video.session()
    paths = video.everything(avh)
    assert len([path for path in paths if ".m4s" in path]) >= 4
    assert len([path for path in paths if "-init.mp4" in path]) == 2
    for path in paths:
        answer = video.get(path)
        assert (answer.status, bool(answer.body)) == (200, True), path
        assert answer.headers["cache-control"].startswith("private, "), path
        age = re.search(r"max-age=(\d+)", answer.headers["cache-control"])
        assert age is None or int(age[1]) <= 24 * 3600, path
        head = video.get(path, "HEAD")
        assert head.status == 200
        assert head.headers["content-length"] == str(len(answer.body))
    ranged = video.get(next(path for path in paths if "source.mp4" in path), Range="bytes=4-7")
    assert (ranged.status, ranged.body) == (206, b"ftyp")
    assert ranged.headers["cache-control"].startswith("private, ")


def test_the_dash_manifest_carries_it_too(video: PrivateVideo) -> None:
    avh = video.session()
    path = f"/vod/{video.video_id}/dash/manifest.mpd"
    written = re.findall(r'(?:initialization|media)="([^"]+)"', video.get(f"{path}?avh={avh}").body.decode())
    assert len(written) == 4
    for uri in written:
        assert uri.endswith(f"?avh={avh}"), uri
        asked = urljoin(path, uri.replace("$Number$", "0"))
        assert video.get(asked).status == 200
        assert_nothing(video.get(without_session(asked)))


def test_a_dash_manifest_uses_the_token_up(strict: PrivateVideo) -> None:
    path = f"/vod/{strict.video_id}/token/{strict.token()}/dash/manifest.mpd"
    assert strict.get(path).status == 200
    assert_closed(strict, path)


def test_the_page_carries_the_session_everywhere(video: PrivateVideo) -> None:
    answer = video.look("player")
    assert answer.status == 200
    assert answer.headers["cache-control"] == "private, no-cache"
    addresses = [value for value in page_config(answer).values() if isinstance(value, str) and "/vod/" in value]
    assert len(addresses) >= 3
    for address in addresses:
        assert "?avh=" in address
        assert video.get(target(address)).status == 200


def closed_kinds(video: PrivateVideo) -> list[str]:
    """One address of every kind of asset, as somebody would guess it."""
    return [without_session(path) for path in video.everything(video.session()) if not re.search(r"-[1-9]\.", path)]


@pytest.mark.parametrize("wrong", ["", "x", "a" * 48, "%C3%A9" * 48, "%00", "%2E%2E", "a" * 5000])
def test_a_wrong_token_or_session_opens_nothing(video: PrivateVideo, wrong: str) -> None:
    for path in closed_kinds(video):
        for asked in (f"avh={wrong}", f"token={wrong}", f"token={wrong}&avh={wrong}", f"avh={wrong}&dl=1"):
            assert_nothing(video.get(f"{path}?{asked}"))
        if wrong:
            assert_closed(video, path.replace(video.video_id, f"{video.video_id}/token/{wrong}"))


def test_nothing_opens_nothing(video: PrivateVideo) -> None:
    for path in map(without_session, video.everything(video.session())):
        assert_closed(video, path)
    for guess in ("/session", "/hls/0-0/video.m3u8", "/hls/1-1/video.m3u8", "/captions/en.vtt", "/chapters/en.vtt"):
        assert_nothing(video.get(f"/vod/{video.video_id}{guess}"))


def every_asset(video_id: str) -> list[str]:
    """One address for each route that the server has under ``/vod/``, whatever it will have one day."""
    known = {
        "video_id": video_id,
        "packaging": "1-0",
        "kind": "video",
        "ending": "m4s",
        "number": "0",
        "language": "en",
    }
    nothing: Any = SimpleNamespace(viewing=None)
    patterns = [route.path for route in vod.routes(nothing, Pages(), "") if isinstance(route, Route)]
    assert len(patterns) > 15
    return [re.sub(r"{(\w+)(?::\w+)?}", lambda name: known.get(name[1], "0"), pattern) for pattern in patterns]


def test_no_route_goes_round_the_gate(video: PrivateVideo) -> None:
    for path in every_asset(video.video_id):
        assert_closed(video, path)
        assert_closed(video, f"{path}?avh=0&token=0")


def test_another_video_s_session_and_token_open_nothing(video: PrivateVideo) -> None:
    other = PrivateVideo.of(video.wire)
    avh, token = other.session(), other.token()
    for path in closed_kinds(video):
        assert_closed(video, f"{path}?avh={avh}")
        assert_closed(video, f"{path}?token={token}")
        assert_closed(video, path.replace(video.video_id, f"{video.video_id}/token/{token}"))


def test_a_token_is_no_session_and_a_session_is_no_token(video: PrivateVideo) -> None:
    avh, token = video.session(), video.token()
    assert_closed(video, f"/vod/{video.video_id}{PLAYED}?avh={token}")
    assert_closed(video, f"/vod/{video.video_id}?token={avh}")


def test_an_altered_seal_opens_nothing(video: PrivateVideo) -> None:
    for kind, seal in (("avh", video.session()), ("token", video.token())):
        for at in range(0, len(seal), 5):
            altered = seal[:at] + ("A" if seal[at] != "A" else "B") + seal[at + 1 :]
            assert_nothing(video.get(f"/vod/{video.video_id}{PLAYED}?{kind}={altered}"))
        assert video.get(f"/vod/{video.video_id}{PLAYED}?{kind}={seal}").status == 200


@pytest.mark.parametrize("first", ["player", "hls", "session"])
def test_a_used_token_opens_nothing(strict: PrivateVideo, first: str) -> None:
    token = strict.token()
    root = f"/vod/{strict.video_id}"
    opening = {"player": f"{root}?token={token}", "hls": f"{root}/token/{token}{PLAYED}"}
    assert strict.get(opening.get(first, f"{root}/token/{token}/session")).status == 200
    for path in closed_kinds(strict):
        assert_closed(strict, f"{path}?token={token}")
        assert_closed(strict, path.replace(root, f"{root}/token/{token}"))
    assert_closed(strict, f"{root}/token/{token}/session")


def test_a_playlist_s_guessed_name_uses_the_token_up_as_well(strict: PrivateVideo) -> None:
    """It holds a session, and a token is good for one."""
    token = strict.token()
    path = f"/vod/{strict.video_id}/token/{token}/hls/1-0/video.m3u8"
    assert "?avh=" in strict.get(path).body.decode()
    assert_closed(strict, path)


def test_pictures_and_files_do_not_use_a_token_up(strict: PrivateVideo) -> None:
    assets = strict.assets()
    for name in ("thumbnail", "mp4", "thumbnail", "mp4", "hls"):
        assert strict.get(assets[name]).status == 200, name
    assert_closed(strict, assets["thumbnail"])


def test_head_and_options_do_not_use_a_token_up(strict: PrivateVideo) -> None:
    assets = strict.assets()
    for name in ("player", "hls"):
        assert strict.get(assets[name], "HEAD").status == 200
        assert strict.get(assets[name], "OPTIONS").status == 204
    assert strict.get(assets["hls"]).status == 200
    assert_closed(strict, assets["hls"])


def test_waiting_does_not_use_a_token_up(strict_wire: Wire, source: Path) -> None:
    video = PrivateVideo.of(strict_wire)
    hls = video.assets()["hls"]
    for _ in range(2):
        waiting = video.get(hls)
        assert (waiting.status, waiting.body) == (202, b"")
        assert waiting.headers["cache-control"] == "private, no-store"
    assert_nothing(video.get(without_session(hls).replace("/token/", "/token/x")))
    video.fill(source)
    assert video.get(hls).status == 200
    assert_closed(video, hls)


def test_a_used_token_is_honoured_for_its_grace(video: PrivateVideo) -> None:
    assets = video.assets()
    sessions = set()
    for name in ("hls", "player", "hls", "thumbnail", "mp4"):
        answer = video.get(assets[name])
        assert answer.status == 200, name
        sessions |= set(re.findall(rb"avh=([\w-]+)", answer.body if name == "hls" else b""))
    assert len(sessions) == 2


def at_once(video: PrivateVideo, path: str) -> list[int]:
    """Ask on several connections that are open already."""
    barrier = Barrier(6)

    def ask(_: int) -> int:
        with video.wire.connect() as connection:
            barrier.wait(timeout=30)
            connection.send(video.wire.head("GET", path))
            return connection.answer("GET").status

    with ThreadPoolExecutor(6) as threads:
        return sorted(threads.map(ask, range(6)))


def test_of_several_viewers_at_once_one_wins(strict: PrivateVideo) -> None:
    for name in ("hls", "player"):
        assert at_once(strict, strict.assets()[name]) == [200, 404, 404, 404, 404, 404]


def test_several_viewers_at_once_are_within_the_grace(video: PrivateVideo) -> None:
    assert at_once(video, video.assets()["hls"]) == [200] * 6


def test_what_has_ended_opens_nothing(serve: Serve, source: Path) -> None:
    """The lives of tokens and sessions are half a second here."""
    video = PrivateVideo.of(serve("granian", "fleeting"), source)
    token = video.token()
    avh = video.session()
    for path in ("", PLAYED, "/hls/1-0/video.m3u8", "/hls/1-0/video-0.m4s", "/thumbnail.jpg", "/mp4/source.mp4"):
        for door in (f"/vod/{video.video_id}{path}?avh={avh}", f"/vod/{video.video_id}{path}?token={token}"):
            wait_until(lambda door=door: video.get(door).status == 404, "the end")  # type: ignore[misc]
            assert_closed(video, door)


def test_making_it_public_and_private_again_ends_sessions_and_tokens(video: PrivateVideo) -> None:
    def make(public: bool) -> None:
        assert video.wire.ask("PATCH", f"/videos/{video.video_id}", json_body={"public": public}).status == 200

    avh, token = video.session(), video.token()
    make(False)
    paths = video.everything(avh)
    make(True)
    for path in ("", "/status.json", "/thumbnail.jpg", "/mp4/source.mp4", PLAYED):
        answer = video.get(f"/vod/{video.video_id}{path}")
        assert answer.status == 200
        assert "private" not in answer.headers["cache-control"]
        assert b"avh=" not in answer.body
    assert all("token" not in path for path in video.assets().values())
    make(False)
    for path in paths:
        assert_closed(video, path)
    assert_closed(video, f"/vod/{video.video_id}?token={token}")


def test_it_outlives_the_server(serve: Serve) -> None:
    """The secret is kept: what was given away before a restart is good after it."""
    wire = serve("granian", "strict")
    video = PrivateVideo.of(wire)
    avh, unused, used = video.session(), video.token(), video.assets()["player"]
    assert video.get(used).status == 200
    wire.server.restart()
    assert video.get(f"/vod/{video.video_id}?avh={avh}").status == 200
    assert video.get(f"/vod/{video.video_id}?token={unused}").status == 200
    assert_closed(video, used)


def test_a_deleted_private_video_is_gone(video: PrivateVideo) -> None:
    other = PrivateVideo.of(video.wire)
    other.wire.send(other.video_id, None, film(1000))
    avh = other.session()
    assert other.get(f"/vod/{other.video_id}?avh={avh}").status == 200
    other.wire.ask("DELETE", f"/videos/{other.video_id}")
    assert_nothing(other.get(f"/vod/{other.video_id}?avh={avh}"))
