"""``/-/openapi.json`` and ``/-/docs``: what all the routes take and give."""

from __future__ import annotations

from functools import cache

from fastapi import APIRouter, FastAPI
from starlette.responses import JSONResponse, Response

from partway.api.openapi.document import document
from partway.api.pages import Pages


def router(app: FastAPI, pages: Pages) -> APIRouter:
    """The routes; ``app`` is the one that has all of them."""
    routes = APIRouter(prefix="/-", tags=["Operation"])

    @cache
    def described() -> Response:
        return JSONResponse(document(app.routes), headers={"Cache-Control": "no-cache"})

    @routes.get("/openapi.json")
    async def openapi() -> Response:
        """The description of every route, in OpenAPI 3.1."""
        return described()

    @routes.get("/docs")
    async def docs() -> Response:
        """The same description as a page to read."""
        return pages.docs()

    return routes
