"""The app: routes put together, errors turned into problem objects, everything dressed by the skin."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import ASGIApp, Scope

from partway.api import metrics
from partway.api.forwarded import Forwarded
from partway.api.gate import NEVER
from partway.api.pages import Pages
from partway.api.problems import answer_to, server_error, too_slow, unknown_path, wrong_method
from partway.api.rates import Buckets
from partway.api.routes import (
    analytics,
    auth,
    described,
    discarded,
    live_streams,
    ours,
    players,
    summaries,
    tags,
    text_tracks,
    thumbnails,
    tokens,
    uploads,
    videos,
    vod,
    watermarks,
    webhooks,
)
from partway.api.skin import Skin
from partway.errors import ClientGone, InvalidPayload, PartwayError
from partway.services.house import House
from partway.settings import Settings

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def create_app(house: House, settings: Settings) -> ASGIApp:
    """Put the app together."""
    skin = Skin(
        create_routes(house, settings),
        uploads=settings.rate_limit_uploads,
        writes=settings.rate_limit_writes,
        reads=settings.rate_limit_reads,
        buckets=Buckets() if settings.rate_limit_enforced else None,
    )
    networks = settings.trusted_networks
    return Forwarded(skin, networks) if networks else skin


def create_routes(house: House, settings: Settings) -> FastAPI:
    """The routes without their skin; what the reference documentation lists."""
    app = FastAPI(title="partway", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    pages = Pages()
    app.include_router(auth.router(house))
    app.include_router(videos.router(house, settings.public_url))
    app.include_router(discarded.router(house, settings.public_url))
    app.include_router(thumbnails.router(house, settings.public_url))
    app.include_router(uploads.router(house, settings.public_url, settings.piece_bytes_max))
    app.include_router(text_tracks.captions(house, settings.public_url))
    app.include_router(text_tracks.chapters(house, settings.public_url))
    app.include_router(tokens.router(house))
    app.include_router(players.router(house, settings.public_url))
    app.include_router(watermarks.router(house))
    app.include_router(tags.router(house))
    app.include_router(summaries.router(house))
    app.include_router(live_streams.router(house))
    app.include_router(analytics.router(house))
    app.include_router(webhooks.router(house))
    app.include_router(ours.router(house, settings.public_url))
    app.router.routes.extend(vod.routes(house, pages, settings.public_url))

    @app.get("/", tags=["Pages"])
    async def home() -> Response:
        """The page: videos, upload, player."""
        return pages.home()

    @app.get("/healthz", tags=["Operation"])
    async def healthz() -> Response:
        """Answers 200 when the server is ready."""
        await house.access.keys()
        return JSONResponse({"status": "ok"})

    @app.get("/metrics", tags=["Operation"])
    async def prometheus() -> Response:
        """Figures for Prometheus."""
        return metrics.answer()

    app.include_router(described.router(app, pages))
    app.mount("/-/static", pages.static, name="static")
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
    return app


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, PartwayError)
    return answer_to(error)


async def _gone(_: Request, error: Exception) -> Response:
    # Nobody hears this answer; raising would only be logged.
    return Response(status_code=400)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    allow = _methods_of(request) if error.status_code == 405 else ""
    if request.url.path.startswith("/vod/"):
        return Response(status_code=error.status_code, headers={**NEVER, **({"Allow": allow} if allow else {})})
    if error.status_code == 404:
        return unknown_path()
    if allow:
        return wrong_method(allow)
    return JSONResponse({**server_error(), "status": error.status_code, "title": error.detail}, error.status_code)


def _methods_of(request: Request) -> str:
    """Every method that the request's path knows; the router tells only the first route's."""
    # A mount has made its own path the root; the routes are asked from the top.
    scope = {**request.scope, "root_path": request.scope.get("app_root_path", "")}
    known = [method for method in _METHODS if any(_knows(route, scope, method) for route in request.app.routes)]
    return ", ".join([*known, "OPTIONS"])


def _knows(route: BaseRoute, scope: Scope, method: str) -> bool:
    matches = route.matches({**scope, "method": method})[0] is Match.FULL
    return matches and (method in ("GET", "HEAD") or not isinstance(route, Mount))


async def _invalid(_: Request, error: Exception) -> Response:
    return answer_to(InvalidPayload(str(error)[:500]))


async def _slow(_: Request, error: Exception) -> Response:
    return too_slow()


async def _unexpected(request: Request, error: Exception) -> Response:
    # The router raises it again after this answer; the skin logs it.
    if request.url.path.startswith("/vod/"):
        return Response(status_code=500)
    return JSONResponse(server_error(), 500)


_HANDLERS: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    ClientGone: _gone,
    PartwayError: _refused,
    HTTPException: _http,
    RequestValidationError: _invalid,
    TimeoutError: _slow,
    Exception: _unexpected,
}
