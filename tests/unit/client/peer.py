"""A server that answers as told: what ours never does, the client must survive all the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Seen:
    """A request that arrived."""

    line: str
    headers: dict[str, str]
    body: bytes


def answer(status: int, content: object = None, *lines: str) -> bytes:
    body = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
    head = [f"HTTP/1.1 {status} So", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


CUT = b"cut"
"""Instead of an answer: the connection ends."""
CUT_EARLY = b"cut early"
"""The connection ends inside the request's body."""


@dataclass(slots=True)
class Peer:
    """Gives the answers of a list, one per request, and the last one ever after."""

    answers: list[bytes]
    url: str = ""
    seen: list[Seen] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {
                    name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)
                }
                reply = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if reply == CUT_EARLY:
                    await reader.readexactly(1000)
                    self.seen.append(Seen(head[0], headers, b""))
                    writer.transport.abort()
                    return
                seen = Seen(head[0], headers, await reader.readexactly(int(headers.get("content-length", 0))))
                self.seen.append(seen)
                if reply == CUT:
                    writer.transport.abort()
                    return
                writer.write(reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def peer(*answers: bytes) -> AsyncIterator[Peer]:
    """Run a peer that gives these answers."""
    it = Peer(list(answers))
    server = await asyncio.start_server(it.serve, "127.0.0.1", 0)
    async with server:
        it.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield it
