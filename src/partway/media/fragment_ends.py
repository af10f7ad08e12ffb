"""Where the fragments of a growing MP4 end, from its box headers alone."""

from __future__ import annotations

import struct

from partway.errors import MediaMalformed


class FragmentEnds:
    """Follows a stream of boxes in whatever buffers it comes; ``latest`` is where the last whole ``mdat`` ends."""

    def __init__(self) -> None:
        self.latest = 0
        self._position = 0
        """How far the stream has come."""
        self._head = b""
        """Of the next box, as far as it is here."""
        self._box_end = 0
        self._is_mdat = False

    def feed(self, buffer: bytes) -> None:
        """Take the next bytes.

        Raises:
            MediaMalformed: these are no boxes.
        """
        at = 0
        while at < len(buffer):
            if self._position < self._box_end:
                step = min(len(buffer) - at, self._box_end - self._position)
            else:
                step = min(len(buffer) - at, self._wanted() - len(self._head))
                self._head += buffer[at : at + step]
            at += step
            self._position += step
            if len(self._head) == self._wanted():
                self._begin_box()
            if self._position == self._box_end and self._is_mdat and not self._head:
                self.latest = self._box_end

    def _wanted(self) -> int:
        return 16 if self._head[:4] == b"\0\0\0\x01" else 8

    def _begin_box(self) -> None:
        length, kind = struct.unpack_from(">I4s", self._head)
        if length == 1:
            (length,) = struct.unpack_from(">Q", self._head, 8)
        if length < len(self._head):
            raise MediaMalformed("The stream that was made of this file is damaged.")
        self._box_end = self._position - len(self._head) + length
        self._is_mdat = kind == b"mdat"
        self._head = b""
