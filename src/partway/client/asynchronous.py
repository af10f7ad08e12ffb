"""The client for programs with an event loop."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from partway.client.events import Event
from partway.client.growing import Following
from partway.client.upload import Source, Upload, Wish
from partway.client.video import Status, UploadToken, Video
from partway.client.wire import Wire
from partway.errors import ConfigurationError

DEFAULT_SERVER = "http://127.0.0.1:8080"

_PAGE_SIZE = 100


class AsyncClient:
    """A partway server, for asyncio and trio.

    Args:
        server: its address; default ``PARTWAY_SERVER``, else http://127.0.0.1:8080.
        api_key: default ``PARTWAY_API_KEY``.
        retry_for: seconds to go on trying while the server gives no sign of life.
        parallel: connections, and so pieces, at a time.
        cacert: a PEM file with a certificate to trust besides those of this machine; default ``PARTWAY_CACERT``.

    Raises:
        ConfigurationError: no API key, or the address is none, or no certificate is in ``cacert``.
    """

    def __init__(
        self,
        server: str | None = None,
        api_key: str | None = None,
        *,
        retry_for: float = 60.0,
        parallel: int = 4,
        cacert: str | os.PathLike[str] | None = None,
    ) -> None:
        server = server or os.environ.get("PARTWAY_SERVER") or DEFAULT_SERVER
        api_key = api_key or os.environ.get("PARTWAY_API_KEY")
        if not api_key:
            raise ConfigurationError("There is no API key: give api_key, or set PARTWAY_API_KEY.")
        if parallel < 1:
            raise ConfigurationError("At least one connection is needed: parallel must be 1 or more.")
        self._parallel = parallel
        cacert = cacert or os.environ.get("PARTWAY_CACERT") or None
        self._wire = Wire(server, api_key, retry_for, connections=parallel + 2, cacert=cacert)

    @property
    def server(self) -> str:
        """The server's address, without a slash at its end."""
        return self._wire.server

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.close()

    async def upload(
        self,
        source: Source,
        *,
        title: str | None = None,
        description: str | None = None,
        tags: Sequence[str] | None = None,
        metadata: Mapping[str, str] | None = None,
        public: bool | None = None,
        on_progress: Callable[[Event], None] | None = None,
        resume: str | None = None,
        restart: bool = False,
        remember: bool = True,
        forget: bool = True,
        follow: bool = False,
        follow_idle: float = 30.0,
        exact: bool = False,
        is_over: Callable[[], bool] | None = None,
    ) -> Video:
        """Upload a file by its path, or a binary stream to its end; returns when the server has all of it.

        A file goes in pieces, several at a time. If this process dies, the same call goes on where it
        stopped: what the server holds is compared by digest, and skipped. A stream (a pipe, a socket)
        is sent in numbered parts; it survives a server that restarts, but not the end of this process.

        Args:
            title: default the file's name.
            on_progress: called with each of the values of ``partway.client.events``.
            resume: the id of a video begun before, here or elsewhere, perhaps by another program.
            restart: begin anew, whatever an earlier call left.
            remember: leave a note under the user's state folder from which the same call goes on.
            forget: remove that note when done.
            follow: the file is still being written: send it as it grows, in numbered parts from 5 MiB on. Those that
                are sent are compared with the file at the end.
            follow_idle: with ``follow``, how many seconds without growth are its end.
            exact: with ``follow``, hold back the first part to the end, whatever the container.
            is_over: with ``follow``, asked twice a second whether the file ends here, though it may still grow.

        Raises:
            OSError: the source can't be opened or read.
            FileChanged: the server holds something else under what is to be resumed, or the file was
                written to meanwhile.
            ServerRefused: the server says no, and why.
            ServerUnreachable: no sign of life for ``retry_for`` seconds. The same call goes on later.
            ClientError: an empty file, one that is too long, or one that another process is uploading.
        """
        return await Upload(
            wire=self._wire,
            source=source,
            wish=Wish(title, description, tags, metadata, public),
            on_progress=on_progress or (lambda _: None),
            parallel=self._parallel,
            resume=resume,
            restart=restart,
            remember=remember,
            forget=forget,
            following=Following(follow_idle, exact, is_over or (lambda: False)) if follow else None,
        ).run()

    async def create(
        self,
        title: str,
        *,
        description: str | None = None,
        tags: Sequence[str] | None = None,
        metadata: Mapping[str, str] | None = None,
        public: bool | None = None,
    ) -> Video:
        """Create a video without a source."""
        payload = Wish(title, description, tags, metadata, public).payload()
        return Video.from_json(await self._wire.ask("POST", "/videos", body=payload, idempotency_key=_new_key()))

    async def get(self, video_id: str) -> Video:
        """One video."""
        return Video.from_json(await self._wire.ask("GET", f"/videos/{_segment(video_id)}"))

    async def list(
        self,
        *,
        title: str | None = None,
        tags: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
        sort_by: str | None = None,
        sort_order: str | None = None,
    ) -> AsyncIterator[Video]:
        """All videos that match, newest first unless asked otherwise; page after page as they are taken."""
        query: dict[str, Any] = {"title": title, "sortBy": sort_by, "sortOrder": sort_order, "tags[]": list(tags)}
        query |= {f"metadata[{key}]": value for key, value in (metadata or {}).items()}
        async for raw in self._pages("/videos", query):
            yield Video.from_json(raw)

    async def update(
        self,
        video_id: str,
        *,
        title: str | None = None,
        description: str | None = None,
        tags: Sequence[str] | None = None,
        metadata: Mapping[str, str] | None = None,
        public: bool | None = None,
    ) -> Video:
        """Change what is given; tags and metadata are replaced as a whole."""
        payload = Wish(title, description, tags, metadata, public).payload()
        return Video.from_json(await self._wire.ask("PATCH", f"/videos/{_segment(video_id)}", body=payload))

    async def delete(self, video_id: str) -> None:
        """Delete a video and its source."""
        await self._wire.ask("DELETE", f"/videos/{_segment(video_id)}")

    async def finish(self, video_id: str) -> Video:
        """Close an upload whose last part never said that it was the last.

        Raises:
            ServerRefused: something below the last part is missing.
        """
        return Video.from_json(await self._wire.ask("POST", f"/-/videos/{_segment(video_id)}/finish"))

    async def status(self, video_id: str) -> Status:
        """How far the server is with a video, and whether it can be watched."""
        return Status.from_json(await self._wire.ask("GET", f"/videos/{_segment(video_id)}/status"))

    async def create_token(self, ttl_seconds: int = 0) -> UploadToken:
        """Make an upload token; 0 seconds is for ever."""
        raw = await self._wire.ask("POST", "/upload-tokens", body={"ttl": ttl_seconds}, idempotency_key=_new_key())
        return UploadToken.from_json(raw)

    async def list_tokens(self) -> AsyncIterator[UploadToken]:
        """All upload tokens that are still good."""
        async for raw in self._pages("/upload-tokens", {}):
            yield UploadToken.from_json(raw)

    async def get_token(self, token: str) -> UploadToken:
        """One upload token."""
        return UploadToken.from_json(await self._wire.ask("GET", f"/upload-tokens/{_segment(token)}"))

    async def delete_token(self, token: str) -> None:
        """Revoke an upload token at once."""
        await self._wire.ask("DELETE", f"/upload-tokens/{_segment(token)}")

    async def _pages(self, path: str, query: Mapping[str, Any]) -> AsyncIterator[Mapping[str, Any]]:
        asked = {key: value for key, value in query.items() if value not in (None, [])}
        page, pages = 1, 1
        while page <= pages:
            answer = await self._wire.ask("GET", path, query=asked | {"currentPage": page, "pageSize": _PAGE_SIZE})
            for item in answer["data"]:
                yield item
            pages = answer["pagination"]["pagesTotal"]
            page += 1


def _new_key() -> str:
    return secrets.token_urlsafe(16)


def _segment(text: str) -> str:
    """One segment of a path, which an id with a slash or a question mark would leave."""
    return quote(text, safe="")
