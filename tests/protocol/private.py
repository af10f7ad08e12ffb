"""A private video's assets, found as a player finds them: from one address to the next."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from tests.protocol.wire import Answer, Wire

from partway.testing.waiting import wait_until

URI = re.compile(r'^(?!#)(\S+)$|URI="([^"]+)"', re.MULTILINE)


def target(url: str) -> str:
    """An absolute address as a request names it."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def without_session(path: str) -> str:
    """The address somebody would guess."""
    return re.sub(r"[?&]avh=[^&]*", "", path)


@dataclass
class PrivateVideo:
    """One private video on one server."""

    wire: Wire
    video_id: str

    @classmethod
    def of(cls, wire: Wire, source: Path | None = None) -> PrivateVideo:
        """A new one, with its poster made, or an empty one."""
        made = cls(wire, wire.create("Nobody's business", public=False))
        if source is not None:
            made.fill(source)
        return made

    def fill(self, source: Path) -> None:
        assert self.wire.send(self.video_id, None, source.read_bytes()).status == 201
        wait_until(lambda: self.look("thumbnail").status == 200, "a poster", seconds=60)

    def assets(self) -> dict[str, str]:
        """The asset addresses of a new answer, each a path and query."""
        found = self.wire.get(f"/videos/{self.video_id}").json["assets"]
        return {name: target(url) for name, url in found.items() if name != "iframe"}

    def token(self) -> str:
        """A new path token."""
        return self.assets()["player"].partition("token=")[2]

    def look(self, asset: str) -> Answer:
        """Ask for an asset by a new token."""
        return self.get(self.assets()[asset])

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Ask as a viewer does, without a key."""
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        return self.wire.ask(method, path, headers=named, key=None)

    def session(self) -> str:
        """A new viewer session."""
        answer = self.get(f"/vod/{self.video_id}/token/{self.token()}/session")
        assert answer.status == 200, answer
        return str(answer.json["session_token"])

    def everything(self, avh: str) -> list[str]:
        """Every asset there is, in addresses of this session; each written one carries it."""
        root = f"/vod/{self.video_id}"
        names = ("", "/status.json", "/thumbnail.jpg", "/mp4/source.mp4", "/dash/manifest.mpd")
        found = [f"{root}{path}?avh={avh}" for path in names]
        waiting = [f"{root}/hls/manifest.m3u8?avh={avh}"]
        while waiting:
            path = waiting.pop()
            found.append(path)
            answer = self.get(path)
            assert answer.status == 200, (path, answer)
            for uri in ("".join(pair) for pair in URI.findall(answer.body.decode())):
                assert uri.endswith(f"?avh={avh}"), uri
                target = urljoin(path, uri)
                (waiting if target.partition("?")[0].endswith(".m3u8") else found).append(target)
        return found


def page_config(answer: Answer) -> dict[str, object]:
    """What a player page was given."""
    found = re.search(r'<meta name="partway-video" content="([^"]*)"', answer.body.decode())
    assert found is not None
    config: dict[str, object] = json.loads(html.unescape(found[1]))
    return config
