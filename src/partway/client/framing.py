"""One file as multipart/form-data of known length, with the file's bytes left out. Pure."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

_QUOTED = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A", "\0": None})
"""As browsers do it (WHATWG HTML, multipart/form-data encoding algorithm)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands before and after a file's bytes in a request's body (RFC 7578)."""

    boundary: str
    head: bytes
    tail: bytes

    @property
    def content_type(self) -> str:
        """The value of the request's ``Content-Type`` header."""
        return f"multipart/form-data; boundary={self.boundary}"

    def content_length(self, file_bytes: int) -> int:
        """Bytes of the whole body round a file of ``file_bytes``."""
        return len(self.head) + file_bytes + len(self.tail)


def frame(file_name: str, boundary: str | None = None) -> Frame:
    """The frame of a body that carries one file.

    The boundary is 128 random bits: that it occurs in the file is not worth looking for.
    """
    boundary = boundary or f"partway-{secrets.token_hex(16)}"
    quoted = file_name.translate(_QUOTED).encode("utf-8", "replace")
    head = (
        b"--%b\r\n"
        b'Content-Disposition: form-data; name="file"; filename="%b"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n" % (boundary.encode(), quoted)
    )
    return Frame(boundary, head, f"\r\n--{boundary}--\r\n".encode())
