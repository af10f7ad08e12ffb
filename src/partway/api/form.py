"""multipart/form-data while it arrives (RFC 7578): strips the frame, buffers no file."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from partway.api.body import BodyStream
from partway.errors import BodyBroken, FileMissing, FileTooLarge

_FIELD_MOST = 64 * 1024
_PARTS_MOST = 100
_FRAME_MOST = 1024 * 1024
_EXTENDED = re.compile(rb";[ \t]*filename\*[ \t]*=[ \t]*[\w-]*'[\w-]*'([^;\s]*)", re.IGNORECASE)
_BOUNDARY = re.compile(rb"[\x20-\x7e]{1,200}")


_CALLBACKS = (
    "on_part_begin", "on_part_data", "on_part_end", "on_header_field", "on_header_value", "on_header_end",
    "on_headers_finished", "on_end",
)  # fmt: skip


@dataclass(slots=True)
class _Head:
    """A part's headers; ``filename`` is None for a text field."""

    name: str
    filename: str | None


@dataclass(slots=True)
class _Events:
    """What the parser has found in the last buffer, in order: a head, some bytes, or None for a part's end."""

    queue: deque[_Head | bytes | None] = field(default_factory=deque)
    header_name: bytearray = field(default_factory=bytearray)
    header_value: bytearray = field(default_factory=bytearray)
    headers: dict[bytes, bytes] = field(default_factory=dict)
    is_ended: bool = False

    def on_part_begin(self) -> None:
        self.headers = {}

    def on_header_field(self, buffer: bytes, start: int, end: int) -> None:
        self.header_name += buffer[start:end]

    def on_header_value(self, buffer: bytes, start: int, end: int) -> None:
        self.header_value += buffer[start:end]

    def on_header_end(self) -> None:
        self.headers[bytes(self.header_name).lower()] = bytes(self.header_value)
        self.header_name.clear()
        self.header_value.clear()

    def on_headers_finished(self) -> None:
        self.queue.append(_head(self.headers.get(b"content-disposition", b"")))

    def on_part_data(self, buffer: bytes, start: int, end: int) -> None:
        self.queue.append(buffer if end - start == len(buffer) else buffer[start:end])

    def on_part_end(self) -> None:
        self.queue.append(None)

    def on_end(self) -> None:
        self.is_ended = True


class Form:
    """A form that is still arriving; see ``services.incoming.IncomingForm``.

    Args:
        most: bytes of the whole body, frame and all.
    """

    def __init__(self, body: BodyStream, most: int) -> None:
        self.fields: dict[str, str] = {}
        self._content_type = body.content_type
        self._buffers = aiter(body)
        self._events = _Events()
        self._parser: MultipartParser | None = None
        self._delimiter = b""
        self._preamble: bytes | None = b"\r\n"
        self._left = most
        self._parts = 0
        self._frame = 0
        self._file: File | None = None

    def _opened(self) -> MultipartParser:
        """The parser; made when the form is first read, for whether it is one comes late in the order of checks."""
        if self._parser is None:
            kind, options = parse_options_header(self._content_type)
            boundary = options.get(b"boundary", b"")
            if kind != b"multipart/form-data" or not _BOUNDARY.fullmatch(boundary):
                raise FileMissing("The body has to be multipart/form-data with one file in it.")
            self._delimiter = b"\r\n--" + boundary
            callbacks = {name: getattr(self._events, name) for name in _CALLBACKS}
            self._parser = MultipartParser(
                boundary, cast(Any, callbacks), max_header_count=16, max_header_size=8 * 1024
            )
        return self._parser

    async def next_file(self) -> File | None:
        """Read on to the next file, or to the form's end; see ``IncomingForm.next_file``.

        Raises:
            FileMissing: the body is not multipart/form-data at all.
            FileTooLarge: it is longer than a form may be.
            BodyBroken, ClientGone: it is not well formed, or broke off.
        """
        if self._file is not None:
            async for _ in self._file.buffers():
                pass
            self._file = None
        while (event := await self._next()) is not None:
            assert isinstance(event, _Head)
            self._parts += 1
            if self._parts > _PARTS_MOST:
                raise BodyBroken(f"The form has more than {_PARTS_MOST} parts.")
            if event.filename is not None:
                self._file = File(self, event.filename)
                return self._file
            await self._read_field(event.name)
        return None

    async def _read_field(self, name: str) -> None:
        value = bytearray()
        async for buffer in self._part():
            value += buffer
            if len(value) > _FIELD_MOST:
                raise BodyBroken(f"The field {name[:40]!r} is longer than {_FIELD_MOST} bytes.")
        # No field we know has a NUL, and PostgreSQL takes none in a text.
        self.fields.setdefault(name, value.decode("utf-8", "replace").replace("\0", "\ufffd"))

    async def _part(self) -> AsyncIterator[bytes]:
        """Yield the bytes of the part whose head came last."""
        while True:
            event = await self._next()
            if event is None:
                return
            assert isinstance(event, bytes)
            yield event

    async def _next(self) -> _Head | bytes | None:
        """The next event; None ends a part, or the form when no part is open."""
        events, parser = self._events, self._opened()
        while not events.queue:
            if events.is_ended:
                # What follows the closing delimiter means nothing (RFC 2046 5.1.1), but it has to be read.
                async for buffer in self._buffers:
                    self._count_frame(len(buffer))
                return None
            try:
                buffer = await anext(self._buffers)
            except StopAsyncIteration:
                raise BodyBroken("The form ends before its closing delimiter.") from None
            self._left -= len(buffer)
            if self._left < 0:
                raise FileTooLarge("The form is longer than its largest file may be.")
            try:
                parser.write(self._without_preamble(buffer))
            except FormParserError as error:
                raise BodyBroken(f"The form is malformed: {error}.") from error
            if not events.queue:
                self._count_frame(len(buffer))
        return events.queue.popleft()

    def _without_preamble(self, buffer: bytes) -> bytes:
        """What is left of a buffer after that which may stand before the first delimiter (RFC 2046 5.1.1)."""
        if self._preamble is None:
            return buffer
        seen = self._preamble + buffer
        start = seen.find(self._delimiter)
        if start < 0:
            self._preamble = seen[-len(self._delimiter) :]
            return b""
        self._preamble = None
        return seen[start + 2 :]

    def _count_frame(self, size: int) -> None:
        """Bound what belongs to no part."""
        self._frame += size
        if self._frame > _FRAME_MOST:
            raise BodyBroken("There is too much between the form's parts.")


class File:
    """A file of a form; see ``services.incoming.IncomingFile``."""

    def __init__(self, form: Form, filename: str) -> None:
        self._form = form
        self._is_read = False
        self.filename = filename

    async def buffers(self) -> AsyncIterator[bytes]:
        """Yield the bytes that have not been read yet."""
        while not self._is_read:
            event = await self._form._next()
            if event is None:
                self._is_read = True
                return
            assert isinstance(event, bytes)
            yield event


def _head(disposition: bytes) -> _Head:
    _, options = parse_options_header(disposition)
    filename = options.get(b"filename")
    # RFC 7578 4.2 forbids the extended form, so the parser passes it over; some clients send nothing else.
    if filename is None and (extended := _EXTENDED.search(disposition)) is not None:
        filename = unquote_to_bytes(extended[1])
    return _Head(_text(options.get(b"name", b"")), None if filename is None else _basename(_text(filename)))


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _basename(path: str) -> str:
    """Without folders of either kind of slash; Go sends the whole path (contract.md 2.4)."""
    name = re.split(r"[/\\]", path)[-1]
    return "".join(char for char in name if char.isprintable())[:255]
