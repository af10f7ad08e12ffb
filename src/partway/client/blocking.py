"""The client for programs without an event loop.

It is the asynchronous one, run on a loop in a thread of its own. Pieces go out in parallel anyway, so
a thread or a loop there must be; with a private loop there is one code to prove, and it works in any
thread, beside a loop that runs already, and for several callers at once.
"""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from types import TracebackType
from typing import Self, TypeVar

from anyio.from_thread import BlockingPortal

from partway.client.asynchronous import AsyncClient
from partway.client.events import Event
from partway.client.loop import Loop
from partway.client.upload import Source
from partway.client.video import Status, UploadToken, Video
from partway.errors import ClientError

T = TypeVar("T")


class Client:
    """A partway server. Every method does what its namesake of ``AsyncClient`` does.

    Use it in a ``with`` block, or call ``close``. Any number of threads may share one.
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
        self._client = AsyncClient(server, api_key, retry_for=retry_for, parallel=parallel, cacert=cacert)
        self._starting = threading.Lock()
        self._is_closed = False
        self._loop: Loop | None = None

    @property
    def server(self) -> str:
        """The server's address, without a slash at its end."""
        return self._client.server

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and end the thread."""
        with self._starting:
            self._is_closed = True
            if self._loop is not None:
                self._loop.stop()

    def upload(
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
        """Upload a file by its path, or a binary stream to its end; see ``AsyncClient.upload``.

        ``on_progress`` is called in the calling thread; an exception it raises ends the upload.
        """
        events: SimpleQueue[Event | None] = SimpleQueue()

        async def run() -> Video:
            try:
                return await self._client.upload(
                    source,
                    title=title,
                    description=description,
                    tags=tags,
                    metadata=metadata,
                    public=public,
                    on_progress=events.put,
                    resume=resume,
                    restart=restart,
                    remember=remember,
                    forget=forget,
                    follow=follow,
                    follow_idle=follow_idle,
                    exact=exact,
                    is_over=is_over,
                )
            finally:
                events.put(None)

        def tell() -> None:
            while (event := events.get()) is not None:
                if on_progress is not None:
                    on_progress(event)

        try:
            return self._run(run, tell)
        except KeyboardInterrupt:
            # The work has ended, and may have made a video that nobody was told of; its None may be taken already.
            events.put(None)
            tell()
            raise

    def create(
        self,
        title: str,
        *,
        description: str | None = None,
        tags: Sequence[str] | None = None,
        metadata: Mapping[str, str] | None = None,
        public: bool | None = None,
    ) -> Video:
        """Create a video without a source."""
        asked = partial(
            self._client.create, title, description=description, tags=tags, metadata=metadata, public=public
        )
        return self._run(asked)

    def get(self, video_id: str) -> Video:
        """One video."""
        return self._run(partial(self._client.get, video_id))

    def list(
        self,
        *,
        title: str | None = None,
        tags: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
        sort_by: str | None = None,
        sort_order: str | None = None,
    ) -> Iterator[Video]:
        """All videos that match, newest first unless asked otherwise; page after page as they are taken."""
        return self._iterate(
            self._client.list(title=title, tags=tags, metadata=metadata, sort_by=sort_by, sort_order=sort_order)
        )

    def update(
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
        asked = partial(
            self._client.update,
            video_id,
            title=title,
            description=description,
            tags=tags,
            metadata=metadata,
            public=public,
        )
        return self._run(asked)

    def delete(self, video_id: str) -> None:
        """Delete a video and its source."""
        self._run(partial(self._client.delete, video_id))

    def finish(self, video_id: str) -> Video:
        """Close an upload whose last part never said that it was the last."""
        return self._run(partial(self._client.finish, video_id))

    def status(self, video_id: str) -> Status:
        """How far the server is with a video, and whether it can be watched."""
        return self._run(partial(self._client.status, video_id))

    def create_token(self, ttl_seconds: int = 0) -> UploadToken:
        """Make an upload token; 0 seconds is for ever."""
        return self._run(partial(self._client.create_token, ttl_seconds))

    def list_tokens(self) -> Iterator[UploadToken]:
        """All upload tokens that are still good."""
        return self._iterate(self._client.list_tokens())

    def get_token(self, token: str) -> UploadToken:
        """One upload token."""
        return self._run(partial(self._client.get_token, token))

    def delete_token(self, token: str) -> None:
        """Revoke an upload token at once."""
        self._run(partial(self._client.delete_token, token))

    def _iterate(self, items: AsyncIterator[T]) -> Iterator[T]:
        async def following() -> T | None:
            return await anext(items, None)

        while (item := self._run(following)) is not None:
            yield item

    def _run(self, work: Callable[[], Awaitable[T]], meanwhile: Callable[[], None] = lambda: None) -> T:
        """Run ``work`` on the loop; whatever ends ``meanwhile`` or the waiting ends it too."""
        ended = threading.Event()

        async def watched() -> T:
            try:
                return await work()
            finally:
                ended.set()

        future: Future[T] = self._started().start_task_soon(watched)
        try:
            meanwhile()
            return future.result()
        except BaseException:
            # Not left behind: the caller may close the file, or start the upload again.
            if not future.done():
                future.cancel()
                ended.wait()
            raise

    def _started(self) -> BlockingPortal:
        with self._starting:
            if self._is_closed:
                raise ClientError("This client is closed.")
            if self._loop is None:
                self._loop = Loop(at_end=self._client.close)
            return self._loop.portal
