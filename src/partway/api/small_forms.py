"""Forms with one small file: captions, chapters, logos, watermarks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from partway.api.body import BodyStream
from partway.api.form import Form
from partway.errors import ClientGone, PartwayError

_FRAME_MOST = 1024 * 1024
_SECONDS = 300.0


@asynccontextmanager
async def small_form(request: Request, file_most: int) -> AsyncIterator[Form]:
    """A request's form; its sender is heard out before a refusal, for a reset connection would swallow it.

    Args:
        file_most: bytes of its largest file.

    Raises:
        TimeoutError: all of it took longer than five minutes.
    """
    body = BodyStream(request.scope, request.receive)
    most = file_most + _FRAME_MOST
    async with asyncio.timeout(_SECONDS):
        try:
            yield Form(body, most)
        except ClientGone:
            raise
        except PartwayError:
            await body.discard(most)
            raise
