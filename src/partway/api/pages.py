"""Our pages: static files of ``partway.web``, and the player with its video filled in."""

from __future__ import annotations

import json
import re
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_HOME_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# media-chrome's shadow DOM brings style elements of its own; hls.js starts its worker from a blob.
_PLAYER_POLICY = (
    "default-src 'none'; script-src 'self'; style-src-elem 'self' 'unsafe-inline'; style-src-attr 'none'; "
    "img-src 'self'; connect-src 'self'; media-src 'self' blob:; worker-src blob:; form-action 'none'; base-uri 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


class Pages:
    """The files of ``web/static``."""

    def __init__(self) -> None:
        self._folder = Path(str(files("partway.web").joinpath("static")))
        self.static = _Static(directory=self._folder)

    def home(self) -> Response:
        """The page at ``/``."""
        return self._page("index.html")

    def docs(self) -> Response:
        """The page that shows the API's description."""
        return self._page("docs.html")

    def _page(self, name: str) -> Response:
        html = (self._folder / name).read_text(encoding="utf-8")
        return HTMLResponse(html, headers={**_HEADERS, "Content-Security-Policy": _HOME_POLICY})

    def player(self, title: str, config: dict[str, Any]) -> Response:
        """The player page of one video; may be framed by any page."""
        html = (self._folder / "player.html").read_text(encoding="utf-8")
        filled = {"title": escape(title), "config": escape(json.dumps(config))}
        # In one go: a title may look like a placeholder.
        html = re.sub(r"\{\{(title|config)\}\}", lambda found: filled[found[1]], html)
        return HTMLResponse(html, headers={**_HEADERS, "Content-Security-Policy": _PLAYER_POLICY})


class _Static(StaticFiles):
    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        scope: Scope = args[2] if len(args) > 2 else kwargs["scope"]
        versioned = b"v=" in scope.get("query_string", b"")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if versioned else "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
