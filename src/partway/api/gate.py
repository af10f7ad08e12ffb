"""The gate: everything under ``/vod/`` is asked for through it.

``gate.routes("/captions/{language}.vtt", answer)`` mounts an asset, and ``answer(request, viewer)`` is only called for
a viewer who may have it. Each URI it writes into a body goes through ``viewer.uri(...)``; that is all it has to know.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from partway.errors import MediaError, NotFound, NotReady
from partway.services.viewing import Viewer, Viewing

Answerer = Callable[[Request, Viewer], Awaitable[Response]]

GUARDED = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
NEVER = {**GUARDED, "Cache-Control": "no-store"}


class Gate:
    """Lets in who may watch; 404 with an empty body for everybody else, as for what does not exist."""

    def __init__(self, viewing: Viewing) -> None:
        self._viewing = viewing

    def routes(self, path: str, answer: Answerer) -> list[BaseRoute]:
        """An asset's routes: below ``/vod/{video_id}``, and below a token there; each answers HEAD as well."""
        doors = ("",) if not path else ("", "/token/{token}")
        return [self._route(f"/vod/{{video_id}}{door}{path}", answer) for door in doors]

    def _route(self, path: str, answer: Answerer) -> Route:
        @functools.wraps(answer)
        async def answered(request: Request) -> Response:
            viewer = None
            try:
                viewer = await self._viewing.admit(
                    request.path_params["video_id"],
                    token=request.path_params.get("token") or request.query_params.get("token"),
                    session=request.query_params.get("avh"),
                )
                response = await answer(request, viewer)
                # Its body alone gives a session away, and an answer without one has cost nobody anything.
                if request.method == "GET" and response.status_code == 200:
                    await self._viewing.redeem(viewer)
            except NotReady:
                response = Response(status_code=202, headers=NEVER)
            except (NotFound, MediaError):
                return Response(status_code=404, headers=NEVER)
            if viewer is not None and viewer.is_private:
                response.headers["Cache-Control"] = _privately(response.headers.get("Cache-Control", ""), viewer)
            return response

        return Route(path, answered, methods=["GET", "HEAD"], name=answer.__name__)


def _privately(policy: str, viewer: Viewer) -> str:
    """How long this viewer's own browser may keep what anybody's may by ``policy``: no longer than the session."""
    if "no-store" in policy:
        return "private, no-store"
    age = re.search(r"max-age=(\d+)", policy)
    if age is None:
        return "private, no-cache"
    return f"private, max-age={min(int(age[1]), int(viewer.seconds_left or 0))}"
