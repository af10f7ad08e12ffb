"""``/videos/{videoId}/source`` and ``/upload``: the pieces of a source (contract.md 2)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from partway.api import metrics
from partway.api.body import BodyStream
from partway.api.caller import authenticate, base_url, idempotency_key
from partway.api.form import Form
from partway.api.problems import answer_to, too_slow
from partway.api.rates import count
from partway.api.schemas.videos import video_json
from partway.dialects import apivideo
from partway.errors import BodyError, ClientGone, MissingUploadToken, PartwayError, Unauthorized
from partway.services.house import House
from partway.services.uploads import AcceptedPart

_MIB = 1024 * 1024


def router(house: House, public_url: str, piece_bytes_max: int) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["Uploads"])
    request_most = piece_bytes_max + _MIB

    async def answer(request: Request, accepted: AcceptedPart) -> Response:
        if not accepted.is_complete:
            return JSONResponse({"videoId": accepted.video_id}, 201)
        house.examinations.anticipate(accepted.video_id)
        video = await house.videos.get(accepted.video_id)
        return JSONResponse(video_json(video, base_url(request, public_url), house.viewing.token(video)), 201)

    async def refuse(body: BodyStream, error: PartwayError) -> Response:
        """Read on before the refusal is sent: a reset connection costs a browser six retries (contract.md 2.4)."""
        known = not isinstance(error, Unauthorized)
        whole = await body.discard(request_most if known else _MIB)
        refusal = answer_to(error)
        if not whole:
            refusal.headers["Connection"] = "close"
        return refusal

    async def guarded(request: Request, body: BodyStream, *, by_token: str | None, video_id: str = "") -> Response:
        try:
            if by_token is None:
                await authenticate(request, house.access)
                address = apivideo.parse(request.headers.get(apivideo.HEADER))
                accepted = await house.uploads.accept_part(video_id, address, Form(body, request_most))
            else:
                if not by_token:
                    raise MissingUploadToken()
                bearer = await house.uploads.bearer_of(by_token)
                count(request.scope, f"token:{by_token}")
                address = apivideo.parse(request.headers.get(apivideo.HEADER))
                form = Form(body, request_most)
                accepted = await house.uploads.accept_part_by_token(bearer, address, form, idempotency_key(request))
            metrics.PARTS.labels("accepted").inc()
            return await answer(request, accepted)
        except ClientGone:
            metrics.PARTS.labels("broken").inc()
            raise
        except PartwayError as error:
            metrics.PARTS.labels("broken" if isinstance(error, BodyError) else "refused").inc()
            return await refuse(body, error)
        except TimeoutError:
            metrics.PARTS.labels("broken").inc()
            refusal = too_slow()
            refusal.headers["Connection"] = "close"
            return refusal
        except Exception:
            # Ours to answer for: let the sender hear the 500 instead of a reset.
            metrics.PARTS.labels("broken").inc()
            await body.discard(request_most)
            raise

    @routes.post("/videos/{video_id}/source", status_code=201)
    async def upload_source(request: Request, video_id: str) -> Any:
        """Upload a video's source, whole or one piece of it."""
        with metrics.PARTS_IN_FLIGHT.track_inprogress(), metrics.PART_SECONDS.time():
            body = BodyStream(request.scope, request.receive)
            return await guarded(request, body, by_token=None, video_id=video_id)

    @routes.post("/upload", status_code=201)
    async def upload_by_token(request: Request) -> Any:
        """Upload with an upload token; the first piece makes the video."""
        with metrics.PARTS_IN_FLIGHT.track_inprogress(), metrics.PART_SECONDS.time():
            body = BodyStream(request.scope, request.receive)
            return await guarded(request, body, by_token=request.query_params.get("token", ""))

    return routes
