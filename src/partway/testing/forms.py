"""Forms that arrive as a test tells them to; see ``services.incoming.IncomingForm``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

_BUFFER = 64 * 1024


@dataclass(slots=True)
class SentFile:
    """A file whose bytes come in buffers of 64 KiB, or as the test's own ``source`` yields them."""

    body: bytes = b""
    filename: str = "video.mp4"
    source: AsyncIterator[bytes] | None = None
    is_read: bool = False

    async def buffers(self) -> AsyncIterator[bytes]:
        """Yield the bytes once."""
        if self.is_read:
            return
        self.is_read = True
        if self.source is not None:
            async for buffer in self.source:
                yield buffer
        for start in range(0, len(self.body), _BUFFER):
            yield self.body[start : start + _BUFFER]


class SentForm:
    """Fields, written ``("name", "value")``, and files, in the order in which they are sent."""

    def __init__(self, *items: tuple[str, str] | SentFile) -> None:
        self._items = list(items)
        self._fields: dict[str, str] = {}
        self.is_ended = False

    @property
    def fields(self) -> Mapping[str, str]:
        """The text fields seen so far."""
        return self._fields

    async def next_file(self) -> SentFile | None:
        """Go on to the next file, or to the end."""
        while self._items:
            item = self._items.pop(0)
            if isinstance(item, SentFile):
                return item
            self._fields.setdefault(*item)
        self.is_ended = True
        return None
