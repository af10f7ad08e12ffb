"""How far an upload is, and how fast it goes. Pure: time is handed in."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

_WINDOW_SECONDS = 10.0


@dataclass(slots=True)
class Meter:
    """Counts the bytes of one upload."""

    total_bytes: int | None = None
    acknowledged_bytes: int = 0
    _in_flight: dict[int, int] = field(default_factory=dict)
    """Bytes sent of each piece in flight, by its position."""
    _marks: deque[tuple[float, int]] = field(default_factory=deque)

    @property
    def sent_bytes(self) -> int:
        return self.acknowledged_bytes + sum(self._in_flight.values())

    @property
    def pieces_in_flight(self) -> int:
        return len(self._in_flight)

    def reset(self) -> None:
        """Count anew, from what the server holds."""
        self.acknowledged_bytes = 0
        self._in_flight.clear()

    def held(self, length: int) -> None:
        """``length`` bytes turned out to be on the server already: no speed in that."""
        self.acknowledged_bytes += length
        self._marks.clear()

    def begin(self, piece: int) -> None:
        """A piece starts, or starts again."""
        self._in_flight[piece] = 0

    def sent(self, piece: int, length: int) -> None:
        self._in_flight[piece] += length

    def acknowledged(self, piece: int, length: int) -> None:
        """The server has the piece."""
        self._in_flight.pop(piece, None)
        self.acknowledged_bytes += length

    def bytes_per_second(self, now: float) -> float:
        """Over the last seconds; to be asked regularly, since the asking sets the marks."""
        sent = self.sent_bytes
        while self._marks and (now - self._marks[0][0] > _WINDOW_SECONDS or self._marks[-1][1] > sent):
            self._marks.popleft()
        self._marks.append((now, sent))
        first_time, first_bytes = self._marks[0]
        return (sent - first_bytes) / (now - first_time) if now - first_time > 0.1 else 0.0

    def eta_seconds(self, rate: float) -> float | None:
        """Seconds to go at ``rate`` bytes a second, if that can be said."""
        if self.total_bytes is None or rate <= 0:
            return None
        return max(0, self.total_bytes - self.sent_bytes) / rate
