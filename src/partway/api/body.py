"""The request's body as a stream: the only form in which the app sees it, whatever server is beneath."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.types import Message, Receive, Scope

from partway.errors import ClientGone

_MIB = 1024 * 1024


class BodyStream:
    """An async iterator of the body's buffers, in the server's own sizes; never more than one is held.

    Args:
        scope: the ASGI scope of the request.
        receive: the ASGI callable to take it from.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self._is_begun = False
        self._headers: dict[bytes, bytes] = dict(scope["headers"])
        self.is_ended = False

    @property
    def content_type(self) -> str:
        """The Content-Type header, or an empty text."""
        return self._headers.get(b"content-type", b"").decode("latin-1")

    @property
    def expects_continue(self) -> bool:
        """Whether the sender waits for a word before it sends the body."""
        return self._headers.get(b"expect", b"").lower() == b"100-continue" and not self._is_begun

    @property
    def is_expected(self) -> bool:
        """Whether the request's head announces a body."""
        return b"transfer-encoding" in self._headers or self._headers.get(b"content-length", b"0") != b"0"

    async def receive(self) -> Message:
        """The ASGI callable, for those who want to be handed messages."""
        self._is_begun = True
        message = await self._receive()
        if message["type"] == "http.request":
            self.is_ended = not message.get("more_body", False)
        return message

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the rest of the body.

        Raises:
            ClientGone: the connection ended first.
        """
        while not self.is_ended:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone()
            if buffer := message.get("body", b""):
                yield buffer

    async def read(self, most: int) -> bytes:
        """The whole body, if it has at most ``most`` bytes; else its first ``most`` + 1 or a few more."""
        body = bytearray()
        async for buffer in self:
            body += buffer
            if len(body) > most:
                break
        return bytes(body)

    async def discard(self, most: int) -> bool:
        """Read and forget up to ``most`` bytes, so that a sender who is still sending can hear the answer.

        Returns:
            Whether the body was read to its end; if not, the connection is to be closed.
        """
        if self.expects_continue:
            return False
        discarded = 0
        try:
            async for buffer in self:
                discarded += len(buffer)
                if discarded > most:
                    break
        except ClientGone:
            return False
        return self.is_ended
